"""One resumable, time-boxed training loop for every recipe, on a CPU, one GPU, or several through torchrun.

All randomness comes from the step's number, so that a run that was stopped and resumed goes on exactly as if it had
not been. The only thing that depends on the clock is the learning rate, and only when the run is given in minutes.
"""

from __future__ import annotations

import csv
import json
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import distributed, nn

from models.devices import fast_precision
from training.checkpoint import load_checkpoint, save_checkpoint
from training.real import mixed
from training.recipes import Batch, Recipe, rendered
from training.sheets import write_sheet
from training.world import World
from training.world.dice import Dice

WARM_UP = 50
AVERAGE = 0.998
CHUNK_BATCHES = 16


@dataclass(frozen=True)
class Budget:
    """How long to train: `minutes` of wall clock over all runs, or exactly `steps` where given."""

    minutes: float = 30.0
    steps: int | None = None

    def gone(self, step: int, seconds: float) -> float:
        return step / self.steps if self.steps else seconds / (60 * self.minutes)


@dataclass
class Run:
    """The state of one training: what a checkpoint holds."""

    recipe: Recipe
    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    best: float = math.inf
    history: list[dict[str, float]] = field(default_factory=list)


def start(recipe: Recipe, device: torch.device, seed: int = 0, initial: Path | None = None) -> Run:
    """A fresh run; `initial` is a checkpoint folder whose averaged network it begins with."""
    torch.manual_seed(seed)
    network = recipe.network().to(device)
    if initial is not None:
        network.load_state_dict(load_checkpoint(initial)[0]["average"])
    optimizer = torch.optim.AdamW(network.parameters(), recipe.rate, betas=(0.9, 0.98), weight_decay=1e-4)
    return Run(recipe, network, deepcopy(network).requires_grad_(False), optimizer)


class Stock:
    """Rendered exposures: a chunk is rendered ahead in a thread; `reuse` times as many batches as there are in it are
    then drawn from it and from the chunks before that are still kept."""

    def __init__(
        self, recipe: Recipe, world: World, seed: int, frames: int, real: Batch | None = None, share: float = 0.0
    ) -> None:
        self._real, self._share = real, share
        self._recipe, self._world, self._seed, self._frames = recipe, world, seed, frames
        self._pool = ThreadPoolExecutor(1, "render")
        self._chunks: dict[int, Future[Batch]] = {}

    def batch(self, step: int) -> Batch:
        """The batch of this step."""
        number, place = divmod(step, CHUNK_BATCHES * self._recipe.reuse)
        chunks = self._kept(number)
        size, each = self._recipe.batch, CHUNK_BATCHES * self._recipe.batch
        epoch, place = divmod(place, CHUNK_BATCHES * len(chunks))
        generator = torch.Generator().manual_seed(self._seed + 31 * number + epoch)
        drawn = torch.randperm(each * len(chunks), generator=generator)[place * size : (place + 1) * size]
        rows = [(drawn[drawn // each == n] % each).to(self._world.device) for n in range(len(chunks))]
        batch = {key: torch.cat([one[key][row] for one, row in zip(chunks, rows, strict=True)]) for key in chunks[0]}
        if self._real is not None:
            batch = mixed(batch, self._real, self._share, self._seed + step)
        return self._recipe.turned(batch, Dice(self._seed + step, self._world.device))

    def _kept(self, number: int) -> list[Batch]:
        """Chunk `number` and those before it that are kept; the one after it is begun."""
        wanted = range(max(0, number - self._recipe.kept + 1), number + 1)
        for one in (*wanted, number + 1):
            if one not in self._chunks:
                self._chunks[one] = self._pool.submit(self._render, one)
        self._chunks = {one: self._chunks[one] for one in (*wanted, number + 1)}
        return [self._chunks[one].result() for one in wanted]

    def _render(self, number: int) -> Batch:
        count = CHUNK_BATCHES * self._recipe.batch
        return rendered(self._world, self._recipe, count, self._seed + 7 * number + 1, self._frames)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def train(
    run: Run,
    world: World,
    budget: Budget,
    out: Path,
    *,
    seed: int = 0,
    frames: int = 7,
    check: Callable[[nn.Module], dict[str, float]] | None = None,
    check_every: float = 300.0,
    check_steps: int | None = None,
    held_out: Batch | None = None,
    real: Batch | None = None,
    share: float = 0.0,
    say: Callable[[str], None] = print,
) -> Run:
    """Train until the budget is gone; write checkpoint, log and sheets into `out`.

    check     scores the averaged network every `check_every` seconds, or every `check_steps` steps, and at the end.
    held_out  material to draw sheets of.
    real      material of real exposures, of which `share` of every batch is taken.
    """
    rank, ranks = _ranks()
    stock = Stock(run.recipe, world, seed + 100_003 * rank, frames, real, share)
    began, checked = time.monotonic() - run.seconds, run.seconds
    try:
        while budget.gone(run.step, run.seconds) < 1:
            rate = learning_rate(run.recipe.rate, run.step, budget.gone(run.step, run.seconds))
            loss = _step(run, stock.batch(run.step), Dice(seed + run.step, world.device), rate, ranks)
            run.step += 1
            run.seconds = _agreed(time.monotonic() - began, world.device, ranks)
            if run.step % 50 == 0:
                row = {"step": run.step, "seconds": round(run.seconds, 1), "loss": float(loss), "rate": rate}
                run.history.append(row)
                say(f"{run.recipe.__class__.__name__} {row['step']} {row['seconds']:.0f}s loss {row['loss']:.4f}")
            due = run.step % check_steps == 0 if check_steps else run.seconds - checked > check_every
            if due and budget.gone(run.step, run.seconds) < 1:
                checked = run.seconds
                _keep(run, out, check, held_out, say, rank)
    finally:
        stock.close()
    _keep(run, out, check, held_out, say, rank)
    return run


def learning_rate(highest: float, step: int, gone: float) -> float:
    """Linear warm-up, then a cosine to nothing over the budget."""
    return highest * min(1.0, (step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * min(gone, 1.0)))


def _step(run: Run, batch: Batch, dice: Dice, rate: float, ranks: int) -> torch.Tensor:
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    run.network.train()
    with fast_precision(batch["photo"].device):
        loss = run.recipe.loss(run.network, batch, dice)
    run.optimizer.zero_grad(set_to_none=False)
    loss.backward()
    parameters = list(run.network.parameters())
    if ranks > 1:
        _shared([one.grad for one in parameters if one.grad is not None], ranks)
    norm = nn.utils.clip_grad_norm_(parameters, run.recipe.clip)
    if torch.isfinite(norm):
        run.optimizer.step()
    decay = min(AVERAGE, (1 + run.step) / (10 + run.step))
    with torch.no_grad():
        for mean, one in zip(run.average.parameters(), parameters, strict=True):
            mean.lerp_(one, 1 - decay)
        # Statistics of the last few batches alone would not fit the averaged weights.
        for mean, one in zip(run.average.buffers(), run.network.buffers(), strict=True):
            mean.lerp_(one, 1 - decay) if one.is_floating_point() else mean.copy_(one)
    return loss.detach()


def _keep(
    run: Run,
    out: Path,
    check: Callable[[nn.Module], dict[str, float]] | None,
    held_out: Batch | None,
    say: Callable[[str], None],
    rank: int,
) -> None:
    """Score, log and save; only the first of several processes does."""
    if rank:
        return
    network = run.average.eval()
    with torch.no_grad():
        scores = check(network) if check is not None else {}
        if held_out is not None:
            write_sheet(out / f"sheet_{run.step:06d}.png", run.recipe.sheet(network, held_out))
    if scores:
        run.history.append({"step": run.step, "seconds": round(run.seconds, 1), **scores})
        run.best = min(run.best, scores.get(run.recipe.score, math.inf))
        say("  ".join(f"{name} {value:.3f}" for name, value in scores.items()))
    save_checkpoint(out, run.network, run.average, run.optimizer, _said(run))
    _log(out / "log.csv", run.history)


def _said(run: Run) -> dict:
    return {"step": run.step, "seconds": run.seconds, "best": run.best, "history": run.history}


def resume(run: Run, out: Path) -> Run:
    """Go on with the run whose checkpoint lies in `out`."""
    tensors, said = load_checkpoint(out)
    run.network.load_state_dict(tensors["network"])
    run.average.load_state_dict(tensors["average"])
    state = {number: {} for number in range(len(list(run.network.parameters())))}
    for key, value in tensors["optimizer"].items():
        number, name = key.split(".")
        state[int(number)][name] = value
    run.optimizer.load_state_dict({"state": state, "param_groups": run.optimizer.state_dict()["param_groups"]})
    run.step, run.seconds = said["step"], said["seconds"]
    run.best, run.history = said["best"], said["history"]
    return run


def _log(path: Path, history: list[dict[str, float]]) -> None:
    names = list(dict.fromkeys(name for row in history for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(history)
    path.with_suffix(".json").write_text(json.dumps(history, indent=1))


def _ranks() -> tuple[int, int]:
    """This process's number and how many there are; joins the group that torchrun set up."""
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if ranks > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return (distributed.get_rank(), ranks) if ranks > 1 else (0, 1)


def _shared(gradients: list[torch.Tensor], ranks: int) -> None:
    """Replace gradients by their mean over all processes."""
    flat = torch.cat([one.flatten() for one in gradients])
    distributed.all_reduce(flat)
    for one, part in zip(gradients, (flat / ranks).split([one.numel() for one in gradients]), strict=True):
        one.copy_(part.view_as(one))


def _agreed(seconds: float, device: torch.device, ranks: int) -> float:
    """The first process's clock, so that all stop at the same step."""
    if ranks == 1:
        return seconds
    clock = torch.tensor(seconds, device=device, dtype=torch.float64)
    distributed.broadcast(clock, 0)
    return float(clock)

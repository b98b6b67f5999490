"""Every recipe learns, and a run that was stopped goes on as if it had not been."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import pytest
import torch
from tiny_world import tiny_world

from models.trajectory.network import MotionNetwork
from training.loop import Budget, Run, learning_rate, resume, start, train
from training.recipes import NAMES, Recipe, recipe, rendered
from training.symmetry import turned, turned_vectors
from training.world.dice import Dice

CPU = torch.device("cpu")


def tiny(name: str) -> Recipe:
    return dataclasses.replace(recipe(name), batch=2, reuse=2)  # type: ignore[type-var]


def trained(one: Recipe, steps: int, out: Path, run: Run | None = None) -> Run:
    world = tiny_world(32, (3.0, 8.0))
    return train(run or start(one, CPU, 3), world, Budget(steps=steps), out, seed=5, say=lambda text: None)


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    from models.decomposition.network import RestorationNetwork
    from training.recipes import decomposition, motion, restoration

    monkeypatch.setattr(motion.Motion, "network", lambda self: MotionNetwork((8, 16, 16, 16), 1))
    monkeypatch.setattr(restoration.Restoration, "network", lambda self: RestorationNetwork((16, 16, 16), (1, 1, 1)))
    monkeypatch.setattr(decomposition, "guide", lambda device: MotionNetwork((8, 8, 8, 8), 1))
    monkeypatch.setattr("training.loop.CHUNK_BATCHES", 4)


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_falls(name: str, tmp_path: Path) -> None:
    one = tiny(name)
    batch = rendered(tiny_world(32, (3.0, 8.0)), one, 8, 99)
    run = start(one, CPU, 3)

    def loss() -> float:
        run.network.eval()
        with torch.no_grad():
            return float(one.loss(run.network, batch, Dice(0)))

    before = loss()
    trained(one, 60, tmp_path, run)
    assert loss() < before


@pytest.mark.parametrize("name", ["motion", "restoration"])
def test_a_stopped_run_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    one = tiny(name)
    whole = trained(one, 6, tmp_path / "whole")
    world = tiny_world(32, (3.0, 8.0))
    budget = Budget(steps=6)
    part = start(one, CPU, 3)
    stop_after(part, 4, world, budget, tmp_path / "part")
    again = resume(start(one, CPU, 8), tmp_path / "part")
    assert again.step == 4
    train(again, world, budget, tmp_path / "part", seed=5, say=lambda text: None)
    for key, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[key]), key
    for key, value in whole.average.state_dict().items():
        assert torch.equal(value, again.average.state_dict()[key]), key


def stop_after(run: Run, steps: int, world, budget: Budget, out: Path) -> None:
    """Train as `budget` says, but break off: what a killed session leaves behind."""

    class Broken(Budget):
        def gone(self, step: int, seconds: float) -> float:
            return 1.0 if step >= steps else budget.gone(step, seconds)

    train(run, world, Broken(steps=budget.steps), out, seed=5, say=lambda text: None)


def test_scores_and_log_are_written(tmp_path: Path) -> None:
    one = tiny("motion")
    world = tiny_world(32, (3.0, 8.0))
    held_out = rendered(world, one, 4, 50)
    run = start(one, CPU)
    train(
        run, world, Budget(steps=3), tmp_path, held_out=held_out, say=lambda text: None,
        check=lambda network: one.validate(network, [held_out]),
    )  # fmt: skip
    with (tmp_path / "log.csv").open(newline="") as file:
        row = list(csv.DictReader(file))[-1]
    assert float(row["zero_epe_moving"]) > 0
    assert float(row["told_epe"]) >= 0
    assert (tmp_path / "sheet_000003.png").is_file()
    assert math.isfinite(run.best)


def test_the_learning_rate_warms_up_and_ends_at_nothing() -> None:
    rates = [learning_rate(1.0, step, step / 1000) for step in range(1001)]
    assert rates[0] < rates[49]
    assert max(rates) > 0.98
    assert rates[-1] == 0


@pytest.mark.parametrize("way", range(8))
def test_turning_a_picture_turns_its_vectors(way: int) -> None:
    # The vector from each pixel to the brightest one still leads there after turning.
    picture = torch.zeros(8, 8)
    picture[2, 5] = 1
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    there = turned_vectors(torch.stack((5 - x, 2 - y)), way)
    row, column = divmod(int(turned(picture, way).argmax()), 8)
    assert torch.equal(there, torch.stack((column - x, row - y)))


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(ValueError, match="no recipe called soup"):
        recipe("soup")

"""The adjustment network: how far found motion is off at every place, seen along it.

What finds the motion to begin with is what ships. Everything is measured once, along found motion; after that a picture
turned or mirrored is its cells turned or mirrored, so many steps cost little.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from models.symmetry import WAYS, turned
from models.trajectory.adjustment import MIRRORED, AdjustmentNetwork, adjusted, reached, seen, seen_from
from models.trajectory.cells import CELL
from models.trajectory.estimation import BELIEVED, surely
from training.recipes import Batch
from training.recipes.decomposition import found, with_hints
from training.sheets import flow_colours, picture
from training.world import Exposures
from training.world.dice import Dice
from training.world.hints import displaced, sloppy

MOVING = 1.0
FEWEST = 8
"""Cells that count, neither told to stand still nor surely moving with all around, below which nothing is learned."""
SMALL = 2.0
"""Px added to the mean length of a picture's motion, as a share of whose root errors count."""


@dataclass(frozen=True)
class Adjustment:
    """The recipe; of `untold` of all pictures nothing is told."""

    batch: int = 16
    rate: float = 2e-3
    clip: float = 2.0
    reuse: int = 48
    kept: int = 24
    reach: tuple[float, float] = (0.012, 0.2)
    score: str = "adjusted"
    untold: float = 0.2

    def network(self) -> nn.Module:
        return AdjustmentNetwork()

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        guidance, _ = sloppy(dice, exposures)
        guidance = guidance * ~dice.chance(self.untold, len(guidance))[:, None, None, None]
        return _measured(exposures.photo, exposures.flow(), guidance)

    def of_crops(self, crops: Batch) -> Batch:
        """Material of crops of real exposures (`training.real`): told exactly, told about, told nothing."""
        photo, exact = crops["photo"], crops["guidance"].clone()
        flow = F.interpolate(crops["motion"][:, 3] - crops["motion"][:, 2], scale_factor=2.0)
        exact[:, :2] *= flow.norm(dim=1, keepdim=True) >= MOVING
        dice = Dice(int(photo.double().sum() * 1000) % 2**31)
        ways = (exact, displaced(dice, exact), torch.zeros_like(exact))
        parts = [_measured(photo, flow, guidance) for guidance in ways]
        return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        way = int(dice.whole(WAYS))
        batch = {key: turned(value, way) for key, value in batch.items()}
        if way.bit_count() % 2:  # what goes aside to the left goes to the right in a mirror
            batch["seen"] = batch["seen"] * MIRRORED.to(batch["seen"])[:, None, None]
            batch["aside"] = -batch["aside"]
        return batch

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        counts = batch["counts"].float()
        off = _errors(batch, network(_recoloured(batch["seen"].float(), dice)))
        each = (off * counts).sum((1, 2, 3)) / counts.sum((1, 2, 3)).clamp_min(1)
        mean = (_true(batch).norm(dim=1, keepdim=True) * counts).sum((1, 2, 3)) / counts.sum((1, 2, 3)).clamp_min(1)
        learned = counts.sum((1, 2, 3)) > FEWEST
        return (each / (mean + SMALL).sqrt() * learned).sum() / learned.sum().clamp_min(1)

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """End-point error where something moves and counts, px: as found, adjusted as far as is believed, with the best
        length and the direction as found."""
        sums: dict[str, float] = {}
        count = 0
        for batch in batches:
            moves = (batch["counts"] > 0.5) & (_true(batch).norm(dim=1, keepdim=True) > MOVING)
            off = network(batch["seen"].float())
            errors = {
                "found": _errors(batch, torch.zeros_like(off)),
                "adjusted": _errors(batch, BELIEVED * off),
                "best_length": torch.where(
                    batch["along"] > 0, batch["aside"].abs(), _true(batch).norm(dim=1, keepdim=True)
                ),
            }
            for name, error in errors.items():
                sums[name] = sums.get(name, 0) + float(error[moves].sum())
            count += int(moves.sum())
        return {name: total / max(count, 1) for name, total in sums.items()}

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        rows = []
        straight = _straight(batch)
        found, better = (adjusted(straight, off) for off in (0 * straight, network(batch["seen"].float())))
        for one in range(len(better)):
            truth = _true(batch)[one]
            longest = float(truth.norm(dim=0).max())
            fields = (F.interpolate(x[None], scale_factor=CELL / 4)[0] for x in (truth, found[one], better[one]))
            rows.append([picture(batch["photo"][one].float()), *(flow_colours(x, longest) for x in fields)])
        return rows


def _measured(photo: torch.Tensor, flow: torch.Tensor, guidance: torch.Tensor) -> Batch:
    """What is seen along the motion found in photos (B, 3, H, W) given guidance (B, 5, H, W), and where their true
    flow (B, 2, H, W) px goes beside it: all on cells of 8 px."""
    hints = with_hints(photo, guidance)
    fields = found(photo, hints)
    way = reached(fields[:, 3] - fields[:, 2], hints)
    length = F.avg_pool2d(way.norm(dim=1, keepdim=True), CELL)
    ahead = F.avg_pool2d(way, CELL)
    ahead = ahead / ahead.norm(dim=1, keepdim=True).clamp_min(1e-6)
    true = F.avg_pool2d(flow, CELL)
    nothing = ~(guidance[:, 2:3] > 0).flatten(1).any(1)[:, None, None, None]
    against = (true * ahead * length).sum((1, 2, 3), keepdim=True) < 0
    true = torch.where(nothing & against, -true, true)
    still = (guidance[:, :2] == 0).all(1, keepdim=True) & (guidance[:, 2:3] > 0)
    along, aside = seen_from(ahead, true).split(1, 1)
    return {
        "photo": F.avg_pool2d(photo, 4).half(),
        "seen": seen(photo, way, hints).half(),
        "length": length.half(),
        "along": along.half(),
        "aside": aside.half(),
        "counts": F.avg_pool2d(~still * (1 - surely(hints)), CELL).half(),
    }


def _straight(batch: Batch) -> torch.Tensor:
    """The found ways (B, 2, h, w) px, every one turned to the right."""
    length = batch["length"].float()
    return torch.cat((length, torch.zeros_like(length)), 1)


def _true(batch: Batch) -> torch.Tensor:
    """The true ways, turned as the found ones are."""
    return torch.cat((batch["along"].float(), batch["aside"].float()), 1)


def _errors(batch: Batch, off: torch.Tensor) -> torch.Tensor:
    """The robust end-point error (B, 1, h, w) px of found ways that are `off` by what is said."""
    return ((adjusted(_straight(batch), off) - _true(batch)).square().sum(1, keepdim=True) + 0.01).sqrt()


def _recoloured(seen: torch.Tensor, dice: Dice) -> torch.Tensor:
    """With the colours, the last three channels, of half of all pictures paler or stronger and exchanged."""
    count = len(seen)
    order = torch.argsort(dice.uniform(count, 3), 1)[:, :, None, None].expand(-1, -1, *seen.shape[-2:])
    other = seen[:, -3:].gather(1, order) * dice.uniform(count, low=0.2, high=1.3)[:, None, None, None]
    chosen = dice.chance(0.5, count)[:, None, None, None]
    return torch.cat((seen[:, :-3], torch.where(chosen, other, seen[:, -3:])), 1)


RECIPE = Adjustment()

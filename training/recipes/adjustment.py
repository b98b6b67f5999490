"""The adjustment network: how far found motion is off at every place, and how it bends, seen around it.

What finds the motion to begin with is what ships, at the sizes at which it does so in use. Everything is measured once;
after that a picture turned or mirrored, or played backwards, is its cells turned, mirrored or with other signs, so many
steps cost little.

What counts is what wrong motion does to the frames: motion that is off by d moves a picture with slopes g by g . d, so
its squared error is d' S d, S the squared slopes of the true middle instant. Along an edge motion may be off freely,
before a plain wall, too; and where it is not known how far a thing goes, the motion that is best on the average is not
the likeliest. A bend that is off by d moves the ends of the exposure by it and what is between by less. Of both errors
together the logarithm is learned, as PSNR is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from models.symmetry import WAYS, turned, turned_vectors
from models.trajectory.adjustment import (
    AdjustmentNetwork,
    change,
    change_by,
    reversed_seen,
    seen,
    turned_seen,
    vectors_of,
)
from models.trajectory.cells import CELL
from models.trajectory.estimation import adjustable, found_with_hints
from models.trajectory.evidence import slopes
from models.trajectory.moving import CHANNELS as LINES
from training.recipes import Batch, decomposition
from training.recipes.moving import recoloured
from training.sheets import flow_colours, picture
from training.world import Exposures
from training.world.dice import Dice
from training.world.hints import displaced, drawn_about, in_arrows, sloppy

MOVING = 1.0
DEGREES = 15.0, 25.0
"""By how much arrows are turned at most of which the quadrant is told, or the direction."""
FEWEST = 8
"""Cells that count below which nothing is learned from a picture."""
FAR = 8.0
"""Px from which on being off still further hardly matters: what is there has nothing to do with what should be."""
BEND = 3.1
"""What a bend's squared error in px counts beside that of the flow, which is twice as far as an end is off: over seven
instants s from -1 to 1 the mean of s^4 over that of (s / 2)^2."""
PLAIN = 0.1, 1e-5
"""What being off counts where there are no slopes: a share of the picture's mean squared slope, and squared slopes."""
GOOD = 0.1
"""The share of what no motion at all would leave wrong that is as good as nothing: what is uneven remains anyway."""


@dataclass(frozen=True)
class Adjustment:
    """The recipe; its exposures are as `uneven` as real ones."""

    batch: int = 16
    rate: float = 2e-3
    clip: float = 2.0
    reuse: int = 48
    kept: int = 24
    reach: tuple[float, float] = (0.008, 0.12)
    uneven: float = 0.9
    score: str = "adjusted"

    def network(self) -> nn.Module:
        return AdjustmentNetwork()

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        guidance, _ = sloppy(dice, exposures)
        ends = exposures.trajectories[:, 0], exposures.trajectories[:, -1]
        return _measured(exposures.photo, exposures.frames, ends, _quadrants(guidance), "quadrants")

    def of_crops(self, crops: Batch) -> Batch:
        """Material of crops of real exposures (`training.real`): told the quadrant of every place, exactly and about,
        and each thing as a whole, by its quadrant and by its direction, which is not quite right."""
        start, end = (F.interpolate(crops["motion"][:, n], scale_factor=2.0) for n in (2, 3))
        exact = crops["guidance"].clone()
        exact[:, :2] *= (end - start).norm(dim=1, keepdim=True) >= MOVING
        dice = Dice(int(crops["photo"].double().sum() * 1000) % 2**31)
        things = [in_arrows(flow) for flow in (end - start).permute(0, 2, 3, 1).cpu().numpy()]
        ways = (
            (_quadrants(exact), "quadrants"),
            (_quadrants(displaced(dice, exact)), "quadrants"),
            ([drawn_about(dice, one, DEGREES[0]).flow() for one in things], "quadrants"),
            ([drawn_about(dice, one, DEGREES[1]).flow() for one in things], "directions"),
        )
        parts = [_measured(crops["photo"], crops["frames"], (start, end), *way) for way in ways]
        material = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
        firm = -F.max_pool2d(-crops["firm"].half(), 3 * CELL // 2, CELL // 2, CELL // 2)
        return material | {"counts": material["counts"] * firm.repeat(len(parts), 1, 1, 1)}

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        way = int(dice.whole(WAYS))
        slopes = batch["slopes"]
        if (way & 3).bit_count() == 1:  # mirrored once
            slopes = slopes * slopes.new_tensor([1, -1, 1])[:, None, None]
        out = {
            "photo": turned(batch["photo"], way),
            "seen": turned_seen(batch["seen"], way),
            "flow": turned_vectors(batch["flow"], way),
            "bend": turned_vectors(batch["bend"], way),
            "slopes": turned(slopes[:, [2, 1, 0]] if way & 4 else slopes, way),
            "counts": turned(batch["counts"], way),
        }
        if bool(dice.chance(0.5, 1)):
            out |= {"seen": reversed_seen(out["seen"]), "flow": -out["flow"]}
        return out

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        seen = batch["seen"].float()
        seen = torch.cat((seen[:, :-LINES], recoloured(seen[:, -LINES:], dice)), 1)
        off, bend = change(network(seen), seen)
        left = _left_wrong(batch, _found(batch) + off, bend)
        learned = batch["counts"].float().sum((1, 2, 3)) > FEWEST
        return (left * learned).sum() / learned.sum().clamp_min(1)

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Means over pictures that count: of what is left wrong, a logarithm, as found and adjusted; end-point errors
        where something moves and counts, px."""
        rows: dict[str, list[torch.Tensor]] = {}
        for batch in batches:
            flow, found = batch["flow"].float(), _found(batch)
            moves = batch["counts"].float() * (flow.norm(dim=1, keepdim=True) > MOVING)
            learned = (batch["counts"].float().sum((1, 2, 3)) > FEWEST) & (moves.sum((1, 2, 3)) > 0)
            off, bend = change_by(network, batch["seen"].float())
            even = torch.zeros_like(bend)
            for name, motion, bent in (("found", found, even), ("adjusted", found + off, bend)):
                wrong = (motion - flow).norm(dim=1, keepdim=True)
                error = (wrong * moves).sum((1, 2, 3)) / moves.sum((1, 2, 3)).clamp_min(1)
                rows.setdefault(name, []).append(_left_wrong(batch, motion, bent)[learned])
                rows.setdefault(f"{name}_px", []).append(error[learned])
        return {name: float(torch.cat(values).mean().nan_to_num(0.0)) for name, values in rows.items()}

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        rows, flow, found = [], batch["flow"].float(), _found(batch)
        better = found + change_by(network, batch["seen"].float())[0]
        for one in range(len(better)):
            longest = float(flow[one].norm(dim=0).max())
            fields = (F.interpolate(x[one : one + 1], scale_factor=CELL / 4)[0] for x in (flow, found, better))
            rows.append([picture(batch["photo"][one].float()), *(flow_colours(x, longest) for x in fields)])
        return rows


def _quadrants(guidance: torch.Tensor) -> list[np.ndarray]:
    """The quadrants that guidance (B, 5, H, W) tells, as flows (H, W, 2), NaN where nothing is known."""
    told = torch.where(guidance[:, 2:3] > 0, guidance[:, :2].sign(), torch.nan)
    return list(told.permute(0, 2, 3, 1).cpu().numpy())


@torch.no_grad()
def _measured(
    photo: torch.Tensor,
    frames: torch.Tensor,
    ends: tuple[torch.Tensor, torch.Tensor],
    flows: list[np.ndarray],
    told: str,
) -> Batch:
    """What is seen in photos (B, 3, H, W) whose motion is found told "quadrants" or "directions" of flows (H, W, 2),
    beside it the true flow and bend of trajectories whose start and end are given, (B, 2, H, W) px, the squared slopes
    of the middle one of frames (B, N, 3, H, W), and where what the network says is heeded: all on cells of 8 px."""
    if not frames.shape[1] % 2:
        raise ValueError(f"this recipe needs the middle instant, an odd number of frames, got {frames.shape[1]}")
    networks = replace(decomposition.guide(photo.device), adjustment=None)
    parts = [found_with_hints(networks, *one, told) for one in zip(photo.split(1), flows, strict=True)]
    fields, hints = (torch.cat(part) for part in zip(*parts, strict=True))
    x, y = slopes(frames[:, frames.shape[1] // 2].mean(1, keepdim=True)).split(1, 1)
    return {
        "photo": F.avg_pool2d(photo, 4).half(),
        "seen": seen(photo, fields[:, 3] - fields[:, 2], hints).half(),
        "flow": F.avg_pool2d(ends[1] - ends[0], CELL).half(),
        "bend": F.avg_pool2d((ends[1] + ends[0]) / 2, CELL).half(),
        "slopes": F.avg_pool2d(torch.cat((x * x, x * y, y * y), 1), CELL).float(),
        "counts": F.avg_pool2d(adjustable(hints), CELL).half(),
    }


def _found(batch: Batch) -> torch.Tensor:
    """The found motion (B, 2, h, w) px."""
    return vectors_of(batch["seen"].float())[:, 0]


def _left_wrong(batch: Batch, motion: torch.Tensor, bend: torch.Tensor) -> torch.Tensor:
    """The logarithm (B,) of what motion and bends (B, 2, h, w) px leave wrong in frames, as a share of what none
    would."""
    flow, bent = batch["flow"].float(), batch["bend"].float()
    left, none = (
        _wrong(batch, off, FAR) + BEND * _wrong(batch, aside, FAR / 2)
        for off, aside in ((motion - flow, bend - bent), (flow, bent))
    )
    return ((left + GOOD * none) / none.clamp_min(1e-8) + 1e-3).log()


def _wrong(batch: Batch, off: torch.Tensor, bound: float) -> torch.Tensor:
    """The mean squared error (B,) of moved pictures whose motion is `off` (B, 2, h, w) px, bounded at so many."""
    xx, xy, yy = batch["slopes"].float().unbind(1)
    counts = batch["counts"].float()[:, 0]
    cells = counts.sum((1, 2)).clamp_min(1)
    share, least = PLAIN
    plain = share * ((xx + yy) * counts).sum((1, 2)) / cells + least
    x, y = off.unbind(1)
    far = x.square() + y.square()
    wrong = xx * x.square() + 2 * xy * x * y + yy * y.square() + plain[:, None, None] * far
    return (wrong / (1 + far / bound**2) * counts).sum((1, 2)) / cells


RECIPE = Adjustment()

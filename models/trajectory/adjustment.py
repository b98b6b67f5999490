"""Every place's motion adjusted by what is seen around it.

What is told of an area, or seen of it as a whole, says where it goes; how far each part of it goes (a hand beside the
body it belongs to), and where in its quadrant, is seen in small places, and in what is told around: of a thing that is
told right-up in one half and right-down in the other, the middle goes right. Blur by L px leaves hardly any difference
along the motion between values less than L px apart, and slopes that disagree L px further on. All that is measured,
along the found motion and along lines of every direction, so a small network on a coarse grid learns from few photos
how far the found motion is off.

Things hardly ever move evenly: what sets out slowly leaves an edge whose trace is dense at its beginning and runs out
towards its end. Which end of its trace is the denser one does not depend on the direction of time. Of that the network
says by how much start and end, taken together, are off the middle instant: the motion's bend.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from models.areas.proposals import EACH, GUIDANCE, LENGTH_UNIT
from models.exposure import sampled
from models.symmetry import turned, turned_vectors
from models.trajectory import moving
from models.trajectory.cells import CELL, NOISE, CellNetwork, levels
from models.trajectory.evidence import slopes

LAGS = (1, 2, 3, 4, 6, 8, 11, 16, 22, 32)
"""How far apart values are compared along the found motion and across it, px."""
LEAST = 1.0
"""Px; shorter motion is looked along as if it were so long."""
AROUND = (5, 9, 17)
"""Cells a side over which it is seen what is told and found around a place."""
SHARES, NEAR, SHORTEST = (0.2, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5), (1, 7), 3.0
"""Shares of the found motion's length, px of which it counts as at least `SHORTEST`, over which it is measured which
end of a trace is denser; and cells a side over which."""
OWN, VECTORS, LEANINGS = 4, 4 + 2 * len(AROUND), len(SHARES) * len(NEAR)
SAID, MEASURED = 6, 3 * len(LAGS) + 5
CHANNELS = 2 * (VECTORS + LEANINGS) + SAID + MEASURED + moving.CHANNELS
"""Of what is seen: vectors, the found motion, the told direction, the two proposals, as far as found in the directions
told around, what is found around; vectors towards the fainter end of traces; what is said of the first four; what is
measured along the found motion; what is measured along all lines."""
ANSWERS = 2 + VECTORS + 2 + LEANINGS
OFF = 3.0
"""Px that are added to a motion's length to tell how far it is off, and what a told direction counts as."""
UNITS = (LENGTH_UNIT, OFF) + (LENGTH_UNIT,) * (VECTORS - 2)
"""What the vectors are counted in, px."""
FAINT = 1e-6
"""Products of three slopes that mean nothing."""


class AdjustmentNetwork(CellNetwork):
    """How far found motions are off and how they bend, of what is `seen` (B, CHANNELS, h, w), for `change`:
    (B, ANSWERS, h, w)."""

    def __init__(self, widths: tuple[int, ...] = (64, 96, 128, 128)) -> None:
        super().__init__(CHANNELS, ANSWERS, widths, dropout=0.1)


def change(said: torch.Tensor, seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """By how much found motions are off and what their bends are, (B, 2, h, w) px each, by what is `said`
    (B, ANSWERS, h, w) of what is `seen` (B, CHANNELS, h, w).

    Off is a motion by something in any direction, counted in lengths and `OFF` px, and by shares of its own vectors
    and of its differences from what is around. The bend is the mean of start and end, seen from the middle instant:
    something in any direction, and shares of the vectors towards the fainter end of its trace.
    """
    vectors, leanings = vectors_of(seen), leanings_of(seen)
    found = vectors[:, :1]
    vectors = torch.cat((vectors[:, :OWN], vectors[:, OWN:] - found), 1)
    reach = found[:, 0].norm(dim=1, keepdim=True) + OFF
    freely, shares, aside, leaning = said.split((2, VECTORS, 2, LEANINGS), 1)
    off = freely * reach + (shares[:, :, None] * vectors).sum(1)
    return off, (aside + (leaning[:, :, None] * leanings).sum(1)) * (reach / 2)


def change_by(network: nn.Module, seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same by what an `AdjustmentNetwork` says; played backwards motions are off by exactly the reverse, and bend
    just the same."""
    both = torch.cat((seen, reversed_seen(seen)))
    off, bend = (one.chunk(2) for one in change(network(both), both))
    return (off[0] - off[1]) / 2, (bend[0] + bend[1]) / 2


def vectors_of(seen: torch.Tensor) -> torch.Tensor:
    """The vectors in what is `seen` (B, CHANNELS, h, w), (B, VECTORS, 2, h, w) px: the found motion comes first."""
    units = seen.new_tensor(UNITS)[:, None, None, None]
    return seen[:, : 2 * VECTORS].unflatten(1, (VECTORS, 2)) * units


def leanings_of(seen: torch.Tensor) -> torch.Tensor:
    """The vectors towards the fainter end of traces in what is `seen` (B, CHANNELS, h, w), (B, LEANINGS, 2, h, w)."""
    return seen[:, 2 * VECTORS : 2 * (VECTORS + LEANINGS)].unflatten(1, (LEANINGS, 2))


def reached(way: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """Ways (B, 2, h, w) px, those shorter than `LEAST` made so long, as told (B, 5, h, w) where they are nothing."""
    length = way.norm(dim=1, keepdim=True)
    hint = told[:, :2] / told[:, :2].norm(dim=1, keepdim=True).clamp_min(1e-6)
    leaning = way + 0.1 * hint + way.new_tensor((1e-3, 0.0))[:, None, None]
    longer = leaning * (LEAST / leaning.norm(dim=1, keepdim=True).clamp_min(1e-6))
    return torch.where(length < LEAST, longer, way)


def seen(photo: torch.Tensor, way: torch.Tensor, hints: torch.Tensor) -> torch.Tensor:
    """What is seen of photos (B, 3, H, W), sRGB curve, in which ways (B, 2, H, W) px were found, with hints
    (B, 13, H, W) as the motion network reads them: (B, CHANNELS, H/8, W/8); H and W are multiples of 8. Of what is
    told the direction is read, that of a quadrant or an exact one, no length."""
    grey, ways = photo.mean(1, keepdim=True), reached(way, hints)
    leanings = _leanings(grey, ways)
    measured = _measured(grey, ways / ways.norm(dim=1, keepdim=True).clamp_min(1e-6))
    direction = hints[:, :2] * (2**0.5 / hints[:, :2].norm(dim=1, keepdim=True).clamp_min(1e-6))
    way, hints = F.avg_pool2d(way, CELL), F.avg_pool2d(torch.cat((direction, hints[:, 2:]), 1), CELL)
    told, *proposals = hints.split((GUIDANCE, EACH, EACH), 1)
    around = _around(way / LENGTH_UNIT, told[:, :2])
    vectors = (way / LENGTH_UNIT, told[:, :2], *(one[:, :2] for one in proposals), around.flatten(1, 2))
    length = (way.norm(dim=1, keepdim=True) + 1).log() - 1.5
    said = (length, told[:, 2:3], *(one[:, 2:] for one in proposals))
    return torch.cat((*vectors, leanings.flatten(1, 2), *said, measured, moving.seen(photo)), 1)


def reversed_seen(seen: torch.Tensor) -> torch.Tensor:
    """What is seen (B, CHANNELS, h, w) where all that is found, told and proposed is played backwards."""
    vectors, rest = seen.split((2 * VECTORS, CHANNELS - 2 * VECTORS), 1)
    return torch.cat((-vectors, rest), 1)


def turned_seen(seen: torch.Tensor, way: int) -> torch.Tensor:
    """What is seen (B, CHANNELS, h, w) of the picture turned as `models.symmetry.turned` does."""
    count = VECTORS + LEANINGS
    vectors, rest, lines = seen.split((2 * count, SAID + MEASURED, moving.CHANNELS), 1)
    vectors = turned_vectors(vectors.unflatten(1, (count, 2)), way).flatten(1, 2)
    return torch.cat((vectors, turned(rest, way), moving.turned_seen(lines, way)), 1)


def _around(way: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """Of found motions (B, 2, h, w) and told quadrants (B, 2, h, w), in squares of so many cells as `AROUND` says: each
    as far as it goes in the mean direction told of what moves, then the mean motion of that, (B, 2 * len(AROUND), 2,
    h, w). A thing told right-up in one half and right-down in the other goes right."""
    length = way.norm(dim=1, keepdim=True)
    moves = (told.norm(dim=1, keepdim=True) > 0.5).to(way.dtype)
    directions, ways = [], []
    for side in AROUND:
        direction, mean, share = (_spread(one, side) for one in (told * moves, way * moves, moves))
        directions.append(direction / direction.norm(dim=1, keepdim=True).clamp_min(1e-2) * length)
        ways.append(mean / share.clamp_min(1e-2))
    return torch.stack(directions + ways, 1)


def _leanings(grey: torch.Tensor, ways: torch.Tensor) -> torch.Tensor:
    """Along ways (B, 2, H, W) px: towards which end traces get fainter, (B, LEANINGS, 2, H/8, W/8), about -1 to 1.

    An edge leaves slopes as dense as it was slow. Of two slopes of one sign, so far apart as `SHARES` says, a and then
    b, the mean of ab(a - b) over that of cubes is how much fainter the trace gets along the way.
    """
    length = ways.norm(dim=1, keepdim=True).clamp_min(1e-6)
    ahead = ways / length
    reach = (ahead * length.clamp_min(SHORTEST)).permute(0, 2, 3, 1)
    slope = slopes(grey)
    cubes = F.avg_pool2d((slope * ahead).sum(1, keepdim=True).abs() ** 3, CELL)
    fainter = []
    for share in SHARES:
        later, before = ((sampled(slope, sign * share / 2 * reach) * ahead).sum(1, keepdim=True) for sign in (1, -1))
        third = (before * later).clamp_min(0) * (before.abs() - later.abs())
        fainter.append(F.avg_pool2d(third, CELL))
    third = torch.cat(fainter, 1)
    parts = [4 * _spread(third, side) / (_spread(cubes, side) + FAINT) for side in NEAR]
    ahead = F.avg_pool2d(ahead, CELL)
    ahead = ahead / ahead.norm(dim=1, keepdim=True).clamp_min(1e-3)
    return torch.cat(parts, 1)[:, :, None] * ahead[:, None]


def _spread(cells: torch.Tensor, side: int) -> torch.Tensor:
    """The mean over squares of `side` cells, 0 beyond the border."""
    return F.avg_pool2d(cells, side, 1, side // 2)


def _measured(grey: torch.Tensor, ahead: torch.Tensor) -> torch.Tensor:
    """Differences and slopes along directions (B, 2, H, W), (B, MEASURED, H/8, W/8), mostly between -2 and 2."""
    slope = slopes(grey)
    picture = torch.cat((grey, slope), 1)
    forward = ahead.permute(0, 2, 3, 1)
    sideways = torch.stack((-forward[..., 1], forward[..., 0]), -1)
    along, across, agree = [], [], []
    own = (slope * ahead).sum(1, keepdim=True)
    for lag in LAGS:
        there, here = (sampled(picture, sign * lag / 2 * forward) for sign in (1, -1))
        along.append((there[:, :1] - here[:, :1]).square())
        agree.append((there[:, 1:] * ahead).sum(1, keepdim=True) * (here[:, 1:] * ahead).sum(1, keepdim=True))
        there, here = (sampled(grey, sign * lag / 2 * sideways) for sign in (1, -1))
        across.append((there - here).square())
    along, across, agree, energy = (
        F.avg_pool2d(torch.cat(parts, 1), CELL) for parts in (along, across, agree, [own.square()])
    )
    ratio = ((along + NOISE) / (across + NOISE)).log() / 2
    alike = (agree / (energy + NOISE)).clamp(-2, 2)
    *others, bound = levels(grey, own.abs())
    widest = -F.max_pool2d(-bound, 3, 1, 1)
    return torch.cat(((along + NOISE).log() / 3 + 2, ratio, alike, *others, bound, widest), 1)

"""Every place's motion adjusted by what is seen around it.

What is told of an area, or seen of it as a whole, says where it goes; how far each part of it goes (a hand beside the
body it belongs to), and where in its quadrant, is seen in small places, and in what is told around: of a thing that is
told right-up in one half and right-down in the other, the middle goes right. Blur by L px leaves hardly any difference
along the motion between values less than L px apart, and slopes that disagree L px further on. All that is measured,
along the found motion and along lines of every direction, so a small network on a coarse grid learns from few photos
how far the found motion is off.
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
MEASURED, VECTORS, SAID = 3 * len(LAGS) + 5, 4, 6
CHANNELS = 2 * VECTORS + SAID + MEASURED + moving.CHANNELS
"""Of what is seen: vectors, the found motion, the told quadrant, the two proposals; what is said of these; what is
measured along the found motion; what is measured along all lines."""
OFF = 3.0
"""Px that are added to a motion's length to tell how far it is off, and what a told direction counts as."""
UNITS = (LENGTH_UNIT, OFF, LENGTH_UNIT, LENGTH_UNIT)
"""What the vectors are counted in, px."""


class AdjustmentNetwork(CellNetwork):
    """How far found motions are off, of what is `seen` (B, CHANNELS, h, w), for `change`: (B, 2 + VECTORS, h, w)."""

    def __init__(self, widths: tuple[int, ...] = (64, 96, 128, 128)) -> None:
        super().__init__(CHANNELS, 2 + VECTORS, widths, dropout=0.1)


def change(said: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """By how much found motions are off, (B, 2, h, w) px, by what is `said` (B, 2 + VECTORS, h, w) of what is `seen`
    (B, CHANNELS, h, w): something in any direction, counted in lengths and `OFF` px, and shares of the vectors."""
    vectors = vectors_of(seen)
    freely = said[:, :2] * (vectors[:, 0].norm(dim=1, keepdim=True) + OFF)
    return freely + (said[:, 2:, None] * vectors).sum(1)


def change_by(network: nn.Module, seen: torch.Tensor) -> torch.Tensor:
    """The same by what an `AdjustmentNetwork` says, played backwards exactly the reverse."""
    both = torch.cat((seen, reversed_seen(seen)))
    forward, backward = change(network(both), both).chunk(2)
    return (forward - backward) / 2


def vectors_of(seen: torch.Tensor) -> torch.Tensor:
    """The vectors in what is `seen` (B, CHANNELS, h, w), (B, VECTORS, 2, h, w) px: the found motion comes first."""
    units = seen.new_tensor(UNITS)[:, None, None, None]
    return seen[:, : 2 * VECTORS].unflatten(1, (VECTORS, 2)) * units


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
    told nothing is read but the quadrant."""
    ahead = reached(way, hints)
    ahead = ahead / ahead.norm(dim=1, keepdim=True).clamp_min(1e-6)
    measured = _measured(photo.mean(1, keepdim=True), ahead)
    way, hints = F.avg_pool2d(way, CELL), F.avg_pool2d(torch.cat((hints[:, :2].sign(), hints[:, 2:]), 1), CELL)
    told, *proposals = hints.split((GUIDANCE, EACH, EACH), 1)
    vectors = (way / LENGTH_UNIT, told[:, :2], *(one[:, :2] for one in proposals))
    length = (way.norm(dim=1, keepdim=True) + 1).log() - 1.5
    said = (length, told[:, 2:3], *(one[:, 2:] for one in proposals))
    return torch.cat((*vectors, *said, measured, moving.seen(photo)), 1)


def reversed_seen(seen: torch.Tensor) -> torch.Tensor:
    """What is seen (B, CHANNELS, h, w) where all that is found, told and proposed is played backwards."""
    vectors, rest = seen.split((2 * VECTORS, CHANNELS - 2 * VECTORS), 1)
    return torch.cat((-vectors, rest), 1)


def turned_seen(seen: torch.Tensor, way: int) -> torch.Tensor:
    """What is seen (B, CHANNELS, h, w) of the picture turned as `models.symmetry.turned` does."""
    vectors, rest, lines = seen.split((2 * VECTORS, SAID + MEASURED, moving.CHANNELS), 1)
    vectors = turned_vectors(vectors.unflatten(1, (VECTORS, 2)), way).flatten(1, 2)
    return torch.cat((vectors, turned(rest, way), moving.turned_seen(lines, way)), 1)


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

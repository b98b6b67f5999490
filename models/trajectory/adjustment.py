"""Every place's motion adjusted by what is seen along it.

What is told of an area, or seen of it as a whole, says where it goes; how far each part of it goes (a hand beside the
body it belongs to) is seen in small places only. Blur by L px leaves hardly any difference along the motion between
values less than L px apart, and slopes that disagree L px further on; across the motion it leaves things as they are.
Measured along the motion that is supposed of a place, motions of all directions look alike, so a small network on a
coarse grid learns from few photos how far each place truly goes.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from models.areas.proposals import EACH, GUIDANCE, LENGTH_UNIT
from models.exposure import sampled
from models.trajectory.cells import CELL, NOISE, CellNetwork, levels
from models.trajectory.evidence import slopes

LAGS = (1, 2, 3, 4, 6, 8, 11, 16, 22, 32)
"""How far apart values are compared along the motion and across it, px."""
LEAST = 1.0
"""Px that are added to lengths of which the logarithm is taken."""
MEASURED, TOLD, PROPOSED, COLOURS = 3 * len(LAGS) + 5, 7, 2 * EACH, 3
CHANNELS = MEASURED + TOLD + PROPOSED + COLOURS
MIRRORED = torch.ones(CHANNELS)
"""By what the channels are multiplied in a mirror, where left and right of a way change places."""
MIRRORED[[MEASURED + 1, MEASURED + TOLD + 1, MEASURED + TOLD + EACH + 1]] = -1


class AdjustmentNetwork(CellNetwork):
    """By how much motions are off, of what is `seen` (B, CHANNELS, h, w) along them: (B, 2, h, w), the logarithm of how
    many times longer they are, and how far they go aside, in their lengths."""

    def __init__(self, widths: tuple[int, ...] = (48, 64, 96), depth: int = 1) -> None:
        super().__init__(CHANNELS, 2, widths, depth)


def reached(way: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """Ways (B, 2, h, w) px, those shorter than `LEAST` made so long, as told (B, 5, h, w) where they are nothing."""
    length = way.norm(dim=1, keepdim=True)
    hint = told[:, :2] / told[:, :2].norm(dim=1, keepdim=True).clamp_min(1e-6)
    leaning = way + 0.1 * hint + way.new_tensor((1e-3, 0.0))[:, None, None]
    longer = leaning * (LEAST / leaning.norm(dim=1, keepdim=True).clamp_min(1e-6))
    return torch.where(length < LEAST, longer, way)


def adjusted(way: torch.Tensor, off: torch.Tensor) -> torch.Tensor:
    """Ways (B, 2, h, w) px that are `off` (B, 2, h, w) by what the network says: at most seven times as long, and never
    turned back."""
    length = way.norm(dim=1, keepdim=True).clamp_min(1e-6)
    ahead = way / length
    aside = torch.stack((-ahead[:, 1], ahead[:, 0]), 1)
    along = ((length + LEAST) * off[:, :1].clamp(-4, 2).exp() - LEAST).clamp_min(0)
    return along * ahead + (length + LEAST) * off[:, 1:].clamp(-2, 2) * aside


def seen(photo: torch.Tensor, way: torch.Tensor, hints: torch.Tensor) -> torch.Tensor:
    """What is seen along ways (B, 2, H, W) px, none of them 0, of photos (B, 3, H, W), sRGB curve, with hints
    (B, 13, H, W) as the motion network reads them: (B, CHANNELS, H/8, W/8); H and W are multiples of 8."""
    length = way.norm(dim=1, keepdim=True)
    ahead = way / length.clamp_min(1e-6)
    grey = photo.mean(1, keepdim=True)
    told = F.avg_pool2d(torch.cat((_told(ahead, length, hints), 3 * (photo - grey)), 1), CELL)
    return torch.cat((_measured(grey, ahead), told), 1)


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


def _told(ahead: torch.Tensor, length: torch.Tensor, hints: torch.Tensor) -> torch.Tensor:
    """What is told, the supposed length, and what is proposed, turned to the supposed directions (B, 2, H, W):
    (B, TOLD + PROPOSED, H, W)."""
    told, *proposals = hints.split((GUIDANCE, EACH, EACH), 1)
    known, far, measured = told[:, 2:3], told[:, 3:4], told[:, 4:]
    moves = known * (told[:, :2].abs().sum(1, keepdim=True) > 0)
    supposed = (length + LEAST).log()
    long = measured * ((far * LENGTH_UNIT + LEAST).log() - supposed)
    parts = [seen_from(ahead, told[:, :2]), known, moves, measured, long, supposed - 1.5]
    for one in proposals:
        parts += [seen_from(ahead, one[:, :2] * (LENGTH_UNIT / (length + LEAST))).clamp(-3, 3), one[:, 2:]]
    return torch.cat(parts, 1)


def seen_from(ahead: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Vectors (B, 2, H, W) as they go along directions (B, 2, H, W) and aside, to the right of them."""
    along = (vectors * ahead).sum(1, keepdim=True)
    return torch.cat((along, vectors[:, 1:] * ahead[:, :1] - vectors[:, :1] * ahead[:, 1:]), 1)

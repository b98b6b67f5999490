"""How far a supposed motion is off, seen along it.

A window is turned and scaled until the supposed motion runs to the right and is `LENGTH` px long; where that turns or
grows from place to place the window is curved along. Blurs of all lengths and directions then look alike, and all that
is left to say is how much longer the true one is and how far it is turned.
Asked again with its own answer the network comes nearer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

SIDE, LENGTH = 64, 12.0
"""Side of a window and length of the supposed motion in it, in steps between samples."""
LEVELS = 4
"""Copies of the picture, each half as large as the one before, of which a window reads the one as fine as its steps."""
FURTHEST = 1.5
"""The logarithm of how many times too short or too long a supposed motion may be called."""
NEAR = 15
"""Side, in steps, of the squares over which contrast is made even."""
CHANNELS = 3
AHEAD, ASIDE = 28, 6
"""How far, in steps, slopes are compared with those further on and aside."""
_FLAT = 0.01
"""What is added to the spread of values, so that noise alone is not blown up."""


@dataclass(frozen=True)
class Correction:
    """What is said of supposed motions, all (N,).

    longer, turned  the logarithm of how much longer than supposed, and radians clockwise, that the motion truly is.
    spreads         (N, 2): how far these two are off on the average.
    moves           the logit of its moving at all.
    """

    longer: torch.Tensor
    turned: torch.Tensor
    spreads: torch.Tensor
    moves: torch.Tensor

    def of(self, motion: torch.Tensor) -> torch.Tensor:
        """Supposed motions (N, 2), put right."""
        factor = torch.polar(self.longer.exp(), self.turned)
        return torch.view_as_real(torch.view_as_complex(motion.contiguous()) * factor)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.second(F.relu(self.first(self.norm(x))))


class CorrectionNetwork(nn.Module):
    """Windows seen along supposed motions to how far these are off: by their values, and by how their slopes agree with
    themselves further on (`models.areas.agreement`), which has a trough at the end of the true motion."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64), depth: tuple[int, ...] = (1, 2, 2)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inner = CHANNELS
        for width, count in zip(widths, depth, strict=True):
            around = 2 if inner == CHANNELS else 1
            layers += [nn.Conv2d(inner, width, 2 * around + 1, 2, around)]
            layers += [_Residual(width) for _ in range(count)]
            inner = width
        self.values = nn.Sequential(*layers, nn.GroupNorm(8, inner), nn.ReLU(), nn.Conv2d(inner, 16, 1), nn.Flatten())
        lags = [nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, (1, 2), 1), nn.ReLU()]
        lags += [nn.Conv2d(32, 16, 3, (2, 2), 1), nn.Flatten()]
        self.lags = nn.Sequential(*lags)
        patch = SIDE >> len(widths)
        read = 16 * (patch * patch + (ASIDE + 1) * (AHEAD // 4))
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(read, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        self.last = nn.Linear(128, 5)

    def forward(self, windows: torch.Tensor) -> Correction:
        """Of windows (N, CHANNELS, SIDE, SIDE) as `seen` makes them."""
        read = torch.cat((self.values(windows), self.lags(agreement(windows))), 1)
        longer, turned, *rest = self.last(self.head(read)).float().unbind(1)
        spreads = (torch.stack(rest[:2], 1) - 1).clamp(-5, 1).exp()
        return Correction(FURTHEST * torch.tanh(longer), math.pi / 2 * torch.tanh(turned), spreads, rest[2])


def agreement(windows: torch.Tensor) -> torch.Tensor:
    """How windows (N, CHANNELS, SIDE, SIDE) agree with themselves up to `AHEAD` steps along the supposed motion and
    `ASIDE` to either side: (N, 3, 2 ASIDE + 1, AHEAD), correlations of slopes along it, of slopes across it, and the
    share of pixels that have a partner."""
    with torch.autocast(windows.device.type, enabled=False):
        even, inside = windows[:, 1].float(), windows[:, 2].float()
        along = F.pad(even.diff(dim=2), (0, 1)) * inside
        across = F.pad(even.diff(dim=1), (0, 0, 0, 1)) * inside
        size = (SIDE + ASIDE, SIDE + AHEAD)
        power = torch.fft.rfft2(torch.stack((along, across, inside), 1), size).abs().square()
        summed = torch.fft.irfft2(power, size)
        summed = torch.cat((summed[..., -ASIDE:, :AHEAD], summed[..., : ASIDE + 1, :AHEAD]), 2)
        pairs = summed[:, 2:].clamp_min(1)
        means = summed[:, :2] / pairs
        means = 4 * means / (means[..., ASIDE : ASIDE + 1, :1] + _FLAT)
        return torch.cat((means.clamp(-4, 4), pairs / SIDE**2), 1)


def seen(
    grey: torch.Tensor,
    masks: torch.Tensor,
    places: torch.Tensor,
    motion: torch.Tensor,
    change: torch.Tensor | None = None,
) -> torch.Tensor:
    """Windows around places of pictures, along supposed motions: (B, K, CHANNELS, SIDE, SIDE). The channels are values
    with the window's contrast made even, with that of every small square made even, and the mask.

    grey    (B, H, W), 0 to 1. masks (B, K, H, W) or (B, 1, H, W): where the thing is whose motion is asked for.
    places  (B, K, 2) px, x then y, the first pixel's centre at 0. motion (B, K, 2) px, not 0.
    change  (B, K, 2, 2): how much the supposed motions change for each px to the right, and down; None: not at all.
            Windows are then curved, and show what moves so as if it moved straight and alike.
    """
    size = motion.new_tensor((grey.shape[-1], grey.shape[-2]))
    ahead = motion / LENGTH
    ways = _ways(ahead, ahead.new_zeros(*ahead.shape, 2) if change is None else change / LENGTH)
    where = (2 * (places[:, :, None, None] + ways) + 1) / size - 1
    level = ahead.norm(dim=-1).clamp_min(1e-3).log2().round().clamp(0, LEVELS - 1)
    values = _read(_pyramid(grey), where, level, "border")
    inside = _read(_pyramid(masks), where, level, "zeros")
    shown = (where.abs() <= 1).all(-1).to(values.dtype)
    weight = inside.sum((2, 3), keepdim=True).clamp_min(1)
    values = values - (values * inside).sum((2, 3), keepdim=True) / weight
    spread = ((values.square() * inside).sum((2, 3), keepdim=True) / weight).sqrt()
    detail = values - _box(values)
    even = detail / (_box(detail.square()).sqrt() + _FLAT / 2)
    return torch.stack(((values / (spread + _FLAT)).clamp(-4, 4) * shown, even.clamp(-4, 4) * shown, inside), 2)


def _ways(ahead: torch.Tensor, change: torch.Tensor) -> torch.Tensor:
    """Where a window's samples lie from its place, (..., SIDE, SIDE, 2) px: its rows run `ahead` (..., 2) px a step and
    as that changes (..., 2, 2) from place to place, by the midpoint method; its middle column runs straight."""
    steps = torch.arange(SIDE, device=ahead.device) - (SIDE - 1) / 2
    aside = torch.stack((-ahead[..., 1], ahead[..., 0]), -1)
    middle = aside[..., None, :] * steps[:, None]

    def gone(at: torch.Tensor, far: float) -> torch.Tensor:
        half = at + (ahead[..., None, :] + at @ change) * (far / 2)
        return at + (ahead[..., None, :] + half @ change) * far

    columns = [middle]
    for step in range(SIDE // 2):
        far = 1.0 if step else 0.5
        columns = [gone(columns[0], -far), *(columns if step else ()), gone(columns[-1], far)]
    return torch.stack(columns, -2)


def _box(values: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(values, NEAR, 1, NEAR // 2, count_include_pad=False)


def _pyramid(pictures: torch.Tensor) -> list[torch.Tensor]:
    """Pictures (B, C, H, W) or (B, H, W) as (B, C, h, w), ever smaller."""
    copies = [pictures if pictures.ndim == 4 else pictures[:, None]]
    for _ in range(LEVELS - 1):
        copies.append(F.avg_pool2d(copies[-1], 2, ceil_mode=True, count_include_pad=False))
    return copies


def _read(copies: list[torch.Tensor], where: torch.Tensor, level: torch.Tensor, beyond: str) -> torch.Tensor:
    """Values (B, K, SIDE, SIDE) of copies (B, 1, h, w), or (B, K, h, w) with one for each window, at places `where`
    (B, K, SIDE, SIDE, 2), -1 to 1; each window reads the copy of its own `level` (B, K)."""
    out = torch.zeros_like(where[..., 0])
    for number, picture in enumerate(copies):
        mine = level == number
        if not bool(mine.any()):
            continue
        shared = picture.shape[1] == 1
        pictures = picture if shared else picture.flatten(0, 1)[:, None]
        places = where.flatten(1, 2) if shared else where.flatten(0, 1)
        read = F.grid_sample(pictures, places, padding_mode=beyond, align_corners=False)
        out = torch.where(mine[:, :, None, None], read.view_as(out), out)
    return out

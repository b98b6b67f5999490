"""Traces that motion leaves around every place: how slopes along a direction agree with themselves some px further on.

Blur by a path of L px turns the slope along the path into the difference of the sharp picture's values L px apart. So
the correlation of the slope with itself has a trough at L along the motion, and its energy there is low.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

DIRECTIONS = 12
LAGS = ((1, 2, 3, 4, 5), (3, 4, 5, 6, 7), (4, 5, 6, 7, 8, 9, 10))
"""Pixels further on, in the picture at full, half and quarter resolution: 1 to 40 px in all."""
CELL = 4
NOISE = 1e-6
"""Energy of a slope below which it counts as noise."""
CHANNELS = DIRECTIONS * sum(len(lags) + 1 for lags in LAGS)


def evidence(photo: torch.Tensor) -> torch.Tensor:
    """Self-correlation of photos (B, 3, H, W) around every cell of 4 px, for 12 directions of half a turn: the share of
    the slope along each, and its correlation 1 to 40 px further on, (B, CHANNELS, H/4, W/4). Blind to the direction of
    time, as the photo is.
    """
    grey, found = photo.mean(1, keepdim=True), []
    for octave, lags in enumerate(LAGS):
        found += _correlations(grey, lags, max(1, CELL >> octave))
        grey = F.avg_pool2d(grey, 2)
    return torch.cat(found, 1)


def slopes(grey: torch.Tensor) -> torch.Tensor:
    """How pictures (B, 1, H, W) rise per px to the right and downwards, (B, 2, H, W)."""
    grey = F.pad(grey, (1, 1, 1, 1), mode="replicate")
    across = (grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2]) / 2
    down = (grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1]) / 2
    return torch.cat((across, down), 1)


def _correlations(grey: torch.Tensor, lags: tuple[int, ...], cell: int) -> list[torch.Tensor]:
    """Channels of one resolution, around cells of `cell` px."""
    across, down = slopes(grey).split(1, 1)
    energy, found = _around(across.square() + down.square(), cell), []
    for number in range(DIRECTIONS):
        angle = math.pi * number / DIRECTIONS
        x, y = math.cos(angle), math.sin(angle)
        slope = x * across + y * down
        own = _around(slope.square(), cell) + NOISE
        products = torch.cat([_shifted_product(slope, round(lag * x), round(lag * y)) for lag in lags], 1)
        found += [own / (energy + 2 * NOISE) * 2 - 1, (_around(products, cell) / own).clamp(-1, 1) * 3]
    return found


def _around(x: torch.Tensor, cell: int) -> torch.Tensor:
    """Means of (B, C, h, w) over 3 x 3 cells, (B, C, H/4, W/4)."""
    cells = F.avg_pool2d(x, cell) if cell > 1 else x
    return F.avg_pool2d(cells, 3, 1, 1, count_include_pad=False)


def _shifted_product(slope: torch.Tensor, x: int, y: int) -> torch.Tensor:
    """The slope times itself (x, y) px further on, laid in the middle between the two, 0 beyond the border."""
    height, width = slope.shape[-2:]
    if abs(x) >= width or y >= height:
        return torch.zeros_like(slope)
    here = slope[..., : height - y, max(0, -x) : width - max(0, x)]
    there = slope[..., y:, max(0, x) : width - max(0, -x)]
    left, top = abs(x) // 2, y // 2
    return F.pad(here * there, (left, abs(x) - left, top, y - top))

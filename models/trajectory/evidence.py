"""Traces that motion leaves in a photo: how its slopes along a direction agree with themselves some px further on.

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


def evidence(photo: torch.Tensor, areas: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Self-correlation of photos (B, 3, H, W) for 12 directions of half a turn: the share of the slope along each, and
    its correlation 1 to 40 px further on. Blind to the direction of time, as the photo is.

    areas  (B, K, H/4, W/4), 0 to 1: parts of the picture that may move as one.

    Returns the traces around every cell of 4 px, (B, C, H/4, W/4), and those of whole areas, (B, K, C): many pixels
    agree on a trace that few only hint at. An area without pixels has zeros.
    """
    grey = photo.mean(1, keepdim=True)
    total = areas.sum((2, 3)).clamp_min(1e-3)
    weights = areas / total[..., None, None]
    near, whole = [], []
    for octave, lags in enumerate(LAGS):
        cells, parts = _correlations(grey, lags, max(1, CELL >> octave), weights)
        near += cells
        whole += parts
        grey = F.avg_pool2d(grey, 2)
    return torch.cat(near, 1), torch.cat(whole, 2) * (areas.amax((2, 3)) > 0)[..., None]


def _correlations(
    grey: torch.Tensor, lags: tuple[int, ...], cell: int, weights: torch.Tensor
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Channels of one resolution, around cells of `cell` px and over whole areas."""
    grey = F.pad(grey, (1, 1, 1, 1), mode="replicate")
    across = (grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2]) / 2
    down = (grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1]) / 2
    energies = _both(across.square() + down.square(), cell, weights)
    near, whole = [], []
    for number in range(DIRECTIONS):
        angle = math.pi * number / DIRECTIONS
        x, y = math.cos(angle), math.sin(angle)
        slope = x * across + y * down
        owns = _both(slope.square(), cell, weights)
        products = torch.cat([_shifted_product(slope, round(lag * x), round(lag * y)) for lag in lags], 1)
        for into, energy, own, product in zip(
            (near, whole), energies, owns, _both(products, cell, weights), strict=True
        ):
            own = own + NOISE
            into += [own / (energy + 2 * NOISE) * 2 - 1, (product / own).clamp(-1, 1) * 3]
    return near, whole


def _both(x: torch.Tensor, cell: int, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Means of (B, C, h, w) over 3 x 3 cells, (B, C, H/4, W/4), and over areas, (B, K, C)."""
    cells = F.avg_pool2d(x, cell) if cell > 1 else x
    return F.avg_pool2d(cells, 3, 1, 1, count_include_pad=False), torch.einsum("bchw,bkhw->bkc", cells, weights)


def _shifted_product(slope: torch.Tensor, x: int, y: int) -> torch.Tensor:
    """The slope times itself (x, y) px further on, laid in the middle between the two, 0 beyond the border."""
    height, width = slope.shape[-2:]
    if abs(x) >= width or y >= height:
        return torch.zeros_like(slope)
    here = slope[..., : height - y, max(0, -x) : width - max(0, x)]
    there = slope[..., y:, max(0, x) : width - max(0, -x)]
    left, top = abs(x) // 2, y // 2
    return F.pad(here * there, (left, abs(x) - left, top, y - top))

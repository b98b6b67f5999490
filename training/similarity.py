"""Structural similarity at several scales, to learn from (Wang et al. 2003)."""

from __future__ import annotations

import torch
from torch.nn import functional as F

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def ms_ssim(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The mean over pictures (B, C, H, W) of values in 0 to 1: 1 where they are the same, differentiable.

    Of the five scales as many as the smaller side has 11 px for, their weights made to add up to 1.
    """
    scales = sum(min(one.shape[-2:]) >> scale >= WINDOW for scale in range(len(WEIGHTS)))
    if not scales:
        raise ValueError(f"expected sides of at least {WINDOW} px, got {tuple(one.shape[-2:])}")
    weights = [weight / sum(WEIGHTS[:scales]) for weight in WEIGHTS[:scales]]
    result = one.new_ones(len(one))
    for scale, weight in enumerate(weights):
        luminance, structure = _compared(one, other)
        part = structure * luminance if scale == scales - 1 else structure
        result = result * part.mean((1, 2, 3)).clamp_min(1e-4) ** weight
        one, other = F.avg_pool2d(one, 2), F.avg_pool2d(other, 2)
    return result.mean()


def _compared(one: torch.Tensor, other: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Luminance, and contrast times structure, in every window."""
    count = len(one)
    means = _window(torch.cat((one, other, one * one, other * other, one * other)))
    x, y, xx, yy, xy = means.split(count)
    luminance = (2 * x * y + C1) / (x * x + y * y + C1)
    structure = (2 * (xy - x * y) + C2) / (xx - x * x + yy - y * y + C2)
    return luminance, structure


def _window(picture: torch.Tensor) -> torch.Tensor:
    place = torch.arange(WINDOW, device=picture.device, dtype=picture.dtype) - WINDOW // 2
    bell = torch.exp(-place.square() / (2 * SIGMA**2))
    bell = (bell / bell.sum()).expand(picture.shape[1], 1, 1, WINDOW)
    channels = picture.shape[1]
    across = F.conv2d(picture, bell, groups=channels)
    return F.conv2d(across, bell.transpose(2, 3), groups=channels)

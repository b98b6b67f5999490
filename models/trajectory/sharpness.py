"""What is too sharp to have moved.

Blur along a path of L px leaves no slope along it that is steeper than the differences of brightness around, spread
over L px. A photo whose camera follows its subject shows that subject sharp before a streaked background: it stands
still, though all around it says that everything goes with the camera.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from models.exposure import sampled

STEEP = 0.04
"""Slope, of white per px, below which it is noise or says nothing."""
REACH, STEP = 16, 2
"""How far to either side along the motion brightness is compared, and how densely, px."""
LEANING = 0.7
"""How steep a slope must be along the motion, for one across it: edges that nearly run along the motion say nothing, as
the motion is never known to the degree."""
TOO_STEEP = 2.5
"""How many times steeper than blur allows a slope must be to contradict it: motion is uneven, and range only looked
for nearby."""
AROUND = 17
"""Side, px, of the squares over which slopes are counted."""
CERTAIN = 0.35
"""The share of the slopes around that must contradict."""


def too_sharp(photo: torch.Tensor, way: torch.Tensor) -> torch.Tensor:
    """Where photos (B, 3, H, W), sRGB curve, are too sharp to have moved along ways (B, 2, H, W) px, bool (B, H, W).
    Surfaces without slopes are not."""
    grey = photo.mean(1, keepdim=True)
    length = way.norm(dim=1, keepdim=True)
    unit = (way / length.clamp_min(1e-3)).permute(0, 2, 3, 1)
    aside = torch.stack((-unit[..., 1], unit[..., 0]), -1)
    slope, across = ((sampled(grey, one / 2) - sampled(grey, -one / 2)).abs() for one in (unit, aside))
    along = torch.cat([sampled(grey, unit * step) for step in range(-REACH, REACH + 1, STEP)], 1)
    span = along.amax(1, keepdim=True) - along.amin(1, keepdim=True)
    steep = (slope > STEEP) & (slope > LEANING * across)
    against = steep & (slope * length > TOO_STEEP * span)
    counts = torch.cat((against, steep), 1).float()
    against, steep = F.avg_pool2d(counts, AROUND, 1, AROUND // 2, count_include_pad=False).split(1, 1)
    return (against > CERTAIN * (steep + 1 / AROUND**2))[:, 0]

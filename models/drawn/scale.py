"""How coarsely the engine works: long blur is taken out on a smaller copy, and what that gains is added to the photo.

A blur of many px leaves nothing finer than some px along it to be found again; detail across it is in the photo.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from models.drawn.layers import Moving

LONGEST = 40.0
"""Px of the way gone that are worked on at most, on the smaller copy."""


def working_scale(things: tuple[Moving, ...]) -> int:
    """How many px of the photo, a side, make one px that is worked on.

    Dense motion decides, which costs by far the most; else the shortest arrow, which leaves the finest detail.
    """
    moving = [thing for thing in things if not thing.still]
    decisive = [thing for thing in moving if thing.motion is not None] or moving
    return max(1, math.ceil(min(thing.path for thing in decisive) / LONGEST))


def pooled(picture: torch.Tensor, scale: int) -> torch.Tensor:
    """`picture` (1, C, H, W), linear light, `scale` times smaller: the mean over squares."""
    return picture if scale == 1 else functional.avg_pool2d(picture, scale)


def enlarged(picture: torch.Tensor, scale: int) -> torch.Tensor:
    """`picture` (1, C, h, w) `scale` times larger, bilinear, lying on what it was pooled from."""
    if scale == 1:
        return picture
    return functional.interpolate(picture, scale_factor=scale, mode="bilinear", align_corners=False)


def in_squares(picture: torch.Tensor, scale: int) -> torch.Tensor:
    """`picture` (1, C, h, w) `scale` times larger, every value a square."""
    return picture.repeat_interleave(scale, -1).repeat_interleave(scale, -2)

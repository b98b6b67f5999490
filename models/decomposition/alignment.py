"""A photo seen along its motion: for one moment t, every pixel looks where its thing was at other moments.

Aligned like this, blur lies along the channels instead of across the picture, and a small network can undo it. Beside
it stands the photo sharpened by deconvolution, moved to the same moment: what is gained where the motion is right.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from models.exposure import sampled

TIMES = (0.0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 1.0)
MIDDLE = TIMES.index(0.5)
PATH_UNIT = 16.0
STILL = 0.5
SPREAD = 7
CHANNELS = 3 * len(TIMES) + 3 + 4 + 3


def quadratic(ends: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Fields (B, 2, H, W) at t (B,) on the parabola through start and end, `ends` (B, 2, 2, H, W), and 0 at 1/2."""
    s = (2 * t - 1)[:, None, None, None]
    return ends[:, 0] * (s * s - s) / 2 + ends[:, 1] * (s * s + s) / 2


def aligned(
    photo: torch.Tensor, sharpened: torch.Tensor, motion: torch.Tensor, t: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The photo along the motion as the instant at t sees it.

    photo, sharpened  (B, 3, H, W), sRGB curve; the second is the middle instant by deconvolution. t (B,) in 0 to 1.
    motion            (B, 4, 2, h, w) px of the photo, on any grid: offsets at start and end, trajectories at start and
                      end.
    Returns the network's input (B, 31, H, W) - the photo where each pixel's thing was at seven times, the photo itself,
    the way to start and end in 16 px, and the sharpened one moved to the instant - and the path's length (B, 1, H, W)
    in px.
    """
    height, width = photo.shape[-2:]
    fields = F.interpolate(motion.flatten(1, 2), size=(height, width), mode="bilinear", align_corners=False)
    fields = fields.unflatten(1, (4, 2))
    offset = quadratic(fields[:, :2], t)  # (B, 2, H, W)
    seen = sampled(fields[:, 2:].flatten(1, 2), offset.permute(0, 2, 3, 1)).unflatten(1, (2, 2))
    ways = [offset + quadratic(seen, torch.full_like(t, time)) for time in TIMES]
    views = [sampled(photo, way.permute(0, 2, 3, 1)) for way in ways]
    crisp = sampled(sharpened, ways[MIDDLE].permute(0, 2, 3, 1), cubic=True)
    stack = torch.cat((*views, photo, ways[0] / PATH_UNIT, ways[-1] / PATH_UNIT, crisp), 1)
    return stack, (ways[-1] - ways[0]).norm(dim=1, keepdim=True)


def played_backwards(stack: torch.Tensor) -> torch.Tensor:
    """The stack (B, 31, H, W) of the same instant, were the exposure played backwards."""
    views, rest = stack[:, : 3 * len(TIMES)], stack[:, 3 * len(TIMES) :]
    photo, start, end, crisp = rest.split((3, 2, 2, 3), 1)
    views = views.unflatten(1, (len(TIMES), 3)).flip(1).flatten(1, 2)
    return torch.cat((views, photo, end, start, crisp), 1)


def base(stack: torch.Tensor) -> torch.Tensor:
    """The photo merely moved to the moment, (B, 3, H, W): what the network starts from."""
    return stack[:, 3 * MIDDLE : 3 * MIDDLE + 3]


def crispness(stack: torch.Tensor) -> torch.Tensor:
    """What deconvolution adds to that, (B, 3, H, W)."""
    return stack[:, -3:] - base(stack)


def share_moving(length: torch.Tensor) -> torch.Tensor:
    """0 where nothing within 14 px moves more than half a pixel, 1 where something moves 1.5 px, (B, 1, H, W)."""
    coarse = F.max_pool2d(length, 2, ceil_mode=True)
    wide = F.max_pool2d(coarse, 2 * SPREAD + 1, 1, SPREAD)
    soft = F.interpolate((wide - STILL).clamp(0, 1), scale_factor=2, mode="nearest")
    return soft[..., : length.shape[-2], : length.shape[-1]]

"""What moves in a photo by itself, where nothing is told: which places, along which line, how far.

The motion network says of every place how it moves and is right to say nothing where that cannot be known. Which part
of a photo is blurred, and about how, can be seen where the motion itself cannot: what suggestions need.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from models.exposure import sampled
from models.symmetry import turned
from models.trajectory.cells import CELL, NOISE, CellNetwork, levels
from models.trajectory.evidence import slopes

AXES = 8
"""Lines to move along, the first across the picture, each turned by 22.5 degrees more, clockwise as seen."""
LAGS = (1, 2, 4, 8, 16, 28)
"""How far apart values are compared along every line, px."""
DIRECTED, LEVELS, COLOURS = 2 * AXES * len(LAGS), 5, 6
CHANNELS = DIRECTED + LEVELS + COLOURS
ANSWERS = 1 + AXES + 1
SIDE = 448
"""The longer side, at most, of the copy that is looked at."""


@dataclass(frozen=True)
class Moving:
    """What moves, on a grid (h, w) over the photo.

    likely  float32 (h, w), how likely each place is to move.
    lines   float32 (AXES, h, w), how likely it does so along each line; they add up to 1.
    length  float32 (h, w), how far it goes if it does, px of the photo.
    """

    likely: np.ndarray
    lines: np.ndarray
    length: np.ndarray


class MovingNetwork(CellNetwork):
    """What is `seen` (B, CHANNELS, h, w) to (B, ANSWERS, h, w): the logit of moving, those of the lines, the logarithm
    of the length in px and one."""

    def __init__(self, widths: tuple[int, ...] = (64, 96, 128)) -> None:
        super().__init__(CHANNELS, ANSWERS, widths, dropout=0.1)


@torch.no_grad()
def what_moves(network: MovingNetwork, photo: torch.Tensor) -> Moving:
    """Of a photo (1, 3, H, W), sRGB curve."""
    height, width = photo.shape[-2:]
    scale = min(1.0, SIDE / max(height, width))
    size = [max(CELL, round(length * scale)) for length in (height, width)]
    small = F.interpolate(photo, size=size, mode="area") if scale < 1 else photo
    small = F.pad(small, (0, -size[1] % CELL, 0, -size[0] % CELL), mode="replicate")
    moves, lines, length = network(seen(small))[0].split((1, AXES, 1))
    far = (length[0].exp() - 1).clamp_min(0) / scale
    return Moving(*(one.cpu().numpy() for one in (moves[0].sigmoid(), lines.softmax(0), far)))


def seen(photo: torch.Tensor) -> torch.Tensor:
    """What shows motion in photos (B, 3, H, W), sRGB curve, sides multiples of 8: (B, CHANNELS, H/8, W/8).

    For every line and then every lag, how much brightness differs so far apart along it; in the same order how slopes
    agree with themselves so far on; how bright and steep it is; colours.
    """
    height, width = photo.shape[-2:]
    grey = photo.mean(1, keepdim=True)
    slope = slopes(grey)
    picture = torch.cat((grey, slope), 1)
    differ, agree = [], []
    for axis in range(AXES):
        angle = axis * math.pi / AXES
        line = photo.new_tensor([math.cos(angle), math.sin(angle)])
        energy = F.avg_pool2d((slope * line[:, None, None]).sum(1, keepdim=True).square(), CELL)
        for lag in LAGS:
            way = (lag / 2 * line).expand(len(photo), height, width, 2)
            there, here = sampled(picture, way), sampled(picture, -way)
            along = [(one[:, 1:] * line[:, None, None]).sum(1, keepdim=True) for one in (there, here)]
            differ.append(F.avg_pool2d((there[:, :1] - here[:, :1]).square(), CELL))
            agree.append((F.avg_pool2d(along[0] * along[1], CELL) / (energy + NOISE)).clamp(-2, 2))
    grain = F.avg_pool2d((grey - F.avg_pool2d(grey, 3, 1, 1)).abs(), CELL)
    small = F.avg_pool2d(photo, CELL)
    mean, *others = levels(grey, slope.norm(dim=1, keepdim=True))
    colours = (3 * (small - small.mean(1, keepdim=True)), small - 0.5)
    far = (torch.cat(differ, 1) + NOISE).log() / 3 + 2
    return torch.cat((far, *agree, mean - 0.5, *others, (grain + 1e-3).log() / 2 + 2.5, *colours), 1)


def turned_seen(seen: torch.Tensor, way: int) -> torch.Tensor:
    """What is seen (..., CHANNELS, h, w) of the picture turned as `models.symmetry.turned` does."""
    axes = torch.arange(AXES, device=seen.device)
    directed, rest = turned(seen, way).split((DIRECTED, CHANNELS - DIRECTED), -3)
    directed = directed.unflatten(-3, (2, AXES, len(LAGS)))
    for bit in (1, 2):
        axes = -axes % AXES if way & bit else axes
    axes = (AXES // 2 - axes) % AXES if way & 4 else axes
    return torch.cat((directed[..., axes, :, :, :].flatten(-5, -3), rest), -3)


def line_of(flow: torch.Tensor) -> torch.Tensor:
    """The number (B, h, w) of the line along which vectors (B, 2, h, w) go, either way."""
    return (torch.atan2(flow[:, 1], flow[:, 0]) * (AXES / math.pi)).round().long() % AXES

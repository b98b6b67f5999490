"""Networks on cells: what is measured in squares of 8 px, read together with what is around.

What shows motion is a matter of differences over many distances, which is measured, not learned. So few weights and few
photos do, and a whole photo costs hardly more than measuring it.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from models.trajectory.network import Block

CELL = 8
"""Px a side of what has one answer."""
NOISE = 1e-5
"""Squared differences of brightness that mean nothing."""


class CellNetwork(nn.Module):
    """An encoder-decoder from `inner` channels to `outer` ones on the same grid, of any size.

    widths  channels at the grid's own resolution and at each half of the one before; `depth` blocks at each half.
    dropout  the share of channels read that is left out in training.
    """

    def __init__(self, inner: int, outer: int, widths: tuple[int, ...], depth: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(inner, widths[0], 1), nn.GroupNorm(8, widths[0]), nn.ReLU(), nn.Dropout2d(dropout)
        )
        self.first = Block(widths[0])
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.GroupNorm(8, b), nn.ReLU(), *(Block(b) for _ in range(depth)))
            for a, b in pairs
        )
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.join = nn.ModuleList(Block(a) for a, _ in pairs)
        self.head = nn.Conv2d(widths[0], outer, 3, padding=1)
        for parameter in self.head.parameters():
            nn.init.normal_(parameter, std=1e-3)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Of what is `seen`, (B, inner, h, w): (B, outer, h, w)."""
        x = self.first(self.stem(seen))
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        for up, join, skip in zip(reversed(self.up), reversed(self.join), reversed(skips), strict=True):
            x = join(skip + F.interpolate(up(x), size=skip.shape[-2:], mode="bilinear", align_corners=False))
        return self.head(x).float()


def levels(grey: torch.Tensor, steepness: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Of brightness and how steep it is, (B, 1, H, W) each, in every cell (B, 1, H/8, W/8): the mean, the steepest, how
    much brightness differs around, and over how many px it does so at least; logarithms, about -1 to 1."""
    steepest = F.max_pool2d(steepness, CELL)
    span = F.max_pool2d(grey, 3 * CELL, CELL, CELL) + F.max_pool2d(-grey, 3 * CELL, CELL, CELL)
    bound = ((span + 0.01) / (steepest + 0.003)).log()
    return (
        F.avg_pool2d(grey, CELL),
        (steepest + 0.003).log() / 2 + 1.5,
        (span + 0.01).log() / 2 + 1,
        bound - 1.5,
    )

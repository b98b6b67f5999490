"""The restoration network: the photo aligned along its motion, to the sharp instant at one moment.

It is the same for every moment: the moment is in the alignment. Normalised per pixel, so that it runs in tiles without
seams: a pixel's result depends on at most `CONTEXT` px around it.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from models.decomposition.alignment import CHANNELS, base, crispness, share_moving

STRIDE = 8
CONTEXT = 96


class PixelNorm(nn.Module):
    """Normalises each pixel over its channels, then scales and shifts them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x - x.mean(1, keepdim=True)
        x = x * (x.square().mean(1, keepdim=True) + 1e-5).rsqrt()
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class Block(nn.Module):
    """Normalise, two 3 x 3 convolutions, add."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = PixelNorm(width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.second(F.relu(self.first(self.norm(x))))


class RestorationNetwork(nn.Module):
    """Aligned photo to instant.

    widths  channels at 1/2, 1/4 and 1/8 of the resolution; `depth` blocks at each on the way down.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 64, 96), depth: tuple[int, ...] = (1, 2, 3)) -> None:
        super().__init__()
        self.stem = nn.Conv2d(4 * CHANNELS, widths[0], 3, padding=1)
        self.levels = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(count))) for width, count in zip(widths, depth, strict=True)
        )
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, 2) for a, b in pairs)
        self.up = nn.ModuleList(nn.Conv2d(b, 4 * a, 1) for a, b in pairs)
        self.join = nn.ModuleList(Block(a) for a, _ in pairs)
        self.head = nn.Conv2d(widths[0], 16, 3, padding=1)
        for parameter in self.head.parameters():
            nn.init.normal_(parameter, std=1e-3)

    def forward(self, stack: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
        """The instant (B, 3, H, W), sRGB curve, of `aligned`'s two answers; H and W are multiples of 8.

        Where nothing near moves it is the photo, to the bit.
        """
        return base(stack) + self.residual(stack) * share_moving(length)

    def residual(self, stack: torch.Tensor) -> torch.Tensor:
        """What the network adds to the photo merely moved, (B, 3, H, W): of what deconvolution adds the share that it
        believes, and its own."""
        if stack.shape[-1] % STRIDE or stack.shape[-2] % STRIDE:
            raise ValueError(f"expected sides that are multiples of {STRIDE}, got {tuple(stack.shape[-2:])}")
        x = self.stem(F.pixel_unshuffle(stack, 2))
        skips = []
        for level, down in zip(self.levels, self.down, strict=False):
            x = level(x)
            skips.append(x)
            x = down(x)
        x = self.levels[-1](x)
        for up, join, skip in zip(reversed(self.up), reversed(self.join), reversed(skips), strict=True):
            x = join(skip + F.pixel_shuffle(up(x), 2))
        own, belief = F.pixel_shuffle(self.head(x).float(), 2).split((3, 1), 1)
        return own + belief.sigmoid() * crispness(stack).float()

"""The decomposer as published (Animation from Blur, section 3.2): 129.34 M parameters. A configuration to train and to
compare with, and what its ablations vary; no weights are shipped."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn

from models.areas.proposals import sides

FRAMES = 7
MOST_BITS = 4
STILL = 0.5
"""Px over the exposure below which a pixel counts as static."""


def direction_code(flow: torch.Tensor, bits: int) -> torch.Tensor:
    """The directions of a flow (B, 2, H, W) px as +-1 codes (B, bits, H, W), 0 where nothing moves.

    The circle is cut into 2 ** bits equal sectors (appendix B). Two bits are the quadrants, one is right and left; the
    third and the fourth cut every sector in half again. Which sector has which code the paper says of the quadrants
    only; here opposite directions have opposite codes, so that the reverse of an exposure has its code negated.
    """
    x, y = flow[:, 0], flow[:, 1]
    right, down = (side.to(flow.dtype) * 2 - 1 for side in sides(x, y))
    cos, sin = x * x - y * y, 2 * x * y  # of the double angle, times the length squared
    halves = [right, down, *(right * ((c >= 0).to(flow.dtype) * 2 - 1) for c in (cos, cos * cos - sin * sin))]
    return torch.stack(halves[:bits], 1) * (flow.norm(dim=1, keepdim=True) >= STILL) if bits else flow[:, :0]


class _Residual(nn.Module):
    """A pre-activation block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        parts = [(nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)) for _ in range(2)]
        self.body = nn.Sequential(*parts[0], *parts[1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


def _normed(conv: nn.Module, width: int) -> nn.Sequential:
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU())


def _coder(inner: int, outer: int, widths: tuple[int, ...], blocks: int) -> nn.Sequential:
    """An encoder-decoder without skip connections, (B, inner, H, W) to (B, outer, H, W); sides multiples of 4."""
    layers: list[nn.Module] = [_normed(nn.Conv2d(inner, widths[0], 7, padding=3), widths[0])]
    for a, b in pairwise(widths):
        layers += [_normed(nn.Conv2d(a, b, 3, padding=1), b), _normed(nn.Conv2d(b, b, 3, 2, 1), b)]
    layers += [_Residual(widths[-1]) for _ in range(blocks)]
    for a, b in pairwise(reversed(widths)):
        layers += [_normed(nn.ConvTranspose2d(a, b, 4, 2, 1), b), _normed(nn.Conv2d(b, b, 3, padding=1), b)]
    return nn.Sequential(*layers, nn.Conv2d(widths[0], outer, 7, padding=3))


class PublishedDecomposer(nn.Module):
    """A photo (B, 3, H, W) and its guidance's code (B, bits, H, W) to every stage's seven frames (B, 7, 3, H, W).

    The second stage adds a residual to the first's frames; unlike the authors' code it may darken too.

    bits    of the code; with none nothing is told, and the first stage draws all of its frames. Otherwise it copies the
            photo where the code says that nothing moves.
    stages  two, or a single one whose channels are so many more that it has the size of the two.
    adding  whether the first stage too adds to what is there, the photo, and both begin by adding nothing. Not as
            published: for trainings too short to learn to draw.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (128, 256, 512),
        blocks: int = 12,
        bits: int = 2,
        stages: int = 2,
        adding: bool = False,
    ) -> None:
        super().__init__()
        if stages == 1:
            widths = tuple(round(math.sqrt(2) * width) for width in widths)
        self.bits, self.adding = bits, adding
        self.first = _coder(3 + bits, 3 * FRAMES, widths, blocks)
        self.second = _coder(3 + 3 * FRAMES, 3 * FRAMES, widths, blocks) if stages == 2 else None
        for coder in (self.first, self.second) if adding else ():
            for parameter in coder[-1].parameters() if coder is not None else ():
                nn.init.zeros_(parameter)

    def forward(self, photo: torch.Tensor, code: torch.Tensor) -> tuple[torch.Tensor, ...]:
        repeated = photo.repeat(1, FRAMES, 1, 1)
        drawn = self.first(torch.cat((photo, code), 1))
        drawn = repeated + drawn if self.adding else drawn
        if self.bits:
            drawn = torch.where((code == 0).all(1, keepdim=True), repeated, drawn)
        if self.second is None:
            return (drawn.unflatten(1, (FRAMES, 3)),)
        refined = drawn + self.second(torch.cat((photo, drawn), 1))
        return drawn.unflatten(1, (FRAMES, 3)), refined.unflatten(1, (FRAMES, 3))

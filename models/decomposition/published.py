"""The decomposer as published (Animation from Blur, section 3.2): 129.34 M parameters. A configuration to train and to
compare with; no weights are shipped."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

FRAMES = 7
GUIDANCE = 2


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
    """A photo (B, 3, H, W) and its guidance's code (B, 2, H, W) to seven frames (B, 7, 3, H, W), both stages'.

    The second stage adds a residual to the first's frames; unlike the authors' code it may darken too.
    """

    def __init__(self, widths: tuple[int, ...] = (128, 256, 512), blocks: int = 12) -> None:
        super().__init__()
        self.first = _coder(3 + GUIDANCE, 3 * FRAMES, widths, blocks)
        self.second = _coder(3 + 3 * FRAMES, 3 * FRAMES, widths, blocks)

    def forward(self, photo: torch.Tensor, code: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        still = (code == 0).all(1, keepdim=True)
        drawn = self.first(torch.cat((photo, code), 1))
        drawn = torch.where(still, photo.repeat(1, FRAMES, 1, 1), drawn)
        refined = drawn + self.second(torch.cat((photo, drawn), 1))
        return drawn.unflatten(1, (FRAMES, 3)), refined.unflatten(1, (FRAMES, 3))

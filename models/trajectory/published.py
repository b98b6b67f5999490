"""The offset network as published (Exposure Trajectory Recovery, section 3.3), with 4 x 4 transposed convolutions as in
the authors' code: 1.13 M parameters. A configuration to train and to compare with; no weights are shipped."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

STRIDE = 8


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv5(width, width), nn.ReLU(), _conv5(width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


def _conv5(inner: int, outer: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inner, outer, 5, stride, 2)


def _encoder(inner: int, outer: int, stride: int) -> nn.Sequential:
    return nn.Sequential(_conv5(inner, outer, stride), nn.ReLU(), *(_Residual(outer) for _ in range(3)))


def _bottleneck(width: int) -> nn.Sequential:
    wide = nn.Conv2d(width, 2 * width, 1)
    return nn.Sequential(wide, nn.LeakyReLU(0.2), nn.Conv2d(2 * width, width, 3, padding=1), nn.LeakyReLU(0.2))


def _larger(inner: int, outer: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inner, outer, 4, 2, 1)


class PublishedOffsetNetwork(nn.Module):
    """A photo (B, 3, H, W), 0 to 1, to the fields of a trajectory constraint, (B, fields, 2, H, W) px, x then y; sides
    are multiples of 8. Two fields are the offsets at start and end."""

    def __init__(self, width: int = 16, fields: int = 2) -> None:
        super().__init__()
        n = width
        self.encoders = nn.ModuleList((_encoder(12, n, 1), _encoder(n, 2 * n, 2), _encoder(2 * n, 4 * n, 2)))
        self.bottlenecks = nn.ModuleList((_bottleneck(4 * n), _bottleneck(4 * n), _bottleneck(2 * n)))
        self.up = nn.ModuleList((_larger(4 * n, 2 * n), _larger(4 * n, n), _larger(2 * n, 2 * n)))
        self.head = _conv5(2 * n, 2 * fields)

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        first = self.encoders[0](F.pixel_unshuffle(photo, 2))
        second = self.encoders[1](first)
        x = self.up[0](self.bottlenecks[0](self.encoders[2](second)))
        x = torch.cat((F.leaky_relu(x, 0.2), second), 1)
        x = torch.cat((F.leaky_relu(self.up[1](self.bottlenecks[1](x)), 0.2), first), 1)
        x = self.up[2](self.bottlenecks[2](x))
        return self.head(F.relu(x)).unflatten(1, (-1, 2))

"""The motion network: a photo, what is told of its motion and what is proposed, to every pixel's start and end.

A long path shows only where many pixels agree, so whole areas are judged before (`models.areas`). An encoder-decoder on
half resolution, which also reads the traces around every place, then says how far every pixel follows what is proposed
and how it differs. GroupNorm makes it learn at all and looks at the whole picture, so it never runs in tiles: the
engine gives it the whole photo at a working scale.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from models.areas.proposals import CHANNELS as PROPOSAL
from models.areas.proposals import GUIDANCE, LENGTH_UNIT
from models.trajectory.evidence import CHANNELS, evidence

HINTS = GUIDANCE + PROPOSAL
FIELDS, PROPOSALS = 8, 2
STRIDE = 16


def local_contrast(photo: torch.Tensor, window: int = 9) -> torch.Tensor:
    """Brightness (B, 1, H, W) less its local mean, over its local deviation, of photos (B, 3, H, W)."""
    grey = photo.mean(1, keepdim=True)
    mean = F.avg_pool2d(grey, window, 1, window // 2, count_include_pad=False)
    square = F.avg_pool2d(grey * grey, window, 1, window // 2, count_include_pad=False)
    return (grey - mean) / ((square - mean * mean).clamp_min(0) + 1e-4).sqrt()


class Block(nn.Module):
    """Two normalised 3 x 3 convolutions around a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.GroupNorm(8, width) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.second(F.relu(self.norms[0](self.first(x))))
        return F.relu(x + self.norms[1](y))


def _joined(inner: int, outer: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.GroupNorm(8, outer), nn.ReLU(inplace=True))


class MotionNetwork(nn.Module):
    """Photo and hints to start and end, offsets and trajectories.

    widths  channels at 1/2, 1/4, 1/8 and 1/16 of the photo's resolution; `depth` blocks at each but the first.
    """

    def __init__(self, widths: tuple[int, ...] = (24, 48, 96, 128), depth: int = 2) -> None:
        super().__init__()
        self.stem = _joined(4 * 4 + HINTS, widths[0])
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(nn.Sequential(_joined(a, b, 2), *(Block(b) for _ in range(depth))) for a, b in pairs)
        self.up = nn.ModuleList(_joined(a + b, a) for a, b in pairs)
        self.trace = _joined(CHANNELS, widths[1], kernel=1)
        self.merge = _joined(2 * widths[1], widths[1], kernel=1)
        self.refine = nn.ModuleList(Block(a) if i else nn.Identity() for i, (a, _) in enumerate(pairs))
        self.head = nn.Conv2d(widths[0], FIELDS + PROPOSALS, 3, padding=1)
        for parameter in self.head.parameters():
            nn.init.normal_(parameter, std=0.01)

    def forward(self, photo: torch.Tensor, hints: torch.Tensor | None = None) -> torch.Tensor:
        """Motion (B, 4, 2, H/2, W/2) in px of the photo, x then y: offsets at start and end, trajectories at start and
        end (Exposure Trajectory Recovery's quadratic constraint, both ways).

        photo  (B, 3, H, W), or (1, 3, H, W) for all hints; 0 to 1 on the sRGB curve; H and W are multiples of 16.
        hints  (B, 13, H, W). First what is told: direction x and y, known, length / 16 px, length known; (+-1, +-1)
               tells a quadrant, a vector of norm 1 a direction, 0 with known = 1 that it stands still. Then what is
               proposed (`models.areas.proposals.proposed`). None: nothing is told or proposed.
        """
        if photo.shape[-1] % STRIDE or photo.shape[-2] % STRIDE:
            raise ValueError(f"expected sides that are multiples of {STRIDE}, got {tuple(photo.shape[-2:])}")
        with torch.autocast(photo.device.type, enabled=False):
            seen = F.pixel_unshuffle(torch.cat((photo - 0.5, local_contrast(photo) / 2), 1), 2)
            half = seen.new_zeros(len(seen), HINTS, *seen.shape[-2:]) if hints is None else F.avg_pool2d(hints, 2)
            traces = evidence(photo)
        x = self.stem(torch.cat((seen.expand(len(half), -1, -1, -1), half), 1))
        skips = []
        for level, down in enumerate(self.down):
            skips.append(x)
            x = down(x)
            if level == 0:
                x = self.merge(torch.cat((x, self.trace(traces).expand(len(x), -1, -1, -1)), 1))
        for up, refine, skip in zip(reversed(self.up), reversed(self.refine), reversed(skips), strict=True):
            larger = F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = refine(up(torch.cat((skip, larger), 1)))
        own, followed = self.head(x).float().split((FIELDS, PROPOSALS), 1)
        return own.unflatten(1, (4, 2)) * 8 + (followed.sigmoid()[:, :, None, None] * straight(half)).sum(1)


def straight(hints: torch.Tensor) -> torch.Tensor:
    """The fields (B, PROPOSALS, 4, 2, h, w) px of what hints (B, 13, h, w) propose, even and straight."""
    proposals = hints[:, GUIDANCE:].unflatten(1, (PROPOSALS, -1))[:, :, None, :2] * (LENGTH_UNIT / 2)
    return proposals * proposals.new_tensor([1, -1, -1, 1])[:, None, None, None]

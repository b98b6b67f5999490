"""The motion network: a photo, and what is known of its motion, to every pixel's start and end.

Two readings of the same traces (`models.trajectory.evidence`) meet. What is told to move alike is read as a whole, by a
small perceptron that proposes one motion for all of it: a long path shows only where many pixels agree. An
encoder-decoder on half resolution then says how every pixel differs. GroupNorm makes it learn at all and looks at the
whole picture, so it never runs in tiles: the engine gives it the whole photo at a working scale.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from models.trajectory.evidence import CHANNELS, evidence

GUIDANCE_CHANNELS = 5
LENGTH_UNIT = 16.0
FIELDS = 8
READ = 192
STRIDE = 16


def local_contrast(photo: torch.Tensor, window: int = 9) -> torch.Tensor:
    """Brightness (B, 1, H, W) less its local mean, over its local deviation, of photos (B, 3, H, W)."""
    grey = photo.mean(1, keepdim=True)
    mean = F.avg_pool2d(grey, window, 1, window // 2, count_include_pad=False)
    square = F.avg_pool2d(grey * grey, window, 1, window // 2, count_include_pad=False)
    return (grey - mean) / ((square - mean * mean).clamp_min(0) + 1e-4).sqrt()


def areas(guidance: torch.Tensor) -> torch.Tensor:
    """Parts of the picture that may move as one, (B, 7, h, w) of 0 and 1, by what guidance (B, 5, h, w) tells of them:
    the four quadrants, standing still, nothing; and last the whole picture."""
    x, y, known = guidance[:, 0], guidance[:, 1], guidance[:, 2] > 0.5
    moving = known & (x.abs() + y.abs() > 0)
    right, down = torch.where(x == 0, y > 0, x > 0), torch.where(y == 0, x < 0, y > 0)
    quadrants = [moving & (right == r) & (down == d) for r in (True, False) for d in (True, False)]
    return torch.stack((*quadrants, known & ~moving, ~known, torch.ones_like(known)), 1).to(guidance.dtype)


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
    """Photo and guidance to start and end, offsets and trajectories.

    widths  channels at 1/2, 1/4, 1/8 and 1/16 of the photo's resolution; `depth` blocks at each but the first.
    """

    def __init__(self, widths: tuple[int, ...] = (24, 48, 96, 128), depth: int = 2) -> None:
        super().__init__()
        self.stem = _joined(4 * 4 + GUIDANCE_CHANNELS, widths[0])
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(nn.Sequential(_joined(a, b, 2), *(Block(b) for _ in range(depth))) for a, b in pairs)
        self.up = nn.ModuleList(_joined(a + b, a) for a, b in pairs)
        self.trace = _joined(CHANNELS, widths[1], kernel=1)
        self.whole = nn.Sequential(
            nn.Linear(CHANNELS + GUIDANCE_CHANNELS + 1, READ),
            nn.LayerNorm(READ),
            nn.GELU(),
            nn.Linear(READ, READ),
            nn.GELU(),
        )
        self.proposal = nn.Linear(READ, FIELDS)
        self.told = nn.Linear(READ, widths[1])
        self.merge = _joined(3 * widths[1], widths[1], kernel=1)
        self.refine = nn.ModuleList(Block(a) if i else nn.Identity() for i, (a, _) in enumerate(pairs))
        self.head = nn.Conv2d(widths[0], FIELDS, 3, padding=1)
        for parameter in (*self.head.parameters(), *self.proposal.parameters()):
            nn.init.normal_(parameter, std=0.01)

    def forward(self, photo: torch.Tensor, guidance: torch.Tensor | None = None) -> torch.Tensor:
        """Motion (B, 4, 2, H/2, W/2) in px of the photo, x then y: offsets at start and end, trajectories at start and
        end (Exposure Trajectory Recovery's quadratic constraint, both ways).

        photo     (B, 3, H, W), 0 to 1 on the sRGB curve; H and W are multiples of 16.
        guidance  (B, 5, H, W): direction x and y, known, length / 16 px, length known; (+-1, +-1) tells a quadrant, a
                  vector of norm 1 a direction, 0 with known = 1 that it stands still. None or zeros: nothing is known.
        """
        if photo.shape[-1] % STRIDE or photo.shape[-2] % STRIDE:
            raise ValueError(f"expected sides that are multiples of {STRIDE}, got {tuple(photo.shape[-2:])}")
        with torch.autocast(photo.device.type, enabled=False):
            seen = F.pixel_unshuffle(torch.cat((photo - 0.5, local_contrast(photo) / 2), 1), 2)
            told = seen.new_zeros(len(seen), GUIDANCE_CHANNELS, *seen.shape[-2:])
            if guidance is not None:
                told = F.avg_pool2d(guidance, 2)
            near, common, proposed = self._traces(photo, F.avg_pool2d(told, 2))
        x = self.stem(torch.cat((seen, told), 1))
        skips = []
        for level, down in enumerate(self.down):
            skips.append(x)
            x = down(x)
            if level == 0:
                x = self.merge(torch.cat((x, self.trace(near), common), 1))
        for up, refine, skip in zip(reversed(self.up), reversed(self.refine), reversed(skips), strict=True):
            larger = F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = refine(up(torch.cat((skip, larger), 1)))
        proposed = F.interpolate(proposed, scale_factor=2, mode="nearest")
        return ((self.head(x).float() + proposed) * 8).unflatten(1, (4, 2))

    def _traces(self, photo: torch.Tensor, told: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """On a quarter of the photo's resolution: the traces around each place, what was read in those of its area and
        of the whole picture, and the motion proposed for its area."""
        parts = areas(told)
        near, whole = evidence(photo, parts)
        share = parts.mean((2, 3)).clamp_min(1e-4)
        hints = torch.einsum("bchw,bkhw->bkc", told, parts) / (share * parts[0, 0].numel())[..., None]
        read = self.whole(torch.cat((whole, hints, share.log()[..., None]), 2))
        own, everywhere = parts[:, :-1], read[:, -1:]
        common = torch.einsum("bkc,bkhw->bchw", self.told(read[:, :-1] + everywhere), own)
        return near, common, torch.einsum("bkc,bkhw->bchw", self.proposal(read[:, :-1]), own)

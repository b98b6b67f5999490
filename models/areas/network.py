"""The area network: the motion of an area that moves as one, as far as the evidence in it is sure.

It judges hypotheses, straight motions of every length and direction, so that it can say how sure it is and be told
what is known beforehand: a quadrant, a direction, a length. Directions wrap around in its convolutions: what it learns
of one it knows of all.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from models.areas.agreement import ANGLES, CHANNELS, LAGS, directions, mirrored, swapped

LENGTHS = 24
SHORTEST, LONGEST = 1.2, 64.0
"""Lengths of the hypotheses, px, in even steps of the logarithm."""
QUARTER, TURN = ANGLES // 2, 2 * ANGLES
"""Directions in a quarter turn and in a whole one."""


def lengths(like: torch.Tensor) -> torch.Tensor:
    """(LENGTHS,) px."""
    return torch.linspace(math.log(SHORTEST), math.log(LONGEST), LENGTHS, device=like.device).exp()


def headings(like: torch.Tensor) -> torch.Tensor:
    """Directions in time, (TURN,) radians from the right, clockwise as seen."""
    return torch.arange(TURN, device=like.device) * (math.pi / ANGLES)


def hypotheses(like: torch.Tensor) -> torch.Tensor:
    """The motions that are judged, complex (LENGTHS, TURN), x + iy px."""
    length, angle = lengths(like)[:, None], headings(like)[None]
    return torch.polar(length.expand(-1, TURN).contiguous(), angle.expand(LENGTHS, -1).contiguous())


class Block(nn.Module):
    """A convolution over neighbouring directions beside what all directions say together."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.near = nn.Conv1d(width, width, 5, padding=4, dilation=2, padding_mode="circular")
        self.all = nn.Linear(2 * width, width)
        self.out = nn.Conv1d(width, width, 1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normal = self.norm(x.transpose(1, 2)).transpose(1, 2)
        together = self.all(torch.cat((x.mean(2), x.amax(2)), 1))
        return x + self.out(self.dropout(F.gelu(self.near(normal) + together[:, :, None])))


class AreaNetwork(nn.Module):
    """Evidence to how likely each length and direction is."""

    def __init__(self, width: int = 128, depth: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv1d(CHANNELS * LAGS + 1, width, 3, padding=1, padding_mode="circular")
        self.blocks = nn.Sequential(*(Block(width) for _ in range(depth)))
        self.dropout = nn.Dropout(0.1)
        self.last = nn.Conv1d(width, LENGTHS, 1)

    def forward(self, evidence: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """Logits (N, LENGTHS, ANGLES) of evidence (N, CHANNELS, LAGS, ANGLES) in areas of `pixels` (N,)."""
        size = (pixels.clamp_min(1).log() / 2 - 4)[:, None, None].expand(-1, 1, ANGLES)
        x = self.first(torch.cat((evidence.flatten(1, 2), size), 1))
        return self.last(self.dropout(self.blocks(x))).float()

    def even_handed(self, evidence: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """The mean of what it says of a picture and of the same picture mirrored and turned; `forward`'s shapes."""
        sides = self(evidence, pixels) + mirrored(self(mirrored(evidence), pixels))
        turned = swapped(evidence)
        sides += swapped(self(turned, pixels) + mirrored(self(mirrored(turned), pixels)))
        return sides / 4


def posterior(logits: torch.Tensor, prior: torch.Tensor) -> torch.Tensor:
    """Logarithms of probabilities (N, LENGTHS, TURN) of all hypotheses, given `logits` (N, LENGTHS, ANGLES) and the
    logarithms of what was likely beforehand (N, LENGTHS, TURN), -inf where impossible."""
    both = torch.cat((logits, logits), 2) + prior
    return both.flatten(1).log_softmax(1).view_as(both)


def expected(found: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The motion (N, 2) px that a posterior (N, LENGTHS, TURN) speaks for, and the doubt (N,): how far the hypotheses
    lie from it on the average, as a share of its length.

    Its length is the geometric mean, shortened where directions disagree: the plain mean of what may be 2 px or 40 is
    long, and wrong for both.
    """
    share, each = found.exp(), hypotheses(found)
    length = each.abs()
    mean = (share * length.log()).sum((1, 2)).exp() * (share * each / length).sum((1, 2))
    doubt = (share * (each - mean[:, None, None]).abs()).sum((1, 2)) / mean.abs().clamp_min(1e-3)
    return torch.view_as_real(mean), doubt


def within(angle: torch.Tensor, width: float) -> torch.Tensor:
    """The prior (N, LENGTHS, TURN) that allows every length and what lies within `width` radians of `angle` (N,)."""
    off = _apart(angle)
    impossible = torch.where(off > width + 1e-3, -math.inf, 0.0)
    return impossible[:, None].expand(-1, LENGTHS, -1)


def about(angle: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
    """The prior (N, LENGTHS, TURN) that puts a bell of `spread` (N,) radians around `angle` (N,)."""
    return (-(_apart(angle) / spread[:, None]).square() / 2)[:, None].expand(-1, LENGTHS, -1)


def as_long_as(length: torch.Tensor, spread: float) -> torch.Tensor:
    """The prior (N, LENGTHS, TURN) that puts a bell of `spread` on the logarithm around `length` (N,) px."""
    off = (lengths(length).log() - length.clamp(SHORTEST, LONGEST).log()[:, None]) / spread
    return (-off.square() / 2)[:, :, None].expand(-1, -1, TURN)


def _apart(angle: torch.Tensor) -> torch.Tensor:
    """Radians between `angle` (N,) and all headings, (N, TURN), 0 to pi."""
    off = headings(angle) - angle[:, None]
    return torch.atan2(off.sin(), off.cos()).abs()


def best_heading(logits: torch.Tensor) -> torch.Tensor:
    """The likeliest direction (N,) radians of logits (N, LENGTHS, ANGLES) alone, to the right: time cannot be told."""
    share = logits.flatten(1).softmax(1).view_as(logits).sum(1)
    near = torch.stack([share.roll(step, 1) * (3 - abs(step)) for step in range(-2, 3)]).sum(0)
    angle = directions(logits)[near.argmax(1)]
    return torch.where(angle > math.pi / 2 + 1e-3, angle - math.pi, angle)

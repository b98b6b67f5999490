"""From guidance to areas that may move as one, and the motion that is proposed for each."""

from __future__ import annotations

import math

import torch

from models.areas.agreement import evidence
from models.areas.network import AreaNetwork, about, as_long_as, best_heading, expected, posterior, within
from models.symmetry import turned, turned_vectors

GUIDANCE, EACH = 5, 4
CHANNELS = 2 * EACH
"""Channels of guidance as networks read it, of one proposal, and of both; guidance and proposals together are hints."""
WINDOW, APART = 96, 64
"""Side of the windows and how far apart they begin, px."""
LENGTH_UNIT = 16.0
"""Px that count as one in guidance and proposals."""
FEW = 400
"""Pixels below which nothing is proposed for an area."""
DOUBT = 2.0
"""The greatest doubt that is told."""
SURE = 0.5
"""The doubt above which nothing is proposed where no direction is told: most of it stands still, and still areas are
not among the hypotheses."""
_QUADRANT = 1.2
"""Norm of a told direction from which it is a quadrant, (+-1, +-1), and not a vector of norm 1."""
_ANGLE, _LENGTH = 0.25, 0.3
"""How far told directions, in radians, and the logarithm of told lengths usually are off."""
_BEST = math.pi / 4


def sides(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Whether vectors point to the right, and down. What runs along an axis belongs to one of the two quadrants beside
    it, and its reverse to the opposite one."""
    return torch.where(x == 0, y > 0, x > 0), torch.where(y == 0, x < 0, y > 0)


def areas(told: torch.Tensor) -> torch.Tensor:
    """Parts of a picture that may move as one, bool (B, 5, H, W), by what guidance (B, 5, H, W) tells of them: the four
    quadrants, right and down first, then right, down, neither; and what nothing is told of. What stands still is in
    none."""
    x, y, known = told[:, 0], told[:, 1], told[:, 2] > 0.5
    moving = known & (x.abs() + y.abs() > 0)
    right, down = sides(x, y)
    quadrants = [moving & (right == r) & (down == d) for r in (True, False) for d in (True, False)]
    return torch.stack((*quadrants, ~known), 1)


MIDDLES = tuple(math.atan2(down, right) for right in (1, -1) for down in (1, -1))
"""The middle directions of the quadrants in the order of `areas`, radians."""


@torch.no_grad()
def proposed(network: AreaNetwork, photo: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """What is proposed for photos (B, 3, H, W), (B, 8, H, W): for every area as a whole the motion's x and y in
    `LENGTH_UNIT`, the doubt, and 1; then the same for the part of it in a window of `WINDOW` px around. Zeros where
    nothing is proposed.

    told  guidance (B, 5, H, W) as the motion network reads it.

    Where no direction is told the motion points to the right: time cannot be told.
    """
    grey, parts = photo.mean(1), areas(told)
    whole = _painted(network, grey, parts, told)
    near, weights = torch.zeros_like(whole), grey.new_zeros(len(grey), 1, *grey.shape[-2:])
    height, width = (min(WINDOW, length) for length in grey.shape[-2:])
    bell = _bell(height).to(grey)[:, None] * _bell(width).to(grey)
    for top in _starts(grey.shape[-2]):
        for left in _starts(grey.shape[-1]):
            at = (..., slice(top, top + height), slice(left, left + width))
            found = _painted(network, grey[at], parts[at], told[at])
            near[at] += found * bell
            weights[at] += found[:, 3:] * bell
    return torch.cat((whole, near / weights.clamp_min(1e-6)), 1)


def _painted(network: AreaNetwork, grey: torch.Tensor, parts: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """One kind of proposal, (B, 4, H, W), for areas (B, 5, H, W) of pictures (B, H, W)."""
    out = grey.new_zeros(len(grey), EACH, *grey.shape[-2:])
    pixels = parts.sum((2, 3))
    row, part = torch.nonzero(pixels >= FEW).unbind(1)
    if not len(row):
        return out
    masks = parts[row, part].to(grey.dtype)
    logits = network.even_handed(evidence(grey[row], masks), pixels[row, part].float())
    motion, doubt = expected(posterior(logits, _prior(told[row], masks, part, logits)))
    around = (part == len(MIDDLES)) & (motion[:, 0] < 0)
    motion = torch.where(around[:, None], -motion, motion)
    said = torch.cat((motion / LENGTH_UNIT, doubt.clamp(max=DOUBT)[:, None], torch.ones_like(doubt)[:, None]), 1)
    said = said * ~((part == len(MIDDLES)) & (doubt > SURE))[:, None]
    return out.index_put_((row,), said[:, :, None, None] * masks[:, None], accumulate=True)


def _bell(length: int) -> torch.Tensor:
    """Weights (length,) of a window's pixels: it counts most in its middle, and a little at its rim."""
    return 1 - ((torch.arange(length) + 0.5) / length * 2 - 1).abs() * 0.95


def _starts(length: int) -> list[int]:
    """Where windows begin along a side, `APART` px apart or a little less."""
    rest = max(0, length - WINDOW)
    count = -(-rest // APART)
    return [round(rest * n / count) for n in range(count + 1)] if count else [0]


def _prior(told: torch.Tensor, masks: torch.Tensor, part: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """What guidance (N, 5, H, W) makes likely in areas (N, H, W), the `part`s of `areas`: (N, LENGTHS, TURN)."""
    count = masks.sum((1, 2))
    mean = torch.einsum("nchw,nhw->nc", told, masks) / count[:, None]
    norm = (told[:, :2].norm(dim=1) * masks).sum((1, 2)) / count
    unknown = part == len(MIDDLES)
    middle = torch.tensor((*MIDDLES, 0.0), device=part.device)[part]
    middle = torch.where(unknown, best_heading(logits), middle)
    prior = within(middle, _BEST)
    spread = (2 * (1 - mean[:, :2].norm(dim=1) / norm.clamp_min(1e-6))).clamp(0, 2).sqrt()
    direction = about(torch.atan2(mean[:, 1], mean[:, 0]), (spread.square() + _ANGLE**2).sqrt())
    prior = torch.where((unknown | (norm > _QUADRANT))[:, None, None], prior, direction)
    share = mean[:, 4]
    length = as_long_as(mean[:, 3] / share.clamp_min(1e-6) * LENGTH_UNIT, _LENGTH)
    return prior + torch.where((share > 0.5)[:, None, None], length, 0.0)


def stretched(proposals: torch.Tensor, factor: float) -> torch.Tensor:
    """Proposals (B, 8, H, W) of a picture `factor` times as large, on the same grid."""
    factors = proposals.new_tensor((factor, factor, 1, 1) * (CHANNELS // EACH))
    return proposals * factors[:, None, None]


def turned_hints(hints: torch.Tensor, way: int) -> torch.Tensor:
    """Hints (B, 13, H, W), guidance and proposals, of the picture turned and mirrored (`models.symmetry`)."""
    parts = hints.split((GUIDANCE, EACH, EACH), 1)
    there = [torch.cat((turned_vectors(one[:, :2], way), turned(one[:, 2:], way)), 1) for one in parts]
    return _to_the_right(torch.cat(there, 1))


def reversed_hints(hints: torch.Tensor) -> torch.Tensor:
    """Hints (B, 13, H, W), guidance and proposals, of the same exposure played backwards."""
    told, *proposals = hints.split((GUIDANCE, EACH, EACH), 1)
    return _to_the_right(torch.cat([torch.cat((-one[:, :2], one[:, 2:]), 1) for one in (told, *proposals)], 1))


def _to_the_right(hints: torch.Tensor) -> torch.Tensor:
    """With every proposal pointing to the right where no direction is told."""
    told, *proposals = hints.split((GUIDANCE, EACH, EACH), 1)
    unknown, there = told[:, 2:3] == 0, [told]
    for one in proposals:
        vector = torch.where(unknown & (one[:, :1] < 0), -one[:, :2], one[:, :2])
        there.append(torch.cat((vector, one[:, 2:]), 1))
    return torch.cat(there, 1)

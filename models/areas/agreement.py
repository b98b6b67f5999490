"""How an area's slopes agree with themselves further on: the evidence for its motion.

Blur by a path of L px turns the slope along the path into the difference of the sharp picture's values L px apart. So
the correlation of the slope with itself has a trough at L along the motion, and its energy there is low. Whole areas
are read at once: many pixels agree on a trough that few only hint at.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

LAGS, ANGLES = 32, 24
"""Distances, in even steps of the logarithm, and directions of half a turn."""
NEAREST, FARTHEST = 1.5, 58.0
"""The distances, px."""
REACH = math.ceil(FARTHEST) + 1
CHANNELS = 4
NOISE = 3e-5
"""Energy of slopes below which they count as noise."""
WINDOW = 31
"""Side, px, of the squares over which the energy of slopes is made even."""
_NONE = 1e-3
"""What keeps a share of no energy at all from being 0 / 0."""
_FEW = 0.02
"""Share of an area's pixels that must have a partner at a distance for it to count."""


def distances(like: torch.Tensor) -> torch.Tensor:
    """(LAGS,) px."""
    return torch.linspace(math.log(NEAREST), math.log(FARTHEST), LAGS, device=like.device).exp()


def directions(like: torch.Tensor) -> torch.Tensor:
    """(ANGLES,) radians from the right, clockwise as seen."""
    return torch.arange(ANGLES, device=like.device) * (math.pi / ANGLES)


def evidence(grey: torch.Tensor, areas: torch.Tensor) -> torch.Tensor:
    """What pictures (N, H, W), 0 to 1, say within areas (N, H, W), 0 to 1. Blind to the direction of time.

    Returns float32 (N, CHANNELS, LAGS, ANGLES): for every distance and direction the correlation of the slope along it,
    that of the slope across it, the share of the slope along it, and the share of pixels with a partner there.
    """
    if not len(grey):
        return grey.new_zeros(0, CHANNELS, LAGS, ANGLES)
    found = _correlations(grey, areas)
    distance, angle = distances(grey)[:, None], directions(grey)[None, :]
    cos, sin = angle.cos(), angle.sin()
    x, y = distance * cos, distance * sin
    side = torch.where(x < 0, -1.0, 1.0)
    where = torch.stack((x * side * (2 / REACH) - 1, y * side / REACH), -1).expand(len(grey), -1, -1, -1)
    xx, yy, xy, pairs = F.grid_sample(found, where, align_corners=True, padding_mode="border").unbind(1)
    along, aside = _along(xx, yy, xy, cos, sin)
    xx, yy, xy = found[:, :3, REACH, 0, None, None].unbind(1)
    own, other = _along(xx, yy, xy, cos, sin)
    own, other = own + _NONE, other + _NONE
    share = (own / (own + other) * 2 - 1).expand_as(along)
    return torch.stack(((along / own).clamp(-1, 1) * 3, (aside / other).clamp(-1, 1) * 3, share, pairs), 1)


def mirrored(evidence: torch.Tensor) -> torch.Tensor:
    """Evidence (..., ANGLES) of the picture mirrored left to right."""
    return evidence.flip(-1).roll(1, -1)


def swapped(evidence: torch.Tensor) -> torch.Tensor:
    """Evidence (..., ANGLES) of the picture with x and y exchanged."""
    return evidence.flip(-1).roll(1 + ANGLES // 2, -1)


def _correlations(grey: torch.Tensor, areas: torch.Tensor) -> torch.Tensor:
    """Self-correlation of the slopes of pictures (N, H, W) within areas (N, H, W), by Fourier transform.

    Returns (N, 4, 2 REACH + 1, REACH + 1): for lags of -REACH to REACH px down and 0 to REACH px right the mean
    products of slopes across, of slopes down, of the one and the other; and the share of pixels that have a partner.
    """
    height, width = grey.shape[-2:]
    framed = F.pad(grey[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    across = (framed[:, 1:-1, 2:] - framed[:, 1:-1, :-2]) / 2
    down = (framed[:, 2:, 1:-1] - framed[:, :-2, 1:-1]) / 2
    gain = _gain(across.square() + down.square(), areas)
    across, down = across * gain, down * gain
    size = (height + REACH, width + REACH)
    x, y, mask = (torch.fft.rfft2(part, size) for part in (across * areas, down * areas, areas))
    powers = torch.stack((x.abs().square(), y.abs().square(), (x * y.conj()).real, mask.abs().square()), 1)
    summed = torch.fft.irfft2(powers.to(x.dtype), size)
    summed = torch.cat((summed[..., -REACH:, : REACH + 1], summed[..., : REACH + 1, : REACH + 1]), 2)
    pairs = summed[:, 3:].clamp_min(0)
    total = areas.sum((1, 2)).clamp_min(1)[:, None, None, None]
    means = summed[:, :3] / pairs.clamp_min(1) * (pairs > _FEW * total)
    return torch.cat((means, pairs / total), 1)


def _gain(energy: torch.Tensor, areas: torch.Tensor) -> torch.Tensor:
    """What makes the energy of slopes even over areas (N, H, W), so that a few strong edges do not drown the rest."""
    around = _box(energy * areas) / _box(areas).clamp_min(_FEW)
    return (around + NOISE).rsqrt()


def _box(x: torch.Tensor) -> torch.Tensor:
    """Means of (N, H, W) over squares of `WINDOW` px, one axis after the other; 0 beyond the border."""
    rows = F.avg_pool2d(x[:, None], (WINDOW, 1), 1, (WINDOW // 2, 0))
    return F.avg_pool2d(rows, (1, WINDOW), 1, (0, WINDOW // 2))[:, 0]


def _along(
    xx: torch.Tensor, yy: torch.Tensor, xy: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Products of slopes along a direction, and of those across it."""
    mixed = 2 * cos * sin * xy
    return cos * cos * xx + mixed + sin * sin * yy, sin * sin * xx - mixed + cos * cos * yy

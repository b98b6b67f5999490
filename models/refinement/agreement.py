"""How a photo's slopes agree with themselves further on, seen from a stroke: the evidence for its length and direction.

Blur by a path of L px turns the slope along the path into the difference of the sharp picture's values L px apart. So
the correlation of the slope with itself has a trough at L along the motion. Whole areas are read at once: many pixels
agree on a trough that few only hint at.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

LAGS, ANGLES = 24, 24
NEAREST, FARTHEST = 0.25, 2.4
"""How far apart slopes are compared, as shares of the stroke's length; `LAGS` even steps of the logarithm between."""
LONGEST = 24.0
"""Length of a stroke above which the picture is halved, px."""
REACH = math.ceil(LONGEST * FARTHEST) + 1
NOISE = 1e-6
"""Energy of a slope below which it counts as noise."""
CHANNELS, ABOUT = 4, 2


def lags(like: torch.Tensor) -> torch.Tensor:
    """The distances, as shares of the stroke's length, (LAGS,)."""
    steps = torch.linspace(math.log(NEAREST), math.log(FARTHEST), LAGS, device=like.device)
    return steps.exp()


def turns(like: torch.Tensor) -> torch.Tensor:
    """The directions as radians from the stroke's, clockwise as seen, half a turn in all, (ANGLES,)."""
    return (torch.arange(ANGLES, device=like.device) - ANGLES // 2) * (math.pi / ANGLES)


def around(grey: torch.Tensor, areas: torch.Tensor, strokes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What pictures (N, H, W), 0 to 1, say within areas (N, H, W), 0 to 1, around strokes (N, S, 2) px.

    Returns the evidence, (N, S, CHANNELS, LAGS, ANGLES), and what it is worth, (N, S, ABOUT): logarithms of the
    stroke's length and of the area's pixels in the picture that was looked at, halved until the stroke is short.
    """
    halved = (strokes.norm(dim=-1).clamp_min(1e-6) / LONGEST).log2().ceil().clamp_min(0)
    evidence = strokes.new_zeros(*strokes.shape[:2], CHANNELS, LAGS, ANGLES)
    about = strokes.new_zeros(*strokes.shape[:2], ABOUT)
    for level in range(int(halved.max()) + 1 if halved.numel() else 0):
        rows = (halved == level).any(1)
        if rows.any():
            those = (halved[rows] == level)[..., None]
            shrunk = strokes[rows] / 2**level
            seen = seen_from(correlations(grey[rows], areas[rows]), shrunk)
            evidence[rows] = torch.where(those[..., None, None], seen, evidence[rows])
            about[rows] = torch.where(those, _about(shrunk, areas[rows].sum((1, 2))), about[rows])
        grey, areas = (F.avg_pool2d(part[:, None], 2)[:, 0] for part in (grey, areas))
    return evidence, about


def _about(strokes: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    length = strokes.norm(dim=-1).clamp_min(0.5).log() - math.log(LONGEST / 2)
    return torch.stack((length, (pixels.clamp_min(1).log() / 2 - 4)[:, None].expand_as(length)), -1)


def correlations(grey: torch.Tensor, areas: torch.Tensor) -> torch.Tensor:
    """Self-correlation of the slopes of pictures (N, H, W) within areas (N, H, W), 0 to 1.

    Returns float32 (N, 4, 2 REACH + 1, REACH + 1): for lags of -REACH to REACH px down and 0 to REACH px right the mean
    products of slopes across, of slopes down, of the one and the other; and the share of pixels that have a partner.
    """
    height, width = grey.shape[-2:]
    framed = F.pad(grey[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    across = (framed[:, 1:-1, 2:] - framed[:, 1:-1, :-2]) / 2
    down = (framed[:, 2:, 1:-1] - framed[:, :-2, 1:-1]) / 2
    size = (height + REACH, width + REACH)
    x, y, mask = (torch.fft.rfft2(part, size) for part in (across * areas, down * areas, areas))
    powers = torch.stack((x.abs().square(), y.abs().square(), (x * y.conj()).real, mask.abs().square()), 1)
    summed = torch.fft.irfft2(powers.to(x.dtype), size)
    summed = torch.cat((summed[..., -REACH:, : REACH + 1], summed[..., : REACH + 1, : REACH + 1]), 2)
    pairs = summed[:, 3:].clamp_min(0)
    total = areas.sum((1, 2)).clamp_min(1)[:, None, None, None]
    means = summed[:, :3] / pairs.clamp_min(1) * (pairs > 0.02 * total)
    return torch.cat((means, pairs / total), 1)


def seen_from(found: torch.Tensor, strokes: torch.Tensor) -> torch.Tensor:
    """What correlations (N, 4, 2 REACH + 1, REACH + 1) say around strokes (N, S, 2) px of the same picture.

    Returns (N, S, CHANNELS, LAGS, ANGLES): for every distance and direction the correlation of the slope along it, that
    of the slope across it, the share of the slope along it, and the share of pixels with a partner there.
    """
    length = strokes.norm(dim=-1)
    angle = torch.atan2(strokes[..., 1], strokes[..., 0])[..., None, None] + turns(found)
    cos, sin = angle.cos(), angle.sin()
    lag = length[..., None, None] * lags(found)[:, None]
    x, y = lag * cos, lag * sin
    side = torch.where(x < 0, -1.0, 1.0)
    where = torch.stack((x * side * (2 / REACH) - 1, y * side / REACH), -1)
    count, per = strokes.shape[:2]
    sampled = F.grid_sample(found, where.flatten(1, 2), align_corners=True, padding_mode="border")
    xx, yy, xy, pairs = sampled.unflatten(2, (per, LAGS)).unbind(1)
    xx_here, yy_here, xy_here = found[:, :3, REACH, 0, None, None, None].unbind(1)
    along, aside = _along(xx, yy, xy, cos, sin)
    own, other = _along(xx_here, yy_here, xy_here, cos, sin)
    own, other = own + NOISE, other + NOISE
    share = (own / (own + other) * 2 - 1).expand_as(along)
    channels = ((along / own).clamp(-1, 1) * 3, (aside / other).clamp(-1, 1) * 3, share, pairs)
    return torch.stack(channels, 2).reshape(count, per, CHANNELS, LAGS, ANGLES)


def _along(
    xx: torch.Tensor, yy: torch.Tensor, xy: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Products of slopes along a direction, and of those across it."""
    mixed = 2 * cos * sin * xy
    return cos * cos * xx + mixed + sin * sin * yy, sin * sin * xx - mixed + cos * cos * yy

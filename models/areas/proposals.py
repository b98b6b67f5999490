"""From guidance to areas that may move as one, and the motion that is proposed for each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from models.areas.agreement import evidence
from models.areas.correction import CorrectionNetwork
from models.areas.fields import AFFINE, COEFFICIENTS, corrected, doubts, enlarged, fitted, spread
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
MOST, LARGE = 0.5, 0.2
"""The share of the photo above which an area moves with the camera, and above which it may do so beside another one."""
DOUBT = 2.0
"""The greatest doubt that is told."""
WINDOW_DOUBT, WHOLE_DOUBT = 0.5, 0.85
"""The doubts above which nothing is proposed where no direction is told, in a window and for an area as a whole: most
of it stands still, and still areas are not among the hypotheses."""
SURE = 0.22
"""The doubt below which what is seen along a smooth motion stands."""
AGREED, ALONG_AXIS, FITS = 0.8, 0.3, 2
"""The share of what is told by quadrants that must agree with one smooth motion; the sine of the angle to an axis up to
which a motion may be told in the quadrant across it; and how often that motion is fitted, each time to what agreed."""
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


@dataclass(frozen=True)
class _Judged:
    """What the network says of the areas seen in a window of pictures.

    row, part  (N,) which picture and which of its `areas` each is.
    masks      float32 (N, h, w): where it is.
    middle     (N, 2) px of the picture: its centre, x then y.
    posterior  (N, LENGTHS, TURN), the logarithms; where nothing is told, of the quarter turn about the likeliest.
    either     the same, but where nothing is told of all directions.
    """

    row: torch.Tensor
    part: torch.Tensor
    masks: torch.Tensor
    middle: torch.Tensor
    posterior: torch.Tensor
    either: torch.Tensor

    @property
    def untold(self) -> torch.Tensor:
        return self.part == len(MIDDLES)

    @property
    def key(self) -> torch.Tensor:
        return self.row * (len(MIDDLES) + 1) + self.part


@torch.no_grad()
def proposed(
    network: AreaNetwork,
    photo: torch.Tensor,
    told: torch.Tensor,
    correction: CorrectionNetwork | None = None,
    larger: torch.Tensor | None = None,
) -> torch.Tensor:
    """What is proposed for photos (B, 3, H, W), (B, 8, H, W): for every area as a whole the motion's x and y in
    `LENGTH_UNIT`, the doubt, and 1; then the same for the part of it in a window of `WINDOW` px around. Zeros where
    nothing is proposed.

    told    guidance (B, 5, H, W) as the motion network reads it.
    larger  the same photos at a larger size, (B, 3, H', W'), along whose motion `correction` looks.

    What fills most of the photo, or nothing is told of, moves with the camera: smoothly, as all that is seen of it
    speaks for together. The rest moves straight. Where no direction is told most of it points to the right: time
    cannot be told.
    """
    grey, parts = photo.mean(1), areas(told)
    height, width = grey.shape[-2:]
    whole = _judged(network, grey, parts, told, (0, 0, height, width))
    near, weights = grey.new_zeros(len(grey), EACH, height, width), grey.new_zeros(len(grey), 1, height, width)
    if not len(whole.row):
        return torch.cat((near, near), 1)
    h, w = (min(WINDOW, length) for length in (height, width))
    places = [(top, left, h, w) for top in _starts(height) for left in _starts(width)]
    seen = [_judged(network, grey, parts, told, place) for place in places]
    fields, doubt = _moved(whole, seen)
    if correction is not None:
        fields, doubt = _put_right(correction, photo if larger is None else larger, whole, fields, doubt)
    bell = _bell(h).to(grey)[:, None] * _bell(w).to(grey)
    for (top, left, _, _), one in zip(places, seen, strict=True):
        found, at = _straight(one, whole, fields, len(grey)), (..., slice(top, top + h), slice(left, left + w))
        near[at] += found * bell
        weights[at] += found[:, 3:] * bell
    said = _painted(whole, spread(fields, whole.middle, height, width), doubt, WHOLE_DOUBT, len(grey))
    if correction is not None:
        said = _with_one_camera(network, photo, told, correction, larger, said)
    return torch.cat((said, near / weights.clamp_min(1e-6)), 1)


def _with_one_camera(
    network: AreaNetwork,
    photo: torch.Tensor,
    told: torch.Tensor,
    correction: CorrectionNetwork,
    larger: torch.Tensor | None,
    said: torch.Tensor,
) -> torch.Tensor:
    """What is `said` (B, 4, H, W) of areas as a whole; but of several quadrants that fill most of a photo together the
    one smooth motion of all, where that is sure and agrees with them, if it does so nearly everywhere. What a camera
    does along an axis is told in two quadrants, and in which of them hardly matters."""
    parts = areas(told)[:, : len(MIDDLES)]
    moving = parts.any(1, keepdim=True)
    quadrants = moving & (told[:, :2].norm(dim=1, keepdim=True) > _QUADRANT) & (told[:, 4:] == 0)
    several = ((parts.float().mean((2, 3)) > LARGE).sum(1) > 1) & (quadrants.float().mean((1, 2, 3)) > MOST)
    if not bool(several.any()):
        return said
    where, camera = quadrants & several[:, None, None, None], said
    for _ in range(FITS):
        alone = torch.cat((torch.zeros_like(told[:, :2]), ~where, torch.zeros_like(told[:, 3:])), 1)
        camera = proposed(network, photo, alone, correction, larger)[:, :EACH]
        camera, where = _agreeing(camera, told, where)
    nearly_all = where.sum((2, 3), keepdim=True) > AGREED * moving.sum((2, 3), keepdim=True)
    return torch.where(where & nearly_all, camera, said)


def _agreeing(camera: torch.Tensor, told: torch.Tensor, where: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A proposal (B, 4, H, W) in the direction of time in which more of the quadrants `told` agree with it, and as much
    of `where` (B, 1, H, W) as is sure and agrees."""
    surely, motion, turned = where & (camera[:, 2:3] < SURE) & (camera[:, 3:] > 0), camera[:, :2], -camera[:, :2]
    slack = ALONG_AXIS * motion.norm(dim=1, keepdim=True)
    forward, backward = (surely & (told[:, :2] * way >= -slack).all(1, keepdim=True) for way in (motion, turned))
    swap = backward.sum((2, 3), keepdim=True) > forward.sum((2, 3), keepdim=True)
    return torch.cat((torch.where(swap, turned, motion), camera[:, 2:]), 1), torch.where(swap, backward, forward)


def _judged(
    network: AreaNetwork,
    grey: torch.Tensor,
    parts: torch.Tensor,
    told: torch.Tensor,
    place: tuple[int, int, int, int],
) -> _Judged:
    """What is said of areas (B, 5, H, W) of pictures (B, H, W) in the window `place`: top, left, height, width."""
    top, left, height, width = place
    at = (..., slice(top, top + height), slice(left, left + width))
    grey, parts, told = grey[at], parts[at], told[at]
    pixels = parts.sum((2, 3))
    row, part = torch.nonzero(pixels >= FEW).unbind(1)
    masks = parts[row, part].to(grey.dtype)
    logits = network.even_handed(evidence(grey[row], masks), pixels[row, part].float())
    prior = _prior(told[row], masks, part, logits)
    either = torch.where((part == len(MIDDLES))[:, None, None], 0.0, prior)
    total = masks.sum((1, 2))
    x = (masks.sum(1) @ torch.arange(width).to(masks)) / total + left
    y = (masks.sum(2) @ torch.arange(height).to(masks)) / total + top
    return _Judged(row, part, masks, torch.stack((x, y), 1), posterior(logits, prior), posterior(logits, either))


def _moved(whole: _Judged, seen: list[_Judged]) -> tuple[torch.Tensor, torch.Tensor]:
    """The motion (N, COEFFICIENTS, 2), affine, of areas judged as a `whole` and in windows, and its doubt (N,)."""
    straight, doubt = expected(whole.posterior)
    fields = F.pad(straight[:, None], (0, 0, 0, COEFFICIENTS - 1))
    broad = _broad(whole)
    every = [whole, *seen]
    place = torch.searchsorted(whole.key, torch.cat([one.key for one in every]))
    owner = torch.full_like(whole.key, -1).index_copy_(0, broad, torch.arange(len(broad), device=broad.device))[place]
    shown = owner >= 0
    away = (torch.cat([one.middle for one in every]) - whole.middle[place])[shown]
    windows = torch.cat([one.either for one in every])[shown], away, owner[shown]
    smooth = fitted(*windows, len(broad))
    leftward = whole.untold[broad] & (smooth[:, 0, 0] < 0)
    smooth = torch.where(leftward[:, None, None], -smooth, smooth)
    bending = F.pad(smooth, (0, 0, 0, COEFFICIENTS - AFFINE))
    return fields.index_copy_(0, broad, bending), doubt.index_copy_(0, broad, doubts(*windows, smooth))


def _broad(whole: _Judged) -> torch.Tensor:
    """Which areas, by their numbers, move smoothly and not straight."""
    return torch.nonzero(whole.untold | (whole.masks.mean((1, 2)) > MOST))[:, 0]


def _put_right(
    network: CorrectionNetwork, photo: torch.Tensor, whole: _Judged, fields: torch.Tensor, doubt: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The motion (N, COEFFICIENTS, 2) of areas and its doubt (N,), where they are broad put right by what is seen along
    it in photos (B, 3, H, W), of any size, as far as that is sure."""
    fields, doubt, grey = fields.clone(), doubt.clone(), photo.mean(1)
    factor = grey.shape[-1] / whole.masks.shape[-1]
    for n in _broad(whole).tolist():
        mask = F.interpolate(whole.masks[n][None, None], size=grey.shape[-2:], mode="nearest-exact")[0, 0]
        centre = (whole.middle[n] + 0.5) * factor - 0.5
        found, unsure = corrected(network, grey[whole.row[n]], mask, centre, enlarged(fields[n], factor))
        if unsure < SURE:
            sense = found[0, 0] if whole.untold[n] else (found[0] * fields[n, 0]).sum()
            fields[n], doubt[n] = enlarged(-found if sense < 0 else found, 1 / factor), unsure
    return fields, doubt


def _straight(one: _Judged, whole: _Judged, fields: torch.Tensor, count: int) -> torch.Tensor:
    """The second proposal in one window, (count, 4, h, w); where nothing is told, in the direction of time in which its
    area moves as a whole."""
    motion, doubt = expected(one.posterior)
    owner = torch.searchsorted(whole.key, one.key)
    there = spread(fields[owner], whole.middle[owner] - one.middle, 1, 1)[..., 0, 0]
    against = one.untold & ((there * motion).sum(1) < 0)
    motion = torch.where(against[:, None], -motion, motion)
    return _painted(one, motion[:, :, None, None].expand(-1, -1, *one.masks.shape[-2:]), doubt, WINDOW_DOUBT, count)


def _painted(one: _Judged, motion: torch.Tensor, doubt: torch.Tensor, sure: float, count: int) -> torch.Tensor:
    """Motions (N, 2, h, w) px and their doubt (N,) in their areas, (count, 4, h, w); where nothing is told only what
    is `sure`."""
    out = motion.new_zeros(count, EACH, *motion.shape[-2:])
    said = torch.cat((motion / LENGTH_UNIT, doubt.clamp(max=DOUBT)[:, None, None, None].expand_as(motion[:, :1])), 1)
    said = torch.cat((said, torch.ones_like(motion[:, :1])), 1)
    said = said * ~(one.untold & (doubt > sure))[:, None, None, None]
    return out.index_put_((one.row,), said * one.masks[:, None], accumulate=True)


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
    """With most of what is proposed where no direction is told pointing to the right."""
    told, whole, near = hints.split((GUIDANCE, EACH, EACH), 1)
    unknown = told[:, 2:3] == 0
    leftward = (whole[:, :1] * unknown).sum((2, 3), keepdim=True) < 0
    sign = 1.0 - 2.0 * (unknown & leftward)
    there = [torch.cat((one[:, :2] * sign, one[:, 2:]), 1) for one in (whole, near)]
    return torch.cat((told, *there), 1)

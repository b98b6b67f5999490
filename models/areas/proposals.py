"""From guidance to areas that may move as one, and the motion that is proposed for each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from models.areas.agreement import evidence
from models.areas.correction import CorrectionNetwork
from models.areas.fields import (
    AFFINE,
    ALONG_AXIS,
    COEFFICIENTS,
    as_told,
    doubts,
    enlarged,
    fitted,
    likeliest,
    shortened,
    spread,
)
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
MOST = 0.5
"""The share of the photo above which an area moves with the camera."""
DOUBT = 2.0
"""The greatest doubt that is told."""
WINDOW_DOUBT, WHOLE_DOUBT = 0.5, 0.85
"""The doubts above which nothing is proposed where no direction is told, in a window and for an area as a whole: most
of it stands still, and still areas are not among the hypotheses."""
SURE = 0.22
"""The doubt below which what is seen along a smooth motion stands."""
SLIGHT, BARELY = 4.0, 0.3
"""Px of the picture that is looked along below which told motion is slight, and the doubt below which it stands."""
AGREED, FITS = 0.8, 2
"""The share of what is told by quadrants that must agree with one smooth motion; and how often that motion is fitted,
each time to what agreed."""
LONGER = (1, 2, 4)
"""How many times longer the motion that is told without a length is begun with."""
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
    told       (N, 2) the mean of the directions that are told of it.
    posterior  (N, LENGTHS, TURN), the logarithms; where nothing is told, of the quarter turn about the likeliest.
    either     the same, but where nothing is told of all directions.
    """

    row: torch.Tensor
    part: torch.Tensor
    masks: torch.Tensor
    middle: torch.Tensor
    told: torch.Tensor
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
    places = _windows(height, width)
    *_, h, w = places[0]
    seen = [_judged(network, grey, parts, told, place) for place in places]
    fields, doubt = _moved(whole, seen)
    if correction is not None:
        fields, doubt = _put_right(correction, photo if larger is None else larger, told, whole, fields, doubt)
    bell = _bell(h).to(grey)[:, None] * _bell(w).to(grey)
    for (top, left, _, _), one in zip(places, seen, strict=True):
        found, at = _straight(one, whole, fields, len(grey)), (..., slice(top, top + h), slice(left, left + w))
        near[at] += found * bell
        weights[at] += found[:, 3:] * bell
    said = _painted(whole, spread(fields, whole.middle, height, width), doubt, WHOLE_DOUBT, len(grey))
    if correction is not None:
        said = _with_one_camera(network, photo, told, correction, photo if larger is None else larger, said)
    return torch.cat((said, near / weights.clamp_min(1e-6)), 1)


def _with_one_camera(
    network: AreaNetwork,
    photo: torch.Tensor,
    told: torch.Tensor,
    correction: CorrectionNetwork,
    larger: torch.Tensor,
    said: torch.Tensor,
) -> torch.Tensor:
    """What is `said` (B, 4, H, W) of areas as a whole; but of several quadrants that fill most of a photo together the
    one smooth motion of all, where that is sure and agrees with them nearly everywhere. A camera that zooms or turns is
    told in up to four quadrants, and one that goes along an axis in two, and in which of them hardly matters."""
    quadrants = areas(told)[:, : len(MIDDLES)] & (told[:, :2].norm(dim=1, keepdim=True) > _QUADRANT)
    quadrants = quadrants & (told[:, 4:] == 0)
    several = ((quadrants.sum((2, 3)) >= FEW).sum(1) > 1) & (quadrants.any(1).float().mean((1, 2)) > MOST)
    said = said.clone()
    for row in several.nonzero()[:, 0].tolist():
        one = slice(row, row + 1)
        found = _one_camera(network, photo[one], told[one], correction, larger[one], quadrants[one].any(1)[0])
        if found is not None:
            camera, where = found
            said[row] = torch.where(where, camera, said[row])
    return said


def _one_camera(
    network: AreaNetwork,
    photo: torch.Tensor,
    told: torch.Tensor,
    correction: CorrectionNetwork,
    larger: torch.Tensor,
    moving: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The one smooth motion, as a proposal (4, H, W), of all that is `moving` (H, W) in a photo (1, 3, H, W) told in
    quadrants, and where it agrees with them, bool (H, W); None if it is not sure, or agrees too little. It is looked
    for in what the windows say and in what is told, and again without what contradicts it. Slight motion that agrees
    counts as sure sooner."""
    height, width = moving.shape
    factor, where, best = larger.shape[-1] / width, moving, None
    for _ in range(FITS):
        seen = [_judged(network, photo.mean(1), where[None, None], told, at) for at in _windows(height, width)]
        middles, codes = torch.cat([one.middle for one in seen]), torch.cat([one.told for one in seen])
        centre = where.nonzero().flip(1).float().mean(0)
        owner = torch.zeros(len(middles), dtype=torch.long, device=middles.device)
        windows = torch.cat([one.posterior for one in seen]), middles - centre, owner, 1
        mask = F.interpolate(where[None, None].to(photo), size=larger.shape[-2:], mode="nearest-exact")[0, 0]
        rough = as_told(middles - centre, codes)
        fields = [
            enlarged(_bending(field), factor) for field in (fitted(*windows, codes)[0], *(n * rough for n in LONGER))
        ]
        looked, doubt = likeliest(correction, larger[0].mean(0), mask, (centre + 0.5) * factor - 0.5, fields)
        motion = spread(enlarged(looked, 1 / factor)[None], centre[None], height, width)[0]
        shorter, doubt = _if_slight(factor * float(motion.norm(dim=0)[where].mean()), doubt)
        motion = shorter * motion
        agrees = moving & _agrees(motion, told[0, :2])
        share = float(agrees.sum() / moving.sum())
        if doubt < SURE and share > AGREED:
            one = torch.ones_like(motion[:1])
            best = torch.cat((motion / LENGTH_UNIT, doubt * one, one)), agrees & ~inside(motion, told[0, :2], moving)
        if share < MOST or bool((agrees == where).all()):
            break
        where = agrees
    return best


def _if_slight(length: float, doubt: float) -> tuple[float, float]:
    """By what motion is to be multiplied that is told in quadrants and put right to a mean length, px of the picture
    that is looked along, and how much it is then doubted. As its direction is told, less evidence is enough for slight
    motion, which then counts as about as sure as what stands by itself."""
    if SURE <= doubt < BARELY and 0 < length < SLIGHT:
        return shortened(length) / length, SURE / 2
    return 1.0, doubt


def _agrees(motion: torch.Tensor, told: torch.Tensor, slack: float = ALONG_AXIS) -> torch.Tensor:
    """Where a motion (2, H, W) runs in the quadrants that are told (2, H, W), or nearly along their borders."""
    return (told * motion >= -slack * motion.norm(dim=0)).all(0)


def inside(motion: torch.Tensor, told: torch.Tensor, moving: torch.Tensor) -> torch.Tensor:
    """What is told in a quadrant across the axis from a camera's motion (2, H, W) without reaching the rim of what is
    `moving` (H, W) with it, bool (H, W): a thing of its own that was painted so."""
    import cv2

    across = (moving & ~_agrees(motion, told, 0.0)).cpu().numpy().astype(np.uint8)
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(across)
    rim = (numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1])
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= FEW)
    alone = np.setdiff1d(large, np.concatenate((np.zeros(1, int), *rim)))
    return torch.from_numpy(np.isin(numbers, alone)).to(moving.device)


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
    mean = torch.einsum("nchw,nhw->nc", told[row, :2], masks) / total[:, None]
    middle = torch.stack((x, y), 1)
    return _Judged(row, part, masks, middle, mean, posterior(logits, prior), posterior(logits, either))


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
    return fields.index_copy_(0, broad, _bending(smooth)), doubt.index_copy_(0, broad, doubts(*windows, smooth))


def _bending(fields: torch.Tensor) -> torch.Tensor:
    """Affine fields (..., AFFINE, 2) with the coefficients by which they may bend, (..., COEFFICIENTS, 2)."""
    return F.pad(fields, (0, 0, 0, COEFFICIENTS - AFFINE))


def _broad(whole: _Judged) -> torch.Tensor:
    """Which areas, by their numbers, move smoothly and not straight."""
    return torch.nonzero(whole.untold | (whole.masks.mean((1, 2)) > MOST))[:, 0]


def _put_right(
    network: CorrectionNetwork,
    photo: torch.Tensor,
    told: torch.Tensor,
    whole: _Judged,
    fields: torch.Tensor,
    doubt: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The motion (N, COEFFICIENTS, 2) of areas and its doubt (N,), where they are broad put right by what is seen along
    it in photos (B, 3, H, W), of any size, as far as that is sure; where guidance `told` (B, 5, H, W) says no length,
    from several."""
    fields, doubt, grey = fields.clone(), doubt.clone(), photo.mean(1)
    factor = grey.shape[-1] / whole.masks.shape[-1]
    for n in _broad(whole).tolist():
        mask = F.interpolate(whole.masks[n][None, None], size=grey.shape[-2:], mode="nearest-exact")[0, 0]
        centre = (whole.middle[n] + 0.5) * factor - 0.5
        measured = bool((told[whole.row[n], 4] * whole.masks[n]).any())
        begun = [longer * enlarged(fields[n], factor) for longer in LONGER[: 1 if measured else None]]
        found, unsure = likeliest(network, grey[whole.row[n]], mask, centre, begun)
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


def _windows(height: int, width: int) -> list[tuple[int, int, int, int]]:
    """Top, left, height and width of the windows that cover a picture."""
    h, w = (min(WINDOW, length) for length in (height, width))
    return [(top, left, h, w) for top in _starts(height) for left in _starts(width)]


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
    prior = torch.where(unknown[:, None, None], within(best_heading(logits), _BEST), _in_quadrants(told, masks))
    spread = (2 * (1 - mean[:, :2].norm(dim=1) / norm.clamp_min(1e-6))).clamp(0, 2).sqrt()
    direction = about(torch.atan2(mean[:, 1], mean[:, 0]), (spread.square() + _ANGLE**2).sqrt())
    prior = torch.where((unknown | (norm > _QUADRANT))[:, None, None], prior, direction)
    share = mean[:, 4]
    length = as_long_as(mean[:, 3] / share.clamp_min(1e-6) * LENGTH_UNIT, _LENGTH)
    return prior + torch.where((share > 0.5)[:, None, None], length, 0.0)


def _in_quadrants(told: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """The prior (N, LENGTHS, TURN) that every quadrant is as likely as much of areas (N, H, W) is told in it."""
    shares = torch.einsum("nqhw,nhw->nq", areas(told)[:, : len(MIDDLES)].to(masks), masks) / masks.sum((1, 2))[:, None]
    allowed = within(shares.new_tensor(MIDDLES), _BEST).exp()
    return torch.einsum("nq,qlt->nlt", shares, allowed).log()


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

"""What the motion network proposes by itself: several answers to what one photo cannot tell, as guidance to edit.

A photo looks the same played backwards, and each thing in it does so on its own: the network's motion says along which
line a thing moved and how far, its direction in time is a guess. So the motion is cut into things, and the suggestions
are assignments of a direction to each; where the line itself is doubtful, also the line across. Where no camera moves,
the things are what is blurred: of its motion the network finds little by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch

from models.guidance import QUADRANTS, Guidance, Region, quantise
from models.motion import Arrow, resized_field
from models.trajectory.estimation import STRAIGHT, Ends
from models.trajectory.moving import Moving
from models.trajectory.shake import Shake

MOVING, FAINTEST = 1.0, 0.004
"""What is proposed moves at least so many px, and so much of the picture's longer side: less is mostly a mistake."""
SMALLEST_SHARE = 0.004
MOST = 6
GRID = 1024
"""The longer side, at most, of the grid on which things are found."""
CAMERA_SHARE = 0.5
"""What covers more of the photo than this is the camera's motion."""
SUBJECT, GAP = 0.01, 0.04
"""The share of the photo that a camera's subject covers at least, and how broad the gaps in it are, of the longer side:
its plain surfaces are no sharper than others."""
FIRST, LAST = 2, 4
"""So many answers come before those in which the camera follows its subject, and before that in which the whole of what
is blurred moves."""
SHAKEN = 0.27
"""The doubt below which a camera may slightly have been shaken."""
UNEVEN = 0.05
"""The pace, as `Arrow.at_pace` counts it, from which arrows carry it."""
UNKNOWN = 0.5
"""Above so much doubt a line is hardly known."""
LIKELY, LEAST_LIKELY = 0.7, 0.15
"""How likely a place is to move that belongs to a thing: so much, or if no place is, half as much as the likeliest one,
but at least the second."""
SUREST = 0.9
"""How likely to move, beside the likeliest place of its thing, what is surest to belong to it is."""
COSINE = 0.7071
"""What moves less than 45 degrees off a thing's line may belong to it."""
FOLLOWS = 0.25
"""Places follow a camera that zooms or turns if their motion is off by less than this share of its own, and a pixel."""


@dataclass(frozen=True)
class Thing:
    """What hangs together and moves along one line.

    where  bool (h, w); share of the grid that it covers.
    arrow  its motion, the direction in time as the network guessed it.
    doubt  0: all its pixels found the same line; 1: they found none.
    part   whether it is a quadrant of what goes with a camera that zooms or turns.
    """

    where: np.ndarray
    share: float
    arrow: Arrow
    doubt: float
    part: bool = False


@dataclass(frozen=True)
class Answer:
    """An arrow for each thing; `camera`: the largest is the camera's motion and no thing of its own."""

    arrows: tuple[Arrow, ...]
    camera: bool


def one_direction(ends: Ends) -> Ends:
    """The motion with start and end swapped wherever it runs against the photo's main axis.

    Without guidance each pixel's direction of time is a guess; along one axis the guesses agree. The main axis is that
    of the doubled angles, weighted by length; of its two directions the one that most pixels found is kept. Where this
    parts more neighbours than it joins, as it does the halves of a zoom, the motion stays as it is.
    """
    flow = (ends.fields[:, 3] - ends.fields[:, 2])[0].permute(1, 2, 0)
    along = torch.from_numpy(flow.cpu().numpy() @ _line(flow.cpu().numpy().reshape(-1, 2))).to(flow.device)
    swapped = torch.where(along[..., None] >= 0, flow, -flow)
    if _jumps(swapped) >= _jumps(flow):
        return ends
    return Ends(torch.where(along >= 0, ends.fields, ends.reversed().fields))


def _jumps(flow: torch.Tensor) -> float:
    """How much neighbours in a flow (h, w, 2) px differ, in all."""
    return sum(float(flow.diff(dim=side).norm(dim=-1).sum()) for side in (0, 1))


def suggested(
    ends: Ends,
    height: int,
    width: int,
    count: int = 1,
    seed: int = 0,
    sharp: np.ndarray | None = None,
    moving: Moving | None = None,
    shake: Shake | None = None,
) -> tuple[Guidance, ...]:
    """The motion as guidance for a photo (height, width): up to `count` different answers, the likeliest first.

    First what was found; second its whole reverse; where the camera moves and something before it is too sharp for
    that (`sharp`, bool on any grid over the photo), both again with that thing standing still, as a camera's subject
    does; then what else changes most of the picture for the least belief: one thing turned round, one thing across its
    line where that is in doubt, all whose lines are hardly known across them. Lots drawn with `seed` fill what is left.
    Where motion was found to be uneven, arrows are. Where no camera moves, the things are what is `moving`, if anything
    is: their surest parts alone, as what is told wrongly does the less harm the less it is, and the fifth says the
    first of the whole things; but where there may be a slight `shake`, the fourth and the fifth say that, both ways.
    Empty where nothing that moves was found.
    """
    scale = min(1.0, GRID / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    flow = resized_field((ends.fields[0, 3] - ends.fields[0, 2]).permute(1, 2, 0).cpu().numpy(), *size)
    found = things(flow)
    still = not (found and (found[0].share > CAMERA_SHARE or _zooms(found)))
    blurred = [] if moving is None or not still else blurred_things(moving, flow)
    found = blurred or found
    shakes = _shakes(shake, size) if still and shake is not None and shake.doubt < SHAKEN else []
    if not found:
        return tuple(_guidance(parts, answer, height, width) for parts, answer in shakes[:count])
    pace = _pace(ends)
    if abs(pace) > UNEVEN:
        found = [replace(thing, arrow=thing.arrow.at_pace(pace)) for thing in found]
    answers: list[tuple[list[Thing], Answer]]
    likely = _answers(found, not blurred, np.random.default_rng(seed))
    parts = _surest(found, moving) if blurred and moving is not None else found
    answers = [(parts, answer) for answer in islice(likely, count)]
    if blurred:
        answers[LAST:LAST] = [(found, answers[0][1])]
    answers[LAST - 1 : LAST - 1] = shakes
    followed = None if sharp is None else _followed(found, sharp)
    if followed is not None:
        arrows = Answer(tuple(thing.arrow for thing in followed), True)
        answers[FIRST:FIRST] = [(followed, arrows), (followed, _whole_reverse(arrows))]
    return tuple(_guidance(parts, answer, height, width) for parts, answer in answers[:count])


def _shakes(shake: Shake, size: tuple[int, int]) -> list[tuple[list[Thing], Answer]]:
    """A camera's slight motion as an answer, and its reverse."""
    flow, all_over = resized_field(shake.flow, *size), np.ones(size, bool)
    parts = [replace(_thing(flow, part), part=True) for part in _quadrants(flow, all_over)]
    parts = parts or [_thing(flow, all_over)]
    usual = Answer(tuple(part.arrow for part in parts), len(parts) == 1)
    return [(parts, usual), (parts, _whole_reverse(usual))]


def _pace(ends: Ends) -> float:
    """How uneven motion is as a whole, as `Arrow.at_pace` counts it."""
    way, mean = ends.fields[:, 3] - ends.fields[:, 2], ends.fields[:, 3] + ends.fields[:, 2]
    return float((mean * way).sum() / way.square().sum().clamp_min(1e-6))


def things(flow: np.ndarray) -> list[Thing]:
    """The things in a flow (h, w, 2) px, largest first, at most six; what is small joins nothing and is left out.

    The largest part that hangs together gives its own line; what moves along that is a thing, the rest is looked at
    again. Directions in time play no part in it, so a thing never falls into opposite halves. But of a camera that
    zooms or turns no one arrow tells the motion: it is cut into the quadrants in which things go.
    """
    left = np.hypot(flow[..., 0], flow[..., 1]) >= max(MOVING, FAINTEST * max(flow.shape[:2]))
    found: list[Thing] = []
    for part in _quadrants(flow, left):
        found.append(replace(_thing(flow, part), part=True))
        left &= ~part
    for _ in range(4 * MOST):
        part = _largest(left)
        if part is None:
            break
        line = _line(flow[part])
        length = np.hypot(flow[..., 0], flow[..., 1])
        own = _largest(part & (np.abs(flow @ line) >= COSINE * length))
        left &= ~(part if own is None else own)
        if own is not None:
            found.append(_thing(flow, own))
    return sorted(found, key=lambda one: -one.share)[:MOST]


def _quadrants(flow: np.ndarray, moves: np.ndarray) -> list[np.ndarray]:
    """Where, bool (h, w) each, a flow (h, w, 2) px goes in one quadrant with a camera that zooms or turns; none where
    it does not, or where less than half of the picture `moves` (h, w) so."""
    height, width = moves.shape
    y, x = np.mgrid[:height, :width] / max(height, width) - 0.5
    terms = np.stack((np.ones_like(x), x, y), -1)
    some = (slice(None, None, max(1, height // 48)), slice(None, None, max(1, width // 48)))
    rows, aims = terms[some][moves[some]], flow[some][moves[some]].astype(np.float64)
    if len(rows) < len(terms[some].reshape(-1, 3)) * CAMERA_SHARE:
        return []
    weights, field = np.ones(len(rows)), np.zeros((3, 2))
    for _ in range(10):  # least absolute errors, so that things before it do not count
        field = np.linalg.lstsq(rows * weights[:, None], aims * weights[:, None], rcond=None)[0]
        weights = np.maximum(np.hypot(*(rows @ field - aims).T), 0.1) ** -0.5
    camera = terms @ field
    length = np.hypot(camera[..., 0], camera[..., 1])
    follows = moves & (np.hypot(*np.moveaxis(flow - camera, -1, 0)) < FOLLOWS * length + 1)
    straight = float(np.hypot(*camera.mean((0, 1))) / max(float(length.mean()), 1e-6))
    if follows.mean() <= CAMERA_SHARE or straight >= STRAIGHT:
        return []
    labels = quantise(camera, 0)
    parts = (_largest(follows & (labels == quadrant)) for quadrant in QUADRANTS)
    return [part for part in parts if part is not None]


def blurred_things(moving: Moving, flow: np.ndarray) -> list[Thing]:
    """What is likely to move and hangs together, largest first, at most six, on the grid of a flow (h, w, 2) px: along
    that where it moves most of a thing, else along the line that the photo shows. None that the whole photo could be:
    of a camera the motion would have been found."""
    import cv2

    height, width = flow.shape[:2]
    likely = cv2.resize(moving.likely, (width, height), interpolation=cv2.INTER_LINEAR)
    for least in (LIKELY, max(LEAST_LIKELY, float(likely.max()) / 2)):
        parts = _parts(likely > least)
        if parts:
            break
    long = np.hypot(flow[..., 0], flow[..., 1]) >= max(MOVING, FAINTEST * max(height, width))
    found = []
    for part in parts:
        if (long & part).mean() > part.mean() / 2:
            found.append(replace(_thing(flow, long & part), where=part, share=float(part.mean())))
        elif part.mean() <= CAMERA_SHARE:
            found.append(_blurred_thing(moving, part))
    return found


def _parts(mask: np.ndarray) -> list[np.ndarray]:
    """What hangs together in a mask, largest first, at most six, without what is small."""
    left, found = mask.copy(), []
    while len(found) < MOST and (part := _largest(left)) is not None:
        left &= ~part
        found.append(part)
    return found


def _blurred_thing(moving: Moving, where: np.ndarray) -> Thing:
    """Its arrow is along the mean of its places' lines, as far as they are likely to go."""
    import cv2

    height, width = moving.likely.shape
    weight = cv2.resize(where.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) * moving.likely
    weight /= max(float(weight.sum()), 1e-6)
    lines = (moving.lines * weight).sum((1, 2))
    doubled = (lines * np.exp(2j * np.pi * np.arange(len(lines)) / len(lines))).sum()
    angle, length = np.angle(doubled) / 2, float((moving.length * weight).sum())
    arrow = Arrow.from_vector(length * float(np.cos(angle)), length * float(np.sin(angle)))
    return Thing(where, float(where.mean()), arrow, 1 - float(abs(doubled)))


def _surest(found: list[Thing], moving: Moving) -> list[Thing]:
    """The same things, each only where it is nearly as likely to move as anywhere in it."""
    import cv2

    height, width = found[0].where.shape
    likely = cv2.resize(moving.likely, (width, height), interpolation=cv2.INTER_LINEAR)
    parts = (one.where & (likely >= SUREST * likely[one.where].max()) for one in found)
    return [replace(one, where=part, share=float(part.mean())) for one, part in zip(found, parts, strict=True)]


def _followed(found: list[Thing], sharp: np.ndarray) -> list[Thing] | None:
    """The same things, with the largest part of what is `sharp` standing still before a camera that moves; None where
    the camera does not, or nothing of that kind is there."""
    import cv2

    if found[0].share <= CAMERA_SHARE:
        return None
    height, width = found[0].where.shape
    there = cv2.resize(sharp.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    gap = 2 * round(GAP * max(height, width)) + 1
    filled = cv2.morphologyEx(there, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap, gap)))
    subject = _largest(filled > 0)
    if subject is None or not SUBJECT <= subject.mean() <= CAMERA_SHARE:
        return None
    beside = [replace(one, where=one.where & ~subject) for one in found]
    beside = [replace(one, share=float(one.where.mean())) for one in beside]
    still = Thing(subject, float(subject.mean()), Arrow(0, 0), 0.0)
    return [beside[0], *(one for one in beside[1:] if one.share > SMALLEST_SHARE), still]


def _largest(mask: np.ndarray) -> np.ndarray | None:
    """The largest part of a mask that hangs together; None where that is too small."""
    import cv2

    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, numbered, stats, _ = cv2.connectedComponentsWithStats(opened)
    sizes = stats[1:, cv2.CC_STAT_AREA]
    if not len(sizes) or sizes.max() < SMALLEST_SHARE * mask.size:
        return None
    return numbered == 1 + int(sizes.argmax())


def _thing(flow: np.ndarray, where: np.ndarray) -> Thing:
    """Its arrow is the median of its pixels' motion, each turned the way that most of them found."""
    own = flow[where]
    line = _line(own)
    own = own * np.sign(own @ line)[:, None]
    x, y = np.median(own, axis=0)
    return Thing(where, float(where.mean()), Arrow.from_vector(float(x), float(y)), 1 - abs(_doubled(own)))


def _line(flow: np.ndarray) -> np.ndarray:
    """The unit vector (2,) along which vectors (N, 2) move, of its two directions the one that most found."""
    angle = np.angle(_doubled(flow)) / 2
    line = np.array([np.cos(angle), np.sin(angle)], np.float32)
    return line if (flow @ line).sum() >= 0 else -line


def _doubled(flow: np.ndarray) -> complex:
    """The mean of the vectors' (N, 2) doubled angles, which opposite directions share, weighted by length: its size is
    1 where all lie on one line, 0 where none is better than another."""
    vectors = flow[:, 0].astype(np.float64) + 1j * flow[:, 1]
    length = np.abs(vectors)
    return complex((vectors**2 / np.maximum(length, 1e-6)).sum() / max(float(length.sum()), 1e-6))


def _answers(found: list[Thing], anything: bool, dice: np.random.Generator) -> Iterator[Answer]:
    """Every answer once, the likeliest and most telling first; `anything`: the largest may be the camera's motion, or
    a thing if it seems to be that."""
    usual = Answer(tuple(thing.arrow for thing in found), found[0].share > CAMERA_SHARE)
    told = {usual}
    yield usual
    each = _each(found)
    lots = (Answer(_turned(usual.arrows, 180 * dice.integers(0, 2, len(each)) @ each), usual.camera) for _ in range(64))
    for answer in (_whole_reverse(usual), *_others(found, usual, anything), *lots):
        if answer not in told:
            told.add(answer)
            yield answer


def _others(found: list[Thing], usual: Answer, anything: bool) -> list[Answer]:
    """What differs from the usual answer in one point, by how much of the picture that is, times how likely it is."""
    worth = []
    for one in _each(found):
        turning = [thing for thing, turns in zip(found, one, strict=True) if turns]
        share = sum(thing.share for thing in turning)
        worth.append((share, Answer(_turned(usual.arrows, 180 * one), usual.camera)))
        for degrees in (90, 270) if len(turning) == 1 and not turning[0].part else ():
            worth.append((share * turning[0].doubt, Answer(_turned(usual.arrows, degrees * one), usual.camera)))
    unknown = np.array([thing.doubt > UNKNOWN for thing in found])
    if unknown.sum() > 1:
        doubtful = sum(thing.share * thing.doubt for thing in found if thing.doubt > UNKNOWN)
        for degrees in (90, 270):
            worth.append((doubtful, Answer(_turned(usual.arrows, degrees * unknown), usual.camera)))
    share = found[0].share
    if anything and not _zooms(found):
        worth.append((min(share, 1 - share) / 2, Answer(usual.arrows, not usual.camera)))
    return [answer for _, answer in sorted(worth, key=lambda pair: -pair[0])]


def _zooms(found: list[Thing]) -> bool:
    """Whether parts of what goes with a camera that zooms or turns are among the things."""
    return any(thing.part for thing in found)


def _each(found: list[Thing]) -> np.ndarray:
    """Which things turn round together, (N, things) of 0 and 1: all parts of a camera's motion, others alone."""
    parts = np.array([thing.part for thing in found])
    alone = np.eye(len(found))[~parts]
    return np.concatenate((parts[None], alone)) if parts.any() else alone


def _whole_reverse(answer: Answer) -> Answer:
    return Answer(_turned(answer.arrows, np.full(len(answer.arrows), 180)), answer.camera)


def _turned(arrows: tuple[Arrow, ...], degrees: np.ndarray) -> tuple[Arrow, ...]:
    turned = (_turned_by(one, float(angle)) for one, angle in zip(arrows, degrees, strict=True))
    return tuple(new if one.length else one for one, new in zip(arrows, turned, strict=True))


def _turned_by(arrow: Arrow, degrees: float) -> Arrow:
    """Turned round, motion is the same played backwards, and so is its pace."""
    return arrow.reversed() if degrees == 180 else replace(arrow, degrees=(arrow.degrees + degrees) % 360)


def _guidance(found: list[Thing], answer: Answer, height: int, width: int) -> Guidance:
    """An answer as regions on the photo's grid; where no thing is found and no camera moved, all stands still."""
    import cv2

    areas, regions = np.zeros(found[0].where.shape, np.uint8), []
    camera = answer.arrows[0] if answer.camera else Arrow(0, 0)
    for thing, arrow in list(zip(found, answer.arrows, strict=True))[answer.camera :]:
        number = len(regions) + 1
        areas[thing.where] = number
        kind = "camera" if thing.part else "thing"
        regions.append(Region(number, f"{kind} {number}" if arrow.length else "subject", arrow))
    if areas.shape != (height, width):
        areas = cv2.resize(areas, (width, height), interpolation=cv2.INTER_NEAREST)
    return Guidance(areas, tuple(regions), camera)

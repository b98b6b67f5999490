"""Guidance for a blurred frame of a video from the frames beside it (Animation from Blur, section 3.3, "from video").

Seen from the frame, the one after shows where things go and the one before where they came from: half the difference of
the two flows is the displacement from frame to frame, and the exposure's share of the time between frames is the
motion in the photo. The neighbours are blurred too and may move otherwise or show another scene, so each flow counts,
pixel by pixel, as far as the flow back agrees with it and the neighbour looks the same along it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.guidance import MAX_REGIONS, Guidance, Region, quantise
from models.motion import Arrow, Motion, inverted, resized_field, sampled

SHUTTER = 0.5
"""Exposure over the time from frame to frame; what film cameras and most phones by daylight come near to at most."""
STILL = 1.0
"""px over the exposure; what moves less stands still."""
ALIKE = 0.5
"""Share of the picture that must move alike to be called the camera's motion."""
AT_REST = 0.2
"""Share that must stand still for the camera to be called at rest where nothing else is common."""
_WORKING = 640
"""px of the long side of the copies in which flow is sought: blurred frames hold nothing finer."""
_AGREES, _LENIENT, _LOOKS = 1.0, 0.2, 20.0
"""px that flow and flow back may miss each other by, and in grey levels what they may differ in; a share of the flow is
forgiven. These and the numbers below were chosen on the training part of the exposures."""
_SMOOTH, _FILL, _MEDIAN = 3.0, 12.0, 16
_SAME = 4.0
"""Grey levels that a place at rest may differ in from frame to frame: noise and compression."""
_DOUBT = 0.1
"""Trust under which motion is held to be shorter than it seems."""
_CUT = 0.1
"""Trust, on average, under which two pictures are taken to show different scenes."""
_TOLERANCE = 0.5
_MODES, _LEAST = 6, 0.01
"""Different motions that regions tell apart, and the share of the picture that a region has at least."""
_WORDS = ("right", "right-up", "up", "left-up", "left", "left-down", "down", "right-down")


@dataclass(frozen=True)
class Seen:
    """Motion over the exposure of a photo of `size` (H, W).

    flow   float32 (h, w, 2), px of the photo; the grid is the photo's, or a coarser one for large photos.
    trust  how far to trust it, (h, w) from 0 to 1.
    rests  bool (h, w): the neighbours look the same at this very place, so that it may well not move at all.
    """

    flow: np.ndarray
    trust: np.ndarray
    size: tuple[int, int]
    rests: np.ndarray | None = None

    def full(self) -> np.ndarray:
        """The flow on the photo's grid, float32 (H, W, 2)."""
        return resized_field(self.flow, *self.size)

    def labels(self) -> np.ndarray:
        """Quadrants uint8 (H, W), still where it moves less than 1 px."""
        return quantise(self.full(), STILL)

    def motion(self) -> Motion:
        """The motion of every pixel, straight and even, on the grid of the flow."""
        height, width = self.flow.shape[:2]
        stretch = np.array([self.size[1] / width, self.size[0] / height], np.float32)
        coarse = Motion.from_flow(self.flow / stretch)
        return Motion(coarse.times, coarse.offsets * stretch, coarse.trajectories * stretch)

    def guidance(self) -> Guidance:
        """The same in arrows to be edited: the camera's, and regions for what moves otherwise."""
        return regions(self.flow, self.size, self.rests)


def seen(before: np.ndarray | None, frame: np.ndarray, after: np.ndarray | None, shutter: float = SHUTTER) -> Seen:
    """The motion in a blurred frame (H, W, 3) uint8, from the frames before and after it, one of which may be missing.

    `shutter` is the exposure over the time from frame to frame, above 0 and at most 1. Raises ValueError with one
    sentence where frames differ in size, both neighbours are missing or the shutter is out of bounds.
    """
    if not 0 < shutter <= 1:
        raise ValueError(f"the shutter is open for a share between 0 and 1 of the time between frames, got {shutter:g}")
    beside = [(other, sign) for other, sign in ((before, -1.0), (after, 1.0)) if other is not None]
    if not beside:
        raise ValueError("there is no frame before or after to see the motion from")
    if any(other.shape != frame.shape for other, _ in beside):
        raise ValueError("the frames differ in size")
    small = _small(frame)
    beside = [(_small(other), sign) for other, sign in beside]
    flow, trust = _mixed([_one_side(small, other, sign) for other, sign in beside])
    rests = np.all([_differs(small, other) < _SAME for other, _ in beside], axis=0)
    return Seen(_enlarged(flow, frame) * np.float32(shutter), trust, frame.shape[:2], rests)


def between(one: np.ndarray, other: np.ndarray) -> Motion | None:
    """The motion from one sharp picture (H, W, 3) uint8, at t = 0, to another, at t = 1.

    None where they show different things, as on both sides of a cut. Raises ValueError where they differ in size.
    """
    if one.shape != other.shape:
        raise ValueError("the frames differ in size")
    first, last = _small(one), _small(other)
    sides = [_midway(*_one_side(first, last, 1.0), 0.5), _midway(*_one_side(last, first, -1.0), -0.5)]
    if max(trust.mean() for _, trust in sides) < _CUT:
        return None
    flow, trust = _mixed(sides)
    return Seen(_enlarged(flow, one), trust, one.shape[:2]).motion()


def _midway(flow: np.ndarray, trust: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """A flow and the trust in it, seen from where things are a `share` of the flow later."""
    back = inverted(share * flow)
    return back / np.float32(-share), sampled(trust[..., None], back)[..., 0]


def _small(picture: np.ndarray) -> np.ndarray:
    """The copy in which flow is sought."""
    height, width = picture.shape[:2]
    scale = min(1.0, _WORKING / max(height, width))
    size = max(16, round(width * scale)), max(16, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _enlarged(flow: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """A flow found in the small copy of a picture, in the picture's own px."""
    return flow * np.array([picture.shape[1] / flow.shape[1], picture.shape[0] / flow.shape[0]], np.float32)


def _one_side(frame: np.ndarray, other: np.ndarray, sign: float) -> tuple[np.ndarray, np.ndarray]:
    """Flow to a neighbour, forward in time, (h, w, 2), and the trust in it, (h, w)."""
    there, back = _dis(frame, other), _dis(other, frame)
    missed = np.linalg.norm(there + sampled(back, there), axis=-1)
    missed /= 1 + _LENIENT * np.linalg.norm(there, axis=-1)
    trust = np.exp(-np.square(_soft(missed, _SMOOTH) / _AGREES) - np.square(_differs(frame, other, there) / _LOOKS))
    return sign * there, trust.astype(np.float32) + np.float32(1e-6)


def _differs(frame: np.ndarray, other: np.ndarray, flow: np.ndarray | None = None) -> np.ndarray:
    """How much a neighbour differs from the frame along a flow, or in place, in grey levels, (h, w)."""
    one, same = (cv2.GaussianBlur(picture, (0, 0), 1).astype(np.float32) for picture in (frame, other))
    return _soft(np.abs(one - (same if flow is None else sampled(same, flow))).mean(-1), _SMOOTH)


def _dis(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Dense flow by DIS (Kroeger et al. 2016), coarse to fine."""
    first, second = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (one, other))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return search.calc(first, second, None)  # pyright: ignore[reportCallIssue, reportArgumentType]


def _mixed(sides: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """One flow from both sides: weighed by trust, filled from around where there is none, shortened, median-filtered.

    A neighbour that is not to be trusted as a whole, as after a cut, counts less everywhere.
    """
    overall = np.array([trust.mean() for _, trust in sides])
    shares = np.square(overall / overall.max())
    weights = [trust * np.float32(share) for (_, trust), share in zip(sides, shares, strict=True)]
    total = np.sum(weights, axis=0)
    flow = np.sum([one * weight[..., None] for (one, _), weight in zip(sides, weights, strict=True)], axis=0)
    flow /= total[..., None]
    trust = np.max(weights, axis=0)
    around = np.dstack([_soft(flow[..., axis] * trust, _FILL) for axis in (0, 1)])
    around /= _soft(trust, _FILL)[..., None] + np.float32(1e-6)
    sure = trust[..., None]
    flow = (flow * sure + around * (1 - sure)) * (sure / (sure + np.float32(_DOUBT)))
    return _median(flow), trust


def _soft(field: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(field, (0, 0), sigma)


def _median(flow: np.ndarray) -> np.ndarray:
    """The median over squares of some `_MEDIAN` px, found in a smaller copy, which 5 x 5 px are enough for."""
    height, width = flow.shape[:2]
    size = max(1, round(2 * width / _MEDIAN)), max(1, round(2 * height / _MEDIAN))
    small = cv2.resize(flow, size, interpolation=cv2.INTER_AREA)
    filtered = [cv2.medianBlur(np.ascontiguousarray(small[..., axis], np.float32), 5) for axis in (0, 1)]
    return cv2.resize(np.dstack(filtered), (width, height), interpolation=cv2.INTER_LINEAR)


def regions(flow: np.ndarray, size: tuple[int, int], rests: np.ndarray | None = None) -> Guidance:
    """A flow (h, w, 2) in px of a photo of `size` (H, W) as arrows.

    The camera's is what half of the picture or more does, or rest, where a fifth of it rests; else the commonest motion
    gets a region as all others do.
    Every region is one connected piece without holes; smaller ones lie in front of larger ones. With a camera at rest,
    what `rests` (h, w) belongs to no region but where one encloses it.
    """
    flow = np.asarray(flow, np.float32)
    modes = _modes(flow)
    nearest = _cleaned(np.argmin([np.linalg.norm(flow - mode, axis=-1) for mode in modes], axis=0), len(modes))
    back = _background(nearest, modes)
    camera = None if back is None else _arrow(flow[nearest == back])
    if back is not None and rests is not None and camera == Arrow(0, 0):
        nearest = _cleaned(np.where(rests, back, nearest), len(modes))
    others = [number for number in range(len(modes)) if number != back]
    areas, found = np.zeros(flow.shape[:2], np.uint8), []
    for piece in _pieces(nearest, others)[:MAX_REGIONS]:
        arrow, number = _arrow(flow[piece]), len(found) + 1
        if camera is None or arrow.length or camera.length:
            areas[piece] = number
            found.append(Region(number, f"{_word(arrow)} {number}", arrow))
    if areas.shape != size:
        areas = cv2.resize(areas, size[::-1], interpolation=cv2.INTER_NEAREST)
    return Guidance(areas, tuple(found), camera)


def _background(nearest: np.ndarray, modes: list[np.ndarray]) -> int | None:
    """Which of the motions is the camera's: what most of the picture does, else standing still; None: neither."""
    shares = np.bincount(nearest.ravel(), minlength=len(modes)) / nearest.size
    calmest = int(np.argmin([np.linalg.norm(mode) for mode in modes]))
    if shares.max() >= ALIKE:
        return int(shares.argmax())
    return calmest if np.linalg.norm(modes[calmest]) < STILL and shares[calmest] >= AT_REST else None


def _pieces(numbers: np.ndarray, wanted: list[int]) -> list[np.ndarray]:
    """Masks (H, W) of the connected pieces that have a wanted number, large ones first, the smallest left out."""
    found = []
    for number in wanted:
        count, marked, facts, _ = cv2.connectedComponentsWithStats((numbers == number).astype(np.uint8), connectivity=4)
        sizes = facts[1:count, cv2.CC_STAT_AREA]
        large = [piece for piece, size in enumerate(sizes, 1) if size >= _LEAST * numbers.size]
        found += [(int(sizes[piece - 1]), _without_holes(marked == piece)) for piece in large]
    return [piece for _, piece in sorted(found, key=lambda one: -one[0])]


def _without_holes(mask: np.ndarray) -> np.ndarray:
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(mask.astype(np.uint8), outlines, -1, 1, cv2.FILLED).astype(bool)


def _modes(flow: np.ndarray) -> list[np.ndarray]:
    """The motions that occur most, (2,) px each, the commonest first: what is like one of them counts for it alone."""
    step = max(1, max(flow.shape[:2]) // 160)
    left = flow[::step, ::step].reshape(-1, 2)
    enough, found = max(8, _LEAST * len(left)), []
    while len(left) >= enough and len(found) < _MODES:
        cell = np.maximum(1.0, _TOLERANCE * np.linalg.norm(left, axis=-1))
        candidates = left[:: max(1, len(left) // 200)]
        like = np.linalg.norm(left[None] - candidates[:, None], axis=-1) < cell[None]
        best = like[like.sum(1).argmax()]
        found.append(left[best].mean(0))
        left = left[~best]
    return found or [np.zeros(2, np.float32)]


def _cleaned(numbers: np.ndarray, count: int) -> np.ndarray:
    """Every pixel gets the number that most around it have."""
    sigma = max(1.0, 0.012 * max(numbers.shape))
    return np.argmax([_soft((numbers == one).astype(np.float32), sigma) for one in range(count)], axis=0)


def _arrow(flows: np.ndarray) -> Arrow:
    """The arrow of flows (N, 2), their median; a pin where they hardly move."""
    x, y = np.median(flows, axis=0)
    return Arrow.from_vector(float(x), float(y)) if np.hypot(x, y) >= STILL else Arrow(0, 0)


def _word(arrow: Arrow) -> str:
    return _WORDS[round(arrow.degrees / 45) % 8] if arrow.length else "still"

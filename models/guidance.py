"""What the user, a network or a file says about the direction of the motion.

Three forms, one meaning. *Labels* say a quadrant per pixel and travel as a PNG; the *code* is what networks read;
*regions* are what a person paints: an area with one arrow. Directions are those of the visible motion: x right,
y down in arrays, degrees counted anti-clockwise from "right" for people (90 is up).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from models.motion import Arrow, Motion, instants

STATIC, UNKNOWN = 0, 255
QUADRANTS = (1, 2, 3, 4)
"""I right-up, II left-up, III left-down, IV right-down."""

_SIGNS = np.zeros((256, 2), np.float32)
_SIGNS[1:5] = [(1, -1), (-1, -1), (-1, 1), (1, 1)]
_FLIPPED = np.arange(256, dtype=np.uint8)
_FLIPPED[1:5] = [3, 4, 1, 2]

NO_REGION = 0
MAX_REGIONS = 254
_EVEN = 0.02
"""Share of half a way by which it may depart from an even straight one and still count as that."""
_PLACES, _ROUNDING = 5, 1e-6
"""Times at which two arrows are compared, and px by which they may differ: degrees are rounded when flipped."""


def quantise(flow: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Labels of a flow (Animation from Blur, section 3.1).

    `flow` is (H, W, 2) in px over the exposure, x then y; pixels that move less than `threshold` px are static. Flow
    along an axis belongs to no quadrant; as in the paper's published code x = 0 takes y's sign and y = 0 the opposite
    of x's. Returns uint8 (H, W) in {0, 1, 2, 3, 4}. Not-a-number and infinity become unknown (255).
    """
    flow = np.asarray(flow)
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise ValueError(f"expected a flow of shape (H, W, 2), got {flow.shape}")
    x, y = flow[..., 0], flow[..., 1]
    known = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(known, x, 0), np.where(known, y, 0)
    right = np.where(x == 0, y > 0, x > 0)
    down = np.where(y == 0, x < 0, y > 0)
    labels = np.where(down, np.where(right, 4, 3), np.where(right, 1, 2))
    labels = np.where(np.hypot(x, y) < threshold, STATIC, labels)
    return np.where(known, labels, UNKNOWN).astype(np.uint8)


def encode(labels: np.ndarray) -> np.ndarray:
    """The code of labels: float32 (H, W, 2) as (x, y) in {-1, 0, 1}; static and unknown are both (0, 0)."""
    return _SIGNS[_checked(labels)]


def decode(code: np.ndarray) -> np.ndarray:
    """Labels uint8 (H, W) of a code (H, W, 2): the signs decide, (0, 0) is static.

    A code along one axis is no quadrant; it is settled as in `quantise`.
    """
    return quantise(np.sign(code), threshold=0.5)


def known(labels: np.ndarray) -> np.ndarray:
    """Where labels say something: bool (H, W)."""
    return _checked(labels) != UNKNOWN


def flip(labels: np.ndarray) -> np.ndarray:
    """The labels of the same exposure played backwards; static and unknown stay."""
    return _FLIPPED[_checked(labels)]


def _checked(labels: np.ndarray) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.dtype != np.uint8 or labels.ndim != 2:
        raise ValueError(f"expected labels of type uint8 and shape (H, W), got {labels.dtype} {labels.shape}")
    if np.any((labels > 4) & (labels != UNKNOWN)):
        raise ValueError("labels are 0 (static), 1 to 4 (quadrants) or 255 (unknown)")
    return labels


def read_labels(path: str | Path) -> np.ndarray:
    """Labels uint8 (H, W) from an 8-bit, one-channel PNG. Raises ValueError with one sentence on anything else."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG",)) as picture:
            if picture.mode not in ("L", "P"):
                raise ValueError(f"{Path(path).name} is no guidance: expected one 8-bit channel, got {picture.mode}")
            return _checked(np.array(picture, np.uint8))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{Path(path).name} cannot be read as a guidance PNG: {error}") from error


def write_labels(path: str | Path, labels: np.ndarray) -> None:
    """Write labels as an 8-bit, one-channel PNG. Overwrites; callers who need it atomic write beside and rename."""
    from PIL import Image

    Image.fromarray(_checked(labels), "L").save(path, "PNG")


@dataclass(frozen=True)
class Region:
    """One painted area with one arrow.

    `number` is its value in `Guidance.areas`. `arrow` None: painted, direction not said yet. An arrow of length 0
    pins the area: it stood still. `at` is where the arrow was drawn, the middle of its chord in px of the photo; None:
    it stands at the area's centre.
    """

    number: int
    name: str
    arrow: Arrow | None = None
    at: tuple[float, float] | None = None


@dataclass(frozen=True)
class Guidance:
    """Everything that was said about one photo's motion.

    areas    uint8 (H, W): 0 nothing painted here, k the region whose number is k.
    regions  back to front: a later region moves in front of an earlier one.
    camera   motion of all that no region covers; None: not said.
    motion   dense motion from a file or a network, under the painted regions; None: not given.
    """

    areas: np.ndarray
    regions: tuple[Region, ...] = ()
    camera: Arrow | None = None
    motion: Motion | None = field(default=None, compare=False)

    @classmethod
    def empty(cls, height: int, width: int) -> Guidance:
        return cls(np.zeros((height, width), np.uint8))

    @classmethod
    def from_labels(cls, labels: np.ndarray, length: float) -> Guidance:
        """A region per quadrant that occurs, along its diagonal with `length` px; static areas become a pin."""
        labels = _checked(labels)
        names = ("static", "right-up", "left-up", "left-down", "right-down")
        areas = np.zeros(labels.shape, np.uint8)
        regions = []
        for label in (STATIC, *QUADRANTS):
            where = labels == label
            if where.any():
                number = len(regions) + 1
                areas[where] = number
                arrow = Arrow(0, 0) if label == STATIC else Arrow(45 + 90 * (label - 1), length)
                regions.append(Region(number, names[label], arrow))
        return cls(areas, tuple(regions))

    def region(self, number: int) -> Region | None:
        return next((region for region in self.regions if region.number == number), None)

    def arrows(self) -> dict[int, Arrow]:
        """The arrows that say a motion by their region's number, before them the camera's with number 0."""
        every = ((NO_REGION, self.camera), *((region.number, region.arrow) for region in self.regions))
        return {number: arrow for number, arrow in every if arrow is not None and arrow.length > 0}

    def with_arrow(self, number: int, arrow: Arrow) -> Guidance:
        """With another arrow for a region, or with number 0 for the camera."""
        if number == NO_REGION:
            return replace(self, camera=arrow)
        regions = (replace(one, arrow=arrow) if one.number == number else one for one in self.regions)
        return replace(self, regions=tuple(regions))

    def flow(self) -> np.ndarray:
        """Visible displacement over the exposure, float32 (H, W, 2) px; NaN where nothing is known."""
        height, width = self.areas.shape
        by_number = np.full((256, 2), np.nan, np.float32)
        if self.camera is not None:
            by_number[NO_REGION] = self.camera.displacement(1) - self.camera.displacement(0)
        for region in self.regions:
            if region.arrow is not None:
                by_number[region.number] = region.arrow.displacement(1) - region.arrow.displacement(0)
        flow = by_number[self.areas]
        for number, arrow in self.arrows().items():
            if arrow.shares is not None:
                inside = self.areas == number
                way = arrow.shares.at(height, width)[inside] * np.complex64(complex(*arrow.vector()))
                flow[inside] = np.stack((way.real, way.imag), -1)
        if self.motion is not None:
            dense = self.motion.resized(height, width).flow()
            flow = np.where((self.areas == NO_REGION)[..., None], dense, flow)
        return flow

    def bends(self) -> np.ndarray | None:
        """How drawn ways depart from an even straight motion: complex64 (H, W), x + iy, the mean of the first and the
        last displacement over half the way from first to last. NaN where no arrow is drawn, or a straight even one;
        None where that is everywhere."""
        by_number = np.full(256, np.nan, np.complex64)
        for number, arrow in self.arrows().items():
            first, last = (complex(*arrow.displacement(t)) for t in (0, 1))
            bend = (first + last) / (last - first)
            by_number[number] = bend if abs(bend) > _EVEN else np.nan
        return None if np.isnan(by_number).all() else by_number[self.areas]

    def labels(self, threshold: float = 0.5) -> np.ndarray:
        """The guidance as labels uint8 (H, W)."""
        return quantise(self.flow(), threshold)

    def says_motion(self) -> bool:
        """Whether anything is said to move."""
        return self.motion is not None or bool(self.arrows())

    def under(self, painted: Guidance) -> Guidance:
        """This guidance only where `painted` says nothing: what that says stays, in front and under its numbers."""
        taken = {region.number for region in painted.regions}
        free = [number for number in range(1, MAX_REGIONS + 1) if number not in taken]
        table, regions = np.zeros(256, np.uint8), []
        bare = painted.areas == NO_REGION
        for number, region in zip(free, self.regions, strict=False):
            if (bare & (self.areas == region.number)).any():
                table[region.number] = number
                regions.append(replace(region, number=number))
        areas = np.where(bare, table[self.areas], painted.areas)
        motion = self.motion if painted.motion is None else painted.motion
        return Guidance(areas, (*regions, *painted.regions), painted.camera or self.camera, motion)

    def flipped_since(self, before: Guidance) -> tuple[int, ...] | None:
        """The numbers of what is said to move the other way round than `before`, `NO_REGION` for all that no region
        covers; none where both say the same, and None where they differ in more than that."""
        numbers = [region.number for region in self.regions]
        same = [region.number for region in before.regions] == numbers
        if not same or not np.array_equal(self.areas, before.areas):
            return None
        ways = [_flip(before.camera, self.camera) if before.motion is None else _flip(before.motion, self.motion)]
        ways += [_flip(old.arrow, new.arrow) for old, new in zip(before.regions, self.regions, strict=True)]
        if None in ways or (self.motion is None) != (before.motion is None):
            return None
        return tuple(number for number, way in zip((NO_REGION, *numbers), ways, strict=True) if way == -1)

    def reversed(self) -> Guidance:
        """The guidance of the same exposure played backwards."""
        return replace(
            self,
            regions=tuple(replace(region, arrow=region.arrow and region.arrow.reversed()) for region in self.regions),
            camera=self.camera and self.camera.reversed(),
            motion=self.motion and self.motion.reversed(),
        )


def _flip(before: Arrow | Motion | None, after: Arrow | Motion | None) -> int | None:
    """1 for the same motion, -1 for its reverse, None for any other."""
    if before is None or after is None:
        return 1 if before is after else None
    if _alike(before, after):
        return 1
    return -1 if _alike(before.reversed(), after) else None


def _alike(one: Arrow | Motion, other: Arrow | Motion) -> bool:
    if isinstance(one, Motion) and isinstance(other, Motion):
        fields = ((one.times, other.times), (one.offsets, other.offsets), (one.trajectories, other.trajectories))
        return all(np.array_equal(a, b) for a, b in fields)
    if isinstance(one, Arrow) and isinstance(other, Arrow):
        places = (arrow.displacement(instants(_PLACES)) for arrow in (one, other))
        return one.shares == other.shares and np.allclose(*places, atol=_ROUNDING)
    return False

"""Motion during one exposure: arrows, offsets, trajectories, flow, and the ways between them.

Conventions, everywhere in this project: time t runs from 0 to 1 over the exposure and 1/2 is its middle; vectors are
(x, y) in px of the photo, x right, y down; fields are (H, W, 2), sequences of fields (N, H, W, 2).

*Offsets* sample: the pixel p of the instant at t shows what stands at p + offset in the middle instant (Exposure
Trajectory Recovery, eq. 2). *Trajectories* are seen: what stands at q in the middle instant stands at q + trajectory
at t. The one is the negative of the other only where motion is locally constant; `inverted` turns either into the
other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

MIDDLE = 0.5
MOTION_TIMES = 9
MOST_CELLS = 64
"""Of the grid of an arrow's shares, a side."""
_STEPS = 32
"""In which shares are kept, of a whole; up to four times the arrow."""


def instants(count: int) -> np.ndarray:
    """`count` even times from 0 to 1, float32 (count,); a single one is the middle."""
    if count < 1:
        raise ValueError(f"expected at least one instant, got {count}")
    return np.linspace(0, 1, count, dtype=np.float32) if count > 1 else np.array([MIDDLE], np.float32)


def moments(times: np.ndarray) -> np.ndarray:
    """When a motion is kept beside frames at `times` (N,): at theirs, unless these are too few to show it, or many."""
    return times if 3 <= len(times) <= MOTION_TIMES else instants(MOTION_TIMES)


@dataclass(frozen=True)
class Shares:
    """How the places of one thing differ: which share of its arrow each goes, and how far to the side.

    Complex numbers, by which displacements x + iy, y down, are multiplied, on a grid over a part of the photo. They
    are shares of whatever the arrow is, so they turn, stretch and run backwards with it.

    window   left, top, right and bottom of that part, as shares of the photo's sides; beyond it they go on.
    rows     of the grid, and `columns`, at most `MOST_CELLS`.
    values   of every cell, row by row, the real and the imaginary part in 32nds as signed bytes.

    Raises ValueError where these do not fit each other.
    """

    window: tuple[float, float, float, float]
    rows: int
    columns: int
    values: bytes

    def __post_init__(self) -> None:
        left, top, right, bottom = self.window
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise ValueError("an arrow's shares cover a part of the photo")
        if not (1 <= self.rows <= MOST_CELLS and 1 <= self.columns <= MOST_CELLS):
            raise ValueError(f"an arrow's shares have at most {MOST_CELLS} x {MOST_CELLS} cells")
        if len(self.values) != 2 * self.rows * self.columns:
            raise ValueError("an arrow has another number of shares than cells")

    @classmethod
    def of(cls, shares: np.ndarray, window: tuple[float, float, float, float]) -> Shares:
        """Of complex numbers (rows, columns)."""
        rows, columns = shares.shape
        left, top, right, bottom = (float(edge) for edge in window)
        parts = np.stack((np.real(shares), np.imag(shares)), -1)
        values = np.rint(np.clip(parts * _STEPS, -127, 127)).astype(np.int8)
        return cls((left, top, right, bottom), rows, columns, values.tobytes())

    def at(self, height: int, width: int) -> np.ndarray:
        """Complex64 (height, width), on a grid over the whole photo; bilinear."""
        parts = np.frombuffer(self.values, np.int8).astype(np.float32) / _STEPS
        left, top, right, bottom = self.window
        down, across = _between(height, self.rows, top, bottom), _between(width, self.columns, left, right)
        return down @ parts.view(np.complex64).reshape(self.rows, self.columns) @ across.T


def _between(count: int, cells: int, first: float, last: float) -> np.ndarray:
    """How much each of so many cells, which cover a side from `first` to `last`, 0 to 1, counts at `count` even places
    all along it: complex64 (count, cells)."""
    at = (((np.arange(count) + 0.5) / count - first) / (last - first) * cells - 0.5).clip(0, cells - 1)
    return (1 - np.abs(at[:, None] - np.arange(cells))).clip(0).astype(np.complex64)


@dataclass(frozen=True)
class Arrow:
    """The motion of one thing as a person draws it: a quadratic curve, travelled with a chosen speed.

    degrees   direction from first to last place; 0 right, 90 up.
    length    px from first to last place, over the whole exposure.
    bend      how far the curve bulges to the left of the straight line, as a share of `length`, -1 to 1.
    ease_in   0 starts at even speed, 1 starts from rest.
    ease_out  0 ends at even speed, 1 comes to rest.
    shares    how much of all this each place of the thing goes, as refining finds it; None: all alike.
    """

    degrees: float
    length: float
    bend: float = 0.0
    ease_in: float = 0.0
    ease_out: float = 0.0
    shares: Shares | None = None

    def __post_init__(self) -> None:
        numbers = (self.degrees, self.length, self.bend, self.ease_in, self.ease_out)
        if not all(np.isfinite(number) for number in numbers):
            raise ValueError("an arrow is made of finite numbers")
        if self.length < 0:
            raise ValueError(f"an arrow's length is not negative, got {self.length}")
        if not -1 <= self.bend <= 1:
            raise ValueError(f"an arrow's bend lies in -1 to 1, got {self.bend}")
        if not (0 <= self.ease_in <= 1 and 0 <= self.ease_out <= 1):
            raise ValueError(f"an arrow's ease lies in 0 to 1, got {self.ease_in} and {self.ease_out}")

    @classmethod
    def from_vector(cls, x: float, y: float, **rest: Any) -> Arrow:
        """The straight arrow that moves (x, y) px, y down."""
        return cls(float(np.degrees(np.arctan2(-y, x)) % 360), float(np.hypot(x, y)), **rest)

    def vector(self) -> np.ndarray:
        """From first to last place, float64 (2,) px, y down."""
        angle = np.radians(self.degrees)
        return self.length * np.array([np.cos(angle), -np.sin(angle)])

    def displacement(self, t: float | np.ndarray) -> np.ndarray:
        """Where the thing is at t, seen from where it is mid-exposure: float64 (..., 2) px.

        The way gone is a cubic with end speeds 1 - ease_in and 1 - ease_out; the curve is the quadratic Bezier whose
        middle stands `bend * length` px left of its chord.
        """
        return self._place(self._gone(t)) - self._place(self._gone(MIDDLE))

    def displacements(self, t: float, height: int, width: int) -> np.ndarray:
        """The same of every place, on a grid over the whole photo: float32 (height, width, 2) px."""
        whole = self.displacement(t).astype(np.float32)
        if self.shares is None:
            return np.broadcast_to(whole, (height, width, 2))
        each = self.shares.at(height, width) * np.complex64(complex(*whole))
        return np.stack((each.real, each.imag), -1)

    def reversed(self) -> Arrow:
        """The same motion played backwards."""
        return replace(
            self,
            degrees=(self.degrees + 180) % 360,
            bend=-self.bend,
            ease_in=self.ease_out,
            ease_out=self.ease_in,
        )

    def at_pace(self, pace: float) -> Arrow:
        """The same way with its start and end on the average this far later or earlier, in halves of the way: -.25,
        which comes to rest, to .25, which starts from rest; beyond these as they are."""
        return replace(self, ease_in=min(max(4 * pace, 0.0), 1.0), ease_out=min(max(-4 * pace, 0.0), 1.0))

    def scaled(self, factor: float) -> Arrow:
        """The same motion in a picture `factor` times as large."""
        return replace(self, length=self.length * factor)

    def _gone(self, t: float | np.ndarray) -> np.ndarray:
        t = np.asarray(t, np.float64)
        first, last = 1 - self.ease_in, 1 - self.ease_out
        return ((first + last - 2) * t + (3 - 2 * first - last)) * t * t + first * t

    def _place(self, gone: np.ndarray) -> np.ndarray:
        along = self.vector()
        left = np.array([along[1], -along[0]])
        s = 2 * gone[..., None] - 1
        return s / 2 * along + (1 - s * s) * self.bend * left


CONSTRAINTS = ("zero", "linear", "bi-linear", "quadratic")


def constrained(parameters: np.ndarray, times: np.ndarray, constraint: str) -> np.ndarray:
    """Displacements at `times` from a trajectory constraint's parameters (Exposure Trajectory Recovery, section 3.2).

    With s = 2t - 1 from -1 to 1: *linear* has one field, at t = 0, and takes -s times it; *bi-linear* has two, at
    t = 0 and t = 1, each reached along its own straight line; *quadratic* has the same two, on the parabola through
    zero in the middle; *zero* constrains nothing: a field per even time, in between linear in time.

    `parameters` is (K, ..., 2) with K = 1, 2, 2 and N; `times` is (M,). Returns (M, ..., 2) in the parameters' type.
    Serves offsets and trajectories alike. Works on torch tensors too: it only multiplies and adds.
    """
    wanted = {"linear": 1, "bi-linear": 2, "quadratic": 2}.get(constraint)
    if constraint not in CONSTRAINTS:
        raise ValueError(f"expected a constraint out of {', '.join(CONSTRAINTS)}, got {constraint}")
    if wanted is not None and len(parameters) != wanted:
        raise ValueError(f"expected {wanted} fields for the {constraint} constraint, got {len(parameters)}")
    weights = np.stack([_weights(float(t), len(parameters), constraint) for t in times])
    if isinstance(parameters, np.ndarray):
        weights = weights.astype(parameters.dtype)
        return np.tensordot(weights, parameters, axes=1)
    return parameters.new_tensor(weights).flatten(1).matmul(parameters.flatten(1)).unflatten(1, parameters.shape[1:])


def _weights(t: float, count: int, constraint: str) -> np.ndarray:
    """What each parameter field contributes at t: float64 (count,)."""
    s = 2 * t - 1
    if constraint == "linear":
        return np.array([-s])
    if constraint == "bi-linear":
        return np.array([max(-s, 0.0), max(s, 0.0)])
    if constraint == "quadratic":
        return np.array([(s * s - s) / 2, (s * s + s) / 2])
    place = min(max(t, 0.0), 1.0) * (count - 1)
    return np.maximum(0.0, 1 - np.abs(np.arange(count) - place))


def inverted(field: np.ndarray, iterations: int = 12) -> np.ndarray:
    """The other of offsets and trajectories: the field g with g(p) = -field(p + g(p)), float32 (..., H, W, 2).

    Fixed-point iteration with bilinear sampling and a replicated border. Exact for motions that neither fold nor
    stretch by more than a factor of two; at occlusions it settles on one of the things that meet there.
    """
    field = np.asarray(field, np.float32)
    if field.ndim > 3:
        return np.stack([inverted(one, iterations) for one in field])
    inverse = -field
    for _ in range(iterations):
        inverse = -sampled(field, inverse)
    return inverse


def sampled(picture: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """`picture` (H, W, C) read at p + offsets(p), bilinear, pixel centres on whole numbers, border replicated."""
    height, width = offsets.shape[:2]
    x = np.clip(np.arange(width, dtype=np.float32) + offsets[..., 0], 0, picture.shape[1] - 1)
    y = np.clip(np.arange(height, dtype=np.float32)[:, None] + offsets[..., 1], 0, picture.shape[0] - 1)
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    right, below = np.minimum(left + 1, picture.shape[1] - 1), np.minimum(top + 1, picture.shape[0] - 1)
    x, y = (x - left).astype(x.dtype)[..., None], (y - top).astype(y.dtype)[..., None]
    upper = picture[top, left] * (1 - x) + picture[top, right] * x
    lower = picture[below, left] * (1 - x) + picture[below, right] * x
    return upper * (1 - y) + lower * y


def resized_field(field: np.ndarray, height: int, width: int) -> np.ndarray:
    """Fields (..., h, w, 2) on another grid, float32 (..., height, width, 2), bilinear; the vectors keep their length.

    Pixel centres lie at half numbers, so that a field and a picture of another size keep lying on each other.
    """
    h, w = field.shape[-3:-1]
    if (h, w) == (height, width):
        return np.asarray(field, np.float32)
    if field.ndim > 3:
        return np.stack([resized_field(one, height, width) for one in field])
    x = (np.arange(width, dtype=np.float32) + 0.5) * (w / width) - 0.5 - np.arange(width, dtype=np.float32)
    y = (np.arange(height, dtype=np.float32) + 0.5) * (h / height) - 0.5 - np.arange(height, dtype=np.float32)
    places = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), -1)
    return sampled(np.asarray(field, np.float32), places).astype(np.float32)


@dataclass(frozen=True)
class Motion:
    """Every pixel's motion during the exposure, at some of its times.

    times         float32 (N,), rising, within 0 to 1.
    offsets       float32 (N, h, w, 2), px of the photo.
    trajectories  float32 (N, h, w, 2), px of the photo.

    The grid (h, w) may be coarser than the photo; the vectors are px of the photo all the same.
    """

    times: np.ndarray
    offsets: np.ndarray
    trajectories: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.times)
        for name in ("offsets", "trajectories"):
            shape = getattr(self, name).shape
            if len(shape) != 4 or shape[0] != count or shape[3] != 2:
                raise ValueError(f"expected {name} of shape ({count}, H, W, 2), got {shape}")
        if self.offsets.shape != self.trajectories.shape:
            raise ValueError("offsets and trajectories stand on the same grid")
        if count < 1 or np.any(np.diff(self.times) <= 0) or self.times[0] < 0 or self.times[-1] > 1:
            raise ValueError("times rise within 0 to 1")

    @classmethod
    def from_flow(cls, flow: np.ndarray, count: int = 3) -> Motion:
        """Straight, even motion with this flow (H, W, 2) on the middle instant's grid."""
        times = instants(count)
        trajectories = constrained(-np.asarray(flow, np.float32)[None] / 2, times, "linear")
        return cls(times, inverted(trajectories), trajectories)

    @classmethod
    def from_offsets(cls, offsets: np.ndarray, times: np.ndarray) -> Motion:
        return cls(np.asarray(times, np.float32), np.asarray(offsets, np.float32), inverted(offsets))

    @classmethod
    def from_trajectories(cls, trajectories: np.ndarray, times: np.ndarray) -> Motion:
        return cls(np.asarray(times, np.float32), inverted(trajectories), np.asarray(trajectories, np.float32))

    def offsets_at(self, t: float) -> np.ndarray:
        """Offsets at any t, float32 (h, w, 2): linear between the times at hand, held beyond them."""
        return self._at(self.offsets, t)

    def trajectories_at(self, t: float) -> np.ndarray:
        """Trajectories at any t, float32 (h, w, 2): linear between the times at hand, held beyond them."""
        return self._at(self.trajectories, t)

    def flow(self) -> np.ndarray:
        """Visible displacement from the first to the last instant, float32 (h, w, 2), on the middle instant's grid."""
        return self.trajectories_at(1) - self.trajectories_at(0)

    def moves(self, least: float) -> np.ndarray:
        """Where anything is ever more than `least` px from its place at mid-exposure, bool (h, w)."""
        moves = np.zeros(self.offsets.shape[1:3], bool)
        for field in (*self.trajectories, *self.offsets):
            moves |= np.hypot(field[..., 0], field[..., 1]) > least
        return moves

    def reversed(self) -> Motion:
        """The same exposure played backwards."""
        return Motion(1 - self.times[::-1], self.offsets[::-1], self.trajectories[::-1])

    def scaled(self, factor: float) -> Motion:
        """The same motion in a picture `factor` times as large, on the same grid."""
        return replace(self, offsets=self.offsets * factor, trajectories=self.trajectories * factor)

    def resized(self, height: int, width: int) -> Motion:
        """The same motion on another grid."""
        return replace(
            self,
            offsets=resized_field(self.offsets, height, width),
            trajectories=resized_field(self.trajectories, height, width),
        )

    def _at(self, fields: np.ndarray, t: float) -> np.ndarray:
        place = float(np.interp(t, self.times, np.arange(len(self.times))))
        before = min(int(place), len(self.times) - 1)
        after = min(before + 1, len(self.times) - 1)
        share = np.float32(place - before)
        return fields[before] * (1 - share) + fields[after] * share

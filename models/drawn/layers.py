"""From guidance to layers: which things there are, back to front, where each stands and how it moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from models.guidance import NO_REGION, Guidance
from models.motion import MOTION_TIMES, Arrow, Motion, instants, inverted, resized_field, sampled

SOFTNESS = 1.5
"""Gaussian sigma in px of a painted region's edge."""
_STILL = 0.05
"""Px under which nothing is said to move."""
_PLACES = 33
_GRID = 256
"""The longer side, at most, of the grid on which the places of a thing move that do not all move alike."""


@dataclass(frozen=True)
class Moving:
    """One thing: a region's `number` (0 all that no region covers) and either an arrow or dense motion.

    With neither it stands still.
    """

    number: int
    arrow: Arrow | None = None
    motion: Motion | None = None

    @property
    def still(self) -> bool:
        return self.motion is None and (self.arrow is None or self.arrow.length < _STILL)

    def scaled(self, factor: float) -> Moving:
        """The same thing in a picture `factor` times as large."""
        if factor == 1:
            return self
        return replace(
            self, arrow=self.arrow and self.arrow.scaled(factor), motion=self.motion and self.motion.scaled(factor)
        )

    @cached_property
    def reach(self) -> float:
        """Px of the farthest place from the one mid-exposure."""
        if self.motion is not None:
            return max(_largest(self.motion.trajectories), _largest(self.motion.offsets))
        return 0.0 if self.arrow is None else float(np.linalg.norm(self._places(), axis=-1).max())

    @cached_property
    def path(self) -> float:
        """Px of the way gone over the exposure, of nearly the longest where pixels differ."""
        if self.motion is not None:
            steps = np.diff(self.motion.trajectories, axis=0)
            ways = np.sum(np.hypot(steps[..., 0], steps[..., 1]), axis=0)
            return float(np.percentile(ways, 98))
        return 0.0 if self.arrow is None else float(np.linalg.norm(np.diff(self._places(), axis=0), axis=-1).sum())

    def _places(self) -> np.ndarray:
        assert self.arrow is not None
        return self.arrow.displacement(instants(_PLACES))


def _largest(fields: np.ndarray) -> float:
    return max(float(np.hypot(one[..., 0], one[..., 1]).max()) for one in fields)


def scene(guidance: Guidance) -> tuple[Moving, ...]:
    """Everything that guidance speaks of, back to front; what no region covers comes first.

    A painted region without an arrow belongs to what is behind it. Raises ValueError where nothing moves.
    """
    size = guidance.areas.shape
    dense = guidance.motion
    back = Moving(NO_REGION, motion=dense) if dense else _thing(NO_REGION, guidance.camera, *size)
    fronts = (_thing(region.number, region.arrow, *size) for region in guidance.regions if region.arrow is not None)
    things = (back, *fronts)
    if all(thing.still for thing in things):
        raise ValueError("nothing is said to move: draw an arrow in a painted region or over the whole photo")
    return things


def _thing(number: int, arrow: Arrow | None, height: int, width: int) -> Moving:
    """What an arrow moves in a photo (height, width): as one, or where its places differ by a motion of each."""
    if arrow is None or arrow.shares is None or arrow.length < _STILL:
        return Moving(number, arrow)
    scale = min(1.0, _GRID / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    times = instants(MOTION_TIMES)
    trajectories = np.stack([arrow.displacements(float(t), *size) for t in times])
    return Moving(number, motion=Motion(times, inverted(trajectories * scale) / np.float32(scale), trajectories))


def extent(things: tuple[Moving, ...], areas: np.ndarray, room: int) -> tuple[int, int, int, int]:
    """The rectangle y0, x0, y1, x1 of `areas` (H, W) outside which nothing moves, with `room` px around it."""
    height, width = areas.shape
    moving = [thing for thing in things if not thing.still]
    inside = np.isin(areas, [thing.number for thing in moving if thing.number])
    for thing in moving:
        if not thing.number:
            inside |= True if thing.motion is None else _enlarged(thing.motion.moves(_STILL), height, width)
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        return 0, 0, height, width
    y0, x0 = max(int(rows[0]) - room, 0), max(int(columns[0]) - room, 0)
    return y0, x0, min(int(rows[-1]) + 1 + room, height), min(int(columns[-1]) + 1 + room, width)


def _enlarged(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """A mask (h, w) on a finer grid, and a cell further: fields are bilinear."""
    import cv2

    wide = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    return cv2.resize(wide, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)


def window_of(areas: np.ndarray, window: tuple[int, int, int, int]) -> np.ndarray:
    """Areas inside y0, x0, y1, x1, which may reach beyond the photo: its border goes on there."""
    y0, x0, y1, x1 = window
    rows = np.clip(np.arange(y0, y1), 0, areas.shape[0] - 1)
    columns = np.clip(np.arange(x0, x1), 0, areas.shape[1] - 1)
    return areas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1][rows - rows[0]][:, columns - columns[0]]


def window_places(
    grid: tuple[int, ...], size: tuple[int, int], window: tuple[int, int, int, int], step: int = 1
) -> np.ndarray:
    """Offsets (h, w, 2) at which a field on `grid` (h, w), lying on a photo of `size` (H, W), is to be sampled for
    every square of `step` px a side of the window y0, x0, y1, x1."""
    y0, x0, y1, x1 = window
    x = _places(x0, (x1 - x0) // step, step, grid[1] / size[1])
    y = _places(y0, (y1 - y0) // step, step, grid[0] / size[0])
    return np.stack(np.broadcast_arrays(x[None, :], y[:, None]), -1)


def _places(start: int, count: int, step: int, factor: float) -> np.ndarray:
    n = np.arange(count, dtype=np.float32)
    return (start + (n + 0.5) * step) * factor - 0.5 - n


def motion_of(guidance: Guidance, times: np.ndarray, longest: int = 1024) -> Motion:
    """The drawn motion of every pixel, on a grid of at most `longest` px a side, vectors in px of the photo.

    Offsets follow who stands in front at each time, trajectories who stands in front mid-exposure.
    """
    height, width = guidance.areas.shape
    scale = min(1.0, longest / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    rows, columns = ((np.arange(n) + 0.5) * (full / n) for n, full in zip(size, (height, width), strict=True))
    areas = guidance.areas[rows.astype(int)][:, columns.astype(int)]
    offsets = np.zeros((len(times), *size, 2), np.float32)
    trajectories = np.zeros_like(offsets)
    for thing in scene(guidance):
        inside = areas == thing.number if thing.number else np.ones(size, bool)
        for n, t in enumerate(times):
            _lay(thing, inside, float(t), scale, trajectories[n], offsets[n])
    return Motion(np.asarray(times, np.float32), offsets, trajectories)


def _lay(thing: Moving, inside: np.ndarray, t: float, scale: float, trajectory: np.ndarray, offset: np.ndarray) -> None:
    """Lay one thing over what is behind it, at t, in place."""
    if thing.motion is not None:
        fields = thing.motion.trajectories_at(t), thing.motion.offsets_at(t)
        gone, back = (resized_field(field, *inside.shape) for field in fields)
    else:
        arrow = np.zeros(2, np.float32) if thing.arrow is None else thing.arrow.displacement(t).astype(np.float32)
        gone = np.broadcast_to(arrow, (*inside.shape, 2))
        back = -gone
    trajectory[inside] = gone[inside]
    moved = sampled(inside[..., None].astype(np.float32), back * np.float32(scale))[..., 0] > 0.5
    offset[moved] = back[moved]


def shrunk(guidance: Guidance, height: int, width: int) -> Guidance:
    """The same guidance for a smaller copy of the photo, vectors in px of the copy."""
    factor = width / guidance.areas.shape[1]
    rows = ((np.arange(height) + 0.5) * (guidance.areas.shape[0] / height)).astype(int)
    columns = ((np.arange(width) + 0.5) / factor).astype(int)
    regions = tuple(replace(region, arrow=region.arrow and region.arrow.scaled(factor)) for region in guidance.regions)
    motion = guidance.motion and guidance.motion.scaled(factor)
    camera = guidance.camera and guidance.camera.scaled(factor)
    return Guidance(guidance.areas[rows][:, columns], regions, camera, motion)

"""A recovery in which some things are flipped in time, made from the one at hand.

A photo looks the same played backwards, and each thing in it does so on its own: what the network found where an arrow
was flipped is still right, with start and end exchanged. Frames far from all else are the old ones in the other
order; only where what was flipped and what was not come near each other they are made anew.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from models.drawn.layers import window_places
from models.guidance import Guidance
from models.motion import Motion, sampled
from models.recovery import Inputs, Recovery

STILL = 0.05
"""Px of way over the exposure under which a pixel counts as still: it looks the same in both directions of time."""
LARGEST = 1024
"""The longer side, at most, of the grid on which motion is cut out."""

Window = tuple[slice, slice]
Draw = Callable[[Window, Motion], np.ndarray]
"""Frames (N, h, w, 3) of a part of the photo along its motion."""


@dataclass(frozen=True)
class Sides:
    """What belongs to which direction of time, on a motion's grid.

    flipped  bool (h, w): nearer to what was flipped than to what was not.
    apart    px of the grid to the farther of the two, float32 (h, w).
    """

    flipped: np.ndarray
    apart: np.ndarray


def flipped_parts(inputs: Inputs, before: Recovery, told: Guidance, context: int, draw: Draw) -> Recovery:
    """`before`, which was made with guidance `told`, as `inputs.guidance` wants it, which flips some things.

    context  px beyond the motion's reach up to which a pixel has any say in another.
    draw     makes the frames where they must be made anew.

    Exactly the reverse where nothing moves that was not flipped. Raises ValueError where the guidance differs in
    more, or the recovery has another size than the photo.
    """
    start = time.perf_counter()
    numbers = inputs.guidance.flipped_since(told)
    if numbers is None or before.motion is None or before.frames.shape[1:] != inputs.pixels.shape:
        raise ValueError("this recovery cannot be flipped: recover anew")
    where = followed(inputs.guidance, numbers, before.motion)
    if not (_moving(before.motion) & ~where).any():
        return replace(before.reversed(), seconds=time.perf_counter() - start)
    motion = flipped_motion(before.motion, where, inputs.pixels.shape[1])
    sides = parted(motion, where)
    frames = exchanged(before.frames, sides.flipped)
    room = context + math.ceil(max(float(np.hypot(one[..., 0], one[..., 1]).max()) for one in motion.trajectories))
    near = sides.apart * (inputs.pixels.shape[1] / where.shape[1]) < room
    if near.any():
        inner, outer = (window_around(near, inputs.pixels.shape[:2], more) for more in (0, room))
        drawn = draw(outer, cropped(motion, inputs.pixels.shape[:2], outer))
        y, x = (one.start - other.start for one, other in zip(inner, outer, strict=True))
        part = frames[:, *inner]
        part[:] = drawn[:, y : y + part.shape[1], x : x + part.shape[2]]
    return replace(before, frames=frames, motion=motion, seconds=time.perf_counter() - start)


def followed(guidance: Guidance, numbers: tuple[int, ...], motion: Motion) -> np.ndarray:
    """Where motion is to be flipped with what these numbers say, bool on the motion's grid. What nothing is told
    of goes along if it hangs together with nothing else that is told to move."""
    height, width = motion.offsets.shape[1:3]
    areas, flow = _on_grid(guidance.areas, height, width), _on_grid(guidance.flow(), height, width)
    told = np.isfinite(flow).all(-1)
    where = told & np.isin(areas, numbers)
    kept = told & (np.hypot(flow[..., 0], flow[..., 1]) > STILL) & ~where
    count, parts = cv2.connectedComponents((_moving(motion) & ~told).astype(np.uint8))
    along, against = (_touched(parts, mask, count) for mask in (where, kept))
    return where | (along & ~against)[np.asarray(parts, np.intp)]


def flipped_motion(motion: Motion, where: np.ndarray, width: int) -> Motion:
    """The motion with start and end exchanged of what stands at `where`, bool on its grid, at mid-exposure; the photo
    is `width` px wide."""
    h, w = where.shape
    seen = where.copy()
    y, x = np.mgrid[:h, :w]
    for offsets in motion.offsets[[0, -1]] * np.float32(w / width):
        rows = np.clip(np.rint(y + offsets[..., 1]), 0, h - 1).astype(np.intp)
        columns = np.clip(np.rint(x + offsets[..., 0]), 0, w - 1).astype(np.intp)
        seen |= where[rows, columns]
    back = motion.reversed()
    offsets = np.where(seen[..., None], back.offsets, motion.offsets)
    return Motion(motion.times, offsets, np.where(where[..., None], back.trajectories, motion.trajectories))


def parted(motion: Motion, where: np.ndarray) -> Sides:
    """Which side every pixel is on, by the nearest thing that moves."""
    moves = _moving(motion)
    flipped, kept = (
        cv2.distanceTransform((~(moves & mask)).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for mask in (where, ~where)
    )
    return Sides(flipped < kept, np.maximum(flipped, kept))


def exchanged(frames: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """Frames (N, H, W, 3) of which those parts come in the other order that are `flipped`, bool on a coarser grid."""
    there = _on_grid(flipped, *frames.shape[1:3])[..., None]
    return np.stack([np.where(there, last, first) for first, last in zip(frames, frames[::-1], strict=True)])


def window_around(mask: np.ndarray, size: tuple[int, int], room: int) -> Window:
    """The part of a photo of `size` (H, W) that holds all of a mask on a coarser grid, with `room` px around it."""
    spans = []
    for side, length in enumerate(size):
        places, cell = np.flatnonzero(mask.any(1 - side)), length / mask.shape[side]
        first, last = math.floor(places[0] * cell), math.ceil((places[-1] + 1) * cell)
        spans.append(slice(max(0, first - room), min(length, last + room)))
    return spans[0], spans[1]


def cropped(motion: Motion, size: tuple[int, int], window: Window) -> Motion:
    """Start and end of what moves in a window of a photo of `size` (H, W), on a grid over that window alone."""
    y, x = window
    step = math.ceil(max(y.stop - y.start, x.stop - x.start) / LARGEST)
    places = window_places(motion.offsets.shape[1:3], size, (y.start, x.start, y.stop, x.stop), step)
    offsets, trajectories = (
        np.stack([sampled(field, places) for field in fields[[0, -1]]])
        for fields in (motion.offsets, motion.trajectories)
    )
    return Motion(motion.times[[0, -1]], offsets, trajectories)


def _moving(motion: Motion) -> np.ndarray:
    """Where something stands at mid-exposure that moves, bool on the motion's grid."""
    return np.hypot(*np.moveaxis(motion.trajectories[[0, -1]], -1, 0)).max(0) > STILL


def _on_grid(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The nearest values of (H, W) or (H, W, C) on another grid over the same photo."""
    rows, columns = (
        ((np.arange(n) + 0.5) * (full / n)).astype(np.intp)
        for n, full in zip((height, width), picture.shape, strict=False)
    )
    return picture[rows[:, None], columns]


def _touched(parts: np.ndarray, mask: np.ndarray, count: int) -> np.ndarray:
    """Which of `count` numbered parts (h, w) come near a mask (h, w), bool (count,); never part 0, the rest."""
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    touched = np.zeros(count, bool)
    touched[parts[wide > 0]] = True
    touched[0] = False
    return touched

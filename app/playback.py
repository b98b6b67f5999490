"""The picture at any moment of the exposure, and the clock that plays it.

A scrubbed, a played and an exported moment come from the same `frame_at`. Playing reads a screen-sized copy.
"""

from __future__ import annotations

import contextlib
import ctypes
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from models.motion import Motion
from models.recovery import Recovery

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

SCREEN_BYTES = 384 << 20
"""What the frames of a screen copy may weigh; with very many frames the copy gets smaller instead."""
SCREEN_GRID = 480
"""Long side of a screen copy's motion grid: composing motion at 1080p then costs 1 ms a frame instead of 9."""


def frame_at(recovery: Recovery, t: float) -> np.ndarray:
    """The instant at t, (H, W, 3) in the frames' type.

    At a frame's own time that very frame (a view, not a copy). In between both neighbours are moved along the motion
    to t and blended by their distance; where no motion is known they are only blended. Before the first and after
    the last frame that frame is held.
    """
    times = recovery.times
    place = float(np.interp(t, times, np.arange(len(times))))
    before = int(place)
    share = place - before
    if share == 0:
        return recovery.frames[before]
    import cv2

    _keep_memory()
    first, second = recovery.frames[before], recovery.frames[before + 1]
    if recovery.motion is not None:
        others = float(times[before]), float(times[before + 1])
        to_first, to_second = displacements(recovery.motion, t, others, first.shape[:2])
        first, second = _sampled(first, to_first), _sampled(second, to_second)
    return cv2.addWeighted(first, 1 - share, second, share, 0)


@cache
def _keep_memory() -> None:
    """Have glibc keep freed blocks of a frame's size: new pages for every frame cost as much as making the frame."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 64 << 20)
        libc.mallopt(_M_TRIM_THRESHOLD, 256 << 20)


def displacements(
    motion: Motion, t: float, others: tuple[float, float], size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """How far what stands at a pixel at t is from there at two other times: two float32 (h, w, 2) on the motion's grid.

    Offsets lead from the pixel to its place in the middle instant, trajectories from that place to each time; the
    difference of two trajectories is exactly zero when both times are the same, however rough the offsets are.
    `size` is the photo's (H, W); vectors are px of the photo.
    """
    here = motion.trajectories_at(t)
    ways = np.concatenate([motion.trajectories_at(other) - here for other in others], -1)
    height, width = here.shape[:2]
    to_middle = motion.offsets_at(t) * np.array([width / size[1], height / size[0]], np.float32)
    moved = _sampled(ways, to_middle)
    return moved[..., :2], moved[..., 2:]


def _sampled(picture: np.ndarray, field: np.ndarray) -> np.ndarray:
    """`picture` read at p + field(p), bilinear, border replicated; the field's grid may be coarser than the picture."""
    import cv2

    height, width = picture.shape[:2]
    x, y = cv2.split(np.ascontiguousarray(field, np.float32))
    if x.shape != (height, width):
        x, y = cv2.resize(x, (width, height)), cv2.resize(y, (width, height))
    flags = cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP
    return cv2.remap(picture, x, y, flags, borderMode=cv2.BORDER_REPLICATE)


def screen_copy(recovery: Recovery, max_width: int, max_height: int) -> Recovery:
    """The same recovery for playing: 8-bit frames in memory, at most this large (never enlarged), motion to match.

    Takes some 30 ms a 24-megapixel frame, so not for the thread that paints.
    """
    import cv2

    count, height, width, _ = recovery.frames.shape
    factor = min(1.0, max_width / width, max_height / height, (SCREEN_BYTES / (count * height * width * 3)) ** 0.5)
    size = max(1, int(width * factor)), max(1, int(height * factor))
    frames = np.empty((count, size[1], size[0], 3), np.uint8)
    for source, target in zip(recovery.frames, frames, strict=True):
        small = source if factor == 1 else cv2.resize(np.ascontiguousarray(source), size, interpolation=cv2.INTER_AREA)
        target[:] = small if small.dtype == np.uint8 else cv2.convertScaleAbs(small, alpha=1 / 257)
    motion = recovery.motion and _screen_motion(recovery.motion, size[0] / width, size[1] / height)
    return replace(recovery, frames=frames, motion=motion)


def _screen_motion(motion: Motion, across: float, down: float) -> Motion:
    height, width = motion.offsets.shape[1:3]
    coarser = min(1.0, SCREEN_GRID / max(height, width))
    grid = motion.resized(max(1, round(height * coarser)), max(1, round(width * coarser)))
    scale = np.array([across, down], np.float32)
    return replace(grid, offsets=grid.offsets * scale, trajectories=grid.trajectories * scale)


@dataclass
class Playback:
    """Where playing stands. Knows no clock of its own: whoever shows frames says how many seconds went by.

    position    t in 0 to 1.
    mode        once stops at the end; loop jumps back to the start; ping-pong turns round.
    speed       exposures a second.
    start, end  in and out point, start < end; positions set by hand may lie outside.
    """

    position: float = 0.0
    playing: bool = False
    mode: Literal["once", "loop", "ping-pong"] = "ping-pong"
    speed: float = 1.0
    start: float = 0.0
    end: float = 1.0
    backwards: bool = False

    def play(self) -> None:
        """Go on from here; from the start where "once" had come to its end."""
        self.playing = True
        if self.mode == "once" and self.position >= self.end:
            self.position = self.start

    def pause(self) -> None:
        self.playing = False

    def seek(self, t: float) -> None:
        """Stand at t, held within the exposure."""
        self.position = min(max(t, 0.0), 1.0)

    def set_range(self, start: float, end: float) -> None:
        """Play only from `start` to `end`. Raises ValueError unless 0 <= start < end <= 1."""
        if not 0 <= start < end <= 1:
            raise ValueError(f"expected 0 <= in < out <= 1, got {start:g} and {end:g}")
        self.start, self.end = start, end
        self.seek(min(max(self.position, start), end))

    def advance(self, seconds: float) -> float:
        """Play on for so long and return the new position; stands still when not playing."""
        if self.playing:
            span = self.end - self.start
            gone = (min(max(self.position, self.start), self.end) - self.start) + self._signed(seconds * self.speed)
            self.position = self.start + self._folded(gone, span)
        return self.position

    def _signed(self, way: float) -> float:
        return -way if self.backwards and self.mode == "ping-pong" else way

    def _folded(self, gone: float, span: float) -> float:
        """`gone`, which may lie far outside 0 to span after a stall, brought back as the mode says."""
        if self.mode == "once":
            self.playing = gone < span
            return min(gone, span)
        if self.mode == "loop":
            return gone % span
        turns, rest = divmod(gone, span)
        if turns % 2:
            self.backwards = not self.backwards
            return span - rest
        return rest

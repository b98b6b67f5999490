"""A whole blurred video as a longer, smoother one.

Time is counted in frames: exposure k begins at k and ends at k + shutter. A film shows the instants at 0, 1/n, 2/n ...
from the beginning of the first exposure to the end of the last. Those within an exposure come from its recovery, told
the motion that the frames beside it show, and so run forward in time; those in the gap to the next exposure are the
last instant of the one and the first of the other, moved along the motion between them and blended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.atomic import replacing
from app.playback import frame_at
from app.video import IsCancelled, OnProgress, Video, read_frames
from models import catalog
from models.guidance import Guidance
from models.motion import instants
from models.recovery import Cancelled, Inputs, Progress, Recovery

SUFFIXES = (".mp4",)
FEWEST, MOST = 2, 32
SLOWEST, FASTEST = 1.0, 480.0
USUAL_RATE = 25.0
"""Where a video does not say how many frames it shows a second."""
WORDS = {
    "steps": "evenly spaced instants from one frame to the next",
    "shutter": "how much of the time from frame to frame the shutter is open",
    "first": "first frame, counted from 0",
    "last": "last frame",
    "fps": "frames a second; N times the video's keep its speed",
}
"""What the fields of a `Cut` are called to a user, on the command line and in the window."""
_QUALITY = 80
_NEARLY = 1e-6


@dataclass(frozen=True)
class Cut:
    """Which part of a video is made into a film, and how.

    steps        instants from one frame to the next, 2 to 32.
    shutter      the exposure's share of the time from frame to frame, above 0 and at most 1.
    first, last  the frames, both included; `last` None: to the end.
    fps          pictures a second; None: as many as the video has, so that it plays `steps` times as long.
    engine       recovers the motion within the exposures.
    """

    steps: int = 8
    shutter: float = 0.5
    first: int = 0
    last: int | None = None
    fps: float | None = None
    engine: str = "drawn"
    device: str = "auto"


class Beside(NamedTuple):
    """A frame (H, W, 3) and the ones before and after it, None where there is none."""

    before: np.ndarray | None
    frame: np.ndarray
    after: np.ndarray | None


Recovers = Callable[[np.ndarray, Guidance, int], Recovery]
"""Finds so many instants of an exposure (H, W, 3)."""


def checked(cut: Cut, video: Video) -> tuple[range, float]:
    """The frames to be used and the pictures a second. Raises ValueError with one sentence."""
    name, last = video.path.name, video.frames - 1 if cut.last is None else cut.last
    if video.frames < 2:
        raise ValueError(f"{name} has a single frame; its motion is seen from the frames beside it")
    if not 0 <= cut.first <= last < video.frames:
        raise ValueError(f"{name} has the frames 0 to {video.frames - 1}, got {cut.first} to {last}")
    if not FEWEST <= cut.steps <= MOST:
        raise ValueError(f"a frame becomes {FEWEST} to {MOST} frames, got {cut.steps}")
    if not 0 < cut.shutter <= 1:
        raise ValueError(f"the shutter is open for a share of the time between frames, up to 1, got {cut.shutter:g}")
    fps = (video.rate or USUAL_RATE) if cut.fps is None else cut.fps
    if not SLOWEST <= fps <= FASTEST:
        raise ValueError(f"a film has {SLOWEST:g} to {FASTEST:g} frames a second, got {fps:g}")
    return range(cut.first, last + 1), fps


def length(cut: Cut, video: Video) -> int:
    """How many frames the film has. Raises ValueError as `checked` does."""
    numbers, _ = checked(cut, video)
    return (len(numbers) - 1) * cut.steps + len(_within(cut.steps, cut.shutter))


def write_film(path: Path, video: Video, cut: Cut, on_progress: OnProgress, is_cancelled: IsCancelled) -> None:
    """Write the film of a video. Holds one exposure's instants and the frames beside it, however long the video is.

    Raises ValueError with one sentence, and Cancelled; then nothing at `path` has changed.
    """
    from av.error import FFmpegError

    from app.animations import encode_mp4

    numbers, fps = checked(cut, video)
    _check_path(path, video)
    run, done = catalog.load(cut.engine), 0

    def tell(progress: Progress) -> None:
        step = f"frame {numbers[done]}, {done + 1} of {len(numbers)}"
        on_progress(Progress((done + progress.fraction) / len(numbers), step, progress.preview))

    def recover(frame: np.ndarray, guidance: Guidance, count: int) -> Recovery:
        nonlocal done
        recovery = run(Inputs(frame, guidance, cut.device), {"frames": count}, tell, is_cancelled)
        done = min(done + 1, len(numbers) - 1)
        return recovery

    exposures = _exposures(video, numbers, is_cancelled)
    shown = _even(pictures(exposures, cut.steps, cut.shutter, recover), is_cancelled)
    with replacing(path) as new:
        try:
            first = next(shown)
            encode_mp4(new, chain([first], shown), first.shape[1::-1], fps, _QUALITY)
        except FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise ValueError(f"{path.name} was not written: {error.strerror}") from error


def pictures(exposures: Iterable[Beside], steps: int, shutter: float, recover: Recovers) -> Iterator[np.ndarray]:
    """The instants of a film, (H, W, 3) each: `steps` a frame, fewer of the last one, whose gap leads nowhere."""
    within = _within(steps, shutter)
    beyond = [(step / steps - shutter) / (1 - shutter) for step in range(len(within), steps)]
    end: np.ndarray | None = None
    for exposure in exposures:
        recovery = recover(exposure.frame, told(exposure, shutter), max(2, len(within)))
        if end is not None and beyond:
            yield from _gap(end, recovery.frames[0], beyond)
        for t in within:
            yield frame_at(recovery, min(t, 1.0))
        end = recovery.frames[-1].copy()


def _within(steps: int, shutter: float) -> list[float]:
    """The instants of a film that lie within an exposure, as its t."""
    return [step / steps / shutter for step in range(steps) if step <= steps * shutter + _NEARLY]


def told(exposure: Beside, shutter: float) -> Guidance:
    """What the frames beside an exposure show of its motion."""
    from models.from_video import seen

    areas = np.zeros(exposure.frame.shape[:2], np.uint8)
    return Guidance(areas, motion=seen(*exposure, shutter).motion())


def _gap(end: np.ndarray, start: np.ndarray, times: list[float]) -> Iterator[np.ndarray]:
    """From the end of one exposure, at 0, to the start of the next, at 1. A cut stays a cut."""
    from models.from_video import between

    motion = between(end, start)
    if motion is None:
        yield from (end if t < 0.5 else start for t in times)
        return
    both = Recovery(np.stack([end, start]), instants(2), motion, "")
    yield from (frame_at(both, t) for t in times)


def beside(frames: Iterable[np.ndarray]) -> Iterator[Beside]:
    """Each of some frames in a row with those before and after it."""
    before: np.ndarray | None = None
    frame: np.ndarray | None = None
    for after in chain(frames, [None]):
        if frame is not None:
            yield Beside(before, frame, after)
        before, frame = frame, after


def _check_path(path: Path, video: Video) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path.name} has a kind that is not written here: expected {', '.join(SUFFIXES)}")
    if path.exists() and video.path.exists() and path.samefile(video.path):
        raise ValueError(f"{path.name} is the video itself")


def _exposures(video: Video, numbers: range, is_cancelled: IsCancelled) -> Iterator[Beside]:
    """The frames with these numbers; those around them serve as neighbours."""
    around = range(max(numbers[0] - 1, 0), min(numbers[-1] + 2, video.frames))
    decoded = (pixels for _, pixels in read_frames(video, around, is_cancelled=is_cancelled))
    return (one for number, one in zip(around, beside(decoded), strict=True) if number in numbers)


def _even(shown: Iterator[np.ndarray], is_cancelled: IsCancelled) -> Iterator[np.ndarray]:
    """Without a last odd row or column, which the usual video cannot have."""
    for picture in shown:
        if is_cancelled():
            raise Cancelled
        height, width = (side - side % 2 for side in picture.shape[:2])
        yield np.ascontiguousarray(picture[:height, :width])

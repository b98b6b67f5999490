"""Frames of a video: which there are, single ones at full size, small ones for a strip. Only what is needed is decoded.

A frame's number is its place in the order of showing, from 0. Reading the packets without decoding them tells when each
frame is shown and where decoding can begin; so any frame costs a jump to the key frame before it and a few frames more.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.photo import MIN_SIDE, oriented
from models.recovery import Cancelled, Progress

if TYPE_CHECKING:
    from av.container import InputContainer

SUFFIXES = (
    ".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".ogv", ".3gp", ".wmv",
    ".flv",
)  # fmt: skip
MAX_FRAMES = 500_000
"""More than four hours at 30 frames a second."""
MAX_PIXELS = 36_000_000
"""Of one frame: a little more than 8K."""
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,ogg,flv,asf,gif,h264,hevc,mjpeg"
"""Containers that hold a video themselves; playlists, which name other files, are left out."""
_TURNED = {90: 8, -270: 8, 180: 3, -180: 3, 270: 6, -90: 6}
"""Degrees anti-clockwise, as the container says, to the EXIF orientation that means the same."""
_UNSAID = 2
"""FFmpeg's number for colours that a file says nothing about."""
_PACKETS = 4096

OnProgress = Callable[[Progress], None]
IsCancelled = Callable[[], bool]


def _silent(progress: Progress) -> None:
    """Nobody listens."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Video:
    """What is known of a video before anything is decoded.

    times   when each frame is shown, int64 (N,), in the stream's ticks, rising.
    keys    numbers of the frames at which decoding can begin, int64 (K,), rising.
    height, width  px of a frame as it is stored.
    rate    frames a second on average; 0 where the file does not say.
    sound   whether there is sound beside the pictures.
    """

    path: Path
    times: np.ndarray
    keys: np.ndarray
    height: int
    width: int
    rate: float
    sound: bool = False

    @property
    def frames(self) -> int:
        return len(self.times)


def is_video(path: str | Path) -> bool:
    """Whether its name says that it is a video."""
    return Path(path).suffix.lower() in SUFFIXES


def read_video(path: str | Path, on_progress: OnProgress = _silent, is_cancelled: IsCancelled = _never) -> Video:
    """The frames of a video, none of them decoded. Raises ValueError with one sentence, or Cancelled."""
    path = Path(path)
    with _opened(path) as container:
        stream = container.streams.video[0]
        size = path.stat().st_size
        times, keys = [], []
        for packet in container.demux(stream):
            if len(times) % _PACKETS == 0:
                _check(is_cancelled)
                on_progress(Progress(min((packet.pos or 0) / max(size, 1), 1.0), "looking for frames"))
            if packet.pts is None or packet.is_discard:
                continue
            times.append(packet.pts)
            keys.extend([packet.pts] if packet.is_keyframe else [])
            if len(times) > MAX_FRAMES:
                raise ValueError(f"{path.name} is too long: at most {MAX_FRAMES} frames are read")
        if not times:
            raise ValueError(f"{path.name} holds no frames that can be told apart")
        shown = np.unique(np.array(times, np.int64))
        numbers = np.searchsorted(shown, np.unique(np.array(keys or times[:1], np.int64)))
        context = stream.codec_context
        rate, sound = float(stream.average_rate or 0), bool(container.streams.audio)
        return Video(path, shown, numbers.astype(np.int64), context.height, context.width, rate, sound)


def read_frames(
    video: Video,
    numbers: Sequence[int],
    on_progress: OnProgress = _silent,
    is_cancelled: IsCancelled = _never,
    longest: int = 0,
) -> Iterator[tuple[int, np.ndarray]]:
    """Some frames in rising order: their numbers and uint8 (H, W, 3), sRGB curve, upright.

    `longest`: px of the long side of smaller copies; 0: as large as they are. Raises ValueError with one sentence where
    a frame does not exist or cannot be decoded, and Cancelled.
    """
    wanted = sorted(set(numbers))
    for number in wanted:
        if not 0 <= number < video.frames:
            raise ValueError(f"{video.path.name} has no frame {number}: it has {video.frames}, counted from 0")
    if not wanted:
        return
    with _opened(video.path) as container:
        for number, frame in _decoded(container, video, wanted, on_progress, is_cancelled):
            yield number, _pixels(frame, longest)


def neighbours(
    video: Video, number: int, on_progress: OnProgress = _silent, is_cancelled: IsCancelled = _never
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The frame before a frame, the frame, and the one after, uint8 (H, W, 3). Raises ValueError with one sentence."""
    name = video.path.name
    if number == 0:
        raise ValueError(f"the first frame of {name} has no frame before it; choose a later one")
    if number == video.frames - 1:
        raise ValueError(f"frame {number}, the last of {name}, has no frame after it; choose an earlier one")
    wanted = range(number - 1, number + 2) if 0 < number < video.frames else (number,)
    found = dict(read_frames(video, wanted, on_progress, is_cancelled))
    return found[number - 1], found[number], found[number + 1]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """The container of a video. Names of protocols and playlists are not followed: nothing but this file is read."""
    import av
    from av.error import FFmpegError

    try:
        state = path.stat()
    except OSError as error:
        raise ValueError(f"{path.name} does not exist") from error
    if not stat.S_ISREG(state.st_mode):
        raise ValueError(f"{path.name} is {'a folder' if path.is_dir() else 'not an ordinary file'}")
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        with av.open(f"file:{path.resolve()}", options=options) as container:
            if not container.streams.video:
                raise ValueError(f"{path.name} holds no pictures")
            _check_size(path, container.streams.video[0].codec_context)
            container.streams.video[0].thread_type = "AUTO"
            yield container
    except FFmpegError as error:
        raise ValueError(f"{path.name} cannot be read: it is damaged or not a video") from error


def _check_size(path: Path, context: Any) -> None:
    height, width = context.height, context.width
    if min(height, width) < MIN_SIDE:
        raise ValueError(f"{path.name} is too small: {width} x {height} px, at least {MIN_SIDE} a side are needed")
    if height * width > MAX_PIXELS:
        most = MAX_PIXELS // 10**6
        raise ValueError(f"{path.name} is too large: {width} x {height} px, at most {most} megapixels a frame are read")


def _check(is_cancelled: IsCancelled) -> None:
    if is_cancelled():
        raise Cancelled


def _decoded(
    container: InputContainer,
    video: Video,
    wanted: Sequence[int],
    on_progress: OnProgress,
    is_cancelled: IsCancelled,
) -> Iterator[tuple[int, Any]]:
    """The wanted frames, (number, av.VideoFrame); jumps only where a key frame lies between two of them."""
    start = _key_before(video, wanted[0])
    frames, at = iter(()), -1
    for number in wanted:
        key = _key_before(video, number)
        if key > at:
            frames = _from(container, int(video.times[key]))
        frame = None
        for frame in frames:
            _check(is_cancelled)
            at = int(np.searchsorted(video.times, -1 if frame.pts is None else frame.pts))
            share = (at - start) / max(wanted[-1] - start, 1)
            on_progress(Progress(min(max(share, 0.0), 1.0), "decoding"))
            if at >= number:
                break
        if frame is None or at != number:
            raise ValueError(f"frame {number} of {video.path.name} cannot be decoded: the file is damaged there")
        yield number, frame


def _key_before(video: Video, number: int) -> int:
    """The frame at or before this one at which decoding can begin."""
    return int(video.keys[max(int(np.searchsorted(video.keys, number, side="right")) - 1, 0)])


def _from(container: InputContainer, time: int) -> Iterator:
    stream = container.streams.video[0]
    container.seek(time, stream=stream, backward=True)
    return iter(container.decode(stream))


def _pixels(frame: Any, longest: int) -> np.ndarray:
    """An av.VideoFrame as uint8 (H, W, 3), upright. What does not say its colours is taken as players take it."""
    from av.video.reformatter import Colorspace, Interpolation

    height, width = frame.height, frame.width
    scale = min(1.0, longest / max(height, width)) if longest else 1.0
    known = frame.colorspace != _UNSAID
    usual = Colorspace.ITU709 if height >= 720 else Colorspace.ITU601
    picture = frame.reformat(
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        format="rgb24",
        src_colorspace=None if known else usual,
        interpolation=Interpolation.AREA if longest else Interpolation.BICUBIC,
    )
    pixels = picture.to_ndarray()
    return oriented(pixels, _TURNED.get(round(frame.rotation), 1))

"""What an animation shows and for how long: the pictures from first to last instant, in the order they are shown."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec
import numpy as np

from app.playback import frame_at
from models.recovery import Cancelled, Progress, Recovery

MIN_WIDTH = 16
_CACHE = 512 << 20
"""Bytes of pictures that are kept because they are shown twice."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to export.

    kind     gif, mp4, webp, apng, frames (a folder of PNG), still, motion (.npz), flow (.flo); "": by the suffix.
    frames   pictures from first to last instant, 1 to 240.
    fps      pictures a second, 1 to 120.
    mode     loop: forwards; reverse: backwards; ping-pong: there and back.
    hold     seconds that both ends stand still, 0 to 10.
    width    px; 0: the photo's.
    quality  1 to 100, where the format has such a thing.
    t        the instant of a still, 0 to 1.
    start, end  in and out point of animations and frames, 0 <= start < end <= 1.
    """

    kind: Literal["", "gif", "mp4", "webp", "apng", "frames", "still", "motion", "flow"] = ""
    frames: int = 15
    fps: float = 15.0
    mode: Literal["loop", "reverse", "ping-pong"] = "ping-pong"
    hold: float = 0.0
    width: int = 0
    quality: int = 80
    t: float = 0.5
    start: float = 0.0
    end: float = 1.0


def checked(options: Options, photo_width: int) -> Options:
    """Raises ValueError with one sentence where a number is out of bounds."""
    bounds = {"frames": (1, 240), "fps": (1, 120), "hold": (0, 10), "quality": (1, 100), "t": (0, 1)}
    for name, (low, high) in bounds.items():
        if not low <= getattr(options, name) <= high:
            raise ValueError(f"{name} lies between {low} and {high}, got {getattr(options, name):g}")
    if not 0 <= options.start < options.end <= 1:
        raise ValueError(f"expected 0 <= start < end <= 1, got {options.start:g} and {options.end:g}")
    if options.width and not MIN_WIDTH <= options.width <= photo_width:
        raise ValueError(f"width lies between {MIN_WIDTH} and the photo's {photo_width} px, got {options.width}")
    return options


def span(recovery: Recovery, options: Options) -> tuple[float, float]:
    """First and last instant that are shown: from in to out point, as far as the recovery reaches."""
    first, last = float(recovery.times[0]), float(recovery.times[-1])
    return min(max(options.start, first), last), max(min(options.end, last), first)


def schedule(options: Options, first: float = 0.0, last: float = 1.0) -> list[tuple[float, float]]:
    """The instants in the order they are shown, each with the seconds it stands: (t, seconds)."""
    times = [float(t) for t in np.linspace(first, last, options.frames)] if options.frames > 1 else [(first + last) / 2]
    seconds = [1 / options.fps] * len(times)
    seconds[0] += options.hold
    seconds[-1] += options.hold
    shown = list(zip(times, seconds, strict=True))
    if options.mode == "ping-pong":
        return shown + shown[-2:0:-1]
    return shown[::-1] if options.mode == "reverse" else shown


class Reel:
    """The pictures of an animation, 8-bit and at its size; iterating makes them, tells progress and can be cancelled.

    width, height  px; with `even` both are even, a last odd row or column is left out.
    seconds        how long each stands.
    """

    def __init__(
        self,
        recovery: Recovery,
        options: Options,
        on_progress: Callable[[Progress], None],
        is_cancelled: Callable[[], bool],
        even: bool = False,
        profile: bytes | None = None,
    ) -> None:
        """With `profile` the pictures are converted from it to sRGB, for formats that cannot carry a profile."""
        shown = schedule(options, *span(recovery, options))
        self.seconds = [seconds for _, seconds in shown]
        self._times = [t for t, _ in shown]
        self._recovery, self._on_progress, self._is_cancelled = recovery, on_progress, is_cancelled
        height, width = recovery.frames.shape[1:3]
        self._size = resized_size(width, height, options.width)
        self._convert = to_srgb(profile)
        self.width, self.height = (side - side % 2 if even else side for side in self._size)
        self._kept: dict[float, np.ndarray] = {}
        self._keeps = len(set(self._times)) * self.width * self.height * 3 <= _CACHE

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[np.ndarray]:
        for number, t in enumerate(self._times):
            self._on_progress(Progress(number / len(self), f"picture {number + 1} of {len(self)}"))
            yield self.picture(t)

    def sample(self, count: int) -> Iterator[np.ndarray]:
        """At most `count` of the different pictures, evenly."""
        times = sorted(set(self._times))
        for place in np.unique(np.linspace(0, len(times) - 1, count).round().astype(int)):
            yield self.picture(times[place])

    def picture(self, t: float) -> np.ndarray:
        """uint8 (height, width, 3)."""
        if self._is_cancelled():
            raise Cancelled
        if t in self._kept:
            return self._kept[t]
        picture = self._convert(eight_bits(resized(frame_at(self._recovery, t), self._size)))
        picture = np.ascontiguousarray(picture[: self.height, : self.width])
        if self._keeps:
            self._kept[t] = picture
        return picture


def resized_size(width: int, height: int, wanted: int) -> tuple[int, int]:
    """(width, height) px of a picture made `wanted` px wide; 0: as it is. Never below 2 px a side."""
    return (width, height) if not wanted else (wanted, max(2, round(height * wanted / width)))


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) at another size (width, height)."""
    if picture.shape[1::-1] == size:
        return picture
    import cv2

    return cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)


def eight_bits(picture: np.ndarray) -> np.ndarray:
    """uint8 of uint8 or uint16."""
    if picture.dtype == np.uint8:
        return picture
    import cv2

    return cv2.convertScaleAbs(np.ascontiguousarray(picture), alpha=1 / 257)


def to_srgb(profile: bytes | None) -> Callable[[np.ndarray], np.ndarray]:
    """What converts uint8 pictures from an ICC profile to sRGB; nothing to do without one, or with sRGB itself."""
    if profile is None:
        return lambda picture: picture
    from PIL import Image, ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return lambda picture: picture
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    except (ImageCms.PyCMSError, OSError):
        return lambda picture: picture
    return lambda picture: np.asarray(ImageCms.applyTransform(Image.fromarray(picture), transform))

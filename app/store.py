"""Photos, guidance and recoveries in folders: how the window, its workers and projects hand them over.

Arrays are `.npy` files, memory-mapped when read; words are JSON. What is read is checked as if a stranger had written
it: every reader raises ValueError with one sentence. A folder is written once and never changed.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from mmap import mmap
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from app.edits import checked_regions
from app.photo import MAX_PIXELS, MIN_SIDE, Photo
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion
from models.recovery import Recovery

MAX_FRAMES = 240
MAX_RECOVERIES = 100
MAX_WORDS = 64 << 20
"""Bytes of one JSON file; an embedded colour profile may make it large."""
MAX_MOTION = 4 << 30
"""Bytes of one motion's offsets."""

T = TypeVar("T")


class PhotoWords(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    profile: bytes | None = None
    exif: bytes | None = None
    notes: tuple[str, ...] = ()


class GuidanceWords(msgspec.Struct, forbid_unknown_fields=True):
    regions: tuple[Region, ...] = ()
    camera: Arrow | None = None
    motion: bool = False


class RecoveryWords(msgspec.Struct, forbid_unknown_fields=True):
    """A recovery but for its arrays. Numbers that JSON has no word for ("inf", "nan") are strings."""

    engine: str
    times: tuple[float, ...]
    motion: bool = False
    options: dict[str, bool | int | float | str | None] = {}
    device: str = "cpu"
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    scores: dict[str, float | str] = {}


@dataclass(frozen=True)
class Contents:
    """What a project file holds. `stamp` names this very saving of it; "": not from a file."""

    photo: Photo
    guidance: Guidance
    recoveries: tuple[Recovery, ...] = field(default=())
    stamp: str = ""


def write_contents(folder: str | Path, contents: Contents) -> None:
    folder = _made(folder)
    write_photo(folder / "photo", contents.photo)
    write_guidance(folder / "guidance", contents.guidance)
    for index, recovery in enumerate(contents.recoveries):
        write_recovery(folder / f"recovery_{index:03}", recovery)
    write_words(folder / "contents.json", {"stamp": contents.stamp, "recoveries": len(contents.recoveries)})


def read_contents(folder: str | Path) -> Contents:
    folder = Path(folder)
    words = read_words(folder / "contents.json", dict[str, Any])
    count, stamp = words.get("recoveries"), words.get("stamp")
    if not isinstance(count, int) or not 0 <= count <= MAX_RECOVERIES or not isinstance(stamp, str):
        raise ValueError(f"{folder.name} is damaged: its contents.json makes no sense")
    return Contents(
        read_photo_folder(folder / "photo"),
        read_guidance(folder / "guidance"),
        tuple(read_recovery(folder / f"recovery_{index:03}") for index in range(count)),
        stamp,
    )


def write_photo(folder: str | Path, photo: Photo) -> None:
    folder = _made(folder)
    _write_array(folder / "pixels.npy", photo.pixels)
    if isinstance(photo.data, Path):
        _link(photo.data, folder / "original")
    else:
        (folder / "original").write_bytes(photo.data)
    write_words(folder / "photo.json", PhotoWords(photo.name, photo.profile, photo.exif, photo.notes))


def read_photo_folder(folder: str | Path) -> Photo:
    """The photo with memory-mapped pixels; its `data` is the path of the original's copy in the folder."""
    folder = Path(folder)
    words = read_words(folder / "photo.json", PhotoWords)
    pixels = _read_array(folder / "pixels.npy", (np.uint8, np.uint16), (None, None, 3))
    _check_size(*pixels.shape[:2])
    if not (folder / "original").is_file():
        raise ValueError(f"{folder.name} lacks the original photo")
    return Photo(pixels, words.name, folder / "original", words.profile, words.exif, words.notes)


def write_guidance(folder: str | Path, guidance: Guidance) -> None:
    folder = _made(folder)
    _write_array(folder / "areas.npy", guidance.areas)
    if guidance.motion is not None:
        write_motion(folder, guidance.motion)
    write_words(folder / "guidance.json", guidance_words(guidance))


def read_guidance(folder: str | Path) -> Guidance:
    folder = Path(folder)
    words = read_words(folder / "guidance.json", GuidanceWords)
    areas = _read_array(folder / "areas.npy", (np.uint8,), (None, None))
    _check_size(*areas.shape)
    motion = read_motion_folder(folder) if words.motion else None
    return Guidance(areas, checked_regions(words.regions), words.camera, motion)


def write_recovery(folder: str | Path, recovery: Recovery) -> None:
    folder = _made(folder)
    _write_array(folder / "frames.npy", recovery.frames)
    if recovery.motion is not None:
        write_motion(folder, recovery.motion)
    write_words(folder / "recovery.json", recovery_words(recovery))


def read_recovery(folder: str | Path) -> Recovery:
    folder = Path(folder)
    words = read_words(folder / "recovery.json", RecoveryWords)
    frames = _read_array(folder / "frames.npy", (np.uint8, np.uint16), (None, None, None, 3))
    _check_size(*frames.shape[1:3])
    return recovery_from(words, frames, read_motion_folder(folder) if words.motion else None)


def write_motion(folder: str | Path, motion: Motion) -> None:
    folder = _made(folder)
    for name in ("times", "offsets", "trajectories"):
        _write_array(folder / f"{name}.npy", np.asarray(getattr(motion, name), np.float32))


def read_motion_folder(folder: str | Path) -> Motion:
    folder = Path(folder)
    times = np.array(_read_array(folder / "times.npy", (np.float32,), (None,)))
    shape = (len(times), None, None, 2)
    fields = [_read_array(folder / f"{name}.npy", (np.float32,), shape) for name in ("offsets", "trajectories")]
    return checked_motion(times, *fields)


# Words


def guidance_words(guidance: Guidance) -> GuidanceWords:
    return GuidanceWords(tuple(guidance.regions), guidance.camera, guidance.motion is not None)


def recovery_words(recovery: Recovery) -> RecoveryWords:
    return RecoveryWords(
        engine=recovery.engine,
        times=tuple(float(t) for t in recovery.times),
        motion=recovery.motion is not None,
        options=_plain(recovery.options),
        device=recovery.device,
        seconds=float(recovery.seconds),
        notes=tuple(recovery.notes),
        scores={key: _number(value) for key, value in recovery.scores.items()},
    )


def recovery_from(words: RecoveryWords, frames: np.ndarray, motion: Motion | None) -> Recovery:
    """Raises ValueError where frames, times and words do not belong together."""
    times = checked_times(np.array(words.times, np.float32))
    scores = {key: float(value) for key, value in words.scores.items()}
    return Recovery(
        frames, times, motion, words.engine, words.options, words.device, words.seconds, words.notes, scores
    )


def write_words(path: Path, words: object) -> None:
    path.write_bytes(msgspec.json.encode(words))


def read_words(path: Path, kind: type[T]) -> T:
    """The JSON in `path` as `kind`."""
    try:
        if path.stat().st_size > MAX_WORDS:
            raise ValueError(f"{path.name} is too large")
        return words_from(path.read_bytes(), kind, path.name)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from error


def words_from(data: bytes, kind: type[T], name: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ValueError(f"{name} is damaged: {error}") from error


# Bounds


def checked_times(times: np.ndarray) -> np.ndarray:
    """float32 (N,), rising within 0 to 1."""
    if times.ndim != 1 or not 1 <= len(times) <= MAX_FRAMES:
        raise ValueError(f"expected 1 to {MAX_FRAMES} times, got {times.shape}")
    if not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0) or times[0] < 0 or times[-1] > 1:
        raise ValueError("times rise within 0 to 1")
    return times


def checked_motion(times: np.ndarray, offsets: np.ndarray, trajectories: np.ndarray) -> Motion:
    """Motion whose shapes fit and are not out of bounds; the values are not looked at."""
    if offsets.nbytes > MAX_MOTION or 0 in offsets.shape:
        raise ValueError("the motion is empty or too large")
    return Motion(checked_times(times), offsets, trajectories)


def _check_size(height: int, width: int) -> None:
    if min(height, width) < MIN_SIDE or height * width > MAX_PIXELS:
        raise ValueError(f"{width} x {height} px is too small or too large for a photo")


# Files


def _write_array(path: Path, array: np.ndarray) -> None:
    """Write an array; one that is a whole memory-mapped file is linked instead, which costs nothing."""
    source = Path(array.filename or "") if isinstance(array, np.memmap) and isinstance(array.base, mmap) else Path()
    if source.suffix == ".npy":
        _link(source, path)
    else:
        np.save(path, np.ascontiguousarray(array), allow_pickle=False)


def _read_array(path: Path, kinds: Iterable[type], shape: tuple[int | None, ...]) -> np.ndarray:
    """A memory-mapped array of one of these types, of this shape; None stands for any length."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError, SyntaxError) as error:
        raise ValueError(f"{path.name} is damaged") from error
    fits = array.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, array.shape, strict=True))
    if array.dtype not in [np.dtype(kind) for kind in kinds] or not fits or not array.flags.c_contiguous:
        raise ValueError(f"{path.name} is damaged: {array.dtype} {array.shape} was not expected")
    return array


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _made(folder: str | Path) -> Path:
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


def _plain(options: Mapping[str, object]) -> dict[str, bool | int | float | str | None]:
    """Options as JSON has them; anything else as its text."""
    plain = (bool, int, float, str, type(None))
    return {key: value if isinstance(value, plain) else str(value) for key, value in options.items()}


def _number(value: float) -> float | str:
    value = float(value)
    return value if math.isfinite(value) else repr(value)

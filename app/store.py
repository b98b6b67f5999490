"""What a project holds, and its words: everything but the arrays, as strict JSON.

What is read is checked as if a stranger had written it; every check raises ValueError with one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import numpy as np

from app.photo import Photo
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion
from models.recovery import Recovery

MAX_FRAMES = 240
MAX_RECOVERIES = 100
MAX_MOTION = 4 << 30
"""Bytes of one motion's offsets."""

T = TypeVar("T")


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


def words_from(data: bytes, kind: type[T], name: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ValueError(f"{name} is damaged: {error}") from error


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


def _plain(options: Mapping[str, object]) -> dict[str, bool | int | float | str | None]:
    """Options as JSON has them; anything else as its text."""
    plain = (bool, int, float, str, type(None))
    return {key: value if isinstance(value, plain) else str(value) for key, value in options.items()}


def _number(value: float) -> float | str:
    value = float(value)
    return value if math.isfinite(value) else repr(value)

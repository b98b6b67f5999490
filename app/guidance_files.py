"""Guidance from a file: labels as a PNG, or motion itself as `.flo` or `.npz`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.motion_files import read_motion
from models.guidance import Guidance, read_labels

USUAL_STRENGTH = 0.03
"""Of the photo's long side, where a direction was said and no length."""

SUFFIXES = (".png", ".flo", ".npz")


def usual_strength(height: int, width: int) -> int:
    """px over the exposure."""
    return round(USUAL_STRENGTH * max(height, width))


def read_guidance(path: str | Path, height: int, width: int, strength: float) -> Guidance:
    """Guidance for a photo of this size; `strength` px long where the file says only directions.

    Raises ValueError with one sentence, also where the file is of another size.
    """
    path = Path(path)
    if path.suffix.lower() == ".png":
        labels = read_labels(path)
        _same_size(path, labels.shape, (height, width))
        return Guidance.from_labels(labels, strength)
    motion = read_motion(path)
    _same_size(path, motion.offsets.shape[1:3], (height, width))
    return replace(Guidance.empty(height, width), motion=motion)


def _same_size(path: Path, size: tuple[int, ...], wanted: tuple[int, int]) -> None:
    if tuple(size) != wanted:
        raise ValueError(f"{path.name} has {size[1]} x {size[0]} px, the photo {wanted[1]} x {wanted[0]}")

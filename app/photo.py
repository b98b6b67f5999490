"""A picture file as pixels, with what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Photo:
    """One picture.

    pixels   (H, W, 3) uint8 or uint16, sRGB curve in the photo's own colour profile, orientation applied.
    name     the file's name, "holiday.jpg".
    data     the original file: its bytes, or where a copy of it lies.
    profile  its ICC profile, None where it has none.
    exif     its EXIF block without the orientation tag, None where it has none.
    notes    sentences for the user about what reading it took.
    """

    pixels: np.ndarray
    name: str
    data: bytes | Path = field(repr=False)
    profile: bytes | None = field(default=None, repr=False)
    exif: bytes | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    def original(self) -> bytes:
        """The original file's bytes."""
        return self.data if isinstance(self.data, bytes) else self.data.read_bytes()

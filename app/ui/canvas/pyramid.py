"""A picture at half, quarter, ... its size, each made when it is first looked at, so that any zoom paints quickly."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, log2
from time import perf_counter

import numpy as np

SMALLEST_SIDE = 64
AT_ONCE = 4 << 20
"""Pictures of more px are made smaller in slices; until then every n-th of their pixels is shown."""
_ROWS = 32


class Pyramid:
    """Levels of a picture (H, W, 3) uint8 or uint16; level k is 2**k times as small, in uint8."""

    def __init__(self, pixels: np.ndarray) -> None:
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"expected uint8 or uint16 pixels of shape (H, W, 3), got {pixels.dtype} {pixels.shape}")
        self.pixels = pixels
        self._levels: dict[int, np.ndarray] = {}
        self._slices: dict[int, Iterator[None]] = {}
        self._in_slices = pixels.shape[0] * pixels.shape[1] > AT_ONCE
        self.deepest = max(0, floor(log2(max(min(pixels.shape[:2]) / SMALLEST_SIDE, 1))))

    def level(self, zoom: float) -> int:
        """The smallest level that still has a pixel for every screen pixel at `zoom` screen px per picture px."""
        return min(max(floor(log2(1 / zoom) + 1e-6), 0), self.deepest)

    def crop(self, level: int, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """A contiguous piece of a level, uint8 (y1 - y0, x1 - x0, 3)."""
        if level not in self._levels and self._in_slices and level:
            step = 1 << level
            piece = self.pixels[y0 * step : y1 * step : step, x0 * step : x1 * step : step]
        else:
            piece = (self.pixels if level == 0 else self._level(level))[y0:y1, x0:x1]
        return np.ascontiguousarray(_in_8_bits(piece))

    def shown(self, level: int) -> int:
        """The level to show in this one's place until it is ready: one that costs next to nothing."""
        return level if self.is_ready(level) else min(level + 2, self.deepest)

    def is_ready(self, level: int) -> bool:
        """Whether `crop` gives the level as it should look."""
        return level == 0 or level in self._levels or not self._in_slices

    def prepare(self, level: int, seconds: float) -> bool:
        """Work on a level for about so long, a slice at least. Returns whether it is ready."""
        end = perf_counter() + seconds
        while not self.is_ready(level):
            next(self._slices.setdefault(level, self._sliced(level)), None)
            if perf_counter() > end:
                break
        return self.is_ready(level)

    def _sliced(self, level: int) -> Iterator[None]:
        """Makes a level out of the picture itself, some rows at a time."""
        import cv2

        height, width = self.size(level)
        made, step = np.empty((height, width, 3), np.uint8), 1 << level
        for top in range(0, height, _ROWS):
            rows = made[top : top + _ROWS]
            source = self.pixels[top * step : (top + len(rows)) * step, : width * step]
            rows[:] = _in_8_bits(np.asarray(cv2.resize(source, (width, len(rows)), interpolation=cv2.INTER_AREA)))
            yield
        self._levels[level] = made
        del self._slices[level]

    def size(self, level: int) -> tuple[int, int]:
        """Height and width of a level."""
        height, width = self.pixels.shape[:2]
        return max(height >> level, 1), max(width >> level, 1)

    def _level(self, level: int) -> np.ndarray:
        import cv2

        if level not in self._levels:
            height, width = self.size(level)
            source = self.pixels if level == 1 else self._level(level - 1)
            smaller = cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA)
            self._levels[level] = _in_8_bits(np.asarray(smaller))
        return self._levels[level]


def _in_8_bits(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)

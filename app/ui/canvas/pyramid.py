"""A picture at half, quarter, ... its size, each made when it is first looked at, so that any zoom paints quickly."""

from __future__ import annotations

from math import floor, log2

import numpy as np

SMALLEST_SIDE = 64


class Pyramid:
    """Levels of a picture (H, W, 3) uint8 or uint16; level k is 2**k times as small, in uint8."""

    def __init__(self, pixels: np.ndarray) -> None:
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"expected uint8 or uint16 pixels of shape (H, W, 3), got {pixels.dtype} {pixels.shape}")
        self.pixels = pixels
        self._levels: dict[int, np.ndarray] = {}
        self.deepest = max(0, floor(log2(max(min(pixels.shape[:2]) / SMALLEST_SIDE, 1))))

    def level(self, zoom: float) -> int:
        """The smallest level that still has a pixel for every screen pixel at `zoom` screen px per picture px."""
        return min(max(floor(log2(1 / zoom) + 1e-6), 0), self.deepest)

    def crop(self, level: int, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """A contiguous piece of a level, uint8 (y1 - y0, x1 - x0, 3)."""
        piece = (self.pixels if level == 0 else self._level(level))[y0:y1, x0:x1]
        return np.ascontiguousarray(_in_8_bits(piece))

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

"""A large photo in pieces: windows that overlap, and putting their results together without a seam."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

OVERLAP = 24


@dataclass(frozen=True)
class Tile:
    """A rectangle of the photo, y0, x0, y1, x1; it passes over into the ones before it on the first OVERLAP px."""

    y0: int
    x0: int
    y1: int
    x1: int

    def canvas(self, margin: int, step: int = 1) -> tuple[int, int, int, int]:
        """The rectangle with at least `margin` px around it, in whole squares of `step` px, the same for all tiles;
        it may reach beyond the photo."""
        y0, x0 = ((place - margin) // step * step for place in (self.y0, self.x0))
        y1, x1 = (-(-(place + margin) // step) * step for place in (self.y1, self.x1))
        return y0, x0, y1, x1

    def ramp(self) -> np.ndarray:
        """How much this tile counts against what is already there, float32 (h, w)."""
        y = _rise(self.y1 - self.y0) if self.y0 else np.ones(self.y1 - self.y0, np.float32)
        x = _rise(self.x1 - self.x0) if self.x0 else np.ones(self.x1 - self.x0, np.float32)
        return y[:, None] * x

    def put(self, whole: np.ndarray, part: np.ndarray) -> None:
        """Blend `part` (h, w, C) into `whole` (H, W, C), integers, in place; equal values stay equal."""
        there = whole[self.y0 : self.y1, self.x0 : self.x1]
        if not (self.y0 or self.x0):
            there[:] = part
            return
        before = there.astype(np.float32)
        there[:] = np.rint(before + self.ramp()[..., None] * (part.astype(np.float32) - before)).astype(whole.dtype)


def _rise(length: int) -> np.ndarray:
    return np.minimum((np.arange(length, dtype=np.float32) + 1) / (OVERLAP + 1), 1)


def tiles(rectangle: tuple[int, int, int, int], side: int) -> Iterator[Tile]:
    """Tiles of at most about `side` px that cover a rectangle y0, x0, y1, x1 of a photo, row by row."""
    top, left, bottom, right = rectangle
    for y0, y1 in _spans(bottom - top, side):
        for x0, x1 in _spans(right - left, side):
            yield Tile(top + y0, left + x0, top + y1, left + x1)


def _spans(length: int, side: int) -> list[tuple[int, int]]:
    count = max(1, -(-length // side))
    edges = [round(length * n / count) for n in range(count + 1)]
    return [(max(0, start - OVERLAP), end) for start, end in pairwise(edges)]

"""Brush strokes and polygons as pixels: which ones a disc, a stroke or a lasso covers, without soft edges.

A pixel belongs to a shape if its centre does. Coordinates are photo px, the centre of pixel (i, j) at i + 1/2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, hypot

import numpy as np

from app.edits import Rect

TILE = 256
"""px a side of the pieces in which painting reaches the document: some 0.3 ms each."""
SPANS_FROM_RADIUS = 150
"""px from which filling a disc row by row is faster than through a mask."""


@dataclass(frozen=True)
class Dab:
    """A disc."""

    x: float
    y: float
    radius: float

    def rect(self, height: int, width: int) -> Rect:
        """The pixels it can touch, cut at the photo's border; empty where it lies outside."""
        reach = max(self.radius, 0.5)
        x0, y0 = max(floor(self.x - reach), 0), max(floor(self.y - reach), 0)
        return x0, y0, min(ceil(self.x + reach), width), min(ceil(self.y + reach), height)


def along(last: Dab | None, new: Dab) -> Iterator[Dab]:
    """The dabs after `last` up to `new`, a quarter of the radius apart, so that a stroke's edge looks smooth."""
    if last is None:
        yield new
        return
    distance = hypot(new.x - last.x, new.y - last.y)
    steps = max(1, ceil(distance / max(min(last.radius, new.radius) / 4, 0.5)))
    for step in range(1, steps + 1):
        share = step / steps
        yield Dab(
            last.x + share * (new.x - last.x),
            last.y + share * (new.y - last.y),
            last.radius + share * (new.radius - last.radius),
        )


def stamp(pixels: np.ndarray, dab: Dab, value: int, corner: tuple[int, int] = (0, 0)) -> Rect:
    """Put `value` where the disc lies into `pixels` (H, W), whose first pixel is the photo's `corner` (x, y).

    Returns the rectangle that was touched, in the coordinates of `pixels`. A disc of less than a pixel still paints
    the one it lies in.
    """
    local = Dab(dab.x - corner[0], dab.y - corner[1], dab.radius)
    x0, y0, x1, y1 = rect = local.rect(*pixels.shape)
    if x0 < x1 and y0 < y1:
        if dab.radius <= 0.75:
            pixels[int(min(max(local.y, y0), y1 - 1)), int(min(max(local.x, x0), x1 - 1))] = value
        elif dab.radius < SPANS_FROM_RADIUS:
            pixels[y0:y1, x0:x1][_inside(local, rect)] = value
        else:
            for row, first, last in _spans(local, rect):
                pixels[row, first:last] = value
    return rect


def _inside(dab: Dab, rect: Rect) -> np.ndarray:
    """Where in a rectangle a disc lies: bool (h, w)."""
    across = np.arange(rect[0], rect[2]) + (0.5 - dab.x)
    down = np.arange(rect[1], rect[3]) + (0.5 - dab.y)
    return (across * across)[None] + (down * down)[:, None] <= dab.radius * dab.radius


def _spans(dab: Dab, rect: Rect) -> Iterator[tuple[int, int, int]]:
    """The same, row by row: row, first column, the one after the last."""
    x0, y0, x1, y1 = rect
    down = np.arange(y0, y1) + 0.5 - dab.y
    half = np.sqrt(np.maximum(dab.radius * dab.radius - down * down, 0))
    first = np.clip(np.ceil(dab.x - half - 0.5), x0, x1).astype(int)
    last = np.clip(np.floor(dab.x + half - 0.5) + 1, x0, x1).astype(int)
    return zip(range(y0, y1), first.tolist(), last.tolist(), strict=True)


def union(one: Rect | None, other: Rect) -> Rect:
    """The smallest rectangle around both; an empty one counts for nothing."""
    if one is None or is_empty(one):
        return other
    if is_empty(other):
        return one
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def is_empty(rect: Rect) -> bool:
    return rect[0] >= rect[2] or rect[1] >= rect[3]


def tiles(rect: Rect, height: int, width: int) -> Iterator[Rect]:
    """The photo's tiles, from a fixed grid, that a rectangle touches."""
    for y in range(rect[1] // TILE * TILE, rect[3], TILE):
        for x in range(rect[0] // TILE * TILE, rect[2], TILE):
            yield x, y, min(x + TILE, width), min(y + TILE, height)


def polygon(points: Sequence[tuple[float, float]], height: int, width: int) -> tuple[Rect, np.ndarray]:
    """The pixels inside a closed polygon: their rectangle within the photo and bool (h, w) in it.

    What the line goes round more than once is inside too (winding rule), so that a lasso that crosses itself leaves no
    holes. The rectangle is empty where nothing is inside.
    """
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    if len(corners) < 3:
        return (0, 0, 0, 0), np.zeros((0, 0), bool)
    x0, y0 = np.floor(corners.min(0)).astype(int)
    x1, y1 = np.ceil(corners.max(0)).astype(int)
    rect = max(int(x0), 0), max(int(y0), 0), min(int(x1), width), min(int(y1), height)
    if is_empty(rect):
        return (0, 0, 0, 0), np.zeros((0, 0), bool)
    return rect, _inside_line(corners, rect)


def _inside_line(corners: np.ndarray, rect: Rect) -> np.ndarray:
    """Bool (h, w) of a rectangle: from edge to edge of each row, where the line has gone round."""
    x0, y0, x1, y1 = rect
    inside = np.zeros((y1 - y0, x1 - x0), bool)
    crossings = [_crossings(a, b, rect) for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    rows, columns, turns = (np.concatenate(parts) for parts in zip(*crossings, strict=True))
    order = np.lexsort((columns, rows))
    rows, columns, around = rows[order] - y0, columns[order] - x0, np.cumsum(turns[order])
    for i in np.flatnonzero(around):  # Every row's turns add up to none, so a span never leaves its row.
        inside[rows[i], columns[i] : columns[i + 1]] = True
    return inside


def _crossings(a: np.ndarray, b: np.ndarray, rect: Rect) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where an edge crosses the rows' middles: rows, first columns right of it, and +1 downward or -1 upward."""
    x0, y0, x1, y1 = rect
    first, last = ceil(min(a[1], b[1]) - 0.5), ceil(max(a[1], b[1]) - 0.5)
    rows = np.arange(max(first, y0), max(min(last, y1), max(first, y0)))
    slope = (b[0] - a[0]) / (b[1] - a[1]) if len(rows) else 0.0
    columns = np.ceil(a[0] + (rows + 0.5 - a[1]) * slope - 0.5)
    turn = 1 if b[1] > a[1] else -1
    return rows, np.clip(columns, x0, x1).astype(np.intp), np.full(len(rows), turn)

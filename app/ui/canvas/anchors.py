"""Where on the photo each region's arrow is shown."""

from __future__ import annotations

import numpy as np

from app.edits import Rect
from app.ui.canvas.arrows import Placed
from app.ui.canvas.raster import union
from models.guidance import NO_REGION, Guidance

SAMPLES = 250_000

Point = tuple[float, float]


def centres(areas: np.ndarray, step: int) -> dict[int, Point]:
    """The centres of gravity, photo px, of the regions that every `step`-th px shows, by number."""
    samples = areas[::step, ::step]
    flat = samples.ravel()
    counts = np.bincount(flat, minlength=256)
    x = np.bincount(flat, np.tile(np.arange(samples.shape[1]), samples.shape[0]), 256)
    y = np.bincount(flat, np.repeat(np.arange(samples.shape[0]), samples.shape[1]), 256)
    numbers = (int(number) for number in np.flatnonzero(counts) if number != NO_REGION)
    return {n: (float(x[n] / counts[n]) * step + 0.5, float(y[n] / counts[n]) * step + 0.5) for n in numbers}


class Anchors:
    """Remembers the centres. An arrow stays where the hand left it, while that is on its region; else it is there.

    Large photos are looked at every few px (3 ms at 24 megapixels). Regions too small for that are sought where the
    areas have changed.
    """

    def __init__(self) -> None:
        self._centres: dict[int, Point] = {}
        self._changed: Rect | None = None
        self._known = False

    def areas_changed(self, rect: Rect) -> None:
        self._changed, self._known = union(self._changed, rect), False

    def centre(self, guidance: Guidance, number: int, fresh: bool = True) -> Point | None:
        """Where the arrow of a region is shown; None where nothing of the region is painted. The camera's (number 0) is
        always in the photo's middle.

        Not `fresh`: as last found, so that arrows stand still while a stroke lasts.
        """
        height, width = guidance.areas.shape
        if number == NO_REGION:
            return width / 2, height / 2
        region = guidance.region(number)
        if region is not None and region.at and _is_at(guidance.areas, number, region.at):
            return region.at
        if fresh and not self._known:
            self._find(guidance)
        return self._centres.get(number)

    def placed(self, guidance: Guidance, fresh: bool = True) -> tuple[Placed, ...]:
        """Every arrow with its place, in the regions' order and the camera's last."""
        arrows = [(region.number, region.arrow) for region in guidance.regions] + [(NO_REGION, guidance.camera)]
        placed = []
        for number, arrow in arrows:
            at = self.centre(guidance, number, fresh) if arrow is not None else None
            if arrow is not None and at is not None:
                placed.append(Placed(number, arrow, *at))
        return tuple(placed)

    def _find(self, guidance: Guidance) -> None:
        areas, before = guidance.areas, self._centres
        step = max(1, round((areas.size / SAMPLES) ** 0.5))
        self._centres = centres(areas, step)
        lost = {region.number for region in guidance.regions} - set(self._centres)
        if lost and step > 1:
            rect = self._changed or (0, 0, *areas.shape[::-1])
            self._centres |= {n: before[n] for n in lost & set(before) if _is_at(areas, n, before[n])}
            self._centres |= {n: found for n in lost if (found := _sought(areas, n, rect))}
        self._changed, self._known = (0, 0, 0, 0), True


def _is_at(areas: np.ndarray, number: int, point: Point) -> bool:
    x, y = point
    return 0 <= x < areas.shape[1] and 0 <= y < areas.shape[0] and areas[int(y), int(x)] == number


def _sought(areas: np.ndarray, number: int, rect: Rect) -> Point | None:
    """The centre of gravity of what a rectangle has of a region; None where it has nothing."""
    x0, y0, x1, y1 = rect
    where = areas[y0:y1, x0:x1] == number
    if not where.any():
        return None
    first, last = np.flatnonzero(where.any(1))[[0, -1]]
    rows, columns = np.nonzero(where[first : last + 1])
    return float(columns.mean()) + x0 + 0.5, float(rows.mean()) + y0 + first + 0.5

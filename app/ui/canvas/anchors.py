"""Where on the photo each region's arrow is shown."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from app.ui.canvas.arrows import Placed
from models.guidance import NO_REGION, Guidance

SAMPLES = 1_000_000

Point = tuple[float, float]


def centres(areas: np.ndarray, numbers: Iterable[int]) -> dict[int, Point]:
    """The centres of gravity, photo px, of those of the regions that are painted anywhere.

    Large photos are looked at every few px (10 ms at 24 megapixels); regions that fall through are sought one by one.
    """
    step = max(1, round((areas.size / SAMPLES) ** 0.5))
    samples = areas[::step, ::step]
    flat = samples.ravel()
    counts = np.bincount(flat, minlength=256)
    x = np.bincount(flat, np.tile(np.arange(samples.shape[1]), samples.shape[0]), 256)
    y = np.bincount(flat, np.repeat(np.arange(samples.shape[0]), samples.shape[1]), 256)
    found = {}
    for number in numbers:
        if counts[number]:
            share = step / counts[number]
            found[number] = float(x[number] * share) + 0.5, float(y[number] * share) + 0.5
        elif step > 1 and (exact := _sought(areas, number)):
            found[number] = exact
    return found


def _sought(areas: np.ndarray, number: int) -> Point | None:
    rows, columns = np.nonzero(areas == number)
    return (float(columns.mean()) + 0.5, float(rows.mean()) + 0.5) if len(rows) else None


class Anchors:
    """Remembers the centres, and where arrows were drawn, so that an arrow stays where the hand left it."""

    def __init__(self) -> None:
        self._centres: dict[int, Point] = {}
        self._drawn: dict[int, Point] = {}
        self._stale = True

    def forget_centres(self) -> None:
        """The areas have changed."""
        self._stale = True

    def drawn(self, placed: Placed) -> None:
        """A person drew this arrow just there. The camera's is always shown in the photo's middle."""
        if placed.number != NO_REGION:
            self._drawn[placed.number] = placed.x, placed.y

    def centre(self, guidance: Guidance, number: int) -> Point | None:
        """Where the arrow of a region (0: the camera) is shown; None where nothing of the region is painted."""
        height, width = guidance.areas.shape
        if number == NO_REGION:
            return width / 2, height / 2
        if self._stale:
            self._centres = centres(guidance.areas, [region.number for region in guidance.regions])
            self._stale = False
        x, y = self._drawn.get(number, (-1.0, -1.0))
        if 0 <= x < width and 0 <= y < height and guidance.areas[int(y), int(x)] == number:
            return x, y
        return self._centres.get(number)

    def placed(self, guidance: Guidance) -> tuple[Placed, ...]:
        """Every arrow with its place, in the regions' order and the camera's last."""
        arrows = [(region.number, region.arrow) for region in guidance.regions] + [(NO_REGION, guidance.camera)]
        placed = []
        for number, arrow in arrows:
            at = self.centre(guidance, number) if arrow is not None else None
            if arrow is not None and at is not None:
                placed.append(Placed(number, arrow, *at))
        return tuple(placed)

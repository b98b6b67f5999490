"""What is under the pointer. Pure functions of arrows, areas and a point; distances in photo px."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.ui.canvas.arrows import Handle, Placed
from models.guidance import NO_REGION

Kind = Literal["tip", "tail", "middle", "shaft", "region", "photo", "outside"]
CURVE_POINTS = np.linspace(0, 1, 25)


@dataclass(frozen=True)
class Hit:
    """`number` is the region's; 0, the camera, for its arrow and for the bare photo; None outside the photo."""

    kind: Kind
    number: int | None

    @property
    def on_arrow(self) -> bool:
        return self.kind in ("tip", "tail", "middle", "shaft")


def under(x: float, y: float, placed: Sequence[Placed], areas: np.ndarray, selected: int | None, reach: float) -> Hit:
    """What a pointer at (x, y) means: an arrow within `reach` px, first the selected one's, else what is painted."""
    ordered = sorted(placed, key=lambda one: one.number == selected)
    for one in reversed(ordered):
        kind = arrow_part(one, x, y, reach, one.number == selected)
        if kind is not None:
            return Hit(kind, one.number)
    return painted(x, y, areas)


def painted(x: float, y: float, areas: np.ndarray) -> Hit:
    """What the pixel at (x, y) belongs to."""
    height, width = areas.shape
    if not (0 <= x < width and 0 <= y < height):
        return Hit("outside", None)
    number = int(areas[int(y), int(x)])
    return Hit("photo" if number == NO_REGION else "region", number)


def crosses(start: tuple[float, float], end: tuple[float, float], areas: np.ndarray, number: int) -> bool:
    """Whether the straight way between two places leads over a region."""
    height, width = areas.shape
    way = np.linspace(start, end, int(np.hypot(end[0] - start[0], end[1] - start[1])) + 2)
    x, y = np.floor(way).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return bool((areas[y[inside], x[inside]] == number).any())


def arrow_part(placed: Placed, x: float, y: float, reach: float, selected: bool) -> Kind | None:
    """The part of an arrow within `reach` px of (x, y). Only a selected arrow has a handle in its middle.

    An arrow too short to tell its ends apart is all shaft, so that it can still be flipped and drawn anew.
    """
    if placed.arrow.length > 2 * reach:
        kinds: list[Handle] = ["tip", "tail"]
        if selected and placed.arrow.length > 4 * reach:
            kinds.append("middle")
        near = {kind: float(np.hypot(x - placed.handle(kind)[0], y - placed.handle(kind)[1])) for kind in kinds}
        nearest = min(kinds, key=lambda kind: near[kind])
        if near[nearest] <= reach:
            return nearest
    return "shaft" if _distance(placed.curve(CURVE_POINTS), x, y) <= reach else None


def _distance(line: np.ndarray, x: float, y: float) -> float:
    """From a point to a polyline (N, 2)."""
    start, along = line[:-1], np.diff(line, axis=0)
    square = np.maximum((along**2).sum(1), 1e-12)
    share = np.clip((((x, y) - start) * along).sum(1) / square, 0, 1)
    nearest = start + share[:, None] * along
    return float(np.hypot(*(nearest - (x, y)).T).min())

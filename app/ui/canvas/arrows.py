"""An arrow with a place: how it lies on the photo and how its handles change it.

An `Arrow` has no place of its own. On the canvas the middle of its chord, halfway between first and last place, lies
at its region's centre (or where it was drawn); the camera's at the photo's centre. All coordinates are photo px.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from models.motion import Arrow

Handle = Literal["tip", "tail", "middle"]
SNAP_DEGREES = 15


@dataclass(frozen=True)
class Placed:
    """The arrow of region `number` (0: the camera's) with the middle of its chord at (x, y)."""

    number: int
    arrow: Arrow
    x: float
    y: float

    @classmethod
    def between(
        cls, number: int, tail: tuple[float, float], tip: tuple[float, float], old: Arrow | None, snaps: bool = False
    ) -> Placed:
        """Drawn from tail to tip, straight; it keeps the old arrow's ease. `snaps` to a multiple of 15 degrees."""
        ease = {"ease_in": old.ease_in, "ease_out": old.ease_out} if old else {}
        arrow = Arrow.from_vector(tip[0] - tail[0], tip[1] - tail[1], **ease)
        arrow = _snapped(arrow) if snaps else arrow
        along = arrow.vector()
        return cls(number, arrow, float(tail[0] + along[0] / 2), float(tail[1] + along[1] / 2))

    def curve(self, times: np.ndarray) -> np.ndarray:
        """Where the curve is at `times` (N,): float64 (N, 2)."""
        ends = self.arrow.displacement(np.array([0.0, 1.0]))
        return self.arrow.displacement(times) - ends.mean(0) + (self.x, self.y)

    def handle(self, which: Handle) -> tuple[float, float]:
        along = self.arrow.vector()
        if which == "middle":
            x, y = self.x + self.arrow.bend * along[1], self.y - self.arrow.bend * along[0]
        else:
            side = 0.5 if which == "tip" else -0.5
            x, y = self.x + side * along[0], self.y + side * along[1]
        return float(x), float(y)

    def dragged(self, which: Handle, x: float, y: float) -> Placed:
        """With a handle at (x, y). The ends move opposite each other about the chord's middle, which stays."""
        if which == "middle":
            return replace(self, arrow=replace(self.arrow, bend=self._bend(x, y)))
        side = 2 if which == "tip" else -2
        straight = Arrow.from_vector(side * (x - self.x), side * (y - self.y))
        return replace(self, arrow=replace(self.arrow, degrees=straight.degrees, length=straight.length))

    def snapped(self) -> Placed:
        """With the direction at the nearest multiple of 15 degrees."""
        return replace(self, arrow=_snapped(self.arrow))

    def _bend(self, x: float, y: float) -> float:
        if self.arrow.length == 0:
            return 0.0
        along = self.arrow.vector()
        left = (x - self.x) * along[1] - (y - self.y) * along[0]
        bend = float(np.clip(left / self.arrow.length**2, -1, 1))
        return 0.0 if abs(bend) < 0.02 else bend


def _snapped(arrow: Arrow) -> Arrow:
    degrees = round(arrow.degrees / SNAP_DEGREES) * SNAP_DEGREES % 360
    return replace(arrow, degrees=float(degrees))

"""Exact numbers of what is under the pointer."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.ui.desk import Desk
from models.motion import Motion

_ROWS = ("Place", "Colour", "Region", "At t", "Speed", "Exposure")
_STEP = 1 / 64
NOTHING = "—"


class Inspector(QWidget):
    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._motion: Motion | None = None
        self._t = 0.5
        self._place: tuple[float, float] | None = None
        self._values: dict[str, QLabel] = {}
        grid = QGridLayout(self)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        for row, name in enumerate(_ROWS):
            title, value = QLabel(name), QLabel(NOTHING)
            title.setProperty("faint", True)
            value.setFont(font)
            value.setAccessibleName(name)
            grid.addWidget(title, row, 0)
            grid.addWidget(value, row, 1)
            self._values[name] = value

    def text(self, row: str) -> str:
        return self._values[row].text()

    def hover(self, place: tuple[float, float] | None) -> None:
        """The pointer is over this place of the photo, px; None: over none."""
        self._place = place
        self._refresh()

    def set_motion(self, motion: Motion | None, t: float) -> None:
        self._motion, self._t = motion, t
        self._refresh()

    def _refresh(self) -> None:
        document = self._desk.document
        values: dict[str, str] = dict.fromkeys(_ROWS, NOTHING)
        if document is not None and self._place is not None:
            pixels = document.photo.pixels
            x, y = round(self._place[0]), round(self._place[1])
            if 0 <= y < pixels.shape[0] and 0 <= x < pixels.shape[1]:
                values["Place"] = f"x {x}  y {y}"
                values["Colour"] = "  ".join(str(value) for value in pixels[y, x])
                region = document.guidance.region(int(document.guidance.areas[y, x]))
                values["Region"] = region.name if region is not None else "camera"
                values.update(self._moved(x, y, pixels.shape[:2]))
        for name, value in values.items():
            self._values[name].setText(value)

    def _moved(self, x: int, y: int, size: tuple[int, ...]) -> dict[str, str]:
        motion = self._motion
        if motion is None:
            return {}
        height, width = motion.trajectories.shape[1:3]
        row = min(y * height // size[0], height - 1)
        column = min(x * width // size[1], width - 1)
        track = motion.trajectories[:, row, column]

        def at(t: float) -> np.ndarray:
            return np.array([np.interp(t, motion.times, track[:, axis]) for axis in (0, 1)])

        before, after = max(self._t - _STEP, 0.0), min(self._t + _STEP, 1.0)
        speed = float(np.hypot(*(at(after) - at(before)))) / (after - before)
        whole = at(1) - at(0)
        angle = np.degrees(np.arctan2(-whole[1], whole[0])) % 360
        return {
            "At t": f"{self._t:.3f}  {_vector(at(self._t))}",
            "Speed": f"{speed:.1f} px per exposure",
            "Exposure": f"{_vector(whole)}  {np.hypot(*whole):.1f} px  {angle:.0f}°",
        }


def _vector(vector: np.ndarray) -> str:
    return f"{vector[0]:+.1f} {vector[1]:+.1f}"

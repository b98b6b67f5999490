"""Exact numbers of what is under the pointer."""

from __future__ import annotations

from math import floor

import numpy as np
from PySide6.QtGui import QAction, QFontDatabase
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from app.picked import Pixel, Trajectory, trajectory
from app.ui.desk import Desk
from app.ui.panels.picked import PickedPanel
from models.motion import MIDDLE, Motion

_ROWS = ("Place", "Colour", "Region", "At t", "Speed", "Exposure")
NOTHING = "—"


class Inspector(QWidget):
    """Of the pixel under the pointer, and below of the pixels that were picked."""

    def __init__(self, desk: Desk, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._desk = desk
        self._motion: Motion | None = None
        self._t = 0.5
        self._place: tuple[float, float] | None = None
        self._values: dict[str, QLabel] = {}
        self._pixels: tuple[Pixel, ...] = ()
        self.picked = PickedPanel(actions)
        layout = QVBoxLayout(self)
        grid = QGridLayout()
        layout.addLayout(grid)
        layout.addWidget(self.picked)
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
        changed = motion is not self._motion
        self._motion, self._t = motion, t
        self.picked.plot.set_position(t)
        if changed:
            self._refresh_picked()
        self._refresh()

    def set_picked(self, pixels: tuple[Pixel, ...]) -> None:
        """Tell of these pixels too."""
        self._pixels = pixels
        self._refresh_picked()

    def _refresh_picked(self) -> None:
        self.picked.show_picked(self._pixels, [one for one in map(self._trajectory, self._pixels) if one is not None])

    def _trajectory(self, pixel: Pixel) -> Trajectory | None:
        document = self._desk.document
        if self._motion is None or document is None:
            return None
        height, width = document.photo.pixels.shape[:2]
        return trajectory(self._motion, pixel, (height, width))

    def _refresh(self) -> None:
        document = self._desk.document
        values: dict[str, str] = dict.fromkeys(_ROWS, NOTHING)
        if document is not None and self._place is not None:
            pixels = document.photo.pixels
            x, y = floor(self._place[0]), floor(self._place[1])
            if 0 <= y < pixels.shape[0] and 0 <= x < pixels.shape[1]:
                values["Place"] = f"x {x}  y {y}"
                values["Colour"] = "  ".join(str(value) for value in pixels[y, x])
                region = document.guidance.region(int(document.guidance.areas[y, x]))
                values["Region"] = region.name if region is not None else "camera"
                values.update(self._moved(x, y))
        for name, value in values.items():
            self._values[name].setText(value)

    def _moved(self, x: int, y: int) -> dict[str, str]:
        one = self._trajectory((x, y))
        if one is None:
            return {}
        whole = one.chord()
        angle = np.degrees(np.arctan2(-whole[1], whole[0])) % 360
        return {
            "At t": f"{self._t:.3f}  {_vector(one.at(self._t) - one.at(MIDDLE))}",
            "Speed": f"{one.speeds(np.array([self._t]))[0]:.1f} px per exposure",
            "Exposure": f"{_vector(whole)}  {np.hypot(*whole):.1f} px  {angle:.0f}°",
        }


def _vector(vector: np.ndarray) -> str:
    return f"{vector[0]:+.1f} {vector[1]:+.1f}"

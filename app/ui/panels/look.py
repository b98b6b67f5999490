"""What is drawn over the picture."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.ui.canvas import Overlays
from app.ui.made import made
from app.ui.panels.number import Number

_BUTTONS = ("guidance", "trajectories", "flow", "quiver", "compare")


class LookPanel(QWidget):
    """Keeps the overlays that are on.

    changed   another choice of `Overlays`.
    compared  the photo is wanted instead of the frame, or no longer.
    """

    changed = Signal(object)
    compared = Signal(bool)

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.overlays = Overlays()
        self._opacity = Number("Opacity", 0, 100, 0, " %", 5)
        self._opacity.set_value(self.overlays.opacity * 100)
        self._opacity.changed.connect(lambda value, _joins: self._set(opacity=value / 100))
        row = QHBoxLayout()
        row.setSpacing(3)
        for name in _BUTTONS:
            button = made(QToolButton, iconSize=QSize(19, 19), accessibleName=actions[name].text())
            button.setDefaultAction(actions[name])
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        layout.addWidget(self._opacity)

    def set_guidance(self, on: bool) -> None:
        self._set(guidance=on)

    def set_trajectories(self, on: bool) -> None:
        self._set(trajectories=on)

    def set_flow(self, on: bool) -> None:
        self._set(flow=on)

    def set_quiver(self, on: bool) -> None:
        self._set(quiver=on)

    def set_compare(self, on: bool) -> None:
        self.compared.emit(on)

    def _set(self, **what: bool | float) -> None:
        self.overlays = replace(self.overlays, **what)
        self.changed.emit(self.overlays)

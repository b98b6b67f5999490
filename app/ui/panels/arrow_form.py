"""The arrow of what is selected, in numbers."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from app.ui.made import made
from app.ui.panels.number import Number
from models.motion import Arrow

_DIFFER = "Refining found how far each place goes of this. Take it off and all go as the arrow says."


class ArrowForm(QWidget):
    """Direction, length, bend and ease; and where refining found that places differ, whether they do.

    changed  the new arrow, and whether it goes on with the change before.
    """

    changed = Signal(object, bool)

    def __init__(self) -> None:
        super().__init__()
        self._arrow = Arrow(0, 0)
        self._numbers = {
            "degrees": Number("Direction", 0, 359.9, 1, "°", 1, wraps=True),
            "length": Number("Length", 0, 1000, 1, " px", 1, curve=2),
            "bend": Number("Bend", -100, 100, 0, " %", 5),
            "ease_in": Number("Ease in", 0, 100, 0, " %", 5),
            "ease_out": Number("Ease out", 0, 100, 0, " %", 5),
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(2)
        for name, number in self._numbers.items():
            layout.addWidget(number)
            number.changed.connect(lambda value, joins, name=name: self._change(name, value, joins))
        self._differ = made(QCheckBox, "Places differ", objectName="places differ", toolTip=_DIFFER)
        self._differ.setVisible(False)
        self._differ.clicked.connect(self._all_alike)
        layout.addWidget(self._differ)

    def set_longest(self, pixels: float) -> None:
        """The longest arrow that makes sense in this photo."""
        self._numbers["length"].set_high(pixels)

    def set_arrow(self, arrow: Arrow | None) -> None:
        self.setEnabled(arrow is not None)
        self._arrow = arrow or Arrow(0, 0)
        for name, number in self._numbers.items():
            number.set_value(getattr(self._arrow, name) * _shown(name))
        self._differ.setVisible(self._arrow.shares is not None)
        self._differ.setChecked(self._arrow.shares is not None)

    def _all_alike(self) -> None:
        self._arrow = replace(self._arrow, shares=None)
        self.changed.emit(self._arrow, False)

    def _change(self, name: str, value: float, joins: bool) -> None:
        self._arrow = replace(self._arrow, **{name: value / _shown(name)})
        self.changed.emit(self._arrow, joins)


def _shown(name: str) -> float:
    """Shares are shown in percent."""
    return 1.0 if name in ("degrees", "length") else 100.0

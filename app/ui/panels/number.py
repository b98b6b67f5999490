"""One number: its name, a slider to feel it and a box to say it exactly."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QLabel, QSlider, QWidget

from app.ui.made import made

_STEPS = 1000


class Number(QWidget):
    """A slider and a box that always agree.

    changed  the value, and whether it goes on with the change before (a slider being dragged: one undo step).
    """

    changed = Signal(float, bool)

    def __init__(
        self,
        name: str,
        low: float,
        high: float,
        decimals: int = 0,
        unit: str = "",
        step: float = 1,
        wraps: bool = False,
        curve: float = 1.0,
    ) -> None:
        """With `curve` above 1 the slider gives more of its way to small values."""
        super().__init__()
        self._low, self._high, self._curve = low, high, curve
        self._dragged = False
        self._slider = made(QSlider, Qt.Orientation.Horizontal, minimum=0, maximum=_STEPS, accessibleName=name)
        self._box = made(QDoubleSpinBox,
            minimum=low, maximum=high, decimals=decimals, singleStep=step, suffix=unit, wrapping=wraps,
            accessibleName=name, keyboardTracking=False, accelerated=True,
        )  # fmt: skip
        self._box.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._box.setFixedWidth(74)
        self._slider.setToolTip(name)
        self._box.setToolTip(f"{name}: type a number, or use the arrow keys and the wheel")
        label = QLabel(name)
        label.setFixedWidth(68)
        label.setBuddy(self._box)
        row = QGridLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setHorizontalSpacing(8)
        row.addWidget(label, 0, 0)
        row.addWidget(self._slider, 0, 1)
        row.addWidget(self._box, 0, 2)
        self._slider.valueChanged.connect(self._slid)
        self._slider.sliderReleased.connect(self._let_go)
        self._box.valueChanged.connect(self._typed)
        self.setFocusProxy(self._box)

    def value(self) -> float:
        return self._box.value()

    def set_value(self, value: float) -> None:
        """Show a value without telling anybody."""
        with QSignalBlocker(self._box), QSignalBlocker(self._slider):
            self._box.setValue(value)
            if not self._slider.isSliderDown():
                self._slider.setValue(self._place(value))

    def set_high(self, high: float) -> None:
        self._high = high
        with QSignalBlocker(self._box):
            self._box.setMaximum(high)

    def _place(self, value: float) -> int:
        share = (min(max(value, self._low), self._high) - self._low) / (self._high - self._low)
        return round(_STEPS * share ** (1 / self._curve))

    def _slid(self, place: int) -> None:
        value = self._low + (self._high - self._low) * (place / _STEPS) ** self._curve
        with QSignalBlocker(self._box):
            self._box.setValue(value)
        joins, self._dragged = self._dragged, self._slider.isSliderDown()
        self.changed.emit(self._box.value(), joins)

    def _let_go(self) -> None:
        self._dragged = False

    def _typed(self, value: float) -> None:
        with QSignalBlocker(self._slider):
            self._slider.setValue(self._place(value))
        self.changed.emit(value, False)

"""A form built from an engine's table of options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QLineEdit, QSpinBox, QWidget

from app.ui.made import made
from models.catalog import Option

Value = bool | int | float | str
LABELS = 72
"""px for the titles, so that fields stand in one column."""
_FAR = 1_000_000


def height_of(field: QWidget) -> int:
    """px; a form's title of the same height stands in the field's middle."""
    field.ensurePolished()
    return field.sizeHint().height()


class OptionForm(QWidget):
    """One row per option, in the table's order."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setVerticalSpacing(5)
        self._layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._layout.setHorizontalSpacing(10)
        self._read: dict[str, Callable[[], Value]] = {}
        self._write: dict[str, Callable[[Any], None]] = {}

    def set_options(self, options: Sequence[Option], values: dict[str, Value] | None = None) -> None:
        """Another engine's options, at `values` where they are said and fit, at their defaults otherwise."""
        while self._layout.rowCount():
            self._layout.removeRow(0)
        self._read, self._write = {}, {}
        for option in options:
            row = self._row(option)
            row.setToolTip(option.help)
            row.setAccessibleName(option.title)
            self._layout.addRow(" " if type(option.default) is bool else option.title, row)
            label = self._layout.labelForField(row)
            if label is not None:
                label.setToolTip(option.help)
                label.setMinimumSize(LABELS, height_of(row))
        self.set_values(values or {}, options)

    def values(self) -> dict[str, Value]:
        return {name: read() for name, read in self._read.items()}

    def set_values(self, values: dict[str, Value], options: Sequence[Option]) -> None:
        for option in options:
            if option.name in values:
                try:
                    self._write[option.name](option.checked(values[option.name]))
                except ValueError:
                    self._write[option.name](option.default)

    def _row(self, option: Option) -> QWidget:
        if type(option.default) is bool:
            return self._tick(option)
        if isinstance(option.default, str):
            return self._words(option)
        return self._number(option)

    def _tick(self, option: Option) -> QWidget:
        box = made(QCheckBox, option.title, checked=bool(option.default))
        box.toggled.connect(self.changed)
        self._read[option.name], self._write[option.name] = box.isChecked, box.setChecked
        return box

    def _words(self, option: Option) -> QWidget:
        if not option.choices:
            line = QLineEdit(str(option.default))
            line.textChanged.connect(self.changed)
            self._read[option.name], self._write[option.name] = line.text, line.setText
            return line
        box = QComboBox()
        box.addItems(option.choices)
        box.setCurrentText(str(option.default))
        box.currentTextChanged.connect(self.changed)
        self._read[option.name], self._write[option.name] = box.currentText, box.setCurrentText
        return box

    def _number(self, option: Option) -> QWidget:
        whole = type(option.default) is int
        low = -_FAR if option.low is None else option.low
        high = _FAR if option.high is None else option.high
        if whole:
            box: QSpinBox | QDoubleSpinBox = QSpinBox(minimum=int(low), maximum=int(high))
        else:
            small = high - low <= 2 or 0 < abs(float(option.default)) < 0.1
            box = QDoubleSpinBox(minimum=low, maximum=high, decimals=3 if small else 1)
            box.setSingleStep(0.05 if small else 1)
        box.setSuffix(f" {option.unit}" if option.unit else "")
        box.setValue(option.default)  # pyright: ignore[reportArgumentType]
        box.valueChanged.connect(self.changed)
        self._read[option.name], self._write[option.name] = box.value, box.setValue
        return box

"""Suggestions in a row, each as a small moving picture of what it says, to take one of."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QIcon, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.ui.made import made
from app.ui.strip import Strip, fitted

_TICK = 80
_REST = 5
"""Ticks for which the first and the last picture stand: the direction in time is what it is about."""
_PICTURE = QSize(224, 150)


class _Loop(QToolButton):
    """One suggestion: a button whose picture moves."""

    def __init__(self, name: str, frames: np.ndarray) -> None:
        super().__init__()
        pictures = [fitted(one, _PICTURE) for one in frames]
        self._icons = [QIcon(one) for one in pictures]
        self.setText(name)
        self.setAccessibleName(name)
        self.setToolTip("Take this suggestion: its regions and arrows can be changed like anything painted")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(pictures[0].deviceIndependentSize().toSize())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.show_tick(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def show_tick(self, tick: int) -> None:
        last = len(self._icons) - 1
        place = tick % (last + 1 + 2 * _REST) - _REST
        self.setIcon(self._icons[min(max(place, 0), last)])


class SuggestionStrip(Strip):
    """Tab and the arrow keys go from one to the next, Enter takes one.

    picked  which suggestion the user takes, from 0.
    more    which one the user wants others like.
    """

    picked = Signal(int)
    more = Signal(int)

    def __init__(self) -> None:
        super().__init__("Close the suggestions", "Take none (Esc)")
        self.loops: list[_Loop] = []
        self.buttons: list[QPushButton] = []
        self._tick = 0
        self._clock = made(QTimer, self, interval=_TICK, objectName="suggestions")
        self._clock.timeout.connect(self._move)
        self._scroll = made(QScrollArea, widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.column.addWidget(self._scroll)

    def show_loops(self, title: str, loops: np.ndarray) -> None:
        """Offer suggestions by their loops, uint8 (K, N, h, w, 3)."""
        self.title.setText(title)
        self.loops = [_Loop(f"Suggestion {number}", frames) for number, frames in enumerate(loops, 1)]
        self.buttons = [
            made(QPushButton, "More like this", accessibleName=f"More like suggestion {number}")
            for number in range(1, len(loops) + 1)
        ]
        cells = QWidget()
        cells.setObjectName("column")
        row = QHBoxLayout(cells)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for number, (loop, button) in enumerate(zip(self.loops, self.buttons, strict=True)):
            loop.clicked.connect(lambda _=False, number=number: self.picked.emit(number))
            button.clicked.connect(lambda _=False, number=number: self.more.emit(number))
            cell = QVBoxLayout()
            cell.setSpacing(4)
            cell.addWidget(loop)
            cell.addWidget(button)
            row.addLayout(cell)
        row.addStretch(1)
        self._scroll.setWidget(cells)
        self._scroll.setFixedHeight(cells.sizeHint().height() + self._scroll.horizontalScrollBar().sizeHint().height())
        self.show()
        for first, second in zip((*self.loops, *self.buttons)[:-1], (*self.loops, *self.buttons)[1:], strict=True):
            QWidget.setTabOrder(first, second)
        self.loops[0].setFocus()

    def clear(self) -> None:
        """Nothing is offered any more."""
        self.hide()
        self.loops, self.buttons = [], []
        self._scroll.setWidget(QWidget())

    def _move(self) -> None:
        self._tick += 1
        for loop in self.loops:
            loop.show_tick(self._tick)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()

"""The picked pixels in numbers: where each is, how far it went, and how fast at which moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QFontDatabase, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.picked import Pixel, Trajectory
from app.ui.canvas import colours
from app.ui.canvas.paint_picked import number_pixmap
from app.ui.canvas.picking import MOST
from app.ui.made import made

UNKNOWN = "The trajectories of picked pixels show once the motion is recovered."
_TIMES = np.linspace(0, 1, 65)


class PickedPanel(QWidget):
    """Seen while something is picked."""

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.plot = SpeedPlot()
        self._hint = QLabel(UNKNOWN, wordWrap=True)
        self._hint.setProperty("faint", True)
        self._rows: list[tuple[QLabel, QLabel, QLabel]] = []
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        for row in range(MOST):
            labels = QLabel(), QLabel(), QLabel()
            labels[0].setPixmap(number_pixmap(row + 1, self.devicePixelRatioF()))
            for column, label in enumerate(labels):
                label.setFont(font)
                grid.addWidget(label, row, column)
            labels[2].setAlignment(Qt.AlignmentFlag.AlignRight)
            self._rows.append(labels)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for name in ("export_picked", "clear_picked"):
            button = made(QToolButton, iconSize=QSize(17, 17), accessibleName=actions[name].text())
            button.setDefaultAction(actions[name])
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.plot)
        layout.addLayout(grid)
        layout.addWidget(self._hint)
        layout.addLayout(buttons)
        self.show_picked((), ())

    def show_picked(self, pixels: Sequence[Pixel], trajectories: Sequence[Trajectory]) -> None:
        """The pixels, and what is known of each; nothing while no motion is."""
        self.setVisible(bool(pixels))
        self._hint.setVisible(not trajectories)
        self.plot.setVisible(bool(trajectories))
        self.plot.set_trajectories(trajectories)
        for number, labels in enumerate(self._rows):
            for label in labels:
                label.setVisible(number < len(pixels))
            if number < len(pixels):
                labels[1].setText("x {}  y {}".format(*pixels[number]))
                one = trajectories[number] if trajectories else None
                labels[2].setText(f"{one.length():.1f} px" if one else "")
                labels[2].setToolTip(f"{np.hypot(*one.chord()):.1f} px from start to end" if one else "")

    def texts(self) -> list[str]:
        """What the rows say."""
        return [f"{place.text()}  {way.text()}".strip() for chip, place, way in self._rows if not chip.isHidden()]


class SpeedPlot(QWidget):
    """Speed along the curve over the exposure, a line for each picked pixel, and where t is."""

    def __init__(self) -> None:
        super().__init__(accessibleName="Speed over the exposure")
        self.setToolTip("Speed along the curve, px per exposure, from the first instant to the last")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._lines: list[np.ndarray] = []
        self._t = 0.5

    def sizeHint(self) -> QSize:
        return QSize(200, 96)

    def set_trajectories(self, trajectories: Sequence[Trajectory]) -> None:
        self._lines = [one.speeds(_TIMES) for one in trajectories]
        self.update()

    def set_position(self, t: float) -> None:
        if t != self._t:
            self._t = t
            self.update()

    def top(self) -> float:
        """The speed at the upper edge, a round number of px per exposure."""
        return rounded_up(max((float(line.max()) for line in self._lines), default=0.0))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        words = self.fontMetrics().height()
        field = QRectF(0.5, words + 2.5, self.width() - 1, self.height() - 2 * words - 6)
        palette = self.palette()
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Mid), 1))
        painter.setBrush(palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(field, 4, 4)
        self._paint_words(painter, field)
        inner = field.adjusted(5, 5, -5, -5)
        x = inner.left() + self._t * inner.width()
        painter.setPen(QPen(palette.color(QPalette.ColorRole.PlaceholderText), 1))
        painter.drawLine(QPointF(x, inner.top()), QPointF(x, inner.bottom()))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for number, line in enumerate(self._lines, 1):
            painter.setPen(QPen(QColor.fromRgba(colours.pick(number)), 1.8))
            heights = inner.bottom() - line / self.top() * inner.height()
            steps = inner.left() + _TIMES * inner.width()
            painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(steps, heights, strict=True)]))
        painter.end()

    def _paint_words(self, painter: QPainter, field: QRectF) -> None:
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        above = QRectF(0, 0, self.width(), field.top() - 2)
        below = QRectF(0, field.bottom() + 2, self.width(), self.height() - field.bottom() - 2)
        painter.drawText(above, left, "speed")
        painter.drawText(above, right, f"{self.top():g} px per exposure")
        painter.drawText(below, left, "t 0")
        painter.drawText(below, right, "1")


def rounded_up(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 5, 7.5, 10, 15 ..."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(power * step for step in (1, 1.5, 2, 3, 5, 7.5, 10) if value <= power * step * (1 + 1e-9)))

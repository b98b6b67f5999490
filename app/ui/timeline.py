"""The exposure as a line: play it, stand anywhere on it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.ui.icons import icon
from app.ui.made import made
from app.ui.panels.recover import thumbnail
from app.ui.player import Player

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
_LEFT = ("first", "frame_back", "play", "frame_forward", "last")
_RIGHT = ("loop", "ping_pong", "once")
_HEIGHT = 46
_EDGE = 7


class Scrubber(QWidget):
    """Thumbnails under a playhead. Left and Right move by a hundredth.

    moved  the t that the user wants.
    """

    moved = Signal(float)

    def __init__(self) -> None:
        super().__init__(accessibleName="Instant of the exposure")
        self.setToolTip("Drag to any instant of the exposure, 0 is where it began and 1 where it ended")
        self.setMinimumHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._t = 0.5
        self._range = (0.0, 1.0)
        self._times: tuple[float, ...] = ()
        self._thumbnails: list[QPixmap] = []

    def sizeHint(self) -> QSize:
        return QSize(400, _HEIGHT)

    def set_thumbnails(self, thumbnails: list[QPixmap], times: tuple[float, ...]) -> None:
        """Pictures at even times, and the times of the real frames."""
        self._thumbnails, self._times = thumbnails, times
        self.update()

    def set_position(self, t: float) -> None:
        self._t = t
        self.update()

    def set_range(self, start: float, end: float) -> None:
        self._range = start, end
        self.update()

    def x_of(self, t: float) -> float:
        return _EDGE + t * (self.width() - 2 * _EDGE)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag_to(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._drag_to(event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -0.01, Qt.Key.Key_Right: 0.01}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.moved.emit(min(max(self._t + step, 0.0), 1.0))

    def _drag_to(self, place: QPointF) -> None:
        self.moved.emit(min(max((place.x() - _EDGE) / (self.width() - 2 * _EDGE), 0.0), 1.0))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strip = QRectF(self.x_of(0), 3, self.x_of(1) - self.x_of(0), self.height() - 13)
        painter.fillRect(strip, self.palette().color(QPalette.ColorRole.Base))
        self._paint_thumbnails(painter, strip)
        for start, end in ((0.0, self._range[0]), (self._range[1], 1.0)):
            left = self.x_of(start)
            painter.fillRect(QRectF(left, strip.top(), self.x_of(end) - left, strip.height()), QColor(0, 0, 0, 150))
        self._paint_ticks(painter, strip)
        if self.hasFocus():
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1))
            painter.drawRect(strip)
        if self.isEnabled():
            self._paint_playhead(painter)
        painter.end()

    def _paint_thumbnails(self, painter: QPainter, strip: QRectF) -> None:
        painter.save()
        painter.setClipRect(strip)
        width = strip.width() / max(len(self._thumbnails), 1)
        for place, picture in enumerate(self._thumbnails):
            cell = QRectF(strip.left() + place * width, strip.top(), width - 1, strip.height())
            factor = max(cell.width() / picture.width(), cell.height() / picture.height())
            shown = QRectF(0, 0, cell.width() / factor, cell.height() / factor)
            shown.moveCenter(QRectF(picture.rect()).center())
            painter.drawPixmap(cell, picture, shown)
        painter.restore()

    def _paint_ticks(self, painter: QPainter, strip: QRectF) -> None:
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.PlaceholderText), 1))
        for t in self._times if len(self._times) <= 64 else ():
            x = self.x_of(t)
            painter.drawLine(QPointF(x, strip.bottom() + 3), QPointF(x, strip.bottom() + 7))

    def _paint_playhead(self, painter: QPainter) -> None:
        x = self.x_of(self._t)
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        painter.setPen(QPen(QColor(0, 0, 0, 120), 4))
        painter.drawLine(QPointF(x, 1), QPointF(x, self.height() - 3))
        painter.setPen(QPen(accent, 2))
        painter.drawLine(QPointF(x, 1), QPointF(x, self.height() - 3))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        painter.drawEllipse(QPointF(x, self.height() - 6), 5, 5)


class Timeline(QFrame):
    """Buttons, the scrubber, mode and speed, all of one player."""

    def __init__(self, player: Player, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("timeline")
        self._player = player
        self._actions = actions
        self.scrubber = Scrubber()
        self._time = made(QLabel, "t 0.500", accessibleName="Time")
        self._time.setMinimumWidth(self._time.fontMetrics().horizontalAdvance("t 0.0000"))
        self._speed = made(QComboBox, accessibleName="Speed", toolTip="How many exposures play in a second")
        for speed in SPEEDS:
            self._speed.addItem(f"{speed:g}x", speed)
        self._speed.setCurrentIndex(SPEEDS.index(1.0))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 6, 10, 6)
        layout.setSpacing(2)
        for name in _LEFT:
            layout.addWidget(self._button(name))
        layout.addSpacing(8)
        layout.addWidget(self.scrubber, 1)
        layout.addSpacing(8)
        layout.addWidget(self._time)
        for name in _RIGHT:
            layout.addWidget(self._button(name))
        layout.addSpacing(4)
        layout.addWidget(self._speed)
        self.scrubber.moved.connect(player.seek)
        self._speed.currentIndexChanged.connect(lambda: player.set_speed(self._speed.currentData()))
        player.moved.connect(self._moved)
        player.changed.connect(self._changed)
        self._shown: object = None
        self._changed()

    def _button(self, name: str) -> QToolButton:
        button = made(QToolButton, iconSize=QSize(19, 19), accessibleName=self._actions[name].text())
        button.setDefaultAction(self._actions[name])
        return button

    def _moved(self, t: float) -> None:
        self.scrubber.set_position(t)
        self._time.setText(f"t {t:.3f}")

    def _changed(self) -> None:
        playback = self._player.playback
        self._actions["play"].setIcon(icon("pause" if playback.playing else "play"))
        self._actions["play"].setText("Pause" if playback.playing else "Play")
        self._actions[playback.mode.replace("-", "_")].setChecked(True)
        self.scrubber.set_range(playback.start, playback.end)
        copy = self._player.copy
        self.scrubber.setEnabled(copy is not None)
        if copy is not self._shown:
            self._shown = copy
            self._make_thumbnails()

    def _make_thumbnails(self) -> None:
        copy = self._player.copy
        if copy is None:
            self.scrubber.set_thumbnails([], ())
            return
        count = min(len(copy.frames), 12)
        chosen = [round(place * (len(copy.frames) - 1) / max(count - 1, 1)) for place in range(count)]
        pictures = [thumbnail(copy.frames[number], 144, 96) for number in chosen]
        self.scrubber.set_thumbnails(pictures, tuple(float(t) for t in copy.times))

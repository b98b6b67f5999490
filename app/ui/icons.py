"""The drawings in `resources/icons`, as QIcons that take the colour of the text around them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "icons"


@cache
def _drawing(name: str) -> bytes:
    return (FOLDER / f"{name}.svg").read_bytes()


def _colour(mode: QIcon.Mode, state: QIcon.State) -> str:
    palette = QApplication.palette()
    if mode == QIcon.Mode.Disabled:
        return palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText).name()
    if state == QIcon.State.On:
        return palette.color(QPalette.ColorRole.HighlightedText).name()
    return palette.color(QPalette.ColorRole.ButtonText).name()


class _LineIcon(QIconEngine):
    """Draws an SVG with the `currentColor` of the moment, so that a new theme needs no rebuild."""

    def __init__(self, name: str, on_accent: bool = False) -> None:
        super().__init__()
        self._name = name
        self._on_accent = on_accent

    def clone(self) -> QIconEngine:
        return _LineIcon(self._name, self._on_accent)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        state = QIcon.State.On if self._on_accent else state
        drawing = _drawing(self._name).replace(b"currentColor", _colour(mode, state).encode())
        QSvgRenderer(QByteArray(drawing)).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return pixmap


@cache
def icon(name: str) -> QIcon:
    """The line drawing of this name. Raises FileNotFoundError where there is none."""
    _drawing(name)
    return QIcon(_LineIcon(name))


@cache
def on_accent(name: str) -> QIcon:
    """The same drawing for a button in the accent colour."""
    return QIcon(_LineIcon(name, on_accent=True))


def application_icon() -> QIcon:
    return QIcon(str(FOLDER / "unshutter.svg"))


def tinted(name: str, colour: str, size: int) -> QPixmap:
    """One drawing in one colour, `size` px a side, for labels."""
    ratio = QApplication.primaryScreen().devicePixelRatio() if QApplication.primaryScreen() else 1.0
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(_drawing(name).replace(b"currentColor", colour.encode()))).render(painter)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap

"""Painting picked pixels: the way of each from start to end, and beside it the blur kernel, enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen, QPixmap, QPolygonF

from app.picked import Pixel, Trajectory, cropped, trajectory
from app.ui.canvas import colours
from app.ui.canvas.paint_arrows import view_points
from app.ui.canvas.picking import places
from app.ui.canvas.view import View
from models.motion import Motion

SEGMENTS = 32
TILE = 84.0
"""View px a side of a kernel's picture."""
CELLS = 63
"""A kernel's, at most, before it is cropped: they stay large enough to be seen."""
MARK, START = 3.4, 3.2
HEAD = 11.0
INK, HALO = QColor.fromRgba(colours.INK), QColor.fromRgba(colours.HALO | 0xFF000000)
_TIMES = np.linspace(0, 1, SEGMENTS + 1)


@dataclass(frozen=True)
class _Shown:
    """One picked pixel as it is painted; `way` (SEGMENTS + 1, 2) photo px."""

    trajectory: Trajectory
    way: np.ndarray
    kernel: QImage


class PickedPixels:
    """All that are picked, for one motion at a time."""

    def __init__(self) -> None:
        self._pixels: tuple[Pixel, ...] = ()
        self._motion: Motion | None = None
        self._size = (1, 1)
        self._shown: list[_Shown] = []

    def set_pixels(self, pixels: tuple[Pixel, ...]) -> None:
        kept = {one.trajectory.pixel: one for one in self._shown}
        kept |= {one.trajectory.pixel: one for one in self._made([pixel for pixel in pixels if pixel not in kept])}
        self._pixels = pixels
        self._shown = [kept[pixel] for pixel in pixels if pixel in kept]

    def set_motion(self, motion: Motion | None, size: tuple[int, int]) -> None:
        """The motion of a photo `size` (H, W); None: not known."""
        if motion is not self._motion or size != self._size:
            self._motion, self._size = motion, size
            self._shown = self._made(self._pixels)

    def _made(self, pixels: Sequence[Pixel]) -> list[_Shown]:
        if self._motion is None:
            return []
        found = [trajectory(self._motion, pixel, self._size) for pixel in pixels]
        return [_Shown(one, one.at(_TIMES) + 0.5, _kernel_image(cropped(one.kernel(CELLS)))) for one in found]

    def paint(self, painter: QPainter, view: View, t: float) -> None:
        """Everything, in view px; a dot is where things are at t."""
        lines = [view_points(one.way, view) for one in self._shown]
        for one, line in zip(self._shown, lines, strict=True):
            _paint_way(painter, line)
            _paint_dot(painter, QPointF(*view.to_view(*(one.trajectory.at(t) + 0.5))), INK, 2.6)
            _paint_ends(painter, line)
        for number, (x, y) in enumerate(self._pixels, 1):
            at = QPointF(*view.to_view(x + 0.5, y + 0.5))
            _paint_dot(painter, at, QColor.fromRgba(colours.pick(number)), MARK)
            if not self._shown:
                _paint_number(painter, at + QPointF(9, -9), number)
        self._paint_tiles(painter, view, lines)

    def _paint_tiles(self, painter: QPainter, view: View, lines: Sequence[np.ndarray]) -> None:
        boxes = [(*line.min(0).tolist(), *line.max(0).tolist()) for line in lines]
        corners = places(boxes, view.width, view.height, TILE)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        for number, (one, corner) in enumerate(zip(self._shown, corners, strict=True), 1):
            tile = QRectF(*corner, TILE, TILE)
            painter.setOpacity(0.92)
            painter.drawImage(tile, one.kernel)
            painter.setOpacity(1)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for colour, width in ((HALO, 3.5), (QColor.fromRgba(colours.pick(number)), 2.0)):
                painter.setPen(QPen(colour, width))
                painter.drawRect(tile)
            _paint_number(painter, tile.topLeft(), number)


def _paint_way(painter: QPainter, line: np.ndarray) -> None:
    """A polyline (N, 2) in the colours of time, from blue to yellow."""
    cap = Qt.PenCapStyle.RoundCap
    parts = [QLineF(*start, *end) for start, end in zip(line[:-1].tolist(), line[1:].tolist(), strict=True)]
    painter.setPen(QPen(HALO, 6.0, c=cap))
    painter.drawLines(parts)
    for part, word in zip(parts, colours.time_colours(len(parts)), strict=True):
        painter.setPen(QPen(QColor.fromRgba(word), 3.0, c=cap))
        painter.drawLine(part)


def _paint_ends(painter: QPainter, line: np.ndarray) -> None:
    """A ring where the exposure begins, an arrow's head where it ends; nothing where hardly anything moves."""
    length = float(np.hypot(*np.diff(line, axis=0).T).sum())
    if length < 2:
        return
    first, last = (QColor.fromRgba(word) for word in colours.time_colours(2))
    for pen, brush in ((QPen(HALO, 3.0), HALO), (QPen(last, 1.0), last)):
        painter.setPen(pen)
        painter.setBrush(brush)
        painter.drawPolygon(_head(line, min(HEAD, length / 2)))
    for pen, brush in ((QPen(HALO, 3.4), HALO), (QPen(INK, 1.6), first)):
        painter.setPen(pen)
        painter.setBrush(brush)
        painter.drawEllipse(QPointF(*line[0]), START, START)


def _kernel_image(kernel: np.ndarray) -> QImage:
    """White on black, with a curve that shows the faint."""
    grey = np.ascontiguousarray(np.rint(255 * np.sqrt(kernel / kernel.max())).astype(np.uint8))
    side = len(grey)
    return QImage(grey.data, side, side, side, QImage.Format.Format_Grayscale8).copy()


def _paint_dot(painter: QPainter, at: QPointF, colour: QColor, radius: float) -> None:
    painter.setPen(QPen(HALO, 3.2))
    painter.setBrush(INK)
    painter.drawEllipse(at, radius, radius)
    painter.setPen(QPen(INK, 1.2))
    painter.setBrush(colour)
    painter.drawEllipse(at, radius, radius)


def _paint_number(painter: QPainter, at: QPointF, number: int) -> None:
    """A number on a disc of its colour."""
    font = QFont(painter.font())
    font.setBold(True)
    font.setPixelSize(11)
    painter.setFont(font)
    disc = QRectF(at.x() - 8, at.y() - 8, 16, 16)
    painter.setPen(QPen(HALO, 1.5))
    painter.setBrush(QColor.fromRgba(colours.pick(number)))
    painter.drawEllipse(disc)
    painter.setPen(INK)
    painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(number))


def number_pixmap(number: int, ratio: float) -> QPixmap:
    """The same number for a list; `ratio` device px per logical px."""
    pixmap = QPixmap(round(18 * ratio), round(18 * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_number(painter, QPointF(9, 9), number)
    painter.end()
    return pixmap


def _head(line: np.ndarray, size: float) -> QPolygonF:
    """The triangle at the end of a polyline (N, 2), in the direction of its last stretch that is not too short."""
    before = next((point for point in line[-2::-1] if np.hypot(*(line[-1] - point)) > size / 2), line[0])
    along = (line[-1] - before) / max(float(np.hypot(*(line[-1] - before))), 1e-6)
    left = np.array([along[1], -along[0]]) * size / 2
    back = line[-1] - along * size
    return QPolygonF([QPointF(*corner) for corner in (line[-1], back + left, back - left)])

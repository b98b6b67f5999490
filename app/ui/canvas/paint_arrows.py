"""Painting what the user draws: arrows with their handles, the lasso, the brush's ring. In view px."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen, QPolygonF

from app.ui.canvas import colours
from app.ui.canvas.arrows import Placed
from app.ui.canvas.hits import CURVE_POINTS
from app.ui.canvas.view import View

TICKS = np.array([0.0, 0.25, 0.5, 0.75])
HANDLE = 5.0
PIN = 7.0
REACH = 140.0
"""View px around an arrow that its head, ticks, handles and words may need."""


def paint_arrow(painter: QPainter, placed: Placed, view: View, selected: bool, says: bool = False) -> None:
    """One arrow in its region's colour, on a halo that shows it on any photo; with `says`, its numbers in words."""
    colour = QColor.fromRgba(colours.region(placed.number))
    if placed.arrow.length == 0:
        _paint_pin(painter, QPointF(*view.to_view(placed.x, placed.y)), colour, selected)
        return
    line = view_points(placed.curve(CURVE_POINTS), view)
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(x, y) for x, y in line]))
    thick = 3.0 if selected else 2.2
    head = _head(line, 4.5 * thick)
    ticks = _ticks(view_points(placed.curve(TICKS), view), view_points(placed.curve(TICKS + 0.02), view), 2.2 * thick)
    for ink, width in _casing(colour, thick):
        painter.setPen(_pen(ink, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        painter.drawPath(ticks)
        painter.setBrush(ink)
        painter.drawPolygon(head)
    if selected:
        for which in ("tail", "middle"):
            _paint_handle(painter, QPointF(*view.to_view(*placed.handle(which))), colour)
    if says:
        words = f"{placed.arrow.degrees:.0f}°  {placed.arrow.length:.0f} px"
        paint_words(painter, QPointF(*view.to_view(*placed.handle("tip"))) + QPointF(16, -12), words)


def arrow_rect(placed: Placed, view: View) -> QRectF:
    """Where in the view an arrow may paint."""
    low, high = (view.to_view(*corner) for corner in _bounds(placed.curve(CURVE_POINTS)))
    return QRectF(QPointF(*low), QPointF(*high)).adjusted(-REACH, -REACH, REACH, REACH)


def paint_target(painter: QPainter, at: QPointF, number: int) -> None:
    """Where a selected region without an arrow can have one drawn."""
    for ink, width in _casing(QColor.fromRgba(colours.region(number)), 2.2):
        pen = _pen(ink, width)
        pen.setDashPattern([8 / width, 8 / width])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(at, 2.2 * PIN, 2.2 * PIN)
        painter.setPen(_pen(ink, 2 * width))
        painter.drawPoint(at)


def paint_outline(painter: QPainter, points: Sequence[tuple[float, float]], view: View) -> None:
    """The lasso so far, and dashed how it would close."""
    line = [QPointF(*view.to_view(*point)) for point in points]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((QColor.fromRgba(colours.HALO), 3.5), (QColor.fromRgba(colours.INK), 1.5)):
        pen = _pen(colour, width)
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(line))
        pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawLine(line[-1], line[0])


def paint_ring(painter: QPainter, at: QPointF, radius: float) -> None:
    """The brush's size, dark and light so that it shows on any photo."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((QColor.fromRgba(colours.HALO), 3.0), (QColor.fromRgba(colours.INK), 1.2)):
        painter.setPen(_pen(colour, width))
        painter.drawEllipse(at, max(radius, 1.5), max(radius, 1.5))


def paint_frame(painter: QPainter, rect: QRectF, colour: QColor) -> None:
    """Says that the keyboard speaks to the canvas."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_pen(colour, 3))
    painter.drawRect(rect.adjusted(1.5, 1.5, -1.5, -1.5))


def paint_words(painter: QPainter, at: QPointF, words: str) -> None:
    font = QFont(painter.font())
    font.setBold(True)
    painter.setFont(font)
    box = QRectF(painter.fontMetrics().boundingRect(words)).adjusted(-6, -3, 6, 3)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor.fromRgba(colours.HALO))
    painter.drawRoundedRect(box.translated(at), 4, 4)
    painter.setPen(QColor.fromRgba(colours.INK))
    painter.drawText(at, words)


def view_points(points: np.ndarray, view: View) -> np.ndarray:
    """Photo px (..., 2) in view px."""
    return points * view.scale + view.origin()


def _paint_pin(painter: QPainter, at: QPointF, colour: QColor, selected: bool) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ink, width in _casing(colour, 3.0 if selected else 2.2):
        painter.setPen(_pen(ink, width))
        painter.drawEllipse(at, PIN, PIN)
        painter.drawPoint(at)


def _paint_handle(painter: QPainter, at: QPointF, colour: QColor) -> None:
    painter.setPen(_pen(QColor.fromRgba(colours.HALO), 4.5))
    painter.setBrush(QColor.fromRgba(colours.INK))
    painter.drawEllipse(at, HANDLE, HANDLE)
    painter.setPen(_pen(colour, 2))
    painter.drawEllipse(at, HANDLE, HANDLE)


def _casing(colour: QColor, thick: float) -> tuple[tuple[QColor, float], ...]:
    """A line in a light sheath in a dark one, outermost first: it shows on any photo, in any colour."""
    return (QColor.fromRgba(colours.HALO), thick + 5.5), (QColor.fromRgba(colours.INK), thick + 1.6), (colour, thick)


def _pen(colour: QColor, width: float) -> QPen:
    return QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


def _head(line: np.ndarray, size: float) -> QPolygonF:
    """The triangle at the end of a polyline (N, 2)."""
    along = line[-1] - line[-3]
    along = along / max(float(np.hypot(*along)), 1e-6)
    left = np.array([along[1], -along[0]])
    corners = (line[-1], line[-1] - size * along + size / 2 * left, line[-1] - size * along - size / 2 * left)
    return QPolygonF([QPointF(x, y) for x, y in corners])


def _ticks(at: np.ndarray, next_to: np.ndarray, size: float) -> QPainterPath:
    """Short strokes across the curve at even times: close together where the motion is slow."""
    along = next_to - at
    along = along / np.maximum(np.hypot(*along.T), 1e-6)[:, None]
    left = np.stack([along[:, 1], -along[:, 0]], -1) * size / 2
    path = QPainterPath()
    for start, end in zip(at - left, at + left, strict=True):
        path.moveTo(*start)
        path.lineTo(*end)
    return path


def _bounds(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return points.min(0), points.max(0)

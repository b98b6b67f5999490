"""Painting the photo, its frames and the tint: only what is exposed, at the level that suits the zoom."""

from __future__ import annotations

from math import ceil, floor

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from app.ui.canvas.colours import DARK_BACKGROUND, LIGHT_BACKGROUND
from app.ui.canvas.pyramid import Pyramid
from app.ui.canvas.view import View

PIXELS_FROM_ZOOM = 4.0
"""From this zoom on the picture's pixels are shown as squares."""


def paint_background(painter: QPainter, exposed: QRectF, dark: bool) -> None:
    painter.fillRect(exposed, QColor.fromRgba(DARK_BACKGROUND if dark else LIGHT_BACKGROUND))


def picture_zoom(pyramid: Pyramid, view: View) -> float:
    """Screen px per px of a picture that is shown in the photo's place."""
    return view.zoom * view.photo_width / pyramid.pixels.shape[1]


def paint_picture(painter: QPainter, pyramid: Pyramid, view: View, exposed: QRectF) -> None:
    """Paint a picture of any size over the photo's place, where `exposed` (view px) shows it."""
    own_zoom = picture_zoom(pyramid, view)
    level = pyramid.shown(pyramid.level(own_zoom))
    height, width = pyramid.size(level)
    x, y, scale_x, scale_y = _grid(view, width, height)
    x0, y0 = max(floor((exposed.left() - x) / scale_x) - 1, 0), max(floor((exposed.top() - y) / scale_y) - 1, 0)
    x1 = min(ceil((exposed.right() - x) / scale_x) + 1, width)
    y1 = min(ceil((exposed.bottom() - y) / scale_y) + 1, height)
    if x0 >= x1 or y0 >= y1:
        return
    crop = pyramid.crop(level, x0, y0, x1, y1)
    image = QImage(crop.data, x1 - x0, y1 - y0, crop.strides[0], QImage.Format.Format_RGB888)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, own_zoom < PIXELS_FROM_ZOOM)
    target = QRectF(x + x0 * scale_x, y + y0 * scale_y, (x1 - x0) * scale_x, (y1 - y0) * scale_y)
    painter.drawImage(target, image.convertToFormat(QImage.Format.Format_RGB32))


def paint_words(painter: QPainter, image: QImage, view: View, exposed: QRectF, opacity: float, smooth: bool) -> None:
    """Paint an overlay of any size over the photo's place, where `exposed` (view px) shows it."""
    x, y, scale_x, scale_y = _grid(view, image.width(), image.height())
    x0, y0 = floor((exposed.left() - x) / scale_x) - 1, floor((exposed.top() - y) / scale_y) - 1
    x1, y1 = ceil((exposed.right() - x) / scale_x) + 1, ceil((exposed.bottom() - y) / scale_y) + 1
    source = QRectF(image.rect()) & QRectF(x0, y0, x1 - x0, y1 - y0)
    if source.isEmpty():
        return
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    painter.setOpacity(opacity)
    left, top = x + source.x() * scale_x, y + source.y() * scale_y
    painter.drawImage(QRectF(left, top, source.width() * scale_x, source.height() * scale_y), image, source)
    painter.setOpacity(1)


def _grid(view: View, width: int, height: int) -> tuple[float, float, float, float]:
    """Where a grid over the whole photo starts in the view, and how many view px a cell of it has."""
    left, top = view.origin()
    return left, top, view.photo_width * view.scale / width, view.photo_height * view.scale / height

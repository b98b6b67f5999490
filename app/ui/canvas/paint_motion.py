"""Painting a recovered motion: trajectories coloured by time, flow colours, arrows of the flow."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log2

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.ui.canvas import colours
from app.ui.canvas.paint_arrows import view_points
from app.ui.canvas.paint_picture import paint_words
from app.ui.canvas.tint import shared_image
from app.ui.canvas.view import View
from models.motion import Motion

SPACING = 36.0
"""View px between neighbouring trajectories, or up to half more."""
SEGMENTS = 8
FLOW_SIDE = 640
"""Longest side of the flow colours' picture, so that it is made in some 30 ms."""
INK, HALO = QColor.fromRgba(colours.INK), QColor.fromRgba(colours.HALO | 0xFF000000)
STILL = 0.3
"""px below which a pixel is not shown to move."""


@dataclass(frozen=True)
class Tracks:
    """Trajectories of some pixels.

    at      (M, 2) photo px, where they are at mid-exposure.
    places  (SEGMENTS + 1, M, 2) photo px, where they are at even times.
    """

    at: np.ndarray
    places: np.ndarray


def tracks(motion: Motion, view: View, exposed: QRectF) -> Tracks:
    """The trajectories to show where `exposed` (view px) is: on a grid of the photo, those that move."""
    step = 2.0 ** (ceil(2 * log2(max(SPACING / view.scale, 1))) / 2)
    reach = float(np.abs(motion.trajectories[:, ::8, ::8]).max(initial=0))
    x0, y0 = view.to_photo(exposed.left(), exposed.top())
    x1, y1 = view.to_photo(exposed.right(), exposed.bottom())
    x = _steps(x0 - reach, x1 + reach, step, view.photo_width)
    y = _steps(y0 - reach, y1 + reach, step, view.photo_height)
    at = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    height, width = motion.trajectories.shape[1:3]
    column = np.minimum((at[:, 0] * width / view.photo_width).astype(int), width - 1)
    row = np.minimum((at[:, 1] * height / view.photo_height).astype(int), height - 1)
    moved = _at_even_times(motion.times, motion.trajectories[:, row, column])
    moves = np.abs(moved).max((0, 2)) > STILL
    return Tracks(at[moves], at[moves] + moved[:, moves])


def _steps(low: float, high: float, step: float, size: int) -> np.ndarray:
    first, last = max(floor(low / step), 0), ceil(min(high, size) / step)
    places = (np.arange(first, max(last, first)) + 0.5) * step
    return places[places < size]


def _at_even_times(times: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Displacements (N, M, 2) at `times` (N,), at SEGMENTS + 1 even times: linear between, held beyond."""
    place = np.interp(np.linspace(0, 1, SEGMENTS + 1), times, np.arange(len(times)))
    before = place.astype(int)
    after = np.minimum(before + 1, len(times) - 1)
    share = (place - before)[:, None, None]
    return moved[before] * (1 - share) + moved[after] * share


def paint_trajectories(painter: QPainter, motion: Motion, view: View, exposed: QRectF) -> None:
    """From the start of the exposure to its end in the colours of time, on a halo that shows them on any photo."""
    places = view_points(tracks(motion, view, exposed).places, view)
    segments = [_lines(places[segment], places[segment + 1]) for segment in range(SEGMENTS)]
    painter.setPen(QPen(HALO, 3.4))
    for lines in segments:
        painter.drawLines(lines)
    for lines, colour in zip(segments, colours.time_colours(SEGMENTS), strict=True):
        painter.setPen(QPen(QColor.fromRgba(colour), 1.6))
        painter.drawLines(lines)


def paint_moment(painter: QPainter, motion: Motion, t: float, view: View, exposed: QRectF) -> None:
    """A dot on every trajectory where things are at t."""
    places = view_points(tracks(motion, view, exposed).places, view)
    place = min(max(t, 0.0), 1.0) * SEGMENTS
    before = min(int(place), SEGMENTS - 1)
    now = places[before] + (place - before) * (places[before + 1] - places[before])
    points = [QPointF(x, y) for x, y in now.tolist()]
    for colour, width in ((HALO, 5.5), (INK, 3.5)):
        painter.setPen(QPen(colour, width, c=Qt.PenCapStyle.RoundCap))
        painter.drawPoints(points)


def paint_quiver(painter: QPainter, motion: Motion, view: View, exposed: QRectF) -> None:
    """The flow as straight arrows through where things are at mid-exposure."""
    shown = tracks(motion, view, exposed)
    flow = (shown.places[-1] - shown.places[0]) * view.scale
    middle = view_points(shown.at, view)
    tail, tip = middle - flow / 2, middle + flow / 2
    length = np.hypot(*flow.T)[:, None]
    along = flow / np.maximum(length, 1e-6) * np.minimum(length / 3, 6)
    left = np.stack([along[:, 1], -along[:, 0]], -1) * 0.6
    lines = _lines(tail, tip) + _lines(tip, tip - along + left) + _lines(tip, tip - along - left)
    for colour, width in ((HALO, 3.0), (INK, 1.3)):
        painter.setPen(QPen(colour, width))
        painter.drawLines(lines)


def _lines(start: np.ndarray, end: np.ndarray) -> list[QLineF]:
    return [QLineF(a, b, c, d) for a, b, c, d in np.concatenate([start, end], 1).tolist()]


class FlowPicture:
    """The flow colours of one motion."""

    def __init__(self, motion: Motion) -> None:
        flow = motion.flow()
        step = ceil(max(flow.shape[:2]) / FLOW_SIDE)
        self._words = colours.flow_picture(flow[::step, ::step])
        self._image = shared_image(self._words)

    def paint(self, painter: QPainter, view: View, exposed: QRectF, opacity: float) -> None:
        paint_words(painter, self._image, view, exposed, opacity, smooth=True)

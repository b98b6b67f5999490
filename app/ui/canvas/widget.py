"""The canvas: the photo with what is said and known about its motion, and the API that the window uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.document import Change, Document
from app.edits import Rect
from app.picked import Pixel
from app.ui.canvas import paint_arrows, tools
from app.ui.canvas.arrows import Placed
from app.ui.canvas.events import Pointer
from app.ui.canvas.hand import Hand
from app.ui.canvas.layers import Layers, Overlays
from app.ui.canvas.navigable import Navigable
from app.ui.canvas.paint_picked import PickedPixels
from app.ui.canvas.paint_picture import paint_background
from app.ui.canvas.raster import Dab
from app.ui.canvas.view import View
from app.ui.made import made
from models.motion import Arrow, Motion

ZOOM_STEP = 2.0**0.5
RINGED = ("brush", "eraser")
DARK_BELOW = 128
SLICE = 0.008
"""Seconds of work on a large picture between two turns of the event loop."""


class Canvas(Navigable):
    """Shows one document. Photo px have (0, 0) at the first pixel's corner; zoom 1 is a screen px per photo px.

    hovered         (x, y) photo px under the pointer, or None.
    arrow_dragging  a region's number (0: the camera) and the Arrow in the hand, before it is in the document.
    picked          the pixels (x, y) whose trajectories are looked at.
    refused         why something cannot be done, one sentence.
    hand_free       what was pressed has been let go.
    space_tapped    space was pressed and let go of without panning.
    """

    tool_changed = Signal(str)
    brush_size_changed = Signal(float)
    selection_changed = Signal(object)
    arrow_dragging = Signal(int, object)
    picked = Signal(object)
    refused = Signal(str)
    hand_free = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hand = Hand(self)
        self._document: Document | None = None
        self._layers: Layers | None = None
        self._overlays = Overlays()
        self._picked = PickedPixels()
        self._t = 0.5
        self._unsubscribe: Callable[[], None] = lambda: None
        self._ring = QRect()
        self._slices = made(QTimer, self, interval=0, objectName="slices")
        self._slices.timeout.connect(self._prepare)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Photo")
        self.setAccessibleDescription("Paint regions and draw arrows that say how they moved")

    def sizeHint(self) -> QSize:
        return QSize(800, 600)

    # What is shown

    def set_document(self, document: Document | None) -> None:
        self.hand.finish(self._scale())
        self._unsubscribe()
        self._layers, self._document = None, document
        self.hand.set_document(document)
        self._picked.set_motion(None, (1, 1))
        view = None
        if document is not None:
            self._layers = Layers(document.photo.pixels, document.guidance.areas)
            self._layers.overlays = self._overlays
            self._unsubscribe = document.subscribe(self._changed)
            height, width = document.guidance.areas.shape
            view = View(width, height, self.width(), self.height(), self.devicePixelRatioF()).fitted()
        else:
            self._unsubscribe = lambda: None
        self.set_view(view)

    def set_overlays(self, overlays: Overlays) -> None:
        self._overlays = overlays
        self.hand.sees_arrows = overlays.guidance
        if self._layers is not None:
            self._layers.overlays = overlays
        self.update()

    def show_picture(self, picture: np.ndarray | None) -> None:
        """Show a frame (h, w, 3) of any size in the photo's place; None: the photo."""
        if self._layers is not None:
            self._layers.show_picture(picture)
            self.update()

    def set_motion(self, motion: Motion | None, t: float) -> None:
        """The motion that trajectories, flow and quiver show, and the time of it."""
        if self._layers is not None:
            self._layers.set_motion(motion, t)
            self._t = t
            if self._document is not None:
                self._picked.set_motion(
                    motion, (self._document.guidance.areas.shape[0], self._document.guidance.areas.shape[1])
                )
            self.update()

    def show_found(self, arrows: Mapping[int, Arrow]) -> None:
        """Show these instead of the document's, by region's number, 0 for the camera; empty: no longer."""
        self.hand.found = dict(arrows)
        self.update()

    def set_error(self, error: np.ndarray | None) -> None:
        """What the error overlay shows: (h, w), 0 none to 1 most."""
        if self._layers is not None:
            self._layers.set_error(error)
            self.update()

    # Tool, brush, selection

    @property
    def tool(self) -> str:
        return self.hand.tool

    def set_tool(self, name: str) -> None:
        """One of "pan", "brush", "eraser", "lasso", "arrow", "pick". A stroke ends as if the button came up."""
        if name != self.hand.tool:
            self.hand.finish(self._scale())
            self.hand.set_tool(name)
            self.tool_changed.emit(name)
            self._hover(self._pointer)

    @property
    def brush_size(self) -> float:
        return self.hand.brush_size

    def set_brush_size(self, size: float) -> None:
        self.hand.set_brush_size(size)

    @property
    def selected(self) -> int | None:
        return self.hand.selected

    @property
    def in_hand(self) -> bool:
        """Whether something is pressed."""
        return self.hand.busy

    def let_go(self) -> None:
        """A stroke in progress ends as if the button came up."""
        self.hand.finish(self._scale())

    def select(self, number: int | None) -> None:
        """Select a region by its number, 0: the camera, None: nothing."""
        self.hand.select(number)

    @property
    def picks(self) -> tuple[Pixel, ...]:
        return self.hand.picks

    def clear_picked(self) -> None:
        """Look at no trajectory any more."""
        self.hand.pick(())

    # Zoom and coordinates

    @property
    def zoom(self) -> float:
        return self._view.zoom if self._view else 1.0

    def zoom_in(self) -> None:
        self.zoom_by(ZOOM_STEP)

    def zoom_out(self) -> None:
        self.zoom_by(1 / ZOOM_STEP)

    def zoom_to_fit(self) -> None:
        if self._view is not None:
            self.set_view(self._view.fitted())

    def zoom_to_actual(self) -> None:
        if self._view is not None:
            self.set_view(self._view.zoomed(1.0))

    def to_photo(self, at: QPointF) -> tuple[float, float]:
        return self._view.to_photo(at.x(), at.y()) if self._view else (at.x(), at.y())

    def to_view(self, x: float, y: float) -> QPointF:
        return QPointF(*(self._view.to_view(x, y) if self._view else (x, y)))

    # The hand's stage

    def show_dabs(self, number: int, dabs: Sequence[Dab]) -> Rect | None:
        touched = self._layers.tint.stamp(dabs, number) if self._layers else None
        if touched:
            self._update_pixels(touched)
        return touched

    def refresh(self, rect: Rect | None) -> None:
        if rect is not None and self._layers is not None and self._document is not None:
            self._update_pixels(self._layers.tint.refresh(self._document.guidance.areas, rect))

    def repaint_lines(self) -> None:
        self.update()

    def push(self, x: float, y: float) -> None:
        if self._view is not None:
            self.set_view(self._view.moved(x * self._view.scale, y * self._view.scale))

    def tell_selected(self, number: int | None) -> None:
        self.selection_changed.emit(number)

    def tell_brush_size(self, size: float) -> None:
        self.brush_size_changed.emit(size)
        self._move_ring()

    def tell_dragging(self, placed: Placed) -> None:
        self.arrow_dragging.emit(placed.number, placed.arrow)

    def tell_picked(self, pixels: tuple[Pixel, ...]) -> None:
        self._picked.set_pixels(pixels)
        self.picked.emit(pixels)

    def tell_refused(self, sentence: str) -> None:
        self.refused.emit(sentence)

    def tell_let_go(self) -> None:
        self.hand_free.emit()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        dark = self.palette().window().color().lightness() < DARK_BELOW
        for rect in cast("Sequence[QRect]", event.region()):
            painter.setClipRect(rect)
            if self._layers is None or self._view is None:
                paint_background(painter, QRectF(rect), dark)
            else:
                self._layers.paint(painter, self._view, QRectF(rect), dark, self.settled)
        painter.setClipRegion(event.region())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._view is not None:
            self._paint_lines(painter, self._view, QRectF(event.rect()))
        if self._shows_focus:
            paint_arrows.paint_frame(painter, QRectF(self.rect()), self.palette().highlight().color())
        painter.end()
        if self._layers is not None and self._view is not None and not self._layers.is_ready(self._view):
            self._slices.start()

    def _prepare(self) -> None:
        """A large picture is made smaller a little at a time, so that nothing else has to wait."""
        if self._layers is None or self._view is None or self._layers.prepare(self._view, SLICE):
            self._slices.stop()
            self.update()

    def _paint_lines(self, painter: QPainter, view: View, exposed: QRectF) -> None:
        hand = self.hand
        for placed in hand.placed() if self._overlays.guidance or hand.preview or hand.found else ():
            if paint_arrows.arrow_rect(placed, view).intersects(exposed):
                dragged = placed is hand.preview
                held, says = dragged or placed.number == hand.selected, dragged or placed.number in hand.found
                paint_arrows.paint_arrow(painter, placed, view, held, says)
        target = hand.target() if self._overlays.guidance else None
        if target is not None and hand.selected is not None:
            paint_arrows.paint_target(painter, QPointF(*view.to_view(*target)), hand.selected)
        self._picked.paint(painter, view, self._t)
        if hand.outline:
            paint_arrows.paint_outline(painter, hand.outline, view)
        if not self._ring.isEmpty() and self._pointer is not None:
            paint_arrows.paint_ring(painter, self._pointer, hand.brush_size / 2 * view.scale)

    def _update_pixels(self, rect: Rect) -> None:
        if self._view is not None:
            self.update(QRectF(*self._view.view_rect(rect)).toAlignedRect().adjusted(-2, -2, 2, 2))

    def _changed(self, change: Change) -> None:
        self.hand.changed(change)
        if change.what == "areas":
            self.refresh(change.rect)
        if change.what in ("areas", "regions", "camera") and not self.hand.busy:
            self.update()

    def _hover(self, at: QPointF | None) -> None:
        super()._hover(at)
        self._move_ring()
        self.setCursor(self._cursor_shape())

    def _move_ring(self) -> None:
        """Repaint the brush's ring where it was and where it is."""
        old, self._ring = self._ring, QRect()
        if self._pointer is not None and self._view is not None and self.tool in RINGED and self._gripped is None:
            reach = self.hand.brush_size / 2 * self._view.scale + 4
            at = self._pointer
            self._ring = QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach).toAlignedRect()
        self.update(old)
        self.update(self._ring)

    def _cursor_shape(self) -> Qt.CursorShape:
        if self._gripped is not None:
            return Qt.CursorShape.ClosedHandCursor
        if self._space_since is not None or self.tool == "pan":
            return Qt.CursorShape.ClosedHandCursor if self.hand.busy else Qt.CursorShape.OpenHandCursor
        if self.tool != "arrow" or self._view is None or self._pointer is None or self._document is None:
            return Qt.CursorShape.CrossCursor
        over = tools.hit(Pointer(*self.to_photo(self._pointer)), self.hand.scene(self._view.scale))
        if over.kind in ("tip", "tail", "middle"):
            return Qt.CursorShape.SizeAllCursor
        return Qt.CursorShape.PointingHandCursor if over.kind == "shaft" else Qt.CursorShape.CrossCursor

    def _scale(self) -> float:
        return self._view.scale if self._view else 1.0

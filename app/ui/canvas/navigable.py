"""A widget that listens: mouse, pen, wheel, touchpad and keys go to the hand, or move the view.

Panning works in mid-stroke: while space or the middle button is down the photo follows the pointer, so the stroke goes
on where it was.
"""

from __future__ import annotations

import time
from typing import cast

from PySide6.QtCore import QEvent, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.ui.canvas.events import Cancel, Move, Press, Release, Tick
from app.ui.canvas.hand import Hand
from app.ui.canvas.pointing import PenFirst, erases, scrolled, tool_event, zoom_factor
from app.ui.canvas.view import View

TICK_MS = 200
SETTLE_MS = 80
TAP_SECONDS = 0.25
OWN_KEYS = (Qt.Key.Key_Space, Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight)


class Navigable(QWidget):
    """Holds the view of the photo and the hand that works on it."""

    zoom_changed = Signal(float)
    hovered = Signal(object)
    space_tapped = Signal()

    hand: Hand

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: View | None = None
        self._pointer: QPointF | None = None
        self._gripped: tuple[float, float] | None = None
        self._left_grips = False
        self._space_since: float | None = None
        self._shows_focus = False
        self._pens = PenFirst()
        self._ticker = QTimer(self, interval=TICK_MS)
        self._ticker.timeout.connect(self._ticked)
        self._settler = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settler.timeout.connect(self.update)
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # The view

    @property
    def settled(self) -> bool:
        """Whether the view has stopped moving."""
        return not self._settler.isActive()

    def set_view(self, view: View | None) -> None:
        zoom = self._view and self._view.zoom
        self._view = view
        if view is not None and view.zoom != zoom:
            self.zoom_changed.emit(view.zoom)
        self._settler.start()
        self.update()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        if self._view is not None:
            self.set_view(self._view.zoomed(self._view.zoom * factor, (at.x(), at.y()) if at is not None else None))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fill()

    def _fill(self) -> None:
        if self._view is not None:
            self.set_view(self._view.resized(self.width(), self.height(), self.devicePixelRatioF()))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and self._wants(cast("QKeyEvent", event)):
            event.accept()
            return True
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._fill()
        if event.type() == QEvent.Type.NativeGesture:
            gesture = cast("QNativeGestureEvent", event)
            if gesture.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self.zoom_by(1 + gesture.value(), gesture.position())
                return True
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._view is not None:
            push = scrolled(event)
            if push is None:
                self.zoom_by(zoom_factor(event), event.position())
            else:
                self.set_view(self._view.moved(*push))
        event.accept()

    # Mouse and pen

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._pens.drops(event):
            self._pressed(event, event.button())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self._pens.drops(event):
            self._moved(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self._pens.drops(event):
            self._released(event, event.button())

    def tabletEvent(self, event: QTabletEvent) -> None:
        self._pens.pen()
        if event.type() == QEvent.Type.TabletPress:
            self._pressed(event, event.button())
        elif event.type() == QEvent.Type.TabletRelease:
            self._released(event, event.button())
        else:
            self._moved(event)
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(None)

    def _pressed(self, event: QMouseEvent | QTabletEvent, button: Qt.MouseButton) -> None:
        if self._view is None:
            return
        at = self._view.to_photo(event.position().x(), event.position().y())
        if button == Qt.MouseButton.MiddleButton:
            self._gripped = at
        elif button == Qt.MouseButton.LeftButton and self._space_since is not None:
            self._gripped, self._left_grips = at, True
        elif button == Qt.MouseButton.LeftButton:
            self.hand.hear(tool_event(Press, event, at), self._view.scale, "eraser" if erases(event) else None)
            self._ticker.start()
        self._hover(event.position())

    def _moved(self, event: QMouseEvent | QTabletEvent) -> None:
        if self._view is None:
            return
        at = event.position()
        if self._gripped is not None:
            held = self._view.to_view(*self._gripped)
            self.set_view(self._view.moved(at.x() - held[0], at.y() - held[1]))
        elif self.hand.busy:
            self.hand.hear(tool_event(Move, event, self._view.to_photo(at.x(), at.y())), self._view.scale)
        self._hover(at)

    def _released(self, event: QMouseEvent | QTabletEvent, button: Qt.MouseButton) -> None:
        if self._view is None:
            return
        if button == Qt.MouseButton.MiddleButton or (button == Qt.MouseButton.LeftButton and self._left_grips):
            self._gripped, self._left_grips = None, False
        elif button == Qt.MouseButton.LeftButton:
            self._ticker.stop()
            at = self._view.to_photo(event.position().x(), event.position().y())
            self.hand.hear(tool_event(Release, event, at), self._view.scale)
        self._hover(event.position())

    def _ticked(self) -> None:
        if self._view is not None and self.hand.busy:
            self.hand.hear(Tick(time.monotonic()), self._view.scale)
        else:
            self._ticker.stop()

    def _hover(self, at: QPointF | None) -> None:
        """The pointer is at a view px, None: gone."""
        self._pointer = at
        self.hovered.emit(self._photo_point(at))

    def _photo_point(self, at: QPointF | None) -> tuple[float, float] | None:
        if at is None or self._view is None:
            return None
        x, y = self._view.to_photo(at.x(), at.y())
        return (x, y) if 0 <= x < self._view.photo_width and 0 <= y < self._view.photo_height else None

    # Keys

    def _wants(self, event: QKeyEvent) -> bool:
        """Whether a key is the canvas's, even where a shortcut has it too."""
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier & ~Qt.KeyboardModifier.ShiftModifier:
            return False
        return event.key() in OWN_KEYS or (event.key() == Qt.Key.Key_Escape and self.hand.busy)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space_down()
        elif key in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            self.hand.step_brush_size(up=key == Qt.Key.Key_BracketRight)
        elif key == Qt.Key.Key_Escape and self.hand.busy and self._view is not None:
            self._ticker.stop()
            self.hand.hear(Cancel(), self._view.scale)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and not self.hand.busy:
            self.hand.delete_selected()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space:
            super().keyReleaseEvent(event)
        elif not event.isAutoRepeat():
            self._space_up()

    def focusInEvent(self, event: QFocusEvent) -> None:
        by_key = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._shows_focus = event.reason() in by_key
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._shows_focus = False
        self.update()
        if self._space_since is not None:
            self._space_since = float("-inf")
            self._space_up()
        super().focusOutEvent(event)

    def _space_down(self) -> None:
        self._space_since = time.monotonic()
        if self.hand.busy and self._view is not None and self._pointer is not None:
            self._space_since = float("-inf")
            self._gripped = self._view.to_photo(self._pointer.x(), self._pointer.y())
        self._hover(self._pointer)

    def _space_up(self) -> None:
        tapped = self._space_since is not None and time.monotonic() - self._space_since < TAP_SECONDS
        self._space_since = None
        if tapped and self._gripped is None:
            self.space_tapped.emit()
        if not self._left_grips:
            self._gripped = None
        self._hover(self._pointer)

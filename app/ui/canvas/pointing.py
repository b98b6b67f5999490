"""From Qt's events to the tools' words: mouse and pen, which of the two is meant, wheel and touchpad."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtGui import QInputDevice, QMouseEvent, QPointingDevice, QTabletEvent, QWheelEvent

from app.ui.canvas.events import Move, Press, Release

PEN_SECONDS = 0.5
"""How long after a pen's event a synthesised mouse event still belongs to the pen."""
NOTCH = 120.0
NOTCHES_PER_DOUBLING = 3.0


def tool_event(
    kind: type[Press] | type[Move] | type[Release], event: QMouseEvent | QTabletEvent, at: tuple[float, float]
) -> Press | Move | Release:
    """The event for a tool, at photo px."""
    held = event.modifiers()
    return kind(
        *at,
        pressure=event.pressure() if isinstance(event, QTabletEvent) else 1.0,
        shift=bool(held & Qt.KeyboardModifier.ShiftModifier),
        ctrl=bool(held & Qt.KeyboardModifier.ControlModifier),
        alt=bool(held & Qt.KeyboardModifier.AltModifier),
        seconds=time.monotonic(),
    )


def erases(event: QMouseEvent | QTabletEvent) -> bool:
    """Whether the pen's eraser end is down."""
    return event.pointerType() == QPointingDevice.PointerType.Eraser


class PenFirst:
    """Tells real mouse events from those that the system makes of a pen's."""

    def __init__(self) -> None:
        self._last_pen = float("-inf")

    def pen(self) -> None:
        """A pen's event came."""
        self._last_pen = time.monotonic()

    def drops(self, event: QMouseEvent) -> bool:
        """Whether this mouse event only repeats the pen."""
        if event.pointerType() in (QPointingDevice.PointerType.Pen, QPointingDevice.PointerType.Eraser):
            return True
        synthesised = event.source() != Qt.MouseEventSource.MouseEventNotSynthesized
        return synthesised and time.monotonic() - self._last_pen < PEN_SECONDS


def scrolled(event: QWheelEvent) -> tuple[float, float] | None:
    """How far two fingers on a touchpad push the photo, view px; None where the wheel means zoom."""
    held = event.modifiers()
    pixels, angle = event.pixelDelta(), event.angleDelta()
    if held & Qt.KeyboardModifier.ControlModifier:
        return None
    if held & Qt.KeyboardModifier.ShiftModifier:
        return float(angle.y() or angle.x()) / 2, 0.0
    if event.device().type() == QInputDevice.DeviceType.TouchPad or event.phase() != Qt.ScrollPhase.NoScrollPhase:
        return (pixels.x(), pixels.y()) if not pixels.isNull() else (angle.x() / 2, angle.y() / 2)
    return None


def zoom_factor(event: QWheelEvent) -> float:
    """How many times larger a turn of the wheel makes the photo."""
    turns = (event.angleDelta().y() or event.angleDelta().x()) / NOTCH
    return 2.0 ** (turns / NOTCHES_PER_DOUBLING)

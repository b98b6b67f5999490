from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPointingDevice,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.document import Document
from app.photo import Photo, decode_photo
from app.project import read_project, write_project
from app.store import Contents
from app.ui.canvas import Canvas, Overlays, colours
from app.ui.canvas.paint_picked import TILE
from app.ui.canvas.picking import GAP
from app.ui.canvas.tint import Tint
from models.motion import Arrow, Motion, instants
from models.recovery import Recovery

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
WIDTH, HEIGHT = 300, 200
ROOT = Path(__file__).parents[1]
GREY = 120
NO_BYTES = np.zeros(0, np.uint8)


@pytest.fixture
def document() -> Document:
    pixels = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
    return Document(Photo(pixels, "grey.png", NO_BYTES))


@pytest.fixture
def canvas(qtbot, document: Document) -> Canvas:
    """A photo of 300 x 200 at 100 % in a widget of 400 x 300: its corner lies at (50, 50)."""
    widget = Canvas()
    qtbot.addWidget(widget)
    widget.resize(400, 300)
    widget.set_document(document)
    widget.show()
    qtbot.waitExposed(widget)
    widget.zoom_to_actual()
    widget.setFocus()
    return widget


def at(canvas: Canvas, x: float, y: float) -> QPoint:
    return canvas.to_view(x, y).toPoint()


def drag(canvas: Canvas, *points: tuple[float, float], button=LEFT, held=Qt.KeyboardModifier.NoModifier) -> None:
    press(canvas, *points[0], button=button, held=held)
    move(canvas, *points, button=button)
    QTest.mouseRelease(canvas, button, held, at(canvas, *points[-1]))


def press(canvas: Canvas, x: float, y: float, button=LEFT, held=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mousePress(canvas, button, held, at(canvas, x, y))


def move(canvas: Canvas, *points: tuple[float, float], button=LEFT) -> None:
    for point in points:
        where = QPointF(at(canvas, *point))
        held = Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(
            QEvent.Type.MouseMove, where, canvas.mapToGlobal(where), Qt.MouseButton.NoButton, button, held
        )
        QApplication.sendEvent(canvas, event)


def key(canvas: Canvas, which: Qt.Key, kind=QEvent.Type.KeyPress, text: str = "") -> None:
    QApplication.sendEvent(canvas, QKeyEvent(kind, which, Qt.KeyboardModifier.NoModifier, text))


def wheel(canvas: Canvas, x: int, y: int, turn: int, held=Qt.KeyboardModifier.NoModifier, fingers=None) -> None:
    phase = Qt.ScrollPhase.NoScrollPhase if fingers is None else Qt.ScrollPhase.ScrollUpdate
    pixels = fingers or QPoint()
    event = QWheelEvent(
        QPointF(x, y), QPointF(x, y), pixels, QPoint(0, turn), Qt.MouseButton.NoButton, held, phase, False
    )
    QApplication.sendEvent(canvas, event)


def colour(canvas: Canvas, x: float, y: float) -> tuple[int, int, int]:
    """What is painted at the photo's (x, y)."""
    found = canvas.grab().toImage().pixelColor(at(canvas, x, y))
    return found.red(), found.green(), found.blue()


def tinted(number: int) -> tuple[int, int, int]:
    """The grey photo under a region's colour."""
    word = colours.region(number)
    mixed = [
        round((word >> shift & 255) * colours.TINT_ALPHA + GREY * (1 - colours.TINT_ALPHA)) for shift in (16, 8, 0)
    ]
    return mixed[0], mixed[1], mixed[2]


def near(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 2


# Painting


def test_the_photo_lies_where_the_coordinates_say(canvas: Canvas) -> None:
    assert canvas.to_view(0, 0) == QPointF(50, 50)
    assert canvas.to_photo(QPointF(50.5, 51)) == (0.5, 1)
    assert colour(canvas, 0, 0) == (GREY, GREY, GREY)
    assert colour(canvas, -1, -1) != (GREY, GREY, GREY)
    assert colour(canvas, WIDTH - 1, HEIGHT - 1) == (GREY, GREY, GREY)


def test_a_stroke_paints_a_region_and_undo_takes_it_back(canvas: Canvas, document: Document) -> None:
    canvas.set_brush_size(20)
    drag(canvas, (50, 100), (80, 100), (150, 100))
    areas = document.guidance.areas
    assert (areas[92:108, 50:150] == 1).all()
    assert not areas[:88].any()
    assert canvas.selected == 1
    assert near(colour(canvas, 70, 95), tinted(1))
    assert document.undo_text == "Paint"
    document.undo()
    assert not areas.any()
    assert not document.guidance.regions
    assert not document.can_undo
    assert canvas.selected is None
    assert colour(canvas, 70, 95) == (GREY, GREY, GREY)
    document.redo()
    assert near(colour(canvas, 70, 95), tinted(1))


def test_the_stroke_is_seen_before_it_is_in_the_document(canvas: Canvas, document: Document) -> None:
    press(canvas, 100, 100)
    move(canvas, (120, 100))
    assert not document.guidance.areas.any()
    assert near(colour(canvas, 110, 90), tinted(1))
    QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, at(canvas, 120, 100))
    assert document.guidance.areas.any()


def test_a_long_stroke_reaches_the_document_while_the_hand_rests(qtbot, canvas: Canvas, document: Document) -> None:
    press(canvas, 100, 100)
    qtbot.waitUntil(lambda: bool(document.guidance.areas.any()), timeout=2000)
    move(canvas, (200, 100))
    QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, at(canvas, 200, 100))
    document.undo()
    assert not document.guidance.areas.any()
    assert not document.can_undo


@pytest.mark.parametrize("waits", [False, True])
def test_escape_leaves_nothing_changed(qtbot, canvas: Canvas, document: Document, waits: bool) -> None:
    press(canvas, 100, 100)
    if waits:
        qtbot.waitUntil(lambda: bool(document.guidance.areas.any()), timeout=2000)
    move(canvas, (120, 100))
    key(canvas, Qt.Key.Key_Escape)
    QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, at(canvas, 120, 100))
    assert not document.guidance.areas.any()
    assert not document.guidance.regions
    assert not document.can_undo
    assert colour(canvas, 110, 95) == (GREY, GREY, GREY)


def test_the_eraser_clears(canvas: Canvas, document: Document) -> None:
    document.paint((0, 0, WIDTH, HEIGHT), document.add_region())
    canvas.set_tool("eraser")
    drag(canvas, (100, 100), (200, 100))
    assert not document.guidance.areas[95:105, 100:200].any()
    assert colour(canvas, 140, 90) == (GREY, GREY, GREY)
    assert near(colour(canvas, 20, 20), tinted(1))


def test_the_lasso_fills(canvas: Canvas, document: Document) -> None:
    canvas.set_tool("lasso")
    drag(canvas, (50, 50), (150, 50), (150, 150), (50, 150))
    assert document.guidance.areas[100, 100] == 1
    assert abs(np.count_nonzero(document.guidance.areas) - 10000) < 250
    assert near(colour(canvas, 60, 60), tinted(1))


def test_delete_removes_the_selected_region(canvas: Canvas, document: Document) -> None:
    drag(canvas, (50, 100), (80, 100))
    key(canvas, Qt.Key.Key_Delete)
    assert not document.guidance.regions
    assert not document.guidance.areas.any()
    assert canvas.selected is None


def test_undo_in_mid_stroke_drops_the_stroke(canvas: Canvas, document: Document) -> None:
    drag(canvas, (50, 50), (60, 50))
    press(canvas, 200, 150)
    move(canvas, (220, 150))
    document.undo()
    assert not canvas.hand.busy
    QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, at(canvas, 220, 150))
    assert not document.guidance.areas.any()
    assert colour(canvas, 210, 150) == (GREY, GREY, GREY)


def test_another_tool_in_mid_stroke_keeps_the_stroke(canvas: Canvas, document: Document) -> None:
    press(canvas, 100, 100)
    move(canvas, (150, 100))
    canvas.set_tool("arrow")
    assert document.guidance.areas[100, 125] == 1


def test_a_recovery_that_arrives_in_mid_stroke_is_a_step_of_its_own(qtbot, canvas: Canvas, document: Document) -> None:
    press(canvas, 100, 100)
    qtbot.waitUntil(lambda: bool(document.guidance.areas.any()), timeout=2000)
    frames = np.zeros((1, HEIGHT, WIDTH, 3), np.uint8)
    document.add_recovery(Recovery(frames, np.zeros(1, np.float32), None, "drawn"))
    document.mark_saved()
    move(canvas, (200, 100))
    QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, at(canvas, 200, 100))
    assert document.guidance.areas[100, 150] == 1
    document.undo()
    assert document.guidance.areas[100, 100] == 1
    assert document.guidance.areas[100, 150] == 0
    assert len(document.recoveries) == 1


def test_another_document_in_mid_stroke_keeps_the_stroke(canvas: Canvas, document: Document) -> None:
    press(canvas, 100, 100)
    canvas.set_document(None)
    assert document.guidance.areas[100, 100] == 1


# Arrows


@pytest.fixture
def ball(canvas: Canvas, document: Document) -> Canvas:
    """A region from (100, 50) to (200, 150) that moves 80 px to the right, under the arrow tool."""
    document.paint((100, 50, 200, 150), document.add_region("ball"))
    document.set_arrow(1, Arrow(0, 80))
    canvas.set_tool("arrow")
    return canvas


def test_dragging_in_a_region_draws_its_arrow(qtbot, canvas: Canvas, document: Document) -> None:
    document.paint((100, 50, 200, 150), document.add_region("ball"))
    canvas.set_tool("arrow")
    heard = []
    canvas.arrow_dragging.connect(lambda number, arrow: heard.append((number, round(arrow.length))))
    drag(canvas, (120, 100), (150, 100), (180, 100))
    arrow = document.guidance.regions[0].arrow
    assert arrow is not None
    assert (arrow.degrees, arrow.length) == (0, 60)
    assert heard == [(1, 30), (1, 60)]
    assert canvas.selected == 1
    assert colour(canvas, 140, 100) == QColor.fromRgba(colours.region(1)).getRgb()[:3]


def test_where_an_arrow_was_drawn_is_saved_undone_and_flipped_in_its_place(
    canvas: Canvas, document: Document, tmp_path: Path
) -> None:
    document.paint((100, 50, 200, 150), document.add_region("ball"))
    canvas.set_tool("arrow")
    drag(canvas, (110, 70), (130, 70), (150, 70))
    drag(canvas, (120, 130), (150, 130), (180, 130))
    assert document.guidance.regions[0].at == (150, 130)
    document.undo()
    assert document.guidance.regions[0].at == (130, 70)
    assert [(one.x, one.y) for one in canvas.hand.placed()] == [(130, 70)]
    document.flip_region(1)
    photo = decode_photo(cv2.imencode(".png", document.photo.pixels)[1].tobytes(), "grey.png")
    write_project(tmp_path / "a.unshutter", Contents(photo, document.guidance, stamp="a"))
    again = Document(document.photo, read_project(tmp_path / "a.unshutter").guidance)
    canvas.set_document(again)
    assert [(one.number, one.x, one.y) for one in canvas.hand.placed()] == [(1, 130, 70)]
    again.paint((100, 50, 200, 100), 0, "Erase")
    assert [(one.x, one.y) for one in canvas.hand.placed()] == [(150, 125)]


def test_dragging_on_the_bare_photo_draws_the_cameras(canvas: Canvas, document: Document) -> None:
    canvas.set_tool("arrow")
    drag(canvas, (20, 180), (20, 150), (20, 120))
    assert document.guidance.camera == Arrow(90, 60)
    assert canvas.selected == 0
    assert colour(canvas, 150, 90) == (255, 255, 255)
    key(canvas, Qt.Key.Key_Delete)
    assert document.guidance.camera is None


def test_the_middle_handle_bends(ball: Canvas, document: Document) -> None:
    ball.select(1)
    drag(ball, (150, 100), (150, 90), (150, 80))
    arrow = document.guidance.regions[0].arrow
    assert arrow is not None
    assert arrow.bend == pytest.approx(0.25)
    assert (arrow.degrees, arrow.length) == (0, 80)
    document.undo()
    assert document.guidance.regions[0].arrow == Arrow(0, 80)


def test_the_tip_turns_and_stretches(ball: Canvas, document: Document) -> None:
    drag(ball, (190, 100), (170, 80), (150, 60))
    arrow = document.guidance.regions[0].arrow
    assert arrow is not None
    assert (arrow.degrees, arrow.length) == (pytest.approx(90), pytest.approx(80))


def test_a_click_flips(ball: Canvas, document: Document) -> None:
    QTest.mouseClick(ball, LEFT, Qt.KeyboardModifier.NoModifier, at(ball, 140, 100))
    assert document.guidance.regions[0].arrow == Arrow(180, 80)
    assert ball.selected == 1


def test_another_tool_is_no_click(ball: Canvas, document: Document) -> None:
    press(ball, 140, 100)
    ball.set_tool("brush")
    assert document.guidance.regions[0].arrow == Arrow(0, 80)


def test_hidden_arrows_cannot_be_clicked(ball: Canvas, document: Document) -> None:
    ball.set_overlays(Overlays(guidance=False))
    QTest.mouseClick(ball, LEFT, Qt.KeyboardModifier.NoModifier, at(ball, 140, 100))
    assert document.guidance.regions[0].arrow == Arrow(0, 80)


def test_escape_lets_an_arrow_go(ball: Canvas, document: Document) -> None:
    before = ball.grab().toImage()
    press(ball, 190, 100)
    move(ball, (150, 60))
    assert ball.grab().toImage() != before
    key(ball, Qt.Key.Key_Escape)
    QTest.mouseRelease(ball, LEFT, Qt.KeyboardModifier.NoModifier, at(ball, 150, 60))
    assert document.guidance.regions[0].arrow == Arrow(0, 80)
    assert ball.grab().toImage() == before


@pytest.mark.parametrize("brightness", [0, 120, 255])
def test_arrows_show_on_any_photo(qtbot, brightness: int) -> None:
    document = Document(Photo(np.full((HEIGHT, WIDTH, 3), brightness, np.uint8), "flat.png", NO_BYTES))
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.set_document(document)
    canvas.zoom_to_actual()
    document.set_camera(Arrow(90, 100))
    row = [colour(canvas, x, 112)[0] for x in range(140, 161)]
    assert max(row) - min(row) > 150


# Getting about


def test_the_wheel_zooms_at_the_pointer(canvas: Canvas) -> None:
    before = canvas.to_photo(QPointF(120, 200))
    zooms = []
    canvas.zoom_changed.connect(zooms.append)
    wheel(canvas, 120, 200, 360)
    assert zooms == [pytest.approx(2)]
    assert canvas.zoom == pytest.approx(2)
    assert canvas.to_photo(QPointF(120, 200)) == pytest.approx(before, abs=0.5)


def test_two_fingers_push_and_with_ctrl_zoom(canvas: Canvas) -> None:
    canvas.zoom_in()
    before = canvas.to_view(0, 0)
    wheel(canvas, 100, 100, 40, fingers=QPoint(-15, 25))
    assert canvas.to_view(0, 0) - before == QPointF(-15, 25)
    zoom = canvas.zoom
    wheel(canvas, 100, 100, 40, held=Qt.KeyboardModifier.ControlModifier, fingers=QPoint(0, 20))
    assert canvas.zoom > zoom


@pytest.mark.parametrize("how", ["middle", "space", "tool"])
def test_panning(canvas: Canvas, document: Document, how: str) -> None:
    if how == "space":
        key(canvas, Qt.Key.Key_Space, text=" ")
    if how == "tool":
        canvas.set_tool("pan")
    button = MIDDLE if how == "middle" else LEFT
    QTest.mousePress(canvas, button, Qt.KeyboardModifier.NoModifier, QPoint(200, 150))
    for x in (210, 240):
        where = QPointF(x, 160)
        event = QMouseEvent(
            QEvent.Type.MouseMove, where, where, Qt.MouseButton.NoButton, button, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(canvas, event)
    QTest.mouseRelease(canvas, button, Qt.KeyboardModifier.NoModifier, QPoint(240, 160))
    key(canvas, Qt.Key.Key_Space, QEvent.Type.KeyRelease, " ")
    assert canvas.to_view(0, 0) == QPointF(90, 60)
    assert not document.can_undo


@pytest.mark.parametrize("how", ["middle", "space"])
def test_panning_and_zooming_in_mid_stroke(canvas: Canvas, document: Document, how: str) -> None:
    press(canvas, 100, 100)
    move(canvas, (120, 100))
    if how == "space":
        key(canvas, Qt.Key.Key_Space, text=" ")
    else:
        press(canvas, 120, 100, button=MIDDLE)
    before = canvas.to_view(0, 0)
    where = QPointF(at(canvas, 120, 100)) + QPointF(0, 40)
    event = QMouseEvent(
        QEvent.Type.MouseMove, where, where, Qt.MouseButton.NoButton, LEFT, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(canvas, event)
    assert canvas.to_view(0, 0) - before == QPointF(0, 40)
    if how == "space":
        key(canvas, Qt.Key.Key_Space, QEvent.Type.KeyRelease, " ")
    else:
        QTest.mouseRelease(canvas, MIDDLE, Qt.KeyboardModifier.NoModifier, where.toPoint())
    wheel(canvas, where.toPoint().x(), where.toPoint().y(), 120)
    move(canvas, (160, 100))
    QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, at(canvas, 160, 100))
    rows = np.flatnonzero(document.guidance.areas.any(1))
    assert (document.guidance.areas[100, 100:160] == 1).all()
    assert (rows[0], rows[-1]) == pytest.approx((80, 119), abs=2)
    document.undo()
    assert not document.can_undo


def test_a_tap_on_space_is_told(canvas: Canvas) -> None:
    taps = []
    canvas.space_tapped.connect(lambda: taps.append(1))
    key(canvas, Qt.Key.Key_Space, text=" ")
    key(canvas, Qt.Key.Key_Space, QEvent.Type.KeyRelease, " ")
    assert taps == [1]


def test_brush_size_by_keys_and_alt_drag(canvas: Canvas, document: Document) -> None:
    canvas.set_brush_size(40)
    sizes = []
    canvas.brush_size_changed.connect(sizes.append)
    key(canvas, Qt.Key.Key_BracketRight, text="]")
    key(canvas, Qt.Key.Key_BracketLeft, text="[")
    drag(canvas, (100, 100), (110, 100), held=Qt.KeyboardModifier.AltModifier)
    assert sizes[:2] == [pytest.approx(46), pytest.approx(40)]
    assert canvas.brush_size == pytest.approx(60)
    assert not document.can_undo


def test_the_ring_shows_the_brush(canvas: Canvas) -> None:
    canvas.set_brush_size(60)
    move(canvas, (150, 100))
    assert ring_brightness(canvas) > 30
    assert colour(canvas, 150, 105) == (GREY, GREY, GREY)
    canvas.set_tool("arrow")
    assert ring_brightness(canvas) == 0


def ring_brightness(canvas: Canvas) -> int:
    """How much of the photo is brighter than it is, along a line across where the ring is."""
    return max(colour(canvas, x, 100)[0] for x in range(176, 185)) - GREY


def test_hovered_tells_photo_px(canvas: Canvas) -> None:
    heard = []
    canvas.hovered.connect(heard.append)
    move(canvas, (10, 20))
    move(canvas, (-10, 20))
    assert heard == [(10, 20), None]


def test_keyboard_focus_is_seen(canvas: Canvas) -> None:
    def corner() -> QColor:
        return canvas.grab().toImage().pixelColor(1, 1)

    without = corner()
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.TabFocusReason))
    assert corner() == canvas.palette().highlight().color()
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))
    assert corner() == without


# Pen


def pen(canvas: Canvas, kind: QEvent.Type, x: float, y: float, pressure: float, tip=QPointingDevice.PointerType.Pen):
    device = QPointingDevice(
        "pen",
        1,
        QPointingDevice.DeviceType.Stylus,
        tip,
        QPointingDevice.Capability.Pressure | QPointingDevice.Capability.Position,
        1,
        1,
    )
    where = QPointF(at(canvas, x, y))
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletMove else LEFT
    none = Qt.KeyboardModifier.NoModifier
    event = QTabletEvent(kind, device, where, where, pressure, 0, 0, 0, 0, 0, none, button, LEFT)
    QApplication.sendEvent(canvas, event)
    assert event.isAccepted()


def test_a_pen_paints_by_pressure_and_its_mouse_events_are_dropped(canvas: Canvas, document: Document) -> None:
    canvas.set_brush_size(60)
    pen(canvas, QEvent.Type.TabletPress, 50, 100, 0.1)
    pen(canvas, QEvent.Type.TabletMove, 150, 100, 1.0)
    where = QPointF(at(canvas, 250, 20))
    made_up = QMouseEvent(
        QEvent.Type.MouseMove,
        where,
        where,
        where,
        Qt.MouseButton.NoButton,
        LEFT,
        Qt.KeyboardModifier.NoModifier,
        Qt.MouseEventSource.MouseEventSynthesizedBySystem,
    )
    QApplication.sendEvent(canvas, made_up)
    pen(canvas, QEvent.Type.TabletRelease, 150, 100, 0.0)
    heights = np.count_nonzero(document.guidance.areas, axis=0)
    assert heights[50] < 20
    assert heights[148] > 55
    assert not document.guidance.areas[:40].any()


def test_the_pens_other_end_erases(canvas: Canvas, document: Document) -> None:
    document.paint((0, 0, WIDTH, HEIGHT), document.add_region())
    end = QPointingDevice.PointerType.Eraser
    pen(canvas, QEvent.Type.TabletPress, 50, 100, 1.0, end)
    pen(canvas, QEvent.Type.TabletRelease, 50, 100, 1.0, end)
    assert document.guidance.areas[100, 50] == 0
    assert canvas.tool == "brush"


# Overlays and pictures


def turning() -> Motion:
    rows, columns = np.mgrid[:50, :75].astype(np.float32)
    flow = np.stack([-(rows - 25), columns - 37], -1) * 2
    return Motion.from_flow(flow)


@pytest.mark.parametrize("which", ["trajectories", "flow", "quiver"])
def test_motion_overlays_paint(canvas: Canvas, which: str) -> None:
    bare = canvas.grab().toImage()
    canvas.set_motion(turning(), 0.5)
    assert canvas.grab().toImage() == bare
    canvas.set_overlays(Overlays(**{which: True}))
    painted = canvas.grab().toImage()
    assert painted != bare
    canvas.set_overlays(Overlays(**{which: True, "opacity": 0.0}))
    assert canvas.grab().toImage() == bare


def test_the_dots_follow_the_time(canvas: Canvas) -> None:
    canvas.set_overlays(Overlays(trajectories=True))
    canvas.set_motion(motion := turning(), 0.0)
    start = canvas.grab().toImage()
    canvas.set_motion(motion, 1.0)
    assert canvas.grab().toImage() != start


def test_lines_follow_the_view_and_settle(qtbot, canvas: Canvas) -> None:
    canvas.set_motion(turning(), 0.5)
    canvas.set_overlays(Overlays(trajectories=True))
    canvas.grab()
    canvas.zoom_in()
    while_moving = canvas.grab().toImage()
    qtbot.waitUntil(lambda: canvas.settled, timeout=1000)
    assert canvas.grab().toImage() != while_moving


def test_the_error_overlay(canvas: Canvas) -> None:
    error = np.zeros((20, 30), np.float32)
    error[:, 15:] = 1
    canvas.set_error(error)
    canvas.set_overlays(Overlays(error=True))
    assert near(colour(canvas, 20, 100), (GREY, GREY, GREY))
    assert near(colour(canvas, 280, 100), (252, 255, 164))


def test_guidance_can_be_hidden(canvas: Canvas, document: Document) -> None:
    document.paint((0, 0, WIDTH, HEIGHT), document.add_region())
    document.set_camera(Arrow(0, 100))
    canvas.set_overlays(Overlays(guidance=False))
    assert colour(canvas, 150, 100) == (GREY, GREY, GREY)


@pytest.mark.parametrize("shape", [(200, 300, 3), (100, 150, 3), (400, 600, 3)])
def test_a_frame_of_any_size_takes_the_photos_place(canvas: Canvas, shape: tuple[int, int, int]) -> None:
    frame = np.zeros(shape, np.uint8)
    frame[:, shape[1] // 2 :] = (200, 30, 40)
    canvas.show_picture(frame)
    assert near(colour(canvas, 100, 100), (0, 0, 0))
    assert near(colour(canvas, 200, 100), (200, 30, 40))
    canvas.show_picture(None)
    assert colour(canvas, 100, 100) == (GREY, GREY, GREY)


def test_16_bits_are_shown(qtbot) -> None:
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.set_document(Document(Photo(np.full((HEIGHT, WIDTH, 3), 0x8123, np.uint16), "deep.tif", NO_BYTES)))
    assert colour(canvas, 100, 100) == (0x81, 0x81, 0x81)


def test_pixels_are_squares_when_zoomed_in_far(qtbot) -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:, 20:] = 255
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.set_document(Document(Photo(pixels, "edge.png", NO_BYTES)))
    canvas.zoom_by(16 / canvas.zoom)
    assert colour(canvas, 19.9, 20) == (0, 0, 0)
    assert colour(canvas, 20.1, 20) == (255, 255, 255)


def test_repainting_a_part_paints_what_the_whole_would(canvas: Canvas, document: Document) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    canvas.set_document(Document(Photo(pixels, "noise.png", NO_BYTES)))
    canvas.zoom_by(0.7)
    whole = canvas.grab().toImage()
    part = QImage(whole)
    part.fill(0)
    for x in range(0, 400, 100):
        canvas.render(part, QPoint(x, 0), canvas.rect().adjusted(x, 0, x - 300, 0))
    difference = np.abs(as_array(whole).astype(int) - as_array(part).astype(int))
    assert difference.max() <= 2


def as_array(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return rows[..., :3].copy()


def test_the_tint_and_its_image_share_memory() -> None:
    tint = Tint(40, 60)
    tint.words[7, 9] = 0xFF123456
    assert tint.image.pixel(9, 7) == 0xFF123456
    assert np.frombuffer(tint.image.constBits(), np.uint32).ctypes.data == tint.words.ctypes.data
    areas = np.zeros((40, 60), np.uint8)
    areas[10:20, 10:20] = 2
    assert tint.refresh(areas, (5, 5, 15, 15)) == (5, 5, 15, 15)
    assert tint.image.pixelColor(12, 12).alpha() == round(colours.TINT_ALPHA * 255)
    assert tint.image.pixelColor(17, 17).alpha() == 0


SHARP = """
import numpy as np
from PySide6.QtWidgets import QApplication
from app.document import Document
from app.photo import Photo
from app.ui.canvas import Canvas
application = QApplication([])
columns = np.zeros((40, 60, 3), np.uint8)
columns[:, ::2] = 255
canvas = Canvas()
canvas.resize(301, 203)
canvas.set_document(Document(Photo(columns, "columns.png", np.zeros(0, np.uint8))))
canvas.zoom_to_actual()
grabbed = canvas.grab().toImage()
corner = canvas.to_view(0, 0) * grabbed.devicePixelRatio()
x, y = round(corner.x()), round(corner.y())
print(grabbed.devicePixelRatio(), [grabbed.pixelColor(x + i, y + 20).red() for i in range(60)] == [255, 0] * 30)
"""


@pytest.mark.parametrize("ratio", ["1.25", "1.5", "2.0"])
def test_a_photo_at_100_percent_is_sharp_on_any_screen(ratio: str) -> None:
    environment = os.environ | {"QT_SCALE_FACTOR": ratio, "QT_QPA_PLATFORM": "offscreen"}
    told = subprocess.run([sys.executable, "-c", SHARP], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert told.stdout.split() == [ratio, "True"], told.stderr


def test_no_document_is_an_empty_canvas(qtbot) -> None:
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(200, 100)
    QTest.mouseClick(canvas, LEFT)
    key(canvas, Qt.Key.Key_Delete)
    canvas.zoom_in()
    canvas.show_picture(None)
    assert canvas.grab().toImage().pixelColor(10, 10) == canvas.grab().toImage().pixelColor(190, 90)


def test_a_document_that_is_left_is_not_heard_any_more(canvas: Canvas, document: Document) -> None:
    canvas.set_document(None)
    document.paint((0, 0, 10, 10), document.add_region())
    assert not document._listeners


def test_unknown_tools_are_refused(canvas: Canvas) -> None:
    with pytest.raises(ValueError, match="expected a tool out of pan, brush, eraser, lasso, arrow, pick, got spoon"):
        canvas.set_tool("spoon")


def references_after(action: Callable[[], None], times: int) -> int:
    before = sys.getrefcount(None)
    for _ in range(times):
        action()
    return sys.getrefcount(None) - before


def test_the_count_of_none_is_stable_over_1000_updates(canvas: Canvas, document: Document) -> None:
    document.set_camera(Arrow(0, 80))
    canvas.set_motion(Motion.from_flow(np.ones((20, 30, 2), np.float32) * 9), 0.5)
    canvas.set_overlays(Overlays(trajectories=True, quiver=True))
    painted = []

    def update() -> None:
        canvas.update()
        canvas.repaint()
        QApplication.processEvents()

    original = canvas.paintEvent
    canvas.paintEvent = lambda event: (painted.append(1), original(event))[1]
    update()
    lost = references_after(update, 1000)
    assert len(painted) > 1000
    assert abs(lost) < 200


def test_times_of_a_motion_need_not_be_even(canvas: Canvas) -> None:
    times = np.array([0.0, 0.1, 1.0], np.float32)
    field = np.ones((3, 20, 30, 2), np.float32) * np.array([-8, 0, 8], np.float32)[:, None, None, None]
    canvas.set_overlays(Overlays(trajectories=True))
    canvas.set_motion(Motion(times, -field, field), float(instants(5)[1]))
    assert canvas.grab().toImage().pixelColor(200, 150).isValid()


# Picked pixels


def test_a_picked_pixel_shows_its_way_from_start_to_end_and_its_kernel(canvas: Canvas) -> None:
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0] = 60
    canvas.set_motion(Motion.from_flow(flow), 0.5)
    canvas.set_tool("pick")
    press(canvas, 100, 100)
    QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, at(canvas, 100, 100))
    assert canvas.picks == ((100, 100),)
    start, end = (
        QColor.fromRgba(word).getRgb()[:3] for word in (colours.time_colours(32)[0], colours.time_colours(32)[-1])
    )
    assert near(colour(canvas, 70, 100), start)
    assert near(colour(canvas, 126, 100), end)
    assert colour(canvas, 60, 100) == (GREY, GREY, GREY)
    tile = 131 + GAP + TILE / 2
    assert min(colour(canvas, tile, 100)) > 200
    assert max(colour(canvas, tile, 85)) < 60
    canvas.clear_picked()
    assert colour(canvas, 70, 100) == colour(canvas, tile, 85) == (GREY, GREY, GREY)


def test_a_picked_pixel_is_dragged_and_kept_within_the_photo(canvas: Canvas) -> None:
    heard = []
    canvas.picked.connect(heard.append)
    canvas.set_tool("pick")
    drag(canvas, (100, 100), (150, 120), (500, 120))
    assert heard == [((100, 100),), ((150, 120),), ((WIDTH - 1, 120),)]
    press(canvas, 50, 50)
    key(canvas, Qt.Key.Key_Escape)
    QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, at(canvas, 50, 50))
    assert canvas.picks == ((WIDTH - 1, 120),)

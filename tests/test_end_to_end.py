"""The main job as a person does it, with pointer and keyboard, from a sample to a GIF that moves the right way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton, QSpinBox, QToolBar

from app.samples import samples
from app.ui.canvas import Canvas
from app.ui.export_dialog import ExportDialog

PATIENCE = 240_000
CLOCK = (205, 150)
REACH = 30
DRAGGED = 36


def drag(canvas: Canvas, places: Sequence[tuple[float, float]]) -> None:
    """Press at the first of these photo px, move over the others, let go at the last."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    kinds = [QEvent.Type.MouseButtonPress, *[QEvent.Type.MouseMove] * (len(places) - 1), QEvent.Type.MouseButtonRelease]
    for kind, place in zip(kinds, [*places, places[-1]], strict=True):
        at = canvas.to_view(*place)
        button = none if kind == QEvent.Type.MouseMove else left
        held = none if kind == QEvent.Type.MouseButtonRelease else left
        there = QPointF(canvas.mapToGlobal(at))
        QApplication.sendEvent(canvas, QMouseEvent(kind, at, there, button, held, Qt.KeyboardModifier.NoModifier))
        QTest.qWait(5)


def press_tool(shell, name: str, qtbot) -> None:
    """By its button: a shortcut needs an active window, which a bare X display without window manager never has."""
    bar = shell.findChild(QToolBar, "tools")
    qtbot.mouseClick(bar.widgetForAction(shell.actions_by_name[name]), Qt.MouseButton.LeftButton)


def displacement(first: np.ndarray, last: np.ndarray, place: tuple[int, int]) -> tuple[float, float]:
    """Where the square about `place` in the first picture went to in the last, px."""
    half = 24
    x, y = place[0] - half, place[1] - half
    patch = np.ascontiguousarray(first[y : y + 2 * half, x : x + 2 * half])
    found = cv2.matchTemplate(last, patch, cv2.TM_CCOEFF_NORMED)
    _, likeness, _, (column, row) = cv2.minMaxLoc(found)
    assert likeness > 0.7
    return column - x, row - y


def export_gif(shell, path: Path, qtbot) -> None:
    shell.actions_by_name["export"].trigger()
    dialog = shell.findChild(ExportDialog)
    dialog.choose("GIF")
    dialog._mode.setCurrentText("Forward")
    dialog.go.click()
    where = shell.findChild(QFileDialog)
    where.selectFile(str(path))
    where.accept()
    qtbot.waitUntil(path.is_file, timeout=PATIENCE)


def test_a_sample_becomes_a_gif_that_moves_the_right_way(shell, tmp_path, qtbot):
    clock = [sample.name for sample in samples()].index("clock")
    qtbot.mouseClick(shell.welcome._cards[clock], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shell.desk.document is not None, timeout=PATIENCE)
    document, canvas = shell.desk.document, shell.canvas
    qtbot.waitUntil(canvas.isVisible)
    QTest.qWait(50)
    document.set_camera(None)

    press_tool(shell, "brush", qtbot)
    canvas.set_brush_size(2 * REACH)
    x, y = CLOCK
    drag(canvas, [(x - 20, y), (x, y - 8), (x + 20, y), (x, y + 8), (x - 20, y)])
    assert len(document.guidance.regions) == 1
    assert document.guidance.areas[y, x] == 1

    press_tool(shell, "arrow", qtbot)
    drag(canvas, [(x - DRAGGED // 2, y), (x - 5, y), (x + 5, y), (x + DRAGGED // 2, y)])
    arrow = document.guidance.regions[0].arrow
    assert arrow.length == pytest.approx(DRAGGED, abs=2)
    assert arrow.degrees % 360 == pytest.approx(0, abs=3)

    for name, value in (("Frames", 7), ("Iterations", 3)):
        next(box for box in shell.recover.findChildren(QSpinBox) if box.accessibleName() == name).setValue(value)
    qtbot.mouseClick(shell.recover.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert shell.recovering.running
    qtbot.waitUntil(lambda: bool(document.recoveries), timeout=PATIENCE)
    qtbot.waitUntil(lambda: shell.player.playing, timeout=PATIENCE)

    scrubber = shell.timeline.scrubber
    place = QPointF(scrubber.x_of(0.25), 20).toPoint()
    qtbot.mouseClick(scrubber, Qt.MouseButton.LeftButton, pos=place)
    assert not shell.player.playing
    assert shell.player.position == pytest.approx(0.25, abs=0.01)

    path = tmp_path / "clock.gif"
    export_gif(shell, path, qtbot)
    with Image.open(path) as gif:
        frames = [np.array(frame.convert("L")) for frame in ImageSequence.Iterator(gif)]
    assert len(frames) == 15
    assert frames[0].shape == document.photo.pixels.shape[:2]
    right, down = displacement(frames[0], frames[-1], (x - DRAGGED // 2, y))
    assert right == pytest.approx(arrow.length, abs=4)
    assert down == pytest.approx(0, abs=3)
    assert displacement(frames[0], frames[7], (x - DRAGGED // 2, y))[0] == pytest.approx(arrow.length / 2, abs=4)


def test_undoing_everything_leads_back_to_the_start(shell, qtbot):
    qtbot.mouseClick(shell.welcome._cards[-1], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shell.desk.document is not None, timeout=PATIENCE)
    document = shell.desk.document
    before = document.guidance.areas.copy(), document.guidance.regions, document.guidance.camera
    QTest.qWait(50)
    shell.canvas.set_tool("brush")
    drag(shell.canvas, [(60, 60), (90, 80), (120, 60)])
    shell.canvas.set_tool("arrow")
    drag(shell.canvas, [(90, 75), (110, 95)])
    assert document.guidance.regions
    while shell.actions_by_name["undo"].isEnabled():
        press_tool(shell, "undo", qtbot)
    np.testing.assert_array_equal(document.guidance.areas, before[0])
    assert (document.guidance.regions, document.guidance.camera) == before[1:]
    assert not document.modified


@pytest.mark.skipif(not shutil.which("Xvfb") or "UNSHUTTER_ON_X" in os.environ, reason="needs Xvfb, once")
def test_the_same_on_a_real_x_display():
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=(writing,), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading) as display:
            number = display.readline().strip()
        environment = {**os.environ, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "UNSHUTTER_ON_X": "1"}
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", __file__]
        child = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=290)
        assert child.returncode == 0, child.stdout
    finally:
        server.terminate()
        server.wait(10)

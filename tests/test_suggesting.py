"""A suggestion in the window: one step that can be undone, over whatever was painted, and editable like it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.document import Document
from app.photo import Photo
from app.ui import suggesting, theme
from app.ui.window import Window
from models.motion import Arrow

PATIENCE = 60_000
SIZE = (60, 80)


@pytest.fixture
def shell(qtbot, monkeypatch) -> Iterator[Window]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    theme.apply()
    window = Window("trial_engines")
    window.suggesting.engine = "trial"
    window.recovering.set_live(False)
    window.resize(1280, 820)
    window.show()
    yield window
    window.files.leave_at_once()
    window.close()
    window.deleteLater()


def opened(shell: Window, level: int = 120) -> Document:
    pixels = np.full((*SIZE, 3), level, np.uint8)
    document = Document(Photo(pixels, "some.png", np.zeros(1, np.uint8)))
    shell.desk.set_document(document)
    return document


def offer(shell: Window, qtbot) -> None:
    shell.actions_by_name["suggest"].trigger()
    assert shell.suggesting.running
    qtbot.waitUntil(lambda: not shell.suggesting.running, timeout=PATIENCE)


def suggest(shell: Window, qtbot) -> None:
    """Have suggestions made, and take the first."""
    offer(shell, qtbot)
    if shell.suggesting.offering:
        shell.suggestions.loops[0].click()


def test_it_arrives_as_one_step_on_a_photo_that_was_just_opened(shell, qtbot):
    document = opened(shell)
    assert shell.motion.suggest_row.isVisible()
    suggest(shell, qtbot)
    assert document.guidance.camera == Arrow(0, 4)
    assert [(one.name, one.arrow) for one in document.guidance.regions] == [("thing 1", Arrow(90, 6))]
    assert (document.guidance.areas[:30, :40] == 1).all()
    assert document.undo_text == "Suggest motion"
    assert shell.error_bar.sentence == ""
    assert not shell.motion.suggest_row.isVisible()
    shell.actions_by_name["undo"].trigger()
    assert not document.guidance.says_motion()
    assert not document.guidance.areas.any()
    assert not document.can_undo
    shell.actions_by_name["redo"].trigger()
    assert document.guidance.regions[0].arrow == Arrow(90, 6)


def test_painted_work_is_offered_back(shell, qtbot):
    document = opened(shell)
    document.paint((20, 10, 60, 50), document.add_region("mine"), joins=True)
    suggest(shell, qtbot)
    assert [one.name for one in document.guidance.regions] == ["thing 1"]
    assert shell.error_bar.sentence == suggesting.REPLACED
    shell.error_bar._buttons[0].click()
    assert [one.name for one in document.guidance.regions] == ["thing 1", "mine"]
    assert (document.guidance.areas[10:50, 20:60] == 1).all()
    assert document.guidance.areas[5, 5] == document.guidance.regions[0].number == 2
    assert document.guidance.camera == Arrow(0, 4)
    shell.actions_by_name["undo"].trigger()
    assert [one.name for one in document.guidance.regions] == ["mine"]
    assert np.count_nonzero(document.guidance.areas) == 1600


def test_the_offer_ends_when_something_else_is_done(shell, qtbot):
    document = opened(shell)
    document.set_camera(Arrow(45, 9))
    suggest(shell, qtbot)
    assert shell.error_bar.sentence == suggesting.REPLACED
    document.undo()
    assert shell.error_bar.sentence == ""
    assert document.guidance.camera == Arrow(45, 9)


def test_a_stroke_in_the_hand_is_kept_for_undo(shell, qtbot):
    document = opened(shell)
    shell.actions_by_name["suggest"].trigger()
    qtbot.waitUntil(lambda: shell.suggesting.offering, timeout=PATIENCE)
    canvas = shell.canvas
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=canvas.to_view(40, 30).toPoint())
    QTest.mouseMove(canvas, canvas.to_view(50, 30).toPoint())
    shell.suggesting.take(0)
    assert document.guidance.regions[0].name == "thing 1"
    document.undo()
    assert document.guidance.areas[30, 40] == 1
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=canvas.to_view(50, 30).toPoint())


def test_nothing_found_is_told_and_changes_nothing(shell, qtbot):
    document = opened(shell, 0)
    document.set_camera(Arrow(45, 9))
    suggest(shell, qtbot)
    assert shell.error_bar.sentence == suggesting.NOTHING
    assert document.guidance.camera == Arrow(45, 9)


def test_it_can_be_cancelled_and_shows_how_far_it_is(shell, qtbot):
    document = opened(shell, 255)
    row = shell.motion.suggest_row
    qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: row._step.text() == "waiting", timeout=PATIENCE)
    assert row.button.text() == "Cancel"
    assert row._bar.isVisible()
    assert not shell.actions_by_name["recover"].isEnabled()
    qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not shell.suggesting.running, timeout=PATIENCE)
    assert row.button.text() == "Suggest motion"
    assert not row._bar.isVisible()
    assert shell.actions_by_name["recover"].isEnabled()
    assert not document.can_undo


def test_another_document_does_not_get_it(shell, qtbot):
    opened(shell, 255)
    shell.actions_by_name["suggest"].trigger()
    other = opened(shell)
    assert not shell.suggesting.running
    suggest(shell, qtbot)
    assert other.guidance.regions


def test_a_failure_is_told_and_can_be_tried_again(shell, qtbot):
    document = opened(shell)
    shell.suggesting.engine = "nothing"
    suggest(shell, qtbot)
    assert "no engine called nothing" in shell.error_bar.sentence
    shell.suggesting.engine = "trial"
    shell.error_bar._buttons[0].click()
    qtbot.waitUntil(lambda: shell.suggesting.offering, timeout=PATIENCE)
    assert not document.guidance.regions


def test_suggested_regions_are_edited_like_painted_ones(shell, qtbot):
    document = opened(shell)
    suggest(shell, qtbot)
    assert shell.canvas.selected is None
    shell.motion.regions.item(0).setText("ball")
    assert document.guidance.regions[0].name == "ball"
    shell.canvas.select(1)
    shell.actions_by_name["flip"].trigger()
    assert document.guidance.regions[0].arrow == Arrow(270, 6)
    shell.canvas.set_tool("brush")
    shell.canvas.set_brush_size(6)
    shell.canvas.select(1)
    qtbot.mouseClick(shell.canvas, Qt.MouseButton.LeftButton, pos=shell.canvas.to_view(60, 50).toPoint())
    assert document.guidance.areas[50, 60] == 1
    shell.canvas.set_tool("eraser")
    qtbot.mouseClick(shell.canvas, Qt.MouseButton.LeftButton, pos=shell.canvas.to_view(10, 10).toPoint())
    assert document.guidance.areas[10, 10] == 0
    shell.actions_by_name["delete_region"].trigger()
    assert not document.guidance.regions
    assert not document.guidance.areas.any()
    while document.can_undo:
        document.undo()
    assert not document.guidance.areas.any()
    assert document.guidance.camera is None


def test_the_shipped_network_suggests_something_or_says_so(shell, qtbot):
    shell.suggesting.engine = "trajectory"
    dice = np.random.default_rng(3).integers(0, 255, (SIZE[0], SIZE[1] + 12, 3))
    blurred = np.mean([dice[:, n : n + SIZE[1]] for n in range(12)], 0).astype(np.uint8)
    document = Document(Photo(blurred, "some.png", np.zeros(1, np.uint8)))
    shell.desk.set_document(document)
    suggest(shell, qtbot)
    assert document.guidance.says_motion() == (shell.error_bar.sentence == "")
    assert shell.error_bar.sentence in ("", suggesting.NOTHING)


def test_five_moving_suggestions_are_offered_and_one_is_taken_by_the_keyboard(shell, qtbot):
    document = opened(shell)
    offer(shell, qtbot)
    strip = shell.suggestions
    assert strip.isVisible()
    assert len(strip.loops) == len(strip.buttons) == 5
    assert not document.can_undo
    before = strip.loops[0].icon().cacheKey()
    qtbot.waitUntil(lambda: strip.loops[0].icon().cacheKey() != before, timeout=PATIENCE)
    QTest.keyClick(strip.loops[0], Qt.Key.Key_Right)
    assert strip.loops[1].hasFocus()
    QTest.keyClick(strip.loops[1], Qt.Key.Key_Return)
    assert document.guidance.regions[0].arrow == Arrow(180, 6)
    assert not strip.isVisible()
    assert shell.canvas.hasFocus()
    document.undo()
    assert not document.can_undo


def test_more_like_one_are_a_little_different_from_it(shell, qtbot):
    document = opened(shell)
    offer(shell, qtbot)
    qtbot.mouseClick(shell.suggestions.buttons[2], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not shell.suggesting.running, timeout=PATIENCE)
    assert len(shell.suggestions.loops) == 5
    shell.suggesting.take(1)
    arrow = document.guidance.regions[0].arrow
    assert arrow is not None
    assert arrow != Arrow(270, 6)
    assert abs(arrow.degrees - 270) < 90


def test_escape_takes_none(shell, qtbot):
    document = opened(shell)
    offer(shell, qtbot)
    QTest.keyClick(shell.suggestions.loops[0], Qt.Key.Key_Escape)
    assert not shell.suggestions.isVisible()
    assert not shell.suggesting.offering
    assert not document.can_undo


def test_what_was_offered_for_another_photo_is_gone(shell, qtbot):
    opened(shell)
    offer(shell, qtbot)
    opened(shell)
    assert not shell.suggestions.isVisible()
    assert not shell.suggesting.offering

"""Refining in the window: what is seen while it looks, one step at the end, and whose edit counts."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from tiny_pan import panned, pixels

from app.document import Document, SetCamera, SetRegions
from app.photo import Photo
from models.guidance import NO_REGION, Guidance, Region
from models.motion import Arrow

PATIENCE = 120_000
SIZE = (240, 480)
PAN = 24
ROUGH = Arrow(20, 1.4 * PAN)


def photo() -> Photo:
    """A pan of `PAN` px to the right; smooth in the lower right."""
    grey = panned(PAN, *SIZE, octaves=(2, 4, 8, 16, 32))
    grey[170:, 240:] = 0.5
    return Photo(pixels(grey), "some.png", np.zeros(1, np.uint8))


def opened(shell, *regions: Region, camera: Arrow | None = None) -> Document:
    """A document with as many of two halves as regions painted, the second less the smooth corner, which is third."""
    areas = np.zeros(SIZE, np.uint8)
    numbers = {one.number for one in regions}
    for number, where in ((1, np.s_[:, :240]), (2, np.s_[:170, 240:]), (3, np.s_[170:, 240:])):
        areas[where] = number if number in numbers else NO_REGION
    document = Document(photo(), Guidance(areas, regions, camera))
    shell.desk.set_document(document)
    return document


def halves() -> tuple[Region, Region]:
    return Region(1, "left", ROUGH), Region(2, "right", ROUGH)


def off(arrow: Arrow | None) -> float:
    """How far an arrow is from the truth, px."""
    assert arrow is not None
    return float(np.linalg.norm(arrow.vector() - (PAN, 0)))


def arrows(document: Document) -> list[Arrow | None]:
    return [one.arrow for one in document.guidance.regions]


def refine(shell, qtbot) -> None:
    assert shell.actions_by_name["refine"].isEnabled()
    shell.actions_by_name["refine"].trigger()
    assert shell.refining.running
    qtbot.waitUntil(lambda: not shell.refining.running, timeout=PATIENCE)


def at_the_first_find(shell, do) -> None:
    """Do something as soon as an arrow has moved."""
    done = []

    def progressed(fraction: float, _step: str) -> None:
        if fraction >= 0.5 and not done:
            done.append(fraction)
            do()

    shell.refining.progressed.connect(progressed)


def test_a_rough_arrow_is_fitted_in_one_step(shell, qtbot):
    document, kept = opened(shell, camera=ROUGH), []
    document.journal = lambda edit, joins: kept.append((type(edit), joins))
    refine(shell, qtbot)
    assert off(document.guidance.camera) < 0.4 * off(ROUGH)
    assert kept == [(SetRegions, False), (SetCamera, True)]
    assert document.undo_text == "Refine arrows"
    assert shell.canvas.hand.found == {NO_REGION: document.guidance.camera}
    assert shell.error_bar.sentence == ""
    shell.actions_by_name["undo"].trigger()
    assert document.guidance.camera == ROUGH
    assert shell.canvas.hand.found == {}
    assert not document.can_undo
    shell.actions_by_name["redo"].trigger()
    assert off(document.guidance.camera) < 0.4 * off(ROUGH)


def test_it_can_be_done_only_where_there_is_an_arrow(shell, qtbot):
    action, row = shell.actions_by_name["refine"], shell.motion.refine_row
    assert not action.isEnabled()
    document = opened(shell, Region(1, "left", ROUGH), Region(2, "pinned", Arrow(0, 0)))
    assert action.isEnabled()
    assert row.isVisible()
    shell.canvas.select(2)
    assert not action.isEnabled()
    assert not row.button.isEnabled()
    shell.canvas.select(1)
    assert action.isEnabled()
    document.set_arrow(1, None)
    assert not row.isVisible()
    assert not action.isEnabled()
    assert shell.motion.suggest_row.isHidden()


def test_only_what_is_selected_is_refined(shell, qtbot):
    document = opened(shell, *halves(), camera=ROUGH)
    shell.canvas.select(2)
    qtbot.mouseClick(shell.motion.refine_row.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not shell.refining.running, timeout=PATIENCE)
    left, right = arrows(document)
    assert left == document.guidance.camera == ROUGH
    assert off(right) < 0.5 * off(ROUGH)


def test_arrows_move_and_the_preview_follows_before_the_document_changes(shell, qtbot):
    document = opened(shell, *halves())
    shell.recovering.set_live(True)
    seen = []

    def look() -> None:
        seen.append((dict(shell.canvas.hand.found), arrows(document), shell.showing.is_preview))

    shell.recovering.previewed.connect(lambda _: look())
    refine(shell, qtbot)
    assert len(seen) == 1
    found, drawn, previewed = seen[0]
    assert off(found[1]) < 0.5 * off(ROUGH)
    assert found[2] == ROUGH
    assert drawn == [ROUGH, ROUGH]
    assert previewed
    assert all(off(arrow) < 0.5 * off(ROUGH) for arrow in arrows(document))
    document.undo()
    assert not document.can_undo
    qtbot.waitUntil(lambda: not shell.recovering.previewing, timeout=PATIENCE)


def test_cancelled_it_leaves_the_arrows_as_they_were(shell, qtbot):
    document = opened(shell, *halves())
    at_the_first_find(shell, shell.actions_by_name["cancel"].trigger)
    refine(shell, qtbot)
    assert arrows(document) == [ROUGH, ROUGH]
    assert not document.can_undo
    assert shell.canvas.hand.found == {}
    assert shell.actions_by_name["refine"].isEnabled()
    assert shell.error_bar.sentence == ""


def test_the_row_cancels_and_nothing_else_begins_meanwhile(shell, qtbot):
    document = opened(shell, *halves())
    row = shell.motion.refine_row
    qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)
    assert row.button.text() == "Cancel"
    assert row._bar.isVisible()
    assert not shell.actions_by_name["recover"].isEnabled()
    assert not shell.actions_by_name["refine"].isEnabled()
    qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not shell.refining.running, timeout=PATIENCE)
    assert row.button.text() == "Refine"
    assert not row._bar.isVisible()
    assert not document.can_undo


def test_an_arrow_that_is_edited_meanwhile_stays_the_users(shell, qtbot):
    document = opened(shell, *halves())
    at_the_first_find(shell, lambda: document.set_arrow(1, Arrow(90, 5)))
    refine(shell, qtbot)
    edited, refined = arrows(document)
    assert edited == Arrow(90, 5)
    assert off(refined) < 0.5 * off(ROUGH)
    document.undo()
    assert arrows(document) == [Arrow(90, 5), ROUGH]
    document.undo()
    assert arrows(document) == [ROUGH, ROUGH]


def test_undo_meanwhile_is_an_edit_too(shell, qtbot):
    document = opened(shell, *halves())
    document.set_camera(ROUGH)
    document.set_arrow(1, Arrow(10, 30))
    at_the_first_find(shell, document.undo)
    refine(shell, qtbot)
    assert arrows(document)[0] == ROUGH
    assert off(arrows(document)[1]) < 0.5 * off(ROUGH)


@pytest.mark.parametrize("number", [1, 2])
def test_a_stroke_in_the_hand_is_waited_for(shell, qtbot, number):
    document = opened(shell, *halves())
    canvas, start = shell.canvas, {1: 120, 2: 360}[number]
    shell.actions_by_name["arrow"].trigger()
    shell.actions_by_name["refine"].trigger()
    tail, tip = (canvas.to_view(start + 5, y).toPoint() for y in (150, 100))
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=tail)
    QTest.mouseMove(canvas, tip)
    qtbot.waitUntil(lambda: not shell.refining.running, timeout=PATIENCE)
    assert arrows(document) == [ROUGH, ROUGH]
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=tip)
    drawn, refined = arrows(document)[number - 1], arrows(document)[2 - number]
    assert drawn is not None
    assert round(drawn.degrees) == 90
    assert off(refined) < 0.5 * off(ROUGH)
    assert document.undo_text == "Refine arrows"


def test_what_the_photo_does_not_show_stays_and_is_told(shell, qtbot):
    document = opened(shell, Region(3, "sky", Arrow(20, 30)))
    refine(shell, qtbot)
    assert shell.error_bar.sentence == (
        "The photo does not show clearly enough how sky moved: its arrow stays as it is."
    )
    assert not document.can_undo
    document.set_arrow(3, Arrow(0, 30))
    assert shell.error_bar.sentence == ""


def test_some_are_refined_and_the_others_named(shell, qtbot):
    document = opened(shell, Region(1, "left", ROUGH), Region(3, "sky", ROUGH))
    refine(shell, qtbot)
    assert off(arrows(document)[0]) < 0.5 * off(ROUGH)
    assert arrows(document)[1] == ROUGH
    assert "how sky moved" in shell.error_bar.sentence


def test_another_document_does_not_get_it(shell, qtbot):
    opened(shell, camera=ROUGH)
    shell.actions_by_name["refine"].trigger()
    other = opened(shell, camera=ROUGH)
    assert not shell.refining.running
    assert shell.canvas.hand.found == {}
    refine(shell, qtbot)
    assert off(other.guidance.camera) < 0.4 * off(ROUGH)

"""Videos in the window: the strip, picking a frame by mouse and keys, guidance as one step that can be undone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QMessageBox, QToolButton
from tiny_video import HEIGHT, SPEED, WIDTH, moving_video

from app.ui.video_strip import KINDS
from app.video import read_frames, read_video

PATIENCE = 120_000


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return moving_video(tmp_path / "moving.mp4", 40)


@pytest.fixture
def strip(shell, video, qtbot):
    shell.files.open_path(video)
    qtbot.waitUntil(shell.strip.isVisible, timeout=PATIENCE)
    return shell.strip


def picked(shell, strip, number: int, qtbot) -> None:
    """Click on a frame of the strip and wait for it."""
    strip.go_to(number)
    place = strip.list.visualRect(strip.list.currentIndex()).center()
    qtbot.mouseClick(strip.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    wait_for(shell, number, qtbot)


def wait_for(shell, number: int, qtbot) -> None:
    name = f"moving_{number:05d}.png"
    qtbot.waitUntil(
        lambda: shell.desk.document is not None and shell.desk.document.photo.name == name, timeout=PATIENCE
    )
    qtbot.waitUntil(lambda: not shell.file_jobs.busy, timeout=PATIENCE)


def has(strip, number: int) -> bool:
    return strip.list.model().index(number).data(Qt.ItemDataRole.DecorationRole) is not None


def test_pictures_come_for_what_is_in_sight_only(shell, strip, qtbot):
    assert strip.list.model().rowCount() == 40
    qtbot.waitUntil(lambda: has(strip, 0) and has(strip, 3), timeout=PATIENCE)
    assert not has(strip, 39)
    strip.go_to(39)
    qtbot.waitUntil(lambda: has(strip, 39), timeout=PATIENCE)
    assert not has(strip, 20)


def test_a_clicked_frame_opens_losslessly_with_its_guidance_as_one_step(shell, strip, video, qtbot):
    picked(shell, strip, 3, qtbot)
    document = shell.desk.document
    ((_, pixels),) = read_frames(read_video(video), [3])
    assert np.array_equal(document.photo.pixels, pixels)
    camera = document.guidance.camera
    assert camera.length == pytest.approx(SPEED / 2, rel=0.2)
    assert min(camera.degrees, 360 - camera.degrees) < 10
    assert document.undo_text == "Guidance from the video"
    assert not document.modified
    assert not shell.isWindowModified()
    document.undo()
    assert (document.guidance.camera, document.guidance.regions) == (None, ())
    assert not document.can_undo
    assert strip.isVisible()


def test_keys_pick_frames_too(shell, strip, qtbot):
    shell.activateWindow()
    strip.list.setFocus()
    qtbot.keyClick(strip.list, Qt.Key.Key_Right)
    qtbot.keyClick(strip.list, Qt.Key.Key_Right)
    assert strip.number.value() == 3
    qtbot.keyClick(strip.list, Qt.Key.Key_Return)
    wait_for(shell, 3, qtbot)
    strip.number.setValue(7)
    assert strip.list.currentIndex().row() == 7
    qtbot.keyClick(strip.list, Qt.Key.Key_Return)
    wait_for(shell, 7, qtbot)


def test_the_motion_of_every_pixel_instead(shell, strip, qtbot):
    strip.kind.setCurrentText(KINDS[1])
    strip.shutter.setValue(100)
    picked(shell, strip, 3, qtbot)
    document = shell.desk.document
    assert document.guidance.regions == ()
    flow = document.guidance.flow()[HEIGHT // 2, WIDTH // 2]
    assert flow == pytest.approx((SPEED, 0), abs=1)
    document.undo()
    assert document.guidance.motion is None


def test_the_first_frame_opens_and_says_that_it_has_none_before(shell, strip, qtbot):
    told = []
    shell.desk.told.connect(told.append)
    picked(shell, strip, 0, qtbot)
    assert any("has no frame before it" in sentence for sentence in told)
    assert not shell.desk.document.can_undo


def test_edits_are_asked_about_before_another_frame_comes(shell, strip, qtbot):
    picked(shell, strip, 3, qtbot)
    document = shell.desk.document
    document.set_camera(None)
    shell.videos.pick(4)
    box = shell.findChild(QMessageBox)
    box.button(QMessageBox.StandardButton.Cancel).click()
    assert shell.desk.document is document
    document.undo()
    shell.videos.pick(4)
    wait_for(shell, 4, qtbot)


def test_the_frame_picked_last_wins(shell, strip, qtbot):
    shell.videos.pick(3)
    shell.videos.pick(5)
    wait_for(shell, 5, qtbot)


def test_another_photo_puts_the_strip_away_and_so_does_its_cross(shell, strip, video, qtbot):
    picked(shell, strip, 3, qtbot)
    shell.files.close()
    assert not strip.isVisible()
    shell.files.open_path(video)
    qtbot.waitUntil(strip.isVisible, timeout=PATIENCE)
    cross = next(one for one in strip.findChildren(QToolButton) if one.accessibleName() == "Close the video")
    qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)
    assert not strip.isVisible()


def test_a_dropped_video_opens_and_a_bad_one_is_told(shell, video, tmp_path, qtbot):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(video))])
    shell.take(data)
    qtbot.waitUntil(shell.strip.isVisible, timeout=PATIENCE)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"nothing")
    shell.files.open_path(bad)
    qtbot.waitUntil(lambda: shell.error_bar.sentence != "", timeout=PATIENCE)
    assert shell.error_bar.sentence == "bad.mp4 cannot be read: it is damaged or not a video"
    assert shell.strip.isVisible()

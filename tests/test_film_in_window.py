"""A film in the window: frames marked by mouse and keys, made beside everything else, whole or not at all."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox, QToolButton
from tiny_video import moving_video

from app.film import FEWEST, MOST, Cut
from app.ui import theme
from app.ui.film_bar import FilmBar
from app.ui.film_row import PLAYS
from app.ui.window import Window
from app.video import read_video

PATIENCE = 120_000


@pytest.fixture
def shell(qtbot, monkeypatch) -> Iterator[Window]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    theme.apply()
    window = Window("trial_engines")
    window.recovering.set_live(False)
    window.resize(1280, 820)
    window.show()
    yield window
    window.files.leave_at_once()
    window.filming.cancel()
    over(window, qtbot)
    window.close()
    window.deleteLater()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return moving_video(tmp_path / "moving.mp4", 40)


@pytest.fixture
def strip(shell, video, qtbot):
    shell.files.open_path(video)
    qtbot.waitUntil(shell.strip.isVisible, timeout=PATIENCE)
    shell.activateWindow()
    return shell.strip


@pytest.fixture
def bar(shell) -> FilmBar:
    return shell.findChild(FilmBar)


def middle(strip, number: int):
    return strip.list.visualRect(strip.list.model().index(number)).center()


def film(shell, path: Path, qtbot) -> None:
    """Press the button and choose a file."""
    qtbot.mouseClick(shell.strip.film.go, Qt.MouseButton.LeftButton)
    dialog = shell.findChild(QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.reject()


def over(shell, qtbot) -> None:
    qtbot.waitUntil(lambda: not shell.filming.running, timeout=PATIENCE)


def endless(shell, path: Path, qtbot) -> None:
    """Begin a film that is never finished, and wait until it has got on a bit."""
    shell.recovering.engine = "endless"
    film(shell, path, qtbot)
    with qtbot.waitSignal(shell.filming.progressed, timeout=PATIENCE, check_params_cb=lambda done, *_: done > 0):
        pass


def test_at_first_the_whole_video_is_marked(strip):
    assert strip.film.stretch == (0, 39)
    assert strip.film._note.text() == "As a film, frames 0 to 39 become 317: 12.7 s at 25 a second."


def test_frames_dragged_over_are_marked_and_none_is_opened(shell, strip, qtbot):
    view = strip.list.viewport()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=middle(strip, 2))
    for number in (3, 4, 5):
        qtbot.mouseMove(view, middle(strip, number))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=middle(strip, 5))
    assert strip.film.stretch == (2, 5)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, middle(strip, 7))
    assert strip.film.stretch == (2, 7)
    assert not shell.file_jobs.busy
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=middle(strip, 4))
    assert shell.file_jobs.busy
    assert strip.film.stretch == (2, 7)


def test_keys_mark_frames(shell, strip, qtbot):
    strip.go_to(3)
    for _ in range(2):
        qtbot.keyClick(strip.list, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert strip.film.stretch == (3, 5)
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(strip.list, Qt.Key.Key_Right)
    qtbot.keyClick(shell, Qt.Key.Key_O, both)
    assert strip.film.stretch == (3, 6)
    strip.go_to(9)
    qtbot.keyClick(shell, Qt.Key.Key_I, both)
    assert strip.film.stretch == (9, 9)
    qtbot.keyClick(strip.list, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert strip.film.stretch == (0, 39)


def test_no_stretch_ends_before_it_begins(strip):
    strip.film.last.setValue(10)
    strip.film.first.setValue(20)
    assert strip.film.stretch == (20, 20)
    strip.film.last.setValue(5)
    assert strip.film.stretch == (5, 5)


def test_the_fields_say_what_the_command_would(strip):
    assert (strip.film.steps.minimum(), strip.film.steps.maximum(), strip.film.steps.value()) == (FEWEST, MOST, 8)
    strip.film.set_stretch(3, 6)
    assert strip.film.cut() == Cut(8, 0.5, 3, 6)
    strip.shutter.setValue(75)
    strip.film.steps.setValue(4)
    strip.film.plays.setCurrentText(PLAYS[1])
    assert strip.film.cut() == Cut(4, 0.75, 3, 6, fps=100)
    assert "frames 3 to 6 become 16: 0.2 s at 100 a second" in strip.film._note.text()
    strip.film.steps.setValue(32)
    assert strip.film._note.text() == "a film has 1 to 480 frames a second, got 800."


def test_a_film_is_made_and_its_folder_can_be_shown(shell, strip, bar, tmp_path, qtbot):
    told = []
    shell.desk.told.connect(told.append)
    strip.film.set_stretch(2, 4)
    strip.film.steps.setValue(2)
    film(shell, tmp_path / "film.mp4", qtbot)
    assert bar.isVisible()
    assert not strip.film.go.isEnabled()
    over(shell, qtbot)
    assert read_video(tmp_path / "film.mp4").frames == 6
    assert told[-1] == f"Exported {tmp_path / 'film.mp4'}"
    assert not bar.isVisible()
    assert strip.film.go.isEnabled()
    asked = _Shown()
    QDesktopServices.setUrlHandler("file", asked, "show")
    qtbot.mouseClick(shell._show_file, Qt.MouseButton.LeftButton)
    QDesktopServices.unsetUrlHandler("file")
    assert asked.folders == [str(tmp_path)]
    shell.desk.told.emit("Something else.")
    assert not shell._show_file.isVisible()


def test_frames_are_opened_and_recovered_meanwhile(shell, strip, tmp_path, qtbot):
    endless(shell, tmp_path / "film.mp4", qtbot)
    shell.videos.pick(4)
    qtbot.waitUntil(lambda: shell.desk.document is not None and not shell.file_jobs.busy, timeout=PATIENCE)
    shell.recovering.engine = "drawn"
    shell.recovering.start()
    with qtbot.waitSignal(shell.recovering.recovered, timeout=PATIENCE):
        pass
    assert shell.filming.running


def test_a_cancelled_film_leaves_nothing(shell, strip, bar, tmp_path, qtbot):
    before = sorted(tmp_path.iterdir())
    endless(shell, tmp_path / "film.mp4", qtbot)
    assert bar.words.text().startswith("Making film.mp4, frame 0, 1 of 40")
    cross = next(one for one in bar.findChildren(QToolButton) if one.accessibleName() == "Cancel the film")
    qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)
    over(shell, qtbot)
    assert sorted(tmp_path.iterdir()) == before
    assert shell.statusBar().currentMessage() == "Cancelled film.mp4."


@pytest.mark.parametrize("how", ["cancelled", "crashed"])
def test_a_worker_ended_by_force_leaves_nothing_either(shell, strip, tmp_path, qtbot, how):
    before = sorted(tmp_path.iterdir())
    endless(shell, tmp_path / "film.mp4", qtbot)
    assert sorted(tmp_path.iterdir()) != before
    process = shell.workers.client("film").process_id
    os.kill(process, signal.SIGSTOP if how == "cancelled" else signal.SIGKILL)
    shell.filming.cancel()
    over(shell, qtbot)
    qtbot.waitUntil(lambda: sorted(tmp_path.iterdir()) == before, timeout=PATIENCE)


def test_cancel_stops_a_film_only_where_nothing_else_runs(shell, strip, tmp_path, qtbot):
    endless(shell, tmp_path / "film.mp4", qtbot)
    shell.videos.pick(4)
    shell.actions_by_name["cancel"].trigger()
    qtbot.waitUntil(lambda: not shell.file_jobs.busy, timeout=PATIENCE)
    assert shell.filming.running
    shell.actions_by_name["cancel"].trigger()
    over(shell, qtbot)
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("moving.mp4", "moving.mp4 is the video itself"), ("film.gif", "film.gif has a kind that is not written here")],
)
def test_a_file_that_will_not_do_is_told(shell, strip, video, tmp_path, qtbot, name, sentence):
    before = video.read_bytes()
    film(shell, tmp_path / name, qtbot)
    over(shell, qtbot)
    assert shell.error_bar.sentence.startswith(sentence)
    assert video.read_bytes() == before
    assert not (tmp_path / "film.gif").exists()


def test_a_bad_stretch_is_told(shell, strip, tmp_path, qtbot):
    shell.filming.film_to(tmp_path / "film.mp4", strip.video, Cut(first=30, last=40))
    over(shell, qtbot)
    assert shell.error_bar.sentence == "moving.mp4 has the frames 0 to 39, got 30 to 40"
    assert not (tmp_path / "film.mp4").exists()


def test_a_video_that_ends_early_is_told(shell, strip, video, tmp_path, qtbot):
    moving_video(tmp_path / "shorter.mp4", 6).replace(video)
    before = sorted(tmp_path.iterdir())
    strip.film.set_stretch(4, 8)
    film(shell, tmp_path / "film.mp4", qtbot)
    over(shell, qtbot)
    assert shell.error_bar.sentence == "frame 6 of moving.mp4 cannot be decoded: the file is damaged there"
    assert sorted(tmp_path.iterdir()) == before


def test_closing_the_window_asks_while_a_film_is_made(shell, strip, tmp_path, qtbot):
    before = sorted(tmp_path.iterdir())
    endless(shell, tmp_path / "film.mp4", qtbot)
    shell.close()
    box = shell.findChild(QMessageBox)
    assert box.text() == "film.mp4 is not finished."
    assert box.defaultButton().text() == "Go on"
    box.defaultButton().click()
    assert shell.isVisible()
    assert shell.filming.running
    shell.close()
    boxes = [one for one in shell.findChildren(QMessageBox) if one.isVisible()]
    next(one for one in boxes[0].buttons() if one.text() == "Give it up").click()
    assert not shell.isVisible()
    assert sorted(tmp_path.iterdir()) == before


class _Shown(QObject):
    """Stands in for the system's file manager."""

    def __init__(self) -> None:
        super().__init__()
        self.folders: list[str] = []

    @Slot(QUrl)
    def show(self, url: QUrl) -> None:
        self.folders.append(url.toLocalFile())

"""The window as a whole: opening, saving, playing, what it says when something does not work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.document import Document
from app.jobs import Flip, Recover
from app.samples import samples
from app.session import Session, recoverable
from app.ui import main, theme
from app.ui.export_dialog import FORMATS
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion
from models.recovery import Recovery

SIZE = (48, 64)
PATIENCE = 60_000


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "some.png"
    Image.fromarray(np.random.default_rng(2).integers(0, 255, (*SIZE, 3), np.uint8)).save(path)
    return path


@pytest.fixture
def opened(shell, picture, qtbot) -> Document:
    shell.files.open_path(picture)
    qtbot.waitUntil(lambda: shell.desk.document is not None, timeout=PATIENCE)
    return shell.desk.document


def recovery(count: int = 5) -> Recovery:
    frames = np.stack([np.full((*SIZE, 3), 50 * number, np.uint8) for number in range(count)])
    times = np.linspace(0, 1, count, dtype=np.float32)
    return Recovery(frames, times, Motion.from_flow(np.full((*SIZE, 2), (6, 0), np.float32), count), "drawn")


def test_an_empty_window_welcomes(shell):
    assert shell.welcome.isVisible()
    assert len(shell.welcome._cards) == len(samples())
    assert not shell.actions_by_name["recover"].isEnabled()


def test_a_photo_opens_and_is_remembered(shell, opened, picture):
    assert opened.photo.pixels.shape == (*SIZE, 3)
    assert shell.windowTitle() == "some.png[*] — Unshutter"
    shell.actions_by_name["welcome"].trigger()
    assert shell.welcome.isVisible()
    assert any(button.text() == "some.png" for button in shell.welcome.findChildren(QWidget) if hasattr(button, "text"))


def test_a_bad_file_is_told_in_one_sentence_and_nothing_is_lost(shell, opened, tmp_path, qtbot):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    shell.files.open_path(bad)
    qtbot.waitUntil(lambda: shell.error_bar.sentence != "", timeout=PATIENCE)
    assert "bad.jpg" in shell.error_bar.sentence
    assert shell.desk.document is opened
    shell.error_bar.dismiss()
    assert shell.error_bar.sentence == ""


def test_recovering_without_motion_says_what_to_do(shell, opened):
    shell.actions_by_name["recover"].trigger()
    assert "drag an arrow" in shell.error_bar.sentence
    assert not shell.recovering.running


def test_undo_and_redo_by_action(shell, opened):
    opened.set_camera(Arrow(0, 5))
    assert shell.isWindowModified()
    shell.actions_by_name["undo"].trigger()
    assert opened.guidance.camera is None
    shell.actions_by_name["redo"].trigger()
    assert opened.guidance.camera == Arrow(0, 5)


def test_a_project_is_saved_and_opened_again(shell, opened, tmp_path, qtbot):
    opened.set_camera(Arrow(30, 5))
    opened.add_recovery(recovery())
    path = tmp_path / "mine.unshutter"
    shell.files.save_to(path)
    qtbot.waitUntil(lambda: not opened.modified, timeout=PATIENCE)
    assert opened.path == path
    shell.actions_by_name["welcome"].trigger()
    shell.files.open_path(path)
    qtbot.waitUntil(lambda: shell.desk.document is not None, timeout=PATIENCE)
    assert shell.desk.document.guidance.camera == Arrow(30, 5)
    assert len(shell.desk.document.recoveries) == 1


def test_a_project_open_elsewhere_is_offered_as_a_copy(shell, opened, tmp_path, qtbot):
    path = tmp_path / "mine.unshutter"
    with Session.new(opened.photo) as other:
        other.save(path)
        shell.files.open_path(path)
        qtbot.waitUntil(lambda: shell.error_bar.sentence != "", timeout=PATIENCE)
        assert "open in another window" in shell.error_bar.sentence
        shell.error_bar._buttons[0].click()
        assert shell.desk.document is not opened
        assert shell.desk.document.path is None


def test_what_a_crash_left_is_offered(shell, opened, qtbot):
    opened.set_camera(Arrow(0, 5))
    shell.files.leave_at_once()
    shell.files.close()
    assert len(recoverable()) == 1
    shell.files.offer_recoverable()
    assert "some.png" in shell.error_bar.sentence
    shell.error_bar._buttons[0].click()
    qtbot.waitUntil(lambda: shell.desk.document is not None, timeout=PATIENCE)
    assert shell.desk.document.guidance.camera == Arrow(0, 5)
    assert shell.desk.document.photo.name == "some.png"


def test_closing_asks_only_with_unsaved_changes(shell, opened, qtbot):
    opened.set_camera(Arrow(0, 5))
    shell.close()
    assert shell.isVisible()
    box = shell.findChild(QMessageBox)
    box.button(QMessageBox.StandardButton.Cancel).click()
    assert shell.isVisible()
    opened.undo()
    shell.close()
    assert not shell.isVisible()


def test_discarded_changes_do_not_come_back(shell, opened):
    opened.set_camera(Arrow(0, 5))
    shell.close()
    shell.findChild(QMessageBox).button(QMessageBox.StandardButton.Discard).click()
    assert not shell.isVisible()
    assert recoverable() == []


def test_files_are_taken_by_drag_and_drop_and_pictures_from_the_clipboard(shell, picture, qtbot):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(picture))])
    assert shell.files.can_take(data)
    shell.files.take(data)
    qtbot.waitUntil(lambda: shell.desk.document is not None, timeout=PATIENCE)
    first = shell.desk.document
    QGuiApplication.clipboard().setImage(QImage(str(picture)).scaled(40, 30))
    shell.actions_by_name["paste"].trigger()
    qtbot.waitUntil(lambda: shell.desk.document is not first, timeout=PATIENCE)
    assert shell.desk.document.photo.pixels.shape == (30, 40, 3)


def test_the_shown_picture_is_copied(shell, opened):
    shell.actions_by_name["copy"].trigger()
    image = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (SIZE[1], SIZE[0])


def test_scrubbing_shows_the_frame_at_that_time(shell, opened):
    opened.add_recovery(recovery())
    shown = []
    shell.player.frame_changed.connect(lambda frame, t: shown.append((frame, t)))
    shell.timeline.scrubber.moved.emit(0.25)
    assert shown[-1][1] == 0.25
    assert shown[-1][0].max() == 50
    shell.actions_by_name["frame_forward"].trigger()
    assert shown[-1][1] == pytest.approx(0.5)
    shell.actions_by_name["first"].trigger()
    assert shown[-1][0].max() == 0


def test_playing_moves_on_and_marks_hold_it(shell, opened, qtbot):
    opened.add_recovery(recovery())
    shell.player.seek(0.2)
    shell.actions_by_name["mark_in"].trigger()
    shell.player.seek(0.6)
    shell.actions_by_name["mark_out"].trigger()
    shell.actions_by_name["loop"].trigger()
    seen = []
    shell.player.moved.connect(seen.append)
    shell.actions_by_name["play"].trigger()
    qtbot.waitUntil(lambda: len(set(seen)) > 5)
    shell.actions_by_name["play"].trigger()
    assert not shell.player.playing
    assert 0.2 <= min(seen) <= max(seen) <= 0.6


def test_painting_brings_the_photo_back(shell, opened):
    opened.add_recovery(recovery())
    assert not shell.actions_by_name["compare"].isChecked()
    opened.add_region()
    opened.paint((0, 0, 10, 10), 1)
    assert shell.actions_by_name["compare"].isChecked()


def test_a_dragged_arrow_replaces_only_its_own():
    guidance = Guidance(np.zeros(SIZE, np.uint8), (Region(1, "a", Arrow(0, 1)), Region(2, "b")), Arrow(9, 9))
    moved = guidance.with_arrow(2, Arrow(1, 2))
    assert [region.arrow for region in moved.regions] == [Arrow(0, 1), Arrow(1, 2)]
    assert guidance.with_arrow(0, Arrow(5, 5)).camera == Arrow(5, 5)


def test_a_changed_arrow_is_previewed_and_loops(shell, opened, qtbot):
    shell.recovering.set_live(True)
    opened.add_region()
    opened.paint((10, 10, 40, 40), 1)
    with qtbot.waitSignal(shell.recovering.previewed, timeout=PATIENCE):
        shell.canvas.arrow_dragging.emit(1, Arrow(0, 8))
    assert shell.player.playing
    assert shell.showing.is_preview
    assert opened.recoveries == ()
    assert opened.guidance.regions[0].arrow is None
    opened.paint((0, 0, 5, 5), 1)
    assert not shell.showing.is_preview
    assert not shell.player.playing


def test_a_preview_is_no_export(shell, opened):
    shell.exporting.export_to(Path("never.gif"), FORMATS[0], {})
    assert "Recover the motion first" in shell.error_bar.sentence


def test_the_sharp_middle_is_exported_wherever_the_recovery_stands(shell, opened, tmp_path, qtbot):
    shell.exporting.export_middle_to(tmp_path / "never.png")
    assert "Recover the motion first" in shell.error_bar.sentence
    opened.add_recovery(recovery())
    shell.player.seek(0.0)
    shell.actions_by_name["export_middle"].trigger()
    where = shell.findChild(QFileDialog)
    assert Path(where.selectedFiles()[0]).name == "some_sharp.png"
    where.selectFile(str(tmp_path / "some_sharp.png"))
    where.accept()
    qtbot.waitUntil((tmp_path / "some_sharp.png").is_file, timeout=PATIENCE)
    with Image.open(tmp_path / "some_sharp.png") as sharp:
        assert np.array_equal(np.asarray(sharp), recovery().frames[2])
    assert not (tmp_path / "never.png").exists()
    shell.actions_by_name["middle"].trigger()
    assert shell.player.position == 0.5


def test_an_unexpected_error_is_told_and_changes_nothing(shell, opened, monkeypatch, capsys):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    main._survive_errors(shell)
    try:
        raise RuntimeError("gone wrong")
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, None)
    assert "gone wrong" in shell.error_bar.sentence
    assert shell.desk.document is opened


def test_light_and_dark(shell):
    shell.actions_by_name["theme_light"].trigger()
    light = shell.palette().window().color().lightness()
    shell.actions_by_name["theme_dark"].trigger()
    assert shell.palette().window().color().lightness() < 80 < 180 < light
    assert theme.choice() == "dark"
    shell.actions_by_name["theme_system"].trigger()


def test_none_keeps_its_count_over_a_thousand_updates(shell, qapp):
    qapp.processEvents()
    before = sys.getrefcount(None)
    for _ in range(1000):
        shell.update()
    qapp.processEvents()
    assert abs(sys.getrefcount(None) - before) < 200


START = """
import sys
from app.ui import main
heavy = {"torch", "cv2", "av", "pyqtgraph", "tifffile", "PIL.Image"} & set(sys.modules)
application = main.make_application()
window = main.Window()
window.show()
application.processEvents()
print(sorted(({"torch", "cv2", "av", "pyqtgraph", "tifffile", "PIL.Image"} & set(sys.modules)) | heavy))
window.close()
"""


def test_nothing_heavy_is_imported_on_the_way_to_the_window():
    child = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True, timeout=60)
    assert child.stdout.strip() == "[]"


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_window_cleanly(number, picture):
    code = f"from app.ui.main import run; raise SystemExit(run({str(picture)!r}))"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    child = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
    state = Path(os.environ["UNSHUTTER_STATE"]) / "unsaved"
    end = time.monotonic() + 60
    while not list(state.glob("*/journal")) and time.monotonic() < end:
        time.sleep(0.05)
    child.send_signal(number)
    assert child.wait(20) == 0
    assert child.stderr.read().count(b"Traceback") == 0
    assert list(state.glob("*")) == []
    child.stderr.close()


def test_the_demos_recovery_is_not_asked_about(shell, opened, qtbot):
    opened.set_camera(Arrow(0, 4))
    opened.mark_saved()
    shell.recovering.demonstrate()
    qtbot.waitUntil(lambda: bool(opened.recoveries), timeout=PATIENCE)
    assert not opened.modified
    shell.close()
    assert not shell.isVisible()


def test_the_state_is_copied_as_a_command(shell, opened, picture, tmp_path, qtbot):
    opened.set_camera(Arrow(30, 5))
    shell.actions_by_name["copy_as_command"].trigger()
    assert f"{picture} --toward 30 --strength 5" in QGuiApplication.clipboard().text()
    opened.add_region()
    opened.paint((0, 0, 9, 9), 1)
    shell.actions_by_name["copy_as_command"].trigger()
    assert "save it first" in shell.error_bar.sentence
    shell.files.save_to(tmp_path / "mine.unshutter")
    qtbot.waitUntil(lambda: not opened.modified, timeout=PATIENCE)
    shell.actions_by_name["copy_as_command"].trigger()
    assert QGuiApplication.clipboard().text().split()[:3] == ["unshutter", "animate", str(tmp_path / "mine.unshutter")]


def test_a_preview_of_what_was_undone_stops(shell, opened, qtbot):
    shell.recovering.set_live(True)
    with qtbot.waitSignal(shell.recovering.previewed, timeout=PATIENCE):
        opened.set_camera(Arrow(0, 8))
    assert shell.showing.is_preview
    opened.undo()
    assert not shell.showing.is_preview
    assert not shell.player.playing


def test_paint_is_pale_over_a_frame_and_gone_while_it_plays(shell, opened):
    def shown() -> tuple[bool, float]:
        return shell.canvas._overlays.guidance, shell.canvas._overlays.paint

    opened.add_region()
    opened.paint((0, 0, 10, 10), 1)
    assert shown() == (True, 1)
    opened.add_recovery(recovery())
    assert shown() == (True, 0.25)
    shell.player.play()
    assert not shown()[0]
    shell.player.pause()
    shell.actions_by_name["compare"].trigger()
    assert shown() == (True, 1)


def test_another_document_ends_the_focus_frame(shell, opened, qtbot):
    shell.activateWindow()
    qtbot.waitUntil(shell.isActiveWindow)
    shell.canvas.clearFocus()
    shell.canvas.setFocus(Qt.FocusReason.TabFocusReason)
    assert shell.canvas._shows_focus
    shell.desk.set_document(Document(opened.photo))
    assert shell.canvas.hasFocus()
    assert not shell.canvas._shows_focus


def flippable(shell, opened: Document, qtbot) -> Recovery:
    """Recovers a photo of which a region and the rest move, with an engine that can flip them."""
    shell.recovering.set_live(True)
    shell.recover._engine.setCurrentIndex(shell.recover._engine.findData("decomposition"))
    opened.add_region()
    opened.paint((0, 0, 32, 48), 1)
    opened.set_camera(Arrow(90, 8))
    opened.set_arrow(1, Arrow(0, 8))
    shell.recovering.start()
    qtbot.waitUntil(lambda: bool(opened.recoveries), timeout=PATIENCE)
    return opened.recoveries[0]


def test_a_flipped_arrow_flips_the_recovery_with_it(shell, opened, qtbot):
    before = flippable(shell, opened, qtbot)
    with qtbot.waitSignal(shell.recovering.recovered, timeout=PATIENCE):
        opened.flip_region(1)
    after = opened.recoveries[0]
    assert len(opened.recoveries) == 1
    assert not shell.showing.is_preview
    assert shell.player.recovery is after
    flows = [one.motion.resized(*SIZE).flow()[12:36, 6:20] for one in (before, after)]
    np.testing.assert_array_equal(flows[0], -flows[1])
    opened.undo()
    assert opened.recoveries == (before,)
    assert opened.guidance.regions[0].arrow == Arrow(0, 8)
    assert shell.player.recovery is before
    opened.redo()
    assert opened.recoveries == (after,)
    qtbot.wait(300)  # nothing more comes of itself: what is shown fits what is said
    assert opened.recoveries == (after,)
    assert not shell.showing.is_preview


def test_recover_flips_what_was_not_shown_by_itself(shell, opened, qtbot, monkeypatch):
    before = flippable(shell, opened, qtbot)
    shell.recovering.set_live(False)
    opened.flip_region(1)
    jobs, submit = [], shell.workers.submit

    def seen(job, *rest, **more):
        jobs.append(job)
        return submit(job, *rest, **more)

    monkeypatch.setattr(shell.workers, "submit", seen)
    shell.recovering.start()
    qtbot.waitUntil(lambda: len(opened.recoveries) == 2, timeout=PATIENCE)
    assert isinstance(jobs[0], Flip)
    assert jobs[0].before is before
    assert opened.current == 1
    opened.set_arrow(1, Arrow(180, 5))
    shell.recovering.start()
    qtbot.waitUntil(lambda: len(opened.recoveries) == 3, timeout=PATIENCE)
    assert [type(job) for job in jobs if isinstance(job, (Flip, Recover))] == [Flip, Recover]


def test_a_flip_that_something_else_overtakes_leaves_nothing_broken(shell, opened, qtbot):
    before = flippable(shell, opened, qtbot)
    opened.flip_region(1)
    qtbot.waitUntil(lambda: shell.recovering._preview_job is not None, timeout=PATIENCE)
    opened.undo()
    qtbot.wait(300)
    assert opened.recoveries == (before,)
    assert opened.can_redo
    with qtbot.waitSignal(shell.recovering.recovered, timeout=PATIENCE):
        opened.flip_region(0)
    assert opened.recoveries[0] is not before


def test_an_arrow_flipped_while_it_recovers_flips_what_comes(shell, opened, qtbot):
    shell.recovering.set_live(True)
    shell.recover._engine.setCurrentIndex(shell.recover._engine.findData("decomposition"))
    opened.set_camera(Arrow(0, 8))
    shell.recovering.start()
    opened.flip_region(0)
    qtbot.waitUntil(lambda: bool(opened.recoveries), timeout=PATIENCE)
    forth = opened.recoveries[0].motion.flow()
    qtbot.waitUntil(lambda: opened.recoveries[0].motion.flow()[..., 0].mean() < 0, timeout=PATIENCE)
    np.testing.assert_array_equal(opened.recoveries[0].motion.flow(), -forth)


def test_what_belongs_to_another_photo_is_not_flipped(shell, opened, picture, qtbot):
    flippable(shell, opened, qtbot)
    shell.recovering.forget()
    with qtbot.waitSignal(shell.recovering.previewed, timeout=PATIENCE):
        opened.flip_region(1)
    assert shell.showing.is_preview

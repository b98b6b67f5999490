"""The panels: what they show of the document and what they change in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QSlider, QSpinBox, QToolBar

from app.devices import Device
from app.document import Document
from app.photo import Photo
from app.ui.estimate import duration
from app.ui.export_dialog import FORMATS, ExportDialog
from app.ui.job_button import JobButton
from app.ui.panels.number import Number
from app.ui.panels.option_form import OptionForm
from app.ui.panels.picked import rounded_up
from app.ui.panels.recover import RecoverPanel, thumbnail
from app.ui.panels.recoveries import described, scores_described
from app.ui.panels.region_list import described as arrow_described
from models.catalog import Option
from models.motion import Arrow, Motion, Shares
from models.recovery import Recovery

SIZE = (60, 80)


def photo() -> Photo:
    pixels = np.random.default_rng(1).integers(0, 255, (*SIZE, 3), np.uint8)
    return Photo(pixels, "some.png", np.zeros(1, np.uint8))


def recovery(count: int = 3, flow: tuple[float, float] = (12, -5)) -> Recovery:
    frames = np.stack([np.full((*SIZE, 3), 40 * number, np.uint8) for number in range(count)])
    times = np.linspace(0, 1, count, dtype=np.float32)
    return Recovery(frames, times, Motion.from_flow(np.full((*SIZE, 2), flow, np.float32), count), "drawn")


@pytest.fixture
def document(shell) -> Document:
    document = Document(photo())
    shell.desk.set_document(document)
    return document


def test_regions_are_listed_the_front_one_on_top_and_the_camera_last(shell, document):
    one, two = document.add_region("ball"), document.add_region("foot")
    assert shell.motion.regions.numbers() == [two, one, 0]


def test_numbers_of_the_arrow_reach_the_document(shell, document, qtbot):
    number = document.add_region(arrow=Arrow(45, 20))
    shell.motion.regions.setCurrentRow(0)
    box = shell.motion.form._numbers["degrees"].findChild(QDoubleSpinBox)
    box.setValue(90)
    region = document.guidance.region(number)
    assert region is not None
    assert region.arrow == Arrow(90, 20)


def test_that_places_differ_is_shown_kept_and_can_be_taken_off(shell, document, qtbot):
    differs = shell.motion.form.findChild(QCheckBox, "places differ")
    shares = Shares.of(np.array([[0.5, 1.5]], np.complex64), (0, 0, 1, 1))
    document.set_camera(Arrow(0, 10))
    shell.motion.regions.setCurrentRow(0)
    assert differs.isHidden()
    document.set_camera(Arrow(0, 10, shares=shares))
    assert not differs.isHidden()
    shell.motion.form._numbers["length"].findChild(QDoubleSpinBox).setValue(20)
    assert document.guidance.camera == Arrow(0, 20, shares=shares)
    qtbot.mouseClick(differs, Qt.MouseButton.LeftButton, pos=QPoint(8, differs.height() // 2))
    assert document.guidance.camera == Arrow(0, 20)
    assert differs.isHidden()
    document.undo()
    assert document.guidance.camera == Arrow(0, 20, shares=shares)
    assert differs.isChecked()


def test_dragging_a_slider_is_one_undo_step(shell, document):
    document.set_camera(Arrow(0, 10))
    shell.motion.regions.setCurrentRow(0)
    slider = shell.motion.form._numbers["bend"].findChild(QSlider)
    slider.setSliderDown(True)
    for place in (600, 700, 800):
        slider.setValue(place)
    slider.setSliderDown(False)
    assert document.guidance.camera.bend == pytest.approx(0.6, abs=0.01)
    document.undo()
    assert document.guidance.camera == Arrow(0, 10)


def test_undo_shows_in_the_form(shell, document):
    document.set_camera(Arrow(0, 10))
    shell.motion.regions.setCurrentRow(0)
    document.set_camera(Arrow(0, 33))
    assert shell.motion.form._numbers["length"].value() == 33
    document.undo()
    assert shell.motion.form._numbers["length"].value() == 10


def test_selection_is_the_same_in_list_and_canvas(shell, document):
    number = document.add_region()
    shell.motion.regions.setCurrentRow(0)
    assert shell.canvas.selected == number
    shell.canvas.select(0)
    assert shell.motion.selected == 0


def test_flip_pin_raise_and_delete(shell, document):
    back, front = document.add_region("back", Arrow(0, 10)), document.add_region("front")
    shell.canvas.select(back)
    for name in ("flip", "raise_region"):
        shell.actions_by_name[name].trigger()
    assert [region.number for region in document.guidance.regions] == [front, back]
    assert document.guidance.region(back).arrow.degrees == 180
    shell.actions_by_name["pin"].trigger()
    assert document.guidance.region(back).arrow.length == 0
    shell.actions_by_name["delete_region"].trigger()
    assert [region.number for region in document.guidance.regions] == [front]
    assert shell.motion.selected is None


def test_a_name_typed_in_the_list_renames(shell, document):
    document.add_region("old")
    shell.motion.regions.item(0).setText("new")
    assert document.guidance.regions[0].name == "new"


def test_an_arrow_in_few_words():
    assert arrow_described(Arrow(44.6, 58)) == "45°  58 px"
    assert arrow_described(Arrow(10, 0)) == "pinned"
    assert arrow_described(None) == "no arrow"


def test_slider_and_box_agree(qtbot):
    number = Number("Length", 0, 100, 1, curve=2)
    qtbot.addWidget(number)
    slider, box = number.findChild(QSlider), number.findChild(QDoubleSpinBox)
    heard = []
    number.changed.connect(lambda value, joins: heard.append((value, joins)))
    slider.setValue(500)
    assert box.value() == 25
    box.setValue(100)
    assert slider.value() == slider.maximum()
    assert heard == [(25, False), (100, False)]


OPTIONS = (
    Option("frames", "Frames", 7, "", 1, 240),
    Option("sharpen", "Sharpen", True, ""),
    Option("noise", "Noise", 0.01, "", 0.0, 0.1),
    Option("prior", "Prior", "soft", "", choices=("soft", "hard")),
)


def test_a_form_has_the_engines_defaults_and_keeps_what_was_chosen(qtbot):
    form = OptionForm()
    qtbot.addWidget(form)
    form.set_options(OPTIONS)
    assert form.values() == {"frames": 7, "sharpen": True, "noise": 0.01, "prior": "soft"}
    form.set_options(OPTIONS, {"frames": 12, "prior": "none of these", "sharpen": False})
    assert form.values() == {"frames": 12, "sharpen": False, "noise": 0.01, "prior": "soft"}


def test_recoveries_are_listed_and_chosen(shell, document):
    document.add_recovery(recovery(3))
    document.add_recovery(recovery(5))
    assert shell.recoveries._list.count() == 2
    shell.recoveries._list.setCurrentRow(0)
    assert document.current == 0
    assert "3 frames" in described(document.recoveries[0])


def test_the_inspector_tells_exact_numbers(shell, document):
    document.add_region("ball")
    document.paint((10, 10, 30, 30), 1)
    document.add_recovery(recovery(flow=(12, -5)))
    shell.player.seek(1.0)
    shell.inspector.hover((20.0, 15.0))
    assert shell.inspector.text("Place") == "x 20  y 15"
    assert shell.inspector.text("Region") == "ball"
    assert shell.inspector.text("At t") == "1.000  +6.0 -2.5"
    assert shell.inspector.text("Exposure") == "+12.0 -5.0  13.0 px  23°"
    assert shell.inspector.text("Speed").startswith("13.0 px")
    shell.inspector.hover(None)
    assert shell.inspector.text("Place") == "—"


def test_overlays_are_passed_on(shell, document):
    document.add_recovery(recovery())
    heard = []
    shell.look.changed.connect(heard.append)
    shell.actions_by_name["quiver"].trigger()
    assert heard[-1].quiver
    shell.actions_by_name["quiver"].trigger()
    assert not heard[-1].quiver


def test_export_remembers_and_shows_what_a_format_has(qtbot):
    dialog = ExportDialog(1000, 7)
    qtbot.addWidget(dialog)
    dialog.choose("MP4 video")
    dialog._fps.setValue(24)
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.go.click()
    assert chosen.args[0] in FORMATS
    assert chosen.args[1]["fps"] == 24
    again = ExportDialog(1000, 7)
    qtbot.addWidget(again)
    assert again.format().title == "MP4 video"
    assert again.values()["fps"] == 24


def test_time_left_in_words():
    assert duration(0.4) == "less than a second"
    assert duration(12.2) == "12 s left"
    assert duration(600) == "10 min left"


def test_thumbnails_fit(qapp):
    assert thumbnail(np.zeros((200, 400, 3), np.uint16), 100, 100).height() == 50


def test_every_control_has_a_name_for_a_screen_reader(shell):
    from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox

    kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QSlider)
    controls = [one for kind in kinds for one in shell.findChildren(kind) if one.isVisible()]
    nameless = [one for one in controls if not (one.accessibleName() or getattr(one, "text", str)())]
    assert controls
    assert nameless == []


def test_controls_can_be_reached_by_keyboard(shell, document):
    box = shell.motion.form._numbers["length"].findChild(QDoubleSpinBox)
    assert box.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_scores_in_words_with_units_and_the_notes_below(shell, document):
    scores = {"sharpness": 1.0712, "reblur": 48.52, "moved": 1.84, "odd": 3.0}
    words = scores_described(scores).replace("\N{NO-BREAK SPACE}", " ")
    assert words == "reblur 48.5 dB · sharpness x1.07 · moved 1.8 px on average · odd 3"
    document.add_recovery(replace(recovery(), scores={"reblur": 30.0}, notes=("Half of it is a guess.",)))
    assert shell.recoveries._notes.text().replace("\N{NO-BREAK SPACE}", " ") == "reblur 30.0 dB\nHalf of it is a guess."


def test_the_toolbars_button_recovers_as_the_panels_does(shell, document):
    buttons = [button for button in shell.findChildren(JobButton) if button.text() == "Recover"]
    assert len(buttons) == 2
    assert all(button.isEnabled() for button in buttons)
    shell.recovering._job = 1
    shell.recovering.running_changed.emit(True)
    assert [button.text() for button in buttons] == ["Cancel", "Cancel"]
    shell.recovering._job = None
    shell.recovering.running_changed.emit(False)
    bar = shell.findChild(QToolBar, "tools")
    button = bar.findChild(JobButton)
    assert button.mapTo(shell, button.rect().topRight()).x() > shell.width() - 30
    button.click()
    assert "Say first how something moved" in shell.error_bar.sentence


def test_a_reversed_recovery_is_shown_backwards_without_a_new_screen_copy(shell, document):
    document.add_recovery(recovery(3))
    shell.player.seek(0.0)
    assert shell.player.copy.frames[0].max() == 0
    copy = shell.player.copy
    shell.actions_by_name["reverse"].trigger()
    assert shell.player.copy.frames[0].max() == 80
    assert np.shares_memory(shell.player.copy.frames, copy.frames)
    shell.actions_by_name["undo"].trigger()
    assert shell.player.copy.frames[0].max() == 0


def test_the_marks_are_told_where_they_matter_and_end_with_the_document(shell, document, qtbot):
    document.add_recovery(recovery())
    shell.player.set_range(0.25, 0.5)
    dialog = ExportDialog(80, 3, (0.25, 0.5))
    qtbot.addWidget(dialog)
    dialog.choose("GIF")
    assert "in point at t 0.25" in dialog._note.text()
    dialog.choose("This instant as a picture")
    assert dialog._note.text() == ""
    shell.desk.set_document(Document(photo()))
    assert (shell.player.playback.start, shell.player.playback.end) == (0, 1)
    assert shell.player.position == 0.5


def test_devices_are_told_in_words_that_fit(shell):
    cards = Device("cuda", "Some Very Long Graphics Card 24 GB"), Device("cpu", "Processor, 2 threads")
    shell.recover.set_devices(cards)
    box = shell.recover._device
    assert [box.itemText(row) for row in range(box.count())] == [
        "Automatic: NVIDIA graphics", "Processor", "NVIDIA graphics"
    ]  # fmt: skip
    assert box.itemData(0, Qt.ItemDataRole.ToolTipRole) == "Some Very Long Graphics Card 24 GB"
    room = box.width() - 40
    assert all(box.fontMetrics().horizontalAdvance(box.itemText(row)) <= room for row in range(box.count()))


def test_an_engines_options_are_remembered_by_the_next_window(shell):
    form = next(row for row in shell.recover.form.findChildren(QSpinBox) if row.accessibleName() == "Frames")
    form.setValue(12)
    again = RecoverPanel(shell.recovering, shell.actions_by_name)
    assert again.form.values()["frames"] == 12
    again.deleteLater()


def test_a_recovery_is_described_in_one_line():
    quick, slow = replace(recovery(), seconds=0.42), replace(recovery(), seconds=41.3, device="cuda")
    assert described(quick) == "As drawn  ·  3 frames  ·  0.4 s, processor"
    assert described(slow) == "As drawn  ·  3 frames  ·  41 s, graphics"


def pick(shell, qtbot, *pixels: tuple[int, int]) -> None:
    """Click these pixels with the tool."""
    shell.canvas.set_tool("pick")
    for x, y in pixels:
        qtbot.mouseClick(shell.canvas, Qt.MouseButton.LeftButton, pos=shell.canvas.to_view(x + 0.5, y + 0.5).toPoint())


def bent(shell) -> Recovery:
    """The left half moves along a curve that starts from rest; the right half stands still."""
    times = np.linspace(0, 1, 9, dtype=np.float32)
    moved = np.zeros((9, *SIZE, 2), np.float32)
    moved[:, :, :40] = Arrow(0, 20, 0.5, ease_in=1.0).displacement(times)[:, None, None]
    still = recovery(3)
    return replace(still, frames=still.frames[[0] * 9], times=times, motion=Motion.from_trajectories(moved, times))


def test_picked_pixels_tell_their_trajectories_once_there_is_a_recovery(shell, document, qtbot):
    panel = shell.inspector.picked
    assert not panel.isVisible()
    pick(shell, qtbot, (20, 30), (60, 40))
    assert shell.canvas.picks == ((20, 30), (60, 40))
    assert panel.texts() == ["x 20  y 30", "x 60  y 40"]
    assert panel._hint.isVisible()
    assert not panel.plot.isVisible()
    document.add_recovery(bent(shell))
    first, second = panel.texts()
    assert first.startswith("x 20  y 30  2")
    assert panel._rows[0][2].toolTip() == "20.0 px from start to end"
    assert second == "x 60  y 40  0.0 px"
    assert panel.plot.top() == 50
    assert not panel._hint.isVisible()
    pick(shell, qtbot, (20, 30))
    assert panel.texts() == ["x 60  y 40  0.0 px"]
    assert panel.plot.top() == 1


def test_escape_lets_the_picked_pixels_go_before_the_selection(shell, document, qtbot):
    number = document.add_region()
    shell.canvas.select(number)
    pick(shell, qtbot, (20, 30))
    shell.actions_by_name["deselect"].trigger()
    assert shell.canvas.picks == ()
    assert shell.canvas.selected == number
    assert not shell.inspector.picked.isVisible()
    assert not shell.actions_by_name["clear_picked"].isEnabled()
    shell.actions_by_name["deselect"].trigger()
    assert shell.canvas.selected is None
    pick(shell, qtbot, (20, 30))
    shell.desk.set_document(Document(photo()))
    assert shell.canvas.picks == ()


def test_picked_trajectories_are_exported_as_a_table(shell, document, tmp_path, qtbot):
    pick(shell, qtbot, (20, 30), (60, 40))
    shell.actions_by_name["export_picked"].trigger()
    assert "Recover the motion first" in shell.error_bar.sentence
    document.add_recovery(bent(shell))
    shell.exporting.export_picked_to(tmp_path / "picked.csv")
    qtbot.waitUntil((tmp_path / "picked.csv").is_file, timeout=60_000)
    rows = (tmp_path / "picked.csv").read_text().splitlines()
    assert rows[0] == "point,t,x,y,dx,dy,speed"
    assert len(rows) == 1 + 2 * 9
    qtbot.waitUntil(lambda: not shell.file_jobs.busy)


def test_a_round_scale_for_any_speed():
    assert [rounded_up(value) for value in (0, 1, 1.1, 5, 7, 0.099, 100, 251)] == [1, 1, 1.5, 5, 7.5, 0.1, 100, 300]

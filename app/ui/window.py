"""The window: its parts, where they lie, and who tells whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QMimeData, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QMainWindow,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.document import Change
from app.jobs import ListDevices
from app.picked import Pixel
from app.ui import actions, theme
from app.ui.canvas import Canvas
from app.ui.command_palette import CommandPalette
from app.ui.desk import Desk
from app.ui.error_bar import ErrorBar
from app.ui.exporting import Exporting
from app.ui.file_jobs import FileJobs
from app.ui.files import Files
from app.ui.film_bar import FilmBar
from app.ui.filming import Filming
from app.ui.guidance_files import GuidanceFiles
from app.ui.job_button import JobButton
from app.ui.made import made
from app.ui.panels.inspector import Inspector
from app.ui.panels.look import LookPanel
from app.ui.panels.motion import MotionPanel
from app.ui.panels.recover import RecoverPanel
from app.ui.panels.recoveries import RecoveriesPanel
from app.ui.panels.section import Section
from app.ui.player import Player
from app.ui.recovering import Recovering
from app.ui.refining import Refining
from app.ui.settings import settings
from app.ui.showing import Showing
from app.ui.suggesting import Suggesting
from app.ui.suggestion_strip import SuggestionStrip
from app.ui.timeline import Timeline
from app.ui.video_strip import VideoStrip
from app.ui.videos import Videos
from app.ui.welcome import Welcome
from app.ui.workers import Workers

PANELS = 304
MOTION_SUFFIXES = (".flo", ".npz")
_BRUSH_STEP = 1.25


class Window(QMainWindow):
    """One window with one document. `engines` names a module with further engines, for tests."""

    def __init__(self, engines: str = "") -> None:
        super().__init__()
        self.desk = Desk(self)
        self.workers = Workers(self, engines)
        self.player = Player(self.workers, self)
        self.recovering = Recovering(self.desk, self.workers, self)
        self.actions_by_name = actions.build(self)
        self.suggestions = SuggestionStrip()
        self.suggesting = Suggesting(self.desk, self.workers, self.recovering, self.suggestions)
        self.file_jobs = FileJobs(self.desk, self.workers, self)
        self.files = Files(self.desk, self.file_jobs, self)
        self.strip = VideoStrip(self.actions_by_name)
        self.videos = Videos(self.desk, self.workers, self.file_jobs, self.files, self.strip)
        self.filming = Filming(self.desk, self.workers, self.recovering, self.strip)
        self.guidance_files = GuidanceFiles(self.desk, self.file_jobs, self)
        self.canvas = Canvas()
        self.refining = Refining(self.desk, self.workers, self.recovering, self.canvas, self)
        self._asked = self.recovering, self.suggesting, self.refining
        self.exporting = Exporting(
            self.desk, self.file_jobs, self.player, self.canvas, self.files, self.recovering, self
        )
        self.showing = Showing(self.desk, self.player, self.canvas, self.recovering, self)
        self.motion = MotionPanel(self.desk, self.suggesting, self.refining, self.actions_by_name)
        self.recover = RecoverPanel(self.recovering, self.actions_by_name)
        self.recoveries = RecoveriesPanel(self.desk, self.actions_by_name)
        self.look = LookPanel(self.actions_by_name)
        self.inspector = Inspector(self.desk, self.actions_by_name)
        self.timeline = Timeline(self.player, self.actions_by_name)
        self.welcome = Welcome()
        self.error_bar = ErrorBar()
        self._devices_known = False
        self._lay_out()
        self._connect()
        self._command_palette = CommandPalette(self.actions_by_name.values(), self)
        self._check_actions()
        self._opened()
        self._restore()

    # Where things lie

    def _lay_out(self) -> None:
        self.setWindowTitle("Unshutter")
        self.setAcceptDrops(True)
        actions.fill_menus(self.menuBar(), self.actions_by_name)
        self.addToolBar(self._toolbar())
        self._pages = QStackedWidget()
        self._pages.addWidget(self.welcome)
        self._pages.addWidget(self._workspace())
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.error_bar)
        column.addWidget(self._pages, 1)
        column.addWidget(self.suggestions)
        column.addWidget(self.strip)
        column.addWidget(FilmBar(self.filming))
        self.setCentralWidget(central)
        self._facts = QLabel()
        self._zoom = QLabel()
        self._show_file = made(QToolButton, focusPolicy=Qt.FocusPolicy.TabFocus, visible=False)
        self._show_file.setDefaultAction(self.actions_by_name["show_file"])
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addPermanentWidget(self._show_file)
        self.statusBar().addPermanentWidget(self._facts)
        self.statusBar().addPermanentWidget(self._zoom)

    def _toolbar(self) -> QToolBar:
        bar = QToolBar("Tools", movable=False, iconSize=QSize(20, 20))
        bar.setObjectName("tools")
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        actions.fill_toolbar(bar, self.actions_by_name)
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(space)
        button = JobButton(self.recovering, "recover", self.actions_by_name, primary=True)
        button.setMinimumWidth(112)
        bar.addWidget(button)
        return bar

    def _workspace(self) -> QWidget:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.timeline)
        self._splitter = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False, handleWidth=1)
        self._splitter.addWidget(left)
        self._splitter.addWidget(self._panels())
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setSizes([1000, PANELS])
        return self._splitter

    def _panels(self) -> QWidget:
        column = QWidget()
        column.setObjectName("column")
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for title, content in (
            ("Motion", self.motion),
            ("Recover", self.recover),
            ("Recoveries", self.recoveries),
            ("Look", self.look),
            ("Inspector", self.inspector),
        ):
            layout.addWidget(Section(title, content))
        layout.addStretch(1)
        self._scroll = made(QScrollArea, widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setMinimumWidth(PANELS)
        self._scroll.setWidget(column)
        return self._scroll

    # Who tells whom

    def _connect(self) -> None:
        self.desk.opened.connect(self._opened)
        self.desk.changed.connect(self._changed)
        self.desk.failed.connect(self.error_bar.show_sentence)
        self.desk.withdrawn.connect(self.error_bar.withdraw)
        self.desk.told.connect(self._told)
        self.desk.written.connect(lambda _path: (self._show_file.setVisible(True), self.refresh_actions()))
        self.workers.failed.connect(self.desk.fail)
        self.workers.restarted.connect(self.desk.fail)
        self.canvas.selection_changed.connect(self._selected)
        self.canvas.tool_changed.connect(lambda name: self.actions_by_name[name].setChecked(True))
        self.canvas.arrow_dragging.connect(self.recovering.dragging)
        self.canvas.hovered.connect(self.inspector.hover)
        self.canvas.zoom_changed.connect(lambda zoom: self._zoom.setText(f"{zoom * 100:.0f} %"))
        self.canvas.refused.connect(self.desk.fail)
        self.canvas.picked.connect(self._picked)
        self.canvas.space_tapped.connect(self.player.toggle)
        self.motion.selected_here.connect(self._selected)
        self.look.changed.connect(lambda _overlays: self._show_overlays())
        self.player.changed.connect(self._show_overlays)
        self.look.compared.connect(self.showing.show_photo)
        self.showing.photo_shown.connect(self.actions_by_name["compare"].setChecked)
        self.showing.photo_shown.connect(lambda _on: self._show_overlays())
        self.showing.motion_shown.connect(self.inspector.set_motion)
        self.player.changed.connect(self.refresh_actions)
        self.recovering.recovered.connect(self._show_picked)
        for one in (*self._asked, self.filming):
            one.running_changed.connect(self.refresh_actions)
        self.strip.shown.connect(self.refresh_actions)
        self.suggesting.arrives.connect(self.canvas.let_go)
        self.suggesting.suggested.connect(self._suggested)
        self.suggesting.closed.connect(self.canvas.setFocus)
        self.file_jobs.busy_changed.connect(self.refresh_actions)
        self.welcome.open_wanted.connect(self.files.open)
        self.welcome.path_chosen.connect(self.files.open_path)
        self.welcome.sample_chosen.connect(self.files.open_sample)

    def _told(self, sentence: str) -> None:
        self.statusBar().showMessage(sentence, 15000)
        self._show_file.setVisible(False)

    def _selected(self, number: int | None) -> None:
        self.motion.select(number)
        if self.canvas.selected != number:
            self.canvas.select(number)
        self.refresh_actions()

    def _picked(self, pixels: tuple[Pixel, ...]) -> None:
        more = len(pixels) > len(self.inspector.picked.texts())
        self.inspector.set_picked(pixels)
        self.refresh_actions()
        if more:
            self._show_picked()

    def _show_picked(self) -> None:
        """Bring what is said of the picked pixels into sight, once it has been laid out."""
        if self.canvas.picks:
            QTimer.singleShot(0, self, lambda: self._scroll.ensureWidgetVisible(self.inspector.picked, 0, 8))

    def _suggested(self) -> None:
        """Nothing of it is selected, or the next stroke would go to that; its arrows are there to be taken hold of."""
        self.motion.deselect()
        self.canvas.set_tool("arrow")

    def _show_overlays(self) -> None:
        """What was painted would hide what moves: it is left out while that plays, and pale where it stands."""
        overlays, pale = self.look.overlays, 0.25 if self.showing.shows_frame else 1.0
        guidance = overlays.guidance and not self.player.playing
        self.canvas.set_overlays(replace(overlays, guidance=guidance, paint=pale))

    def _opened(self) -> None:
        document = self.desk.document
        for one in self._asked:
            one.forget()
        self.canvas.set_document(document)
        self._pages.setCurrentIndex(0 if document is None else 1)
        self.error_bar.dismiss()
        if document is None:
            self.welcome.refresh()
            self._facts.clear()
            self._zoom.clear()
        else:
            height, width = document.photo.pixels.shape[:2]
            self._facts.setText(f"{width} x {height} px, {document.photo.pixels.itemsize * 8} bit")
            self.canvas.set_tool("arrow" if document.guidance.regions else "brush")
            self.canvas.set_brush_size(max(8.0, min(height, width) / 16))
            self.canvas.clearFocus()  # Qt may have handed it on from the page that went, as if Tab had been pressed
            self.canvas.setFocus()
            self.recovering.warm()
            if not self._devices_known:
                self._devices_known = True
                self.workers.submit(ListDevices(), self.recover.set_devices, asked=False)
        self._changed(Change("saved"))

    def _changed(self, change: Change) -> None:
        document = self.desk.document
        if document is None:
            self.setWindowTitle("Unshutter")
            self.setWindowModified(False)
        else:
            name = document.path.name if document.path is not None else document.photo.name
            self.setWindowTitle(f"{name}[*] — Unshutter")
            self.setWindowModified(document.modified)
        self.refresh_actions()

    def refresh_actions(self) -> None:
        """Enable what can be done now."""
        actions.enable(self.actions_by_name, self._conditions())
        document = self.desk.document
        for name, text in (("Undo", document.undo_text), ("Redo", document.redo_text)) if document is not None else ():
            self.actions_by_name[name.lower()].setText(f"{name} {text[:1].lower()}{text[1:]}" if text else name)

    def _conditions(self) -> set[actions.When]:
        document = self.desk.document
        found: set[actions.When] = set()
        if self._engine_runs() or self.file_jobs.busy or self.filming.running:
            found.add("running")
        if self.strip.video is not None:
            found |= {"video"} if self.filming.running else {"video", "film"}
        if self.exporting.written is not None:
            found.add("written")
        if document is None:
            return found
        found.add("document")
        if not self._engine_runs():
            found.add("motion")
            if self.refining.arrows():
                found.add("refinable")
        if self.player.recovery is not None:
            found.add("recovery")
        if document.current is not None:
            found.add("recovered")
        if document.guidance.motion is not None:
            found.add("imported")
        if self.canvas.picks:
            found.add("picked")
        if document.can_undo:
            found.add("undo")
        if document.can_redo:
            found.add("redo")
        if self.motion.selected is not None:
            found.add("arrow")
            if self.motion.selected:
                found.add("region")
        return found

    def _engine_runs(self) -> bool:
        return any(one.running for one in self._asked)

    def _check_actions(self) -> None:
        for name in (self.canvas.tool, f"theme_{theme.choice()}", "guidance", "panels"):
            self.actions_by_name[name].setChecked(True)
        self.actions_by_name["live_preview"].setChecked(self.recovering.live)

    # What the actions call

    def tool_pan(self) -> None:
        self.canvas.set_tool("pan")

    def tool_brush(self) -> None:
        self.canvas.set_tool("brush")

    def tool_eraser(self) -> None:
        self.canvas.set_tool("eraser")

    def tool_lasso(self) -> None:
        self.canvas.set_tool("lasso")

    def tool_arrow(self) -> None:
        self.canvas.set_tool("arrow")

    def tool_pick(self) -> None:
        self.canvas.set_tool("pick")

    def deselect(self) -> None:
        """One thing at a time: what is offered, what was picked, what is selected."""
        if self.suggesting.offering:
            self.suggesting.close()
        elif self.canvas.picks and (self.canvas.tool == "pick" or self.motion.selected is None):
            self.canvas.clear_picked()
        else:
            self.motion.deselect()

    def brush_smaller(self) -> None:
        self.canvas.set_brush_size(self.canvas.brush_size / _BRUSH_STEP)

    def brush_larger(self) -> None:
        self.canvas.set_brush_size(self.canvas.brush_size * _BRUSH_STEP)

    def cancel(self) -> None:
        """Stop what the user waits for; a film, which runs beside all else, only where there is nothing else."""
        if not (self._engine_runs() or self.file_jobs.busy):
            self.filming.cancel()
        for one in (*self._asked, self.file_jobs):
            one.cancel()

    def show_palette(self) -> None:
        self._command_palette.open()

    def set_panels_shown(self, on: bool) -> None:
        self._scroll.setVisible(on)

    def set_full_screen(self, on: bool) -> None:
        if on:
            self.showFullScreen()
        else:
            self.showNormal()

    def theme_system(self) -> None:
        theme.choose("system")

    def theme_light(self) -> None:
        theme.choose("light")

    def theme_dark(self) -> None:
        theme.choose("dark")

    # The window itself

    def start_later(self) -> None:
        """What the first picture of the window must not wait for."""
        self.welcome.load_thumbnails()
        self.player.prepare()
        self.files.offer_recoverable()

    def _restore(self) -> None:
        geometry = settings().value("geometry")
        if not isinstance(geometry, QByteArray) or not self.restoreGeometry(geometry):
            self.resize(1280, 820)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.filming.may_end(self.close) or not self.files.may_leave(self.close):
            event.ignore()
            return
        settings().setValue("geometry", self.saveGeometry())
        self.shut_down()
        event.accept()

    def shut_down(self) -> None:
        """Nothing of the window goes on after this."""
        self.player.pause()
        self.recovering.drop_preview()
        self.files.leave()
        self.workers.stop()
        for timer in self.findChildren(QTimer):
            timer.stop()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.files.can_take(event.mimeData()):
            event.acceptProposedAction()
            self.welcome.set_hot(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.welcome.set_hot(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.welcome.set_hot(False)
        self.take(event.mimeData())
        event.acceptProposedAction()

    def take(self, data: QMimeData) -> None:
        """What was dropped: motion for the open photo, or another photo or project."""
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if len(paths) == 1 and paths[0].suffix.lower() in MOTION_SUFFIXES and self.desk.document is not None:
            self.guidance_files.import_from(paths[0])
        else:
            self.files.take(data)

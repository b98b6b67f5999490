"""Opens, saves and exports. Files are read and written by the worker for files; this process only asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QMimeData, QObject, QStandardPaths, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.document import Change
from app.jobs import Export, Job, Open, Save
from app.playback import frame_at
from app.project import SUFFIX, is_project
from app.samples import Sample
from app.session import Recoverable, Session, discard, recoverable, state_folder
from app.store import Contents
from app.ui.desk import Desk
from app.ui.export_dialog import ExportDialog, Format, default_path
from app.ui.player import Player
from app.ui.settings import forget_files, remember_file, settings
from app.ui.workers import Workers
from models.guidance import Guidance

PHOTOS = "Photos and projects (*.unshutter *.jpg *.jpeg *.png *.tif *.tiff *.webp *.bmp *.heic *.dng *.nef *.cr2 *.arw)"

Then = Callable[[], object]


class Files(QObject):
    """Keeps the open document safe: its lock, its journal, its saving.

    busy_changed  something is being read or written, or no longer.
    """

    busy_changed = Signal(bool)

    def __init__(self, desk: Desk, workers: Workers, player: Player, window: QWidget) -> None:
        super().__init__(window)
        self._desk, self._workers, self._player, self._window = desk, workers, player, window
        self._session: Session | None = None
        self._job: int | None = None
        self._settled = False
        self._discard = False
        self._trouble = ""
        desk.changed.connect(self._watch)

    @property
    def busy(self) -> bool:
        return self._job is not None

    # Opening

    def open(self) -> None:
        dialog = QFileDialog(self._window, "Open", _folder("open"), f"{PHOTOS};;All files (*)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.open_path(Path(name)))
        _ask(dialog)

    def open_path(self, path: Path, then: Then | None = None) -> None:
        """A photo or a project, in the place of what is open."""
        if self.may_leave(lambda: self.open_path(path, then)):
            self._run(Open(str(path)), f"Opening {path.name}", lambda contents: self._opened(path, contents, then))

    def open_sample(self, sample: Sample, then: Then | None = None) -> None:
        """A bundled photo with its ready-made guidance."""

        def opened(contents: Contents) -> None:
            guidance = sample.guidance(*contents.photo.pixels.shape[:2])
            self._begin(lambda: Session.new(contents.photo, guidance), then)
            self._desk.told.emit(f"{sample.title}: {sample.attribution}")

        if self.may_leave(lambda: self.open_sample(sample, then)):
            self._run(Open(str(sample.path)), f"Opening {sample.title}", opened)

    def _opened(self, path: Path, contents: Contents, then: Then | None) -> None:
        if not is_project(path):
            begun = self._begin(lambda: Session.new(contents.photo), then)
        else:
            begun = self._begin(lambda: Session.open(path, contents), then, lambda: self._open_copy(contents))
        if begun:
            remember_file(path)

    def _open_copy(self, contents: Contents) -> None:
        """What is open in another window, as a document of its own."""

        def copied() -> Session:
            session = Session.new(contents.photo, contents.guidance)
            for recovery in contents.recoveries:
                session.document.add_recovery(recovery)
            return session

        self._begin(copied, None)

    def _begin(self, make: Callable[[], Session], then: Then | None, copy: Then | None = None) -> bool:
        """Put what `make` gives in the place of what is open; a failure leaves that untouched."""
        try:
            session = make()
        except ValueError as error:
            self._desk.fail(str(error), {"Open a copy": copy} if copy is not None else None)
            return False
        self._end_session()
        self._session = session
        self._desk.set_document(session.document)
        notes = session.notes or session.document.photo.notes
        if notes:
            self._desk.told.emit(" ".join(notes))
        if then is not None:
            then()
        return True

    def close(self) -> None:
        """Back to the welcome page."""
        if self.may_leave(self.close):
            self._end_session()
            self._desk.set_document(None)

    def offer_recoverable(self) -> None:
        """Ask about the work that a crash has left, the newest."""
        left = next(iter(recoverable()), None)
        if left is not None and self._desk.document is None:
            self._desk.fail(
                f"{left.name} had changes that were not saved when Unshutter ended.",
                {"Recover them": lambda: self._recover(left), "Discard": lambda: self._throw_away(left)},
            )

    def _throw_away(self, left: Recoverable) -> None:
        self._desk.attempt(lambda: discard(left))
        self.offer_recoverable()

    def _recover(self, left: Recoverable) -> None:
        if not left.unsaved:
            self.open_path(left.path)
            return

        def opened(contents: Contents) -> None:
            photo = replace(contents.photo, name=left.name)
            self._begin(lambda: Session.recover(left.path, photo), None)

        self._run(Open(str(left.path / "original")), f"Opening {left.name}", opened)

    # Saving

    def save(self, then: Then | None = None) -> None:
        document = self._desk.document
        if document is None:
            return
        if document.path is None:
            self.save_as(then)
        else:
            self.save_to(document.path, then)

    def save_as(self, then: Then | None = None) -> None:
        document = self._desk.document
        if document is None:
            return
        start = document.path or Path(_folder("save")) / f"{Path(document.photo.name).stem}{SUFFIX}"
        dialog = QFileDialog(self._window, "Save as", str(start), f"Unshutter projects (*{SUFFIX})")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIX[1:])
        dialog.selectFile(start.name)
        dialog.fileSelected.connect(lambda name: self.save_to(Path(name), then))
        _ask(dialog)

    def save_to(self, path: Path, then: Then | None = None) -> None:
        """Write the project there; `then` is called once it is on the disk."""
        session = self._session
        if session is None or self.busy:
            return

        def done(_: object) -> None:
            self._desk.attempt(session.end_save)
            remember_file(path)
            _keep_folder("save", path)
            self._desk.told.emit(f"Saved {path.name}")
            if then is not None:
                then()

        try:
            contents = session.begin_save(path)
        except ValueError as error:
            self._desk.fail(str(error))
            return
        self._run(Save(contents, str(path)), f"Saving {path.name}", done, session.cancel_save)

    def _watch(self, _: Change) -> None:
        trouble = self._session.trouble if self._session is not None else ""
        if trouble and trouble != self._trouble:
            self._desk.fail(f"Changes cannot be kept safe as they are made: {trouble}", {"Save as…": self.save_as})
        self._trouble = trouble

    # Exporting

    def export(self) -> None:
        document, recovery = self._desk.document, self._player.recovery
        if document is None or recovery is None:
            return
        dialog = ExportDialog(document.photo.pixels.shape[1], len(recovery.frames), self._window)
        dialog.chosen.connect(self._ask_where)
        _ask(dialog)

    def _ask_where(self, one: Format, values: dict[str, Any]) -> None:
        document = self._desk.document
        if document is None:
            return
        start = default_path(document.photo.name, one, Path(_folder("export")))
        dialog = QFileDialog(self._window, "Export", str(start), "All files (*)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(start.name)
        dialog.fileSelected.connect(lambda name: self.export_to(Path(name), one, values))
        _ask(dialog)

    def export_to(self, path: Path, one: Format, values: dict[str, Any]) -> None:
        """Write what is shown, or the latest recovery where only the photo is, in this format."""
        document = self._desk.document
        if document is None or document.current is None:
            self._desk.fail("Recover the motion first; a preview is too small to export.")
            return
        _keep_folder("export", path)
        recovery = document.recoveries[document.current]
        contents = Contents(document.photo, _copied(document.guidance))
        job = Export(recovery, contents, str(path), one.kind, {**values, "t": self._player.position})
        self._run(job, f"Exporting {path.name}", lambda _: self._desk.told.emit(f"Exported {path}"))

    def copy(self) -> None:
        """What is shown now, into the clipboard."""
        document, recovery = self._desk.document, self._player.recovery
        if document is not None:
            picture = document.photo.pixels if recovery is None else frame_at(recovery, self._player.position)
            QGuiApplication.clipboard().setImage(_image(picture))
            self._desk.told.emit("Copied the picture")

    # Drag and drop, clipboard

    def can_take(self, data: QMimeData) -> bool:
        return data.hasImage() or any(url.isLocalFile() for url in data.urls())

    def take(self, data: QMimeData) -> None:
        """Open what was dropped or pasted."""
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if len(paths) > 1:
            self._desk.told.emit(f"One photo at a time: this is {paths[0].name}")
        if paths:
            self.open_path(paths[0])
        elif data.hasImage():
            self._open_image(data.imageData())
        else:
            self._desk.fail("There is no picture in the clipboard.")

    def paste(self) -> None:
        self.take(QGuiApplication.clipboard().mimeData())

    def _open_image(self, image: QImage) -> None:
        folder = state_folder() / "pasted"
        path = folder / "pasted.png"
        self._desk.attempt(lambda: folder.mkdir(parents=True, exist_ok=True))
        if image.isNull() or not image.save(str(path)):
            self._desk.fail("The picture in the clipboard cannot be used.")
            return
        if self.may_leave(lambda: self._open_image(image)):
            self._run(Open(str(path)), "Opening", lambda found: self._begin(lambda: Session.new(found.photo), None))

    def forget_recent(self) -> None:
        forget_files()

    # Jobs

    def cancel(self) -> None:
        if self._job is not None:
            self._workers.cancel(self._job)

    def _run(self, job: Job, said: str, done: Callable[[Any], object], undone: Then | None = None) -> None:
        """Let the worker do it; `undone` is called where it failed or was cancelled."""

        def over() -> None:
            self._job = None
            self.busy_changed.emit(False)

        def finished(result: Any) -> None:
            over()
            self._desk.told.emit("")
            done(result)

        def not_done(sentence: str) -> None:
            over()
            if undone is not None:
                undone()
            self._desk.told.emit("" if sentence else "Cancelled.")
            if sentence:
                self._desk.fail(sentence)

        def progressed(fraction: float, _step: str, _preview: object) -> None:
            self._desk.told.emit(f"{said}  {fraction:.0%}")

        self._desk.told.emit(f"{said}…")
        self._job = self._workers.submit(job, finished, not_done, lambda: not_done(""), progressed)
        self.busy_changed.emit(True)

    # Leaving

    def may_leave(self, then: Then) -> bool:
        """Whether the document can go now. If it must be asked, `then` is called once that is settled."""
        document = self._desk.document
        if self._settled or document is None or not document.modified:
            self._settled = False
            return True
        box = QMessageBox(self._window)
        box.setWindowTitle("Unshutter")
        box.setText(f"{document.photo.name} has changes that were not saved.")
        box.setInformativeText("Save them in a project?")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        box.finished.connect(lambda answer: self._answered(QMessageBox.StandardButton(answer), then))
        _ask(box)
        return False

    def _answered(self, answer: QMessageBox.StandardButton, then: Then) -> None:
        def settled() -> None:
            self._settled = True
            then()

        if answer == QMessageBox.StandardButton.Save:
            self.save(settled)
        elif answer == QMessageBox.StandardButton.Discard:
            self._discard = True
            settled()

    def leave_at_once(self) -> None:
        """The system wants the program to end: ask nothing, the journal keeps what was not saved."""
        self._settled = True

    def leave(self) -> None:
        """The window closes."""
        self._end_session()

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close(discard=self._discard)
        self._discard = False


def _ask(dialog: QFileDialog | QMessageBox | ExportDialog) -> None:
    """Show it without holding up anything else."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def _copied(guidance: Guidance) -> Guidance:
    return replace(guidance, areas=np.array(guidance.areas))


def _image(picture: np.ndarray) -> QImage:
    eight = (picture >> 8).astype(np.uint8) if picture.dtype == np.uint16 else picture
    eight = np.ascontiguousarray(eight)
    height, width = eight.shape[:2]
    return QImage(eight.data, width, height, width * 3, QImage.Format.Format_RGB888).copy()


def _folder(purpose: str) -> str:
    """Where files of this purpose were chosen last."""
    usual = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    return str(settings().value(f"folders/{purpose}", usual))


def _keep_folder(purpose: str, path: Path) -> None:
    settings().setValue(f"folders/{purpose}", str(path.parent))

"""Opens and saves. Files are read and written by the worker for files; this process only asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.document import Change
from app.jobs import Open, Save
from app.photo import Photo
from app.project import SUFFIX, is_project
from app.samples import Sample
from app.session import Recoverable, Session, discard, recoverable, state_folder
from app.store import Contents
from app.ui.desk import Desk
from app.ui.file_jobs import FileJobs, Then, ask, folder, keep_folder
from app.ui.settings import forget_files, remember_file
from app.video import SUFFIXES as VIDEOS
from app.video import is_video

PHOTOS = (
    "Photos, videos and projects (*.unshutter *.jpg *.jpeg *.png *.tif *.tiff *.webp *.bmp *.heic *.dng *.nef *.cr2 "
    f"*.arw {' '.join(f'*{suffix}' for suffix in VIDEOS)})"
)


class Files(QObject):
    """Keeps the open document safe: its lock, its journal, its saving.

    origin  the file that the photo came from; None where it came from a project, a video or the clipboard.
    video_chosen  a path that is a video was to be opened.
    """

    video_chosen = Signal(object)

    def __init__(self, desk: Desk, jobs: FileJobs, window: QWidget) -> None:
        super().__init__(window)
        self._desk, self._jobs, self._window = desk, jobs, window
        self.origin: Path | None = None
        self._session: Session | None = None
        self._settled = False
        self._discard = False
        self._trouble = ""
        desk.changed.connect(self._watch)

    # Opening

    def open(self) -> None:
        dialog = QFileDialog(self._window, "Open", folder("open"), f"{PHOTOS};;All files (*)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.open_path(Path(name)))
        ask(dialog)

    def open_path(self, path: Path, then: Then | None = None) -> None:
        """A photo or a project, in the place of what is open; a video is handed on."""
        if is_video(path):
            self.video_chosen.emit(path)
        elif self.may_leave(lambda: self.open_path(path, then)):
            self._jobs.run(Open(str(path)), f"Opening {path.name}", lambda contents: self._opened(path, contents, then))

    def open_sample(self, sample: Sample, then: Then | None = None) -> None:
        """A bundled photo with its ready-made guidance."""

        def opened(contents: Contents) -> None:
            guidance = sample.guidance(*contents.photo.pixels.shape[:2])
            self._begin(lambda: Session.new(contents.photo, guidance), then, origin=sample.path)
            self._desk.told.emit(f"{sample.title}: {sample.attribution}")

        if self.may_leave(lambda: self.open_sample(sample, then)):
            self._jobs.run(Open(str(sample.path)), f"Opening {sample.title}", opened)

    def open_photo(self, photo: Photo) -> bool:
        """A photo that was read already, in the place of what is open and may leave. Returns whether it worked."""
        return self._begin(lambda: Session.new(photo))

    def _opened(self, path: Path, contents: Contents, then: Then | None) -> None:
        if not is_project(path):
            begun = self._begin(lambda: Session.new(contents.photo), then, origin=path)
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

        self._begin(copied)

    def _begin(
        self,
        make: Callable[[], Session],
        then: Then | None = None,
        copy: Then | None = None,
        origin: Path | None = None,
    ) -> bool:
        """Put what `make` gives in the place of what is open; a failure leaves that untouched."""
        try:
            session = make()
        except ValueError as error:
            self._desk.fail(str(error), {"Open a copy": copy} if copy is not None else None)
            return False
        self._end_session()
        self._session, self.origin = session, origin
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
            self._begin(lambda: Session.recover(left.path, photo))

        self._jobs.run(Open(str(left.path / "original")), f"Opening {left.name}", opened)

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
        start = document.path or Path(folder("save")) / f"{Path(document.photo.name).stem}{SUFFIX}"
        dialog = QFileDialog(self._window, "Save as", str(start), f"Unshutter projects (*{SUFFIX})")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIX[1:])
        dialog.selectFile(start.name)
        dialog.fileSelected.connect(lambda name: self.save_to(Path(name), then))
        ask(dialog)

    def save_to(self, path: Path, then: Then | None = None) -> None:
        """Write the project there; `then` is called once it is on the disk."""
        session = self._session
        if session is None or self._jobs.busy:
            return

        def done(_: object) -> None:
            self._desk.attempt(session.end_save)
            remember_file(path)
            keep_folder("save", path)
            self._desk.told.emit(f"Saved {path.name}")
            if then is not None:
                then()

        try:
            contents = session.begin_save(path)
        except ValueError as error:
            self._desk.fail(str(error))
            return
        self._jobs.run(Save(contents, str(path)), f"Saving {path.name}", done, session.cancel_save)

    def _watch(self, _: Change) -> None:
        trouble = self._session.trouble if self._session is not None else ""
        if trouble and trouble != self._trouble:
            self._desk.fail(f"Changes cannot be kept safe as they are made: {trouble}", {"Save as…": self.save_as})
        self._trouble = trouble

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
            self._jobs.run(Open(str(path)), "Opening", lambda found: self._begin(lambda: Session.new(found.photo)))

    def forget_recent(self) -> None:
        forget_files()

    # Leaving

    def may_leave(self, then: Then) -> bool:
        """Whether the document can go now. If it must be asked, `then` is called once that is settled."""
        document = self._desk.document
        if self._settled or document is None or not document.modified:
            self._settled = False
            return True
        box = QMessageBox(self._window)
        box.setWindowTitle("Unshutter")
        name, question = document.photo.name, "Save them in a project?"
        if document.path is not None:
            name, question = document.path.name, "Save them?"
        box.setText(f"{name} has changes that were not saved.")
        box.setInformativeText(question)
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        box.finished.connect(lambda answer: self._answered(QMessageBox.StandardButton(answer), then))
        ask(box)
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

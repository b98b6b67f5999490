"""Opens, saves and exports; all reading and encoding happens in the worker for files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.document import Document
from app.photo import read_photo
from app.samples import Sample
from app.ui.player import Player
from app.ui.session import Session
from app.ui.settings import forget_files, remember_file
from app.ui.workers import Workers


class Files(QObject):
    busy_changed = Signal(bool)

    def __init__(self, session: Session, workers: Workers, player: Player, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._workers, self._player, self._window = session, workers, player, parent
        self.busy = False

    def open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._window)
        if path:
            self.open_path(Path(path))

    def open_path(self, path: Path) -> None:
        self._session.attempt(lambda: self._session.set_document(Document(read_photo(path))))
        remember_file(path)

    def open_sample(self, sample: Sample, then: Callable[[], None] | None = None) -> None:
        photo = read_photo(sample.path)
        self._session.set_document(Document(photo, sample.guidance(*photo.pixels.shape[:2])))
        if then:
            then()

    def close(self) -> None:
        self._session.set_document(None)

    def save(self) -> None: ...
    def save_as(self) -> None: ...
    def export(self) -> None: ...
    def paste(self) -> None: ...
    def copy(self) -> None: ...
    def cancel(self) -> None: ...
    def forget_recent(self) -> None:
        forget_files()
    def offer_recoverable(self) -> None: ...
    def may_leave(self, then: Callable[[], object]) -> bool:
        return True
    def leave(self) -> None: ...
    def leave_at_once(self) -> None: ...
    def can_take(self, data: QMimeData) -> bool:
        return data.hasUrls()
    def take(self, data: QMimeData) -> None: ...

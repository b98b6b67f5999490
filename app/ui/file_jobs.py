"""What the worker for files is asked to do, one thing at a time, told in the status bar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QStandardPaths, Qt, Signal
from PySide6.QtWidgets import QDialog

from app.jobs import Job
from app.ui.desk import Desk
from app.ui.settings import settings
from app.ui.workers import Workers

Then = Callable[[], object]


class FileJobs(QObject):
    """Runs what reads or writes the user's files.

    busy_changed  something is being read or written, or no longer.
    """

    busy_changed = Signal(bool)

    def __init__(self, desk: Desk, workers: Workers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._workers = desk, workers
        self._job: int | None = None

    @property
    def busy(self) -> bool:
        return self._job is not None

    def run(self, job: Job, said: str, done: Callable[[Any], object], undone: Then | None = None) -> None:
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

    def cancel(self) -> None:
        if self._job is not None:
            self._workers.cancel(self._job)


def ask(dialog: QDialog) -> None:
    """Show it without holding up anything else."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def folder(purpose: str) -> str:
    """Where files of this purpose were chosen last."""
    usual = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    return str(settings().value(f"folders/{purpose}", usual))


def keep_folder(purpose: str, path: Path) -> None:
    settings().setValue(f"folders/{purpose}", str(path.parent))

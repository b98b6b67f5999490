"""What the user asks an engine for: one job at a time, which can be cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.jobs import Job
from app.ui.desk import Desk
from app.ui.workers import OnProgress, Workers


class Asking(QObject):
    """Submits jobs of one kind. One that asks for the next when it is done goes on running.

    running_changed  it began, or ended in whatever way.
    """

    running_changed = Signal(bool)

    def __init__(self, desk: Desk, workers: Workers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._workers = desk, workers
        self._job: int | None = None

    @property
    def running(self) -> bool:
        return self._job is not None

    def start(self) -> None:
        """Do it, if it can be done now."""
        raise NotImplementedError

    def cancel(self) -> None:
        if self._job is not None:
            self._workers.cancel(self._job)

    def forget(self) -> None:
        """Another document comes: what runs is of no use."""
        if self._job is not None:
            self._workers.forget(self._job)
            self._over()

    def _submit(self, job: Job, done: Callable[[Any], object], progress: OnProgress) -> None:
        def finished(result: Any) -> None:
            mine = self._job
            try:
                done(result)
            finally:
                if self._job == mine:
                    self._over()

        begins = not self.running
        self._job = self._workers.submit(job, finished, self._failed, self._cancelled, progress)
        if begins:
            self.running_changed.emit(True)

    def _failed(self, sentence: str) -> None:
        self._over()
        self._desk.told.emit("")
        self._desk.fail(sentence, {"Try again": self.start})

    def _cancelled(self) -> None:
        self._over()
        self._desk.told.emit("Cancelled.")

    def _over(self) -> None:
        self._job = None
        self.running_changed.emit(False)

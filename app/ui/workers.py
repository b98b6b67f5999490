"""The worker processes of the window behind one door: submit a job and say what to do with its outcome."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.exchange import private_folder
from app.jobs import Job
from app.ui.client import WorkerClient

OnProgress = Callable[[float, str, Any], None]


@dataclass(frozen=True)
class _Waiting:
    client: WorkerClient
    done: Callable[[Any], None]
    failed: Callable[[str], None] | None
    cancelled: Callable[[], None] | None
    progress: OnProgress | None


class Workers(QObject):
    """Starts a process per channel when the channel is first used.

    failed     a job failed that nobody had said what to do about: one sentence.
    restarted  a worker ended and another began: why, one sentence.
    """

    failed = Signal(str)
    restarted = Signal(str)

    def __init__(self, parent: QObject | None = None, engines: str = "") -> None:
        super().__init__(parent)
        self._engines = engines
        self._root = private_folder()
        self._clients: dict[str, WorkerClient] = {}
        self._waiting: dict[int, _Waiting] = {}

    def submit(
        self,
        job: Job,
        done: Callable[[Any], None],
        failed: Callable[[str], None] | None = None,
        cancelled: Callable[[], None] | None = None,
        progress: OnProgress | None = None,
        asked: bool = True,
    ) -> int:
        """Run a job; exactly one of `done`, `failed`, `cancelled` is called, later. Returns its id."""
        client = self.client(job.channel)
        job_id = client.submit(job, asked)
        self._waiting[job_id] = _Waiting(client, done, failed, cancelled, progress)
        return job_id

    def cancel(self, job_id: int) -> None:
        if job_id in self._waiting:
            self._waiting[job_id].client.cancel(job_id)

    def forget(self, job_id: int) -> None:
        """Cancel a job whose outcome is of no interest any more."""
        waiting = self._waiting.pop(job_id, None)
        if waiting is not None:
            waiting.client.cancel(job_id)

    def client(self, channel: str) -> WorkerClient:
        if channel not in self._clients:
            client = WorkerClient(channel, self._root, self._engines, self)
            client.progress.connect(self._progressed)
            client.finished.connect(self._finished)
            client.failed.connect(self._failed)
            client.cancelled.connect(self._cancelled)
            client.restarted.connect(self.restarted)
            self._clients[channel] = client
        return self._clients[channel]

    def stop(self) -> None:
        """No process and no file of theirs is left."""
        self._waiting.clear()
        for client in self._clients.values():
            client.stop()
        self._clients.clear()
        shutil.rmtree(self._root, ignore_errors=True)

    def _progressed(self, job_id: int, fraction: float, step: str, preview: Any) -> None:
        waiting = self._waiting.get(job_id)
        if waiting is not None and waiting.progress is not None:
            waiting.progress(fraction, step, preview)

    def _finished(self, job_id: int, result: Any) -> None:
        waiting = self._waiting.pop(job_id, None)
        if waiting is not None:
            waiting.done(result)

    def _failed(self, job_id: int, sentence: str) -> None:
        waiting = self._waiting.pop(job_id, None)
        if waiting is None:
            return
        if waiting.failed is None:
            self.failed.emit(sentence)
        else:
            waiting.failed(sentence)

    def _cancelled(self, job_id: int) -> None:
        waiting = self._waiting.pop(job_id, None)
        if waiting is not None and waiting.cancelled is not None:
            waiting.cancelled()

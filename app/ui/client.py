"""The window's end of a worker process: submit jobs, hear what comes of them. The only place that starts a process."""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from itertools import count
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QProcess, QProcessEnvironment, Qt, QTimer, Signal

from app.exchange import Exchange
from app.jobs import TIDY, Job, Queue, Ticket, Warm
from app.worker import Cancel, Do, Finished, Report, Stepped, Stopped

_HOPELESS = 3
"""Workers that end in a row without having said anything."""
_ids = count(1)


class WorkerClient(QObject):
    """One worker process, started when first needed and again whenever it ends.

    channel  as in `app.jobs.Channel`; jobs of another one are refused.
    root     the private folder of this window, see `app.exchange.private_folder`; all channels share it.
    engines  a module with further engines, for tests and experiments.

    Every job submitted ends in exactly one of `finished`, `failed`, `cancelled`; none of them before `submit` returns.
    """

    progress = Signal(int, float, str, object)
    """Job id, fraction, step in words, a preview (h, w, 3) uint8 or None."""
    finished = Signal(int, object)
    """Job id and what the job returned; arrays are mapped and read-only."""
    failed = Signal(int, str)
    cancelled = Signal(int)
    restarted = Signal(str)
    """The worker ended and a new one began: why, one sentence."""
    busy = Signal(bool)

    def __init__(self, channel: str, root: Path, engines: str = "", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._channel = channel
        self._engines = engines
        self._exchange = Exchange(root, f"window-{channel}")
        self._queue = Queue()
        self._cancelling = False
        self._warm = ""
        self._silent = 0
        self._stopping = False
        self._process: QProcess | None = None
        self._dying: set[QProcess] = set()
        self.log: deque[str] = deque(maxlen=200)
        self._deadline = QTimer(self, singleShot=True)
        self._deadline.setObjectName(f"{channel} deadline")
        self._deadline.timeout.connect(self._kill)

    def submit(self, job: Job, asked: bool = True) -> int:
        """Put a job in the queue; `asked`: the user asked for it. Returns its id.

        Its arrays are read when its turn comes, not now. Raises ValueError for a job of another channel.
        """
        if job.channel != self._channel:
            raise ValueError(f"{type(job).__name__} is for the channel {job.channel}, not {self._channel}")
        ticket = Ticket(next(_ids), job, asked)
        for pointless in self._queue.add(ticket):
            self._end(pointless)
        QTimer.singleShot(0, self, self._start_next)
        return ticket.id

    def cancel(self, job_id: int) -> None:
        """Stop a job: a waiting one at once, a running one within its `patience`, if need be with its process."""
        running = self._queue.running
        ticket = running if running is not None and running.id == job_id else self._queue.withdraw(job_id)
        if ticket is not None:
            self._end(ticket)

    def warm(self, engine: str) -> None:
        """Load an engine while nothing else is to be done; after a restart it is loaded again."""
        self._warm = engine
        self.submit(Warm(engine), asked=False)

    @property
    def running(self) -> int | None:
        """The id of the job that runs."""
        return self._queue.running.id if self._queue.running else None

    @property
    def process_id(self) -> int | None:
        """The worker's process id; None while there is no worker."""
        return self._process.processId() or None if self._process else None

    def stop(self) -> None:
        """End the worker; no process, timer or file of it is left. The client cannot be used again."""
        self._stopping = True
        self._deadline.stop()
        if self._process is not None:
            self._process.closeWriteChannel()
            if not self._process.waitForFinished(TIDY if self._channel != "engine" else 300):
                self._process.kill()
        for process in (self._process, *self._dying):
            if process is not None:
                process.waitForFinished(2000)
        if self._queue.running is not None:
            self._queue.running.job.tidy()
        self._exchange.close()

    # What goes to the worker

    def _start_next(self) -> None:
        ticket = None if self._stopping else self._queue.start_next()
        if ticket is None:
            return
        try:
            self._send(Do(ticket.id, ticket.job))  # pyright: ignore[reportArgumentType]
        except OSError as error:
            self._over()
            self.failed.emit(ticket.id, f"The job could not be handed over: {error.strerror}")
        else:
            self.busy.emit(True)

    def _send(self, request: Do | Cancel) -> None:
        line = self._exchange.encode(request)
        if self._process is None:
            self._process = self._launched()
        self._process.write(QByteArray(line + b"\n"))

    def _end(self, ticket: Ticket) -> None:
        """Stop a ticket that has been taken out of the queue, or that runs."""
        if ticket is not self._queue.running:
            QTimer.singleShot(0, self, lambda: self.cancelled.emit(ticket.id))
        elif not self._cancelling:
            self._cancelling = True
            self._send(Cancel(ticket.id))
            self._deadline.start(ticket.job.patience)

    def _kill(self) -> None:
        """The running job did not stop by itself; a new worker takes over at once."""
        ticket, process = self._queue.running, self._process
        if ticket is None or process is None:
            return
        self._dying.add(process)
        process.finished.disconnect(self._gone)
        process.finished.connect(lambda: self._buried(process, ticket.job))
        process.kill()
        self._begin_anew()
        self._over()
        self.cancelled.emit(ticket.id)

    def _buried(self, process: QProcess, job: Job) -> None:
        job.tidy()
        self._dying.discard(process)
        process.deleteLater()

    def _begin_anew(self) -> None:
        """A new worker instead of the one that is gone, and what the window had given that one removed."""
        self._exchange.forget(self._exchange.folder.name)
        self._process = self._launched()
        if self._warm:
            self.warm(self._warm)

    def _launched(self) -> QProcess:
        """A new worker. It finds this program's packages wherever it was started from, and nothing else by accident."""
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        here = str(Path(__file__).parents[2])
        environment.insert("PYTHONPATH", os.pathsep.join(filter(None, (here, environment.value("PYTHONPATH")))))
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._hear)
        process.readyReadStandardError.connect(self._keep_log)
        process.finished.connect(self._gone)
        process.errorOccurred.connect(self._not_started, Qt.ConnectionType.QueuedConnection)
        arguments = ["-P", "-m", "app.cli", "worker", self._channel, str(self._exchange.root)]
        process.start(sys.executable, arguments + (["--engines", self._engines] if self._engines else []))
        return process

    # What comes from the worker

    def _hear(self) -> None:
        while self._process is not None and self._process.canReadLine():
            line = self._process.readLine().data()
            try:
                report = self._exchange.decode(line, Report)  # pyright: ignore[reportArgumentType]
            except ValueError as error:
                self.log.append(f"not understood: {error}")
                continue
            self._silent = 0
            self._take(report)

    def _take(self, report: Report) -> None:
        ticket = self._queue.running
        if ticket is None or ticket.id != report.id:
            return
        if isinstance(report, Stepped):
            if not self._cancelling:
                self.progress.emit(report.id, report.fraction, report.step, report.preview)
            return
        cancelling = self._cancelling
        self._over()
        if isinstance(report, Finished):
            self._deliver(ticket, report, cancelling)
        elif cancelling or isinstance(report, Stopped):
            self.cancelled.emit(ticket.id)
        else:
            self.failed.emit(ticket.id, report.sentence)

    def _deliver(self, ticket: Ticket, report: Finished, cancelling: bool) -> None:
        try:
            result = self._exchange.decode(report.result, ticket.job.result)  # even if unwanted: that frees its files
        except ValueError as error:
            self.failed.emit(ticket.id, f"The result could not be read: {error}")
            return
        if cancelling:
            self.cancelled.emit(ticket.id)
        else:
            self.finished.emit(ticket.id, result)

    def _over(self) -> None:
        """The running job has ended, one way or another."""
        self._deadline.stop()
        self._queue.running = None
        self._cancelling = False
        if len(self._queue):
            QTimer.singleShot(0, self, self._start_next)
        else:
            self.busy.emit(False)

    def _keep_log(self) -> None:
        if self._process is not None:
            text = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
            self.log.extend(text.splitlines())

    def _gone(self, code: int, status: QProcess.ExitStatus) -> None:
        """The worker ended although nobody told it to."""
        process = self._process
        if self._stopping or process is None:
            return
        self._hear()
        self._keep_log()
        self._process = None
        process.deleteLater()
        self._silent += 1
        self._mourn(_cause(code, status), hopeless=self._silent >= _HOPELESS)

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._process = None
            self._mourn("The worker process could not be started.", hopeless=True)

    def _mourn(self, why: str, hopeless: bool) -> None:
        ticket, cancelling = self._queue.running, self._cancelling
        if ticket is not None:
            ticket.job.tidy()
        lost = [ticket] if ticket is not None else []
        if hopeless:
            self._silent = 0
            lost += self._queue.clear()
        else:
            self._begin_anew()
        self._over()
        for one in lost:
            if cancelling and one is ticket:
                self.cancelled.emit(one.id)
            else:
                self.failed.emit(one.id, why)
        if not hopeless:
            self.restarted.emit(f"{why} A new one has been started.")


def _cause(code: int, status: QProcess.ExitStatus) -> str:
    if status == QProcess.ExitStatus.CrashExit and code == getattr(signal, "SIGKILL", None):
        return "The worker was stopped by the system, most likely because memory ran out: try fewer frames."
    if status == QProcess.ExitStatus.CrashExit:
        return f"The worker crashed (signal {code})."
    return f"The worker ended unexpectedly (code {code})."

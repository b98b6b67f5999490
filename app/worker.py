"""The process that runs jobs for the window: a line of JSON in for a request, lines of JSON out for its course.

The main thread reads, one other thread runs the jobs one after another. Engines, and torch with them, are imported in
this process only. It ends when its input does, so none outlives its window.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

import msgspec
import numpy as np

from app.exchange import Exchange, sweep
from app.jobs import TIDY, AnyJob
from models import catalog
from models.recovery import Cancelled, Progress

NICENESS = 10
SPINS = "3000"
"""How often a thread of OpenMP looks whether the others are done before it sleeps. While the window plays frames on one
of two cores, threads that look a hundred times as often, as is usual, keep each other from working: finding the motion
took six times as long."""
LONGEST_LINE = 64 << 20
_SHORTEST_GAP = 0.04
"""Seconds between two reports of one job: more often than a screen shows them is of no use."""


class Do(msgspec.Struct, tag="do", forbid_unknown_fields=True):
    """To the worker: run this job."""

    id: int
    job: AnyJob


class Cancel(msgspec.Struct, tag="cancel", forbid_unknown_fields=True):
    """To the worker: the job's result is no longer wanted."""

    id: int


class Stepped(msgspec.Struct, tag="stepped"):
    """From the worker: how far a job is."""

    id: int
    fraction: float
    step: str
    preview: np.ndarray | None = None


class Finished(msgspec.Struct, tag="finished"):
    """From the worker: what a job returned, of the job's `result` type."""

    id: int
    result: msgspec.Raw


class Failed(msgspec.Struct, tag="failed"):
    """From the worker: why a job came to nothing, one sentence. Id -1: a line was no request."""

    id: int
    sentence: str


class Stopped(msgspec.Struct, tag="cancelled"):
    """From the worker: a job has stopped."""

    id: int


Request = Do | Cancel
Report = Stepped | Finished | Failed | Stopped


class Worker:
    """Runs what `source` asks for and reports to `sink`."""

    def __init__(self, channel: str, source: BinaryIO, sink: BinaryIO, exchange: Exchange) -> None:
        self._channel = channel
        self._source = source
        self._sink = sink
        self._exchange = exchange
        self._writing = threading.Lock()
        self._waiting: SimpleQueue[Do] = SimpleQueue()
        self._cancelled: set[int] = set()
        self._ending = False
        self._idle = threading.Event()
        self._idle.set()

    def serve(self) -> None:
        """Until the source ends. A running job that writes files may still tidy up, any other is left behind."""
        threading.Thread(target=self._work, name="jobs", daemon=True).start()
        while line := self._source.readline(LONGEST_LINE):
            self._hear(line)
        self._ending = True
        if self._channel != "engine":
            self._idle.wait(TIDY / 2000)

    def _hear(self, line: bytes) -> None:
        try:
            request = self._exchange.decode(line, Request)  # pyright: ignore[reportArgumentType]
        except ValueError as error:
            self.report(Failed(_id_in(line), f"The request was not understood: {error}"))
            return
        if isinstance(request, Cancel):
            self._cancelled.add(request.id)
        elif request.job.channel != self._channel:
            self.report(Failed(request.id, f"This worker is for {self._channel}, not for {request.job.channel}"))
        else:
            self._waiting.put(request)

    def _work(self) -> None:
        while True:
            request = self._waiting.get()
            self._idle.clear()
            with contextlib.suppress(OSError):  # nobody may be there any more to hear it
                self.report(self._outcome(request))
            self._idle.set()
            self._cancelled.discard(request.id)
            del request  # or its arrays would stay open until the next one comes

    def _outcome(self, request: Do) -> Report:
        """Run a job to its end, whatever that is."""
        steps = _Steps(request.id, self)
        try:
            result = request.job.run(steps.on_progress, steps.is_cancelled)
            if steps.is_cancelled():
                raise Cancelled
            return Finished(request.id, msgspec.Raw(self._exchange.encode(result)))
        except Cancelled:
            return Stopped(request.id)
        except Exception as error:
            if not isinstance(error, ValueError):
                traceback.print_exc()
            return Failed(request.id, sentence(error))

    def is_cancelled(self, job_id: int) -> bool:
        return self._ending or job_id in self._cancelled

    def report(self, report: Report) -> None:
        line = self._exchange.encode(report)
        with self._writing:
            self._sink.write(line + b"\n")
            self._sink.flush()


class _Steps:
    """What a running job is given: where it reports its steps, where it looks whether to go on."""

    def __init__(self, job_id: int, worker: Worker) -> None:
        self._id = job_id
        self._worker = worker
        self._last = 0.0

    def is_cancelled(self) -> bool:
        return self._worker.is_cancelled(self._id)

    def on_progress(self, progress: Progress) -> None:
        if self.is_cancelled():
            raise Cancelled
        now = time.monotonic()
        if now - self._last >= _SHORTEST_GAP:
            self._last = now
            self._worker.report(Stepped(self._id, progress.fraction, progress.step, progress.preview))


def sentence(error: Exception) -> str:
    """What went wrong, for a user."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, MemoryError) or "out of memory" in text.lower():
        return "There is not enough memory for this: try fewer frames or a smaller photo."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The file'}: {error.strerror}"
    if isinstance(error, ValueError):
        return text
    return f"Something went wrong inside ({type(error).__name__}: {text})"


def _id_in(line: bytes) -> int:
    """The id in a line that is no request, -1 where it has none."""
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(line, type=_Numbered).id
    return -1


class _Numbered(msgspec.Struct):
    id: int = -1


def run(channel: str, root: Path, engines: str = "") -> None:
    """Be the worker of a channel, one of `app.jobs.Channel`, until stdin closes; never returns.

    `engines` names a module with further `ENGINES` for the catalog.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the whole group; the window decides
    faulthandler.enable()
    _be_humble()
    sink = _private_stdout()
    if engines:
        catalog.ENGINES += importlib.import_module(engines).ENGINES
    exchange = Exchange(root, f"{channel}-{os.getpid()}")
    if channel == "io":
        threading.Thread(target=sweep, name="sweep", daemon=True).start()
    try:
        Worker(channel, sys.stdin.buffer, sink, exchange).serve()
    finally:
        sys.stderr.flush()
        os._exit(0)  # without waiting for the running job


def _private_stdout() -> BinaryIO:
    """What was stdout, for reports alone; whatever else prints, prints to stderr."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    return sink


def _be_humble() -> None:
    """Let the window go first, and be the one that ends when memory runs out. To be called before torch is imported."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")

"""Shows a recovery at any moment of the exposure: scrubbed, stepped, played."""

from __future__ import annotations

import importlib
import threading
from collections import OrderedDict
from typing import Literal

import numpy as np
from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication

from app.jobs import ScreenCopy
from app.playback import Playback, frame_at, screen_copy
from app.ui.made import made
from app.ui.workers import Workers
from models.motion import MIDDLE
from models.recovery import Recovery

SMALL = 4 << 20
"""Frames of at most so many bytes get their screen copy here and now."""
KEPT = 3
_INTERVAL = 16


class Player(QObject):
    """Plays the screen copy of one recovery.

    frame_changed  an 8-bit frame (or None: the photo) and its t.
    moved          t alone; also while there is nothing to show.
    changed        playing, mode, speed, in or out are different, or there is another recovery.
    """

    frame_changed = Signal(object, float)
    moved = Signal(float)
    changed = Signal()

    def __init__(self, workers: Workers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.playback = Playback(position=MIDDLE)
        self.recovery: Recovery | None = None
        self.copy: Recovery | None = None
        self._workers = workers
        self._copies: OrderedDict[int, tuple[Recovery, Recovery]] = OrderedDict()
        self._job: int | None = None
        self._play_when_ready = False
        self._clock = QElapsedTimer()
        self._timer = made(QTimer, self, interval=_INTERVAL, timerType=Qt.TimerType.PreciseTimer, objectName="player")
        self._timer.timeout.connect(self._tick)

    @property
    def position(self) -> float:
        return self.playback.position

    @property
    def playing(self) -> bool:
        return self.playback.playing

    def prepare(self) -> None:
        """Load what moves pictures, in the background: it takes longer than a frame may."""
        threading.Thread(target=importlib.import_module, args=("cv2",), name="cv2").start()

    def show(self, recovery: Recovery | None, play: bool = False) -> None:
        """Show this recovery from now on, as soon as its screen copy is there; None: nothing."""
        if self._job is not None:
            self._workers.forget(self._job)
            self._job = None
        self.recovery = recovery
        self._play_when_ready = play
        kept = self._kept(recovery)
        if recovery is None:
            self._set_copy(None)
        elif kept is not None:
            self._keep(recovery, kept)
        elif recovery.frames.nbytes <= SMALL:
            self._keep(recovery, screen_copy(recovery, *_screen_size()))
        else:
            job = ScreenCopy(recovery, *_screen_size())
            self._job = self._workers.submit(job, lambda copy: self._keep(recovery, copy), asked=False)

    def _kept(self, recovery: Recovery | None) -> Recovery | None:
        """The screen copy that is there already, be it made for the same recovery backwards."""
        for known, copy in self._copies.values():
            if known is recovery:
                return copy
            if recovery is not None and _is_reversed(known, recovery):
                return copy.reversed()
        return None

    def forget(self) -> None:
        """Drop everything: another document comes."""
        self._copies.clear()
        self.playback.set_range(0.0, 1.0)
        self.playback.seek(MIDDLE)
        self.show(None)

    def _keep(self, recovery: Recovery, copy: Recovery) -> None:
        self._job = None
        self._copies[id(recovery)] = recovery, copy
        while len(self._copies) > KEPT:
            self._copies.popitem(last=False)
        self._set_copy(copy)

    def _set_copy(self, copy: Recovery | None) -> None:
        self.copy = copy
        if copy is None:
            self.pause()
        elif self._play_when_ready:
            self.play()
        self.changed.emit()
        self._show()

    # Playing

    def toggle(self) -> None:
        if self.playing:
            self.pause()
        else:
            self.play()

    def play(self) -> None:
        if self.copy is not None:
            self.playback.play()
            self._clock.start()
            self._timer.start()
            self.changed.emit()

    def pause(self) -> None:
        self.playback.pause()
        self._timer.stop()
        self.changed.emit()

    def _tick(self) -> None:
        self.playback.advance(self._clock.restart() / 1000)
        if not self.playing:
            self._timer.stop()
            self.changed.emit()
        self._show()

    def refresh(self) -> None:
        """Tell again what is to be seen."""
        self._show()

    def _show(self) -> None:
        frame = frame_at(self.copy, self.position) if self.copy is not None else None
        self.frame_changed.emit(frame, self.position)
        self.moved.emit(self.position)

    # Going somewhere

    def seek(self, t: float) -> None:
        """Stand still at t."""
        if self.playing:
            self.pause()
        self.playback.seek(t)
        self._show()

    def step_back(self) -> None:
        self._step(-1)

    def step_forward(self) -> None:
        self._step(1)

    def _step(self, direction: int) -> None:
        if self.recovery is None:
            return
        times = np.asarray(self.recovery.times, np.float64)
        beyond = times[(times - self.position) * direction > 1e-4]
        if len(beyond):
            self.seek(float(beyond[0] if direction > 0 else beyond[-1]))

    def to_start(self) -> None:
        self.seek(self.playback.start)

    def to_middle(self) -> None:
        self.seek(MIDDLE)

    def to_end(self) -> None:
        self.seek(self.playback.end)

    def mark_in(self) -> None:
        self.set_range(self.position, self.playback.end if self.playback.end > self.position else 1.0)

    def mark_out(self) -> None:
        self.set_range(self.playback.start if self.playback.start < self.position else 0.0, self.position)

    def clear_marks(self) -> None:
        self.set_range(0.0, 1.0)

    def set_range(self, start: float, end: float) -> None:
        if start < end:
            self.playback.set_range(start, end)
            self.changed.emit()

    def set_loop(self) -> None:
        self.set_mode("loop")

    def set_ping_pong(self) -> None:
        self.set_mode("ping-pong")

    def set_once(self) -> None:
        self.set_mode("once")

    def set_mode(self, mode: Literal["once", "loop", "ping-pong"]) -> None:
        self.playback.mode = mode
        self.changed.emit()

    def set_speed(self, exposures_per_second: float) -> None:
        self.playback.speed = exposures_per_second
        self.changed.emit()


def _is_reversed(one: Recovery, other: Recovery) -> bool:
    """Whether the frames of one are those of the other in the opposite order, in the same memory."""
    both = one.frames[::-1], other.frames
    places = [(frames.shape, frames.strides, frames.__array_interface__["data"]) for frames in both]
    return places[0] == places[1]


def _screen_size() -> tuple[int, int]:
    """The most that is worth playing on this screen, px."""
    screen = QApplication.primaryScreen()
    size = screen.size() * screen.devicePixelRatio()
    return min(size.width(), 1920), min(size.height(), 1200)

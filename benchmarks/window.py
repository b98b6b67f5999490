"""How quick the window is: `python -m benchmarks.window` (on this display, or offscreen where there is none).

Drives the real window with real events and real worker processes, with settings and state of its own. The last line
is JSON; what each number is stands beside it in `measure`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

STARTS = 3
DABS = 80
SECONDS = 3.0
LARGE = (4000, 6000)
SCREEN = (1080, 1920)

_START = """
import sys, time
from PySide6.QtCore import QEvent, QObject
from app.ui import main
application = main.make_application()
window = main.Window()
class Watch(QObject):
    painted = False
    def eventFilter(self, watched, event):
        self.painted |= event.type() == QEvent.Type.Paint
        return False
watch = Watch()
window.installEventFilter(watch)
window.show()
while not watch.painted:
    application.processEvents()
print(time.time(), "torch" in sys.modules, flush=True)
window.close()
"""


def startup_seconds() -> float:
    """From starting Python to the first picture of the window, the median of a few."""
    found = []
    for _ in range(STARTS):
        start = time.time()
        child = subprocess.run([sys.executable, "-c", _START], capture_output=True, text=True, check=True)
        painted, torch_is_there = child.stdout.split()
        if torch_is_there == "True":
            raise RuntimeError("torch was imported on the way to the window")
        found.append(float(painted) - start)
    return statistics.median(found)


class Measurement:
    """One window, and everything that is measured in it."""

    def __init__(self, folder: Path) -> None:
        from PySide6.QtCore import QEvent, QObject

        from app.ui import main

        self.application = main.make_application()
        self.window = main.Window()
        self.window.resize(1600, 1000)
        self.window.show()
        self.window.start_later()
        self.folder = folder
        paints = self._paints = [0]

        class Watch(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                paints[0] += event.type() == QEvent.Type.Paint
                return False

        self._watch = Watch()
        self.window.canvas.installEventFilter(self._watch)

    def close(self) -> None:
        self.window.files.leave_at_once()
        self.window.close()

    def wait(self, until: Callable[[], bool], seconds: float = 600) -> None:
        from PySide6.QtTest import QTest

        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("the window did not come to an end with this")
            QTest.qWait(1)

    def open(self, size: tuple[int, int]) -> None:
        """Open the photo of this size (H, W)."""
        window = self.window
        window.files.leave_at_once()
        before = window.desk.document
        window.files.open_path(self.photo(size))
        self.wait(lambda: window.desk.document is not before)
        self.wait(lambda: not window.welcome.isVisible())
        self.idle(0.5)

    def photo(self, size: tuple[int, int]) -> Path:
        """The file of a made photo of this size (H, W), written when it is first asked for."""
        path = self.folder / f"{size[1]}x{size[0]}.jpg"
        if not path.is_file():
            from PIL import Image

            Image.fromarray(made_photo(*size)).save(path, quality=90)
        return path

    def idle(self, seconds: float) -> None:
        from PySide6.QtTest import QTest

        QTest.qWait(round(seconds * 1000))

    def dab_ms(self) -> float:
        """From the pointer's event to the end of the repaint it causes, median, on a 24-megapixel photo."""
        from PySide6.QtCore import QEvent, QPointF, Qt
        from PySide6.QtGui import QMouseEvent

        canvas = self.window.canvas
        canvas.set_tool("brush")
        canvas.set_brush_size(120)
        found = []
        button, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton

        def send(kind: QEvent.Type, place: QPointF, pressed: Qt.MouseButton, held: Qt.MouseButton) -> None:
            place_there = QPointF(canvas.mapToGlobal(place))
            event = QMouseEvent(kind, place, place_there, pressed, held, Qt.KeyboardModifier.NoModifier)
            self.application.sendEvent(canvas, event)

        def place(number: int) -> QPointF:
            angle = number / 9
            middle = canvas.rect().center()
            return QPointF(middle.x() + 200 * np.cos(angle), middle.y() + 150 * np.sin(angle))

        send(QEvent.Type.MouseButtonPress, place(0), button, button)
        for number in range(1, DABS):
            self.application.processEvents()
            before, start = self._paints[0], time.perf_counter()
            send(QEvent.Type.MouseMove, place(number), none, button)
            while self._paints[0] == before and time.perf_counter() - start < 1:
                self.application.processEvents()
            found.append(time.perf_counter() - start)
        send(QEvent.Type.MouseButtonRelease, place(DABS), button, none)
        return 1000 * statistics.median(found)

    def show_recovery(self) -> None:
        """A recovery of a 1080p photo, made up, seven frames with motion everywhere."""
        from models.motion import Motion
        from models.recovery import Recovery

        document = self.window.desk.document
        assert document is not None
        frames = np.stack([np.roll(document.photo.pixels, 8 * number, 1) for number in range(7)])
        flow = np.full((270, 480, 2), (48, 0), np.float32)
        times = np.linspace(0, 1, 7, dtype=np.float32)
        document.add_recovery(Recovery(frames, times, Motion.from_flow(flow, 7), "drawn"))
        self.wait(lambda: self.window.player.copy is not None)
        self.window.player.pause()

    def scrub_fps(self) -> float:
        """Instants shown a second while the playhead is dragged as fast as they come, at 1920 x 1080."""
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < SECONDS:
            before = self._paints[0]
            self.window.player.seek((0.013 + 0.0137 * count) % 1)
            while self._paints[0] == before:
                self.application.processEvents()
            count += 1
        return count / (time.perf_counter() - start)

    def play_fps(self) -> float:
        """Instants shown a second while it plays, at 1920 x 1080."""
        before, start = self._paints[0], time.perf_counter()
        self.window.player.play()
        self.idle(SECONDS)
        self.window.player.pause()
        return (self._paints[0] - before) / (time.perf_counter() - start)

    @contextmanager
    def recovering(self) -> Iterator[None]:
        """While the whole photo is being recovered."""
        from models.motion import Arrow

        document = self.window.desk.document
        assert document is not None
        self.window.recovering.set_live(False)
        document.set_camera(Arrow(10, 30))
        self.window.actions_by_name["recover"].trigger()
        yield
        if self.window.recovering.running:
            self.window.recovering.cancel()
            self.wait(lambda: not self.window.recovering.running)

    def longest_gap_ms(self) -> tuple[float, float]:
        """The longest time between two turns of the event loop from asking for a recovery to seeing it play."""

        def recover() -> None:
            with self.recovering():
                self.wait(lambda: not self.window.recovering.running)
                self.idle(1.0)

        return self.gap_ms(recover)

    def taking_gap_ms(self) -> tuple[float, float]:
        """The longest gap while a suggestion is taken whose regions cover all of the photo."""
        from models.guidance import Guidance, Region
        from models.motion import Arrow

        document = self.window.desk.document
        assert document is not None
        height, width = document.guidance.areas.shape
        columns = 1 + 3 * np.arange(width) // width + np.sin(np.arange(683) / 40)[:, None] * 0.4
        areas = np.repeat(np.clip(columns, 1, 3).astype(np.uint8), 6, axis=0)[:height]
        guidance = Guidance(areas, tuple(Region(n, f"thing {n}", Arrow(90.0 * n, 40)) for n in (1, 2, 3)), Arrow(0, 0))
        self.window.suggesting.offer((guidance,), np.zeros((1, 2, 160, 240, 3), np.uint8))

        def take() -> None:
            self.window.suggestions.loops[0].click()
            self.idle(0.5)

        return self.gap_ms(take)

    def gap_ms(self, do: Callable[[], None]) -> tuple[float, float]:
        """The longest time between two turns of the event loop while `do` is under way.

        Also the most that the window's own thread computed between two turns: the gap on a machine with time for it.
        """
        from PySide6.QtCore import QTimer

        turns: list[tuple[float, float]] = []
        timer = QTimer(interval=1)
        timer.timeout.connect(lambda: turns.append((time.perf_counter(), time.thread_time())))
        timer.start()
        self.idle(0.2)
        do()
        timer.stop()
        longest = 1000 * np.diff(turns, axis=0).max(0)
        return float(longest[0]), float(longest[1])

    def cancel_ms(self) -> float:
        """From the cancel button to the window saying so, in the middle of a 24-megapixel recovery."""
        with self.recovering():
            self.idle(4.0)
            if not self.window.recovering.running:
                raise RuntimeError("the recovery was over before it could be cancelled")
            start = time.perf_counter()
            self.window.actions_by_name["cancel"].trigger()
            self.wait(lambda: not self.window.recovering.running)
            return 1000 * (time.perf_counter() - start)


def made_photo(height: int, width: int) -> np.ndarray:
    """Something with edges and gradients, uint8 (H, W, 3)."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = np.sin(x / 37) * np.cos(y / 23) + np.sign(np.sin((x + 2 * y) / 61))
    return np.stack([127 + 60 * waves, 40 + 170 * x / width, 30 + 180 * y / height], -1).clip(0, 255).astype(np.uint8)


def measure() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("STATE", "CONFIG", "CACHE"):
            os.environ[f"UNSHUTTER_{kind}"] = str(folder / kind.lower())
        found = {"startup_seconds": startup_seconds()}
        window = Measurement(folder)
        try:
            window.photo(LARGE)
            window.idle(2.0)
            found["opening_gap_ms"], found["opening_own_gap_ms"] = window.gap_ms(lambda: window.open(LARGE))
            found["taking_gap_ms"], found["taking_own_gap_ms"] = window.taking_gap_ms()
            found["dab_ms"] = window.dab_ms()
            found["cancel_ms"] = window.cancel_ms()
            window.open(SCREEN)
            window.show_recovery()
            found["scrub_fps"] = window.scrub_fps()
            found["play_fps"] = window.play_fps()
            window.window.desk.undo()
            found["longest_gap_ms"], found["longest_own_gap_ms"] = window.longest_gap_ms()
        finally:
            window.close()
        return {key: round(value, 3) for key, value in found.items()}


def main() -> None:
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    print(json.dumps(measure()))


if __name__ == "__main__":
    main()

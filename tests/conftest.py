"""What holds for every test: a screenless Qt, private folders, and nothing left running afterwards."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import psutil
import pytest
from hypothesis import settings

_PATIENCE = 3.0

# The same examples every time, so that a run is red only for what was changed. `--hypothesis-profile=default` looks
# for new ones.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")


@pytest.fixture(autouse=True)
def private_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or changes the state, settings or cache of whoever runs it."""
    for name in ("STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"UNSHUTTER_{name}", str(tmp_path / f"unshutter-{name.lower()}"))


@pytest.fixture(autouse=True)
def nothing_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a thread, a child process or an active timer behind, and names it."""
    threads, children = set(threading.enumerate()), set(psutil.Process().children(recursive=True))
    yield
    deadline = time.monotonic() + _PATIENCE
    while left := _left(threads, children):
        if time.monotonic() > deadline:
            pytest.fail(f"{request.node.name} left running: {', '.join(left)}")
        gc.collect()
        _let_qt_finish()
        time.sleep(0.02)


def _left(threads: set[threading.Thread], children: set[psutil.Process]) -> list[str]:
    new_threads = [one for one in threading.enumerate() if one not in threads and one.is_alive()]
    new_children = [one for one in psutil.Process().children(recursive=True) if one not in children]
    return [
        *(f"thread {one.name}" for one in new_threads if not one.name.startswith("Dummy-")),
        *(f"process {one.pid}" for one in new_children),
        *_active_timers(),
    ]


def _application():
    """The Qt application, if this run has made one; never imports Qt by itself."""
    import sys

    widgets = sys.modules.get("PySide6.QtWidgets")
    return widgets.QApplication.instance() if widgets else None


def _let_qt_finish() -> None:
    if application := _application():
        application.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
        application.processEvents()


def _active_timers() -> list[str]:
    application = _application()
    if application is None:
        return []
    from PySide6.QtCore import QTimer

    found = []
    for window in application.topLevelWidgets():
        found += [timer for timer in window.findChildren(QTimer) if timer.isActive()]
    found += [timer for timer in application.findChildren(QTimer) if timer.isActive()]
    return [f"timer {timer.objectName() or timer.parent()}" for timer in found]


@pytest.fixture
def shell(qtbot):
    """The real window, shown; its document is dropped and its workers are stopped afterwards."""
    from app.ui import theme
    from app.ui.window import Window

    theme.apply()
    window = Window()
    window.recovering.set_live(False)
    window.resize(1280, 820)
    window.show()
    yield window
    window.files.leave_at_once()
    window.close()
    window.deleteLater()

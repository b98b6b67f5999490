"""Opens the window and runs it until it is closed."""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QSocketNotifier, Qt, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from app.ui import theme
from app.ui.icons import application_icon
from app.ui.window import Window

log = logging.getLogger("unshutter")
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_DEMO = "cups"


def run(path: str | None, demo: bool = False) -> int:
    """Open the window, with `path` (a photo or a project) or the demo in it, and stay until it is closed.

    Returns the exit code.
    """
    application = make_application()
    window = Window()
    _survive_errors(window)
    wake = _end_on_signals(window)
    window.show()
    QTimer.singleShot(0, window, lambda: _begin(window, path, demo))
    code = application.exec()
    wake()
    return code


def make_application() -> QApplication:
    """The application, named and dressed."""
    qInstallMessageHandler(_log_qt)
    QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName("unshutter")
    application.setApplicationDisplayName("")
    application.setDesktopFileName("unshutter")
    application.setStyle("Fusion")
    application.setWindowIcon(application_icon())
    application.setQuitOnLastWindowClosed(True)
    theme.apply()
    theme.follow_system()
    return application


def _begin(window: Window, path: str | None, demo: bool) -> None:
    """After the first picture of the window is on the screen."""
    window.start_later()
    if path is not None:
        window.files.open_path(Path(path))
    elif demo:
        from app.samples import sample

        window.files.open_sample(sample(_DEMO), then=window.recovering.demonstrate)


def _log_qt(kind: QtMsgType, _context: QMessageLogContext, message: str | None) -> None:
    log.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", message)


def _survive_errors(window: Window) -> None:
    """An error nobody expected is told in the window; the document stays as it is."""

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        traceback.print_exception(kind, error, trace)
        what = (str(error).strip() or kind.__name__).splitlines()[0]
        window.desk.fail(f"Something went wrong inside ({kind.__name__}: {what}). Your work is as it was.")

    sys.excepthook = told


def _end_on_signals(window: Window):
    """Ctrl-C and a request to end close the window; what was not saved is in the journal. Returns what undoes this."""
    import socket

    reader, writer = socket.socketpair()
    for end in (reader, writer):
        end.setblocking(False)
    notifier = QSocketNotifier(reader.fileno(), QSocketNotifier.Type.Read, window)

    def woken() -> None:
        reader.recv(64)
        window.files.leave_at_once()
        window.close()

    notifier.activated.connect(woken)
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    old = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def undo() -> None:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        notifier.setEnabled(False)
        reader.close()
        writer.close()

    return undo

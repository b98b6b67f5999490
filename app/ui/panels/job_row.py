"""A job that works on what is said about the motion: a button for it, and how far it is."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from app.ui.job_button import JobButton
from app.ui.made import made
from app.ui.refining import Refining
from app.ui.suggesting import Suggesting


class JobRow(QWidget):
    """Seen while the job is `wanted` and while it runs."""

    def __init__(self, asking: Suggesting | Refining, name: str, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._asking = asking
        self._wanted = False
        self.button = JobButton(asking, name, actions)
        self._bar = made(
            QProgressBar, textVisible=False, maximum=1000, accessibleName=f"Progress: {actions[name].text()}"
        )
        self._step = QLabel()
        self._step.setProperty("faint", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        for part in (self.button, self._bar, self._step):
            layout.addWidget(part)
        asking.progressed.connect(self._show_progress)
        asking.running_changed.connect(self._running_changed)
        self._running_changed(False)

    def set_wanted(self, on: bool) -> None:
        self._wanted = on
        self.setVisible(on or self._asking.running)

    def _running_changed(self, running: bool) -> None:
        self._bar.setValue(0)
        self._step.setText("starting")
        for part in (self._bar, self._step):
            part.setVisible(running)
        self.setVisible(self._wanted or running)

    def _show_progress(self, fraction: float, step: str) -> None:
        self._bar.setValue(round(fraction * 1000))
        self._step.setText(step)

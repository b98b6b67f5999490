"""A way to begin where nothing was said about the motion: have it suggested, and see how far that is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.ui.icons import icon
from app.ui.made import made
from app.ui.suggesting import Suggesting


class SuggestRow(QWidget):
    """Stands for the action "suggest" or, while that runs, "cancel"; seen while it is `wanted` and while it runs."""

    def __init__(self, suggesting: Suggesting, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._suggesting, self._actions = suggesting, actions
        self._wanted = False
        self.button = made(QPushButton, iconSize=QSize(17, 17), focusPolicy=Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(lambda: self._action().trigger())
        self._bar = made(QProgressBar, textVisible=False, maximum=1000, accessibleName="Progress of the suggestion")
        self._step = QLabel()
        self._step.setProperty("faint", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        for part in (self.button, self._bar, self._step):
            layout.addWidget(part)
        suggesting.progressed.connect(self._show_progress)
        suggesting.running_changed.connect(self._running_changed)
        for name in ("suggest", "cancel"):
            actions[name].changed.connect(self._refresh)
        self._running_changed(False)

    def set_wanted(self, on: bool) -> None:
        self._wanted = on
        self._refresh()

    def _action(self) -> QAction:
        return self._actions["cancel" if self._suggesting.running else "suggest"]

    def _running_changed(self, running: bool) -> None:
        self._bar.setValue(0)
        self._step.setText("starting")
        for part in (self._bar, self._step):
            part.setVisible(running)
        self._refresh()

    def _show_progress(self, fraction: float, step: str) -> None:
        self._bar.setValue(round(fraction * 1000))
        self._step.setText(step)

    def _refresh(self) -> None:
        action, running = self._action(), self._suggesting.running
        self.button.setText(action.text())
        self.button.setAccessibleName(action.text())
        self.button.setToolTip(action.toolTip())
        self.button.setIcon(icon("cancel" if running else "suggest"))
        self.button.setEnabled(action.isEnabled() or running)
        self.setVisible(self._wanted or running)

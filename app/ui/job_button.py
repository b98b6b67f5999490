"""A button that begins a job, and that cancels it while it runs."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton

from app.ui.asking import Asking
from app.ui.icons import icon, on_accent


class JobButton(QPushButton):
    """Stands for the action `name` or, while that runs, "cancel"; there may be several. `primary`: the main one."""

    def __init__(self, asking: Asking, name: str, actions: dict[str, QAction], primary: bool = False) -> None:
        super().__init__()
        self._asking, self._name, self._actions, self._primary = asking, name, actions, primary
        self.setProperty("primary", primary)
        self.setIconSize(QSize(17, 17))
        self.clicked.connect(lambda: self._action().trigger())
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        asking.running_changed.connect(self._refresh)
        for action in (name, "cancel"):
            actions[action].changed.connect(self._refresh)
        self._refresh()

    def _action(self) -> QAction:
        return self._actions["cancel" if self._asking.running else self._name]

    def _refresh(self) -> None:
        action, running = self._action(), self._asking.running
        begins = on_accent(self._name) if self._primary else icon(self._name)
        self.setText(action.text())
        self.setAccessibleName(action.text())
        self.setToolTip(action.toolTip())
        self.setIcon(icon("cancel") if running else begins)
        self.setEnabled(action.isEnabled() or running)
        if self._primary and self.property("primary") == running:
            self.setProperty("primary", not running)
            self.style().polish(self)

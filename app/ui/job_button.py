"""The button that recovers, and that cancels while it does."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QWidget

from app.ui.icons import icon, on_accent
from app.ui.recovering import Recovering


class RecoverButton(QPushButton):
    """Stands for the action "recover" or, while that runs, "cancel"; there may be several."""

    def __init__(self, recovering: Recovering, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recovering, self._actions = recovering, actions
        self.setProperty("primary", True)
        self.setIconSize(QSize(17, 17))
        self.clicked.connect(lambda: self._action().trigger())
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for name in ("recover", "cancel"):  # one of them changes whenever a recovery begins or ends
            actions[name].changed.connect(self._refresh)
        self._refresh()

    def _action(self) -> QAction:
        return self._actions["cancel" if self._recovering.running else "recover"]

    def _refresh(self) -> None:
        action, running = self._action(), self._recovering.running
        self.setText(action.text())
        self.setAccessibleName(action.text())
        self.setToolTip(action.toolTip())
        self.setIcon(icon("cancel") if running else on_accent("recover"))
        self.setEnabled(action.isEnabled() or running)
        if self.property("primary") == running:
            self.setProperty("primary", not running)
            self.style().polish(self)

"""All recoveries of this photo: look at one, take one away."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QToolButton, QVBoxLayout, QWidget

from app.document import Change
from app.ui.desk import Desk
from app.ui.icons import icon
from app.ui.made import made
from models import catalog
from models.recovery import Recovery


def described(recovery: Recovery) -> str:
    """A recovery in one line."""
    try:
        title = catalog.engine(recovery.engine).title
    except ValueError:
        title = recovery.engine
    device = {"cpu": "processor", "cuda": "graphics", "mps": "graphics"}.get(recovery.device, recovery.device)
    seconds = f"{recovery.seconds:.{1 if recovery.seconds < 10 else 0}f} s"
    parts = [title, f"{len(recovery.frames)} frames", f"{seconds}, {device}"]
    return "  ·  ".join(parts)


_NO_BREAK = "\N{NO-BREAK SPACE}"
_SCORES = {
    "reblur": "reblur {:.1f} dB",
    "sharpness": "sharpness x{:.2f}",
    "moved": "moved {:.1f} px on average",
}
"""A reblur error alone says little: doing nothing scores best. So it stands with sharpness and motion."""


def scores_described(scores: Mapping[str, float]) -> str:
    """What was measured, in words with units; what has no words here keeps its name."""
    names = [name for name in _SCORES if name in scores] + [name for name in scores if name not in _SCORES]
    words = [_SCORES.get(name, f"{name} {{:.3g}}").format(scores[name]) for name in names]
    return " · ".join(word.replace(" ", _NO_BREAK) for word in words)


class RecoveriesPanel(QWidget):
    def __init__(self, desk: Desk, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._desk = desk
        self._list = made(QListWidget, accessibleName="Recoveries", toolTip="What was recovered; select one to see it")
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._notes = QLabel(wordWrap=True)
        self._notes.setProperty("faint", True)
        self._delete = made(
            QToolButton, icon=icon("delete"), toolTip="Delete this recovery", accessibleName="Delete this recovery"
        )
        self._delete.setIconSize(QSize(17, 17))
        self._delete.clicked.connect(self._remove)
        row = QHBoxLayout()
        row.addWidget(self._notes, 1)
        self._reverse = made(QToolButton, iconSize=QSize(17, 17), accessibleName=actions["reverse"].text())
        self._reverse.setDefaultAction(actions["reverse"])
        for button in (self._reverse, self._delete):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.addWidget(self._list)
        layout.addLayout(row)
        self._list.currentRowChanged.connect(self._choose)
        desk.opened.connect(self._refresh)
        desk.changed.connect(self._changed)
        self._refresh()

    def _changed(self, change: Change) -> None:
        if change.what == "recoveries":
            self._refresh()

    def _refresh(self) -> None:
        document = self._desk.document
        recoveries = document.recoveries if document is not None else ()
        current = document.current if document is not None else None
        with QSignalBlocker(self._list):
            self._list.clear()
            for recovery in recoveries:
                self._list.addItem(described(recovery))
            self._list.setCurrentRow(-1 if current is None else current)
        self._list.setFixedHeight(min(max(len(recoveries), 1), 6) * 24 + 8)
        self._list.setVisible(bool(recoveries))
        for button in (self._reverse, self._delete):
            button.setVisible(current is not None)
        self._notes.setText(self._words())

    def _words(self) -> str:
        document = self._desk.document
        if document is None or not document.recoveries:
            return "Nothing recovered yet."
        if document.current is None:
            return ""
        recovery = document.recoveries[document.current]
        return "\n".join(filter(None, (scores_described(recovery.scores), *recovery.notes)))

    def _choose(self, row: int) -> None:
        if self._desk.document is not None and row >= 0:
            self._desk.document.show(row)

    def reverse(self) -> None:
        """Play the one that is looked at backwards."""
        document = self._desk.document
        if document is not None and document.current is not None:
            document.reverse_recovery(document.current)

    def _remove(self) -> None:
        document = self._desk.document
        if document is not None and document.current is not None:
            document.remove_recovery(document.current)

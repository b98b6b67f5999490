"""All recoveries of this photo: look at one, take one away."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QToolButton, QVBoxLayout, QWidget

from app.document import Change
from app.ui.icons import icon
from app.ui.session import Session
from models import catalog
from models.recovery import Recovery


def described(recovery: Recovery) -> str:
    """A recovery in one line."""
    try:
        title = catalog.engine(recovery.engine).title
    except ValueError:
        title = recovery.engine
    parts = [title, f"{len(recovery.frames)} frames", f"{recovery.seconds:.1f} s"]
    if "reblur" in recovery.scores:
        parts.append(f"reblur {recovery.scores['reblur']:.1f} dB")
    return "  ·  ".join(parts)


class RecoveriesPanel(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._list = QListWidget(accessibleName="Recoveries", toolTip="What was recovered; select one to see it")
        self._notes = QLabel(wordWrap=True)
        self._notes.setProperty("faint", True)
        self._delete = QToolButton(
            icon=icon("delete"), toolTip="Delete this recovery", accessibleName="Delete this recovery"
        )
        self._delete.setIconSize(QSize(17, 17))
        self._delete.clicked.connect(self._remove)
        row = QHBoxLayout()
        row.addWidget(self._notes, 1)
        row.addWidget(self._delete, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.addWidget(self._list)
        layout.addLayout(row)
        self._list.currentRowChanged.connect(self._choose)
        session.opened.connect(self._refresh)
        session.changed.connect(self._changed)
        self._refresh()

    def _changed(self, change: Change) -> None:
        if change.what == "recoveries":
            self._refresh()

    def _refresh(self) -> None:
        document = self._session.document
        recoveries = document.recoveries if document is not None else ()
        current = document.current if document is not None else None
        with QSignalBlocker(self._list):
            self._list.clear()
            for recovery in recoveries:
                self._list.addItem(described(recovery))
            self._list.setCurrentRow(-1 if current is None else current)
        self._list.setFixedHeight(min(max(len(recoveries), 1), 6) * 24 + 8)
        self._list.setVisible(bool(recoveries))
        self._delete.setVisible(current is not None)
        self._notes.setText(self._words())

    def _words(self) -> str:
        document = self._session.document
        if document is None or not document.recoveries:
            return "Nothing recovered yet."
        if document.current is None:
            return ""
        return " ".join(document.recoveries[document.current].notes)

    def _choose(self, row: int) -> None:
        if self._session.document is not None and row >= 0:
            self._session.document.show(row)

    def _remove(self) -> None:
        document = self._session.document
        if document is not None and document.current is not None:
            document.remove_recovery(document.current)

"""How far the film is, below everything else for as long as one is made."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QToolButton

from app.ui.estimate import duration
from app.ui.filming import Filming
from app.ui.icons import icon
from app.ui.made import made


class FilmBar(QFrame):
    """Hidden while no film is made. Its cross cancels."""

    def __init__(self, filming: Filming) -> None:
        super().__init__()
        self.setObjectName("timeline")
        self._filming = filming
        self.words = QLabel()
        self.bar = made(QProgressBar, textVisible=False, maximum=1000, accessibleName="Progress of the film")
        cancel = made(QToolButton, icon=icon("cancel"), toolTip="Cancel the film", accessibleName="Cancel the film")
        cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        cancel.clicked.connect(filming.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 10, 4)
        row.addWidget(self.words, 1)
        row.addWidget(self.bar, 2)
        row.addWidget(cancel)
        filming.running_changed.connect(self._begin_or_end)
        filming.progressed.connect(self._progressed)
        self.hide()

    def _begin_or_end(self, running: bool) -> None:
        self.setVisible(running)
        self._progressed(0.0, "starting", None)

    def _progressed(self, fraction: float, step: str, left: float | None) -> None:
        known = [f"Making {self._filming.name}", step, duration(left) if left is not None else ""]
        self.words.setText(", ".join(filter(None, known)))
        self.bar.setValue(round(fraction * 1000))

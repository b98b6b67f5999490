"""A titled part of the panel column that folds away."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.ui.icons import icon
from app.ui.made import made
from app.ui.settings import remembered, settings


class Section(QFrame):
    """`content` under a heading; remembers whether it was open."""

    def __init__(self, title: str, content: QWidget, opened: bool = True) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._key = f"sections/{title.lower()}"
        self._content = content
        self._heading = made(QToolButton, text=title, checkable=False, accessibleName=f"{title} panel")
        self._heading.setObjectName("section")
        self._heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._heading.setIconSize(QSize(14, 14))
        self._heading.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._heading.setToolTip("Show or hide")
        self._heading.clicked.connect(lambda: self.set_open(self._content.isHidden()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._heading)
        layout.addWidget(content)
        inner = content.layout()
        if inner is not None:
            inner.setContentsMargins(12, 2, 12, 12)
        self.set_open(remembered(self._key, opened))

    def set_open(self, is_open: bool) -> None:
        self._content.setVisible(is_open)
        self._heading.setIcon(icon("chevron_down" if is_open else "chevron_right"))
        settings().setValue(self._key, is_open)

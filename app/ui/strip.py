"""What the strips under the photo share: a line of words with a cross, and pictures in a row below it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.ui.icons import icon
from app.ui.made import made


class Strip(QFrame):
    """Hidden while there is nothing to choose from.

    closed  the user is done with it.
    """

    closed = Signal()

    def __init__(self, name: str, tooltip: str) -> None:
        """`name` and `tooltip` are those of its cross."""
        super().__init__()
        self.setObjectName("timeline")
        self.title = QLabel()
        close = made(QToolButton, icon=icon("close"), toolTip=tooltip, accessibleName=name)
        close.clicked.connect(self.closed)
        self._head = QHBoxLayout()
        self._head.addWidget(self.title, 1)
        self._head.addWidget(close)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(10, 6, 10, 6)
        self.column.setSpacing(4)
        self.column.addLayout(self._head)
        self.hide()

    def add_field(self, words: str, field: QWidget) -> None:
        """Put a field into the first line, before the cross."""
        for widget in (QLabel(words), field):
            self._head.insertWidget(self._head.count() - 1, widget)


def fitted(pixels: np.ndarray, size: QSize) -> QPixmap:
    """A picture uint8 (H, W, 3) made to fit into `size`, as sharp as the screen can show it."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio()
    height, width = pixels.shape[:2]
    image = QImage(np.ascontiguousarray(pixels).data, width, height, 3 * width, QImage.Format.Format_RGB888)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    pixmap = QPixmap.fromImage(image.scaled(size * ratio, keep, smooth))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap

"""The frames of a video in a row, to pick one from. Pictures come in as they are scrolled into sight."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QImage, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QSpinBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
)

from app.ui.icons import icon
from app.ui.made import made
from app.ui.settings import remembered, settings
from app.video import Video

Index = QModelIndex | QPersistentModelIndex
KINDS = ("Regions to edit", "Every pixel's motion")
KEPT = 800
"""Thumbnails that are held: some 40 MB."""
_BATCH = 12
_CELL = QSize(136, 100)
_PICTURE = 128, 72


class _Frames(QAbstractListModel):
    """One row per frame; `wanted` lacks a picture while it is not there."""

    def __init__(self) -> None:
        super().__init__()
        self.video: Video | None = None
        self._pictures: OrderedDict[int, QPixmap] = OrderedDict()

    def set_video(self, video: Video | None) -> None:
        self.beginResetModel()
        self.video = video
        self._pictures.clear()
        self.endResetModel()

    def has(self, number: int) -> bool:
        return number in self._pictures

    def set_picture(self, number: int, pixels: np.ndarray) -> None:
        height, width = pixels.shape[:2]
        image = QImage(np.ascontiguousarray(pixels).data, width, height, 3 * width, QImage.Format.Format_RGB888)
        smooth = Qt.TransformationMode.SmoothTransformation
        small = image.scaled(*_PICTURE, Qt.AspectRatioMode.KeepAspectRatio, smooth)
        self._pictures[number] = QPixmap.fromImage(small)
        while len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)
        self.dataChanged.emit(self.index(number), self.index(number))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if self.video is None or parent.isValid() else self.video.frames

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return str(index.row())
        if role == Qt.ItemDataRole.DecorationRole:
            return self._pictures.get(index.row())
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return f"Frame {index.row()}"
        return None


class _Cell(QStyledItemDelegate):
    """A picture with its number below."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return _CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect, palette = QRect(option.rect), option.palette  # pyright: ignore[reportAttributeAccessIssue]
        state = option.state  # pyright: ignore[reportAttributeAccessIssue]
        selected = bool(state & QStyle.StateFlag.State_Selected)
        inner = rect.adjusted(3, 3, -3, -3)
        if selected:
            painter.fillRect(inner, palette.color(QPalette.ColorRole.Highlight))
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        painter.setPen(palette.color(role))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom), index.data())
        space = inner.adjusted(2, 2, -2, -18)
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        if picture is None:
            painter.fillRect(space, palette.color(QPalette.ColorRole.Button))
        else:
            place = QRect(picture.rect())
            place.moveCenter(space.center())
            painter.drawPixmap(place.topLeft(), picture)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Text), 1))
            painter.drawRect(inner.adjusted(0, 0, -1, -1))


class VideoStrip(QFrame):
    """Shows the frames of one video; hidden while there is none.

    picked   the number of the frame that the user wants to open: a click, or Enter.
    wanted   numbers of frames in sight that lack their picture.
    closed   the user is done with the video.
    """

    picked = Signal(int)
    wanted = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("timeline")
        self._frames = _Frames()
        self.title = QLabel()
        self.number = made(QSpinBox, accessibleName="Frame", toolTip="Go to this frame", keyboardTracking=False)
        self.shutter = made(QSpinBox, accessibleName="Shutter", minimum=1, maximum=100, suffix=" %")
        self.shutter.setToolTip("How much of the time from frame to frame the shutter was open: lengths follow it")
        self.shutter.setValue(remembered("video_shutter", 50))
        self.kind = made(QComboBox, accessibleName="Guidance", toolTip="What the frames beside the picked one give")
        self.kind.addItems(KINDS)
        self.list = made(QListView, accessibleName="Frames of the video", uniformItemSizes=True)
        self.list.setModel(self._frames)
        self.list.setItemDelegate(_Cell(self.list))
        self.list.setFlow(QListView.Flow.LeftToRight)
        self.list.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setFixedHeight(_CELL.height() + 14)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._soon = made(QTimer, self, singleShot=True, interval=60, objectName="frames in sight")
        self._lay_out()
        self._connect()
        self.hide()

    def _lay_out(self) -> None:
        close = made(QToolButton, icon=icon("close"), toolTip="Close the video", accessibleName="Close the video")
        close.clicked.connect(self.closed)
        row = QHBoxLayout()
        row.addWidget(self.title, 1)
        for words, field in (("Frame", self.number), ("Shutter", self.shutter), ("Guidance", self.kind)):
            row.addWidget(made(QLabel, words))
            row.addWidget(field)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 6)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.list)

    def _connect(self) -> None:
        self.list.clicked.connect(lambda index: self.picked.emit(index.row()))
        self.list.activated.connect(lambda index: self.picked.emit(index.row()))
        self.list.selectionModel().currentChanged.connect(lambda index, _: self.number.setValue(index.row()))
        self.list.horizontalScrollBar().valueChanged.connect(lambda _: self._soon.start())
        self.number.valueChanged.connect(self.go_to)
        self.shutter.valueChanged.connect(lambda value: settings().setValue("video_shutter", value))
        self._soon.timeout.connect(self.ask)

    @property
    def video(self) -> Video | None:
        return self._frames.video

    def show_video(self, video: Video | None) -> None:
        """Another video, or none."""
        self._frames.set_video(video)
        self._soon.stop()
        self.setVisible(video is not None)
        if video is not None:
            rate = f", {video.rate:.3g} a second" if video.rate else ""
            self.title.setText(f"{video.path.name}: {video.frames} frames{rate}. Pick one to open it.")
            self.number.setRange(0, video.frames - 1)
            self.go_to(min(1, video.frames - 1))
            self.list.setFocus()
            self._soon.start()

    def go_to(self, number: int) -> None:
        """Stand on a frame without opening it."""
        index = self._frames.index(number)
        if index.isValid() and index != self.list.currentIndex():
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)

    def set_pictures(self, numbers: tuple[int, ...], pictures: np.ndarray) -> None:
        for number, pixels in zip(numbers, pictures, strict=True):
            self._frames.set_picture(number, pixels)
        self.ask()

    def ask(self) -> None:
        """Say which frames in sight have no picture yet, the first few of them."""
        if self.video is None or not self.isVisible():
            return
        view = self.list.viewport().rect()
        first = self.list.indexAt(QPoint(4, view.height() // 2)).row()
        count = view.width() // _CELL.width() + 2
        row = max(first, 0)
        missing = [one for one in range(row, min(row + count, self.video.frames)) if not self._frames.has(one)]
        if missing:
            self.wanted.emit(tuple(missing[:_BATCH]))

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._soon.start()

"""The frames of a video in a row, to pick one from or to mark some of. Pictures come in as they get into sight."""

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
from PySide6.QtGui import QAction, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QListView,
    QSpinBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.ui.film_row import FilmRow
from app.ui.made import made
from app.ui.settings import remembered, settings
from app.ui.strip import Strip, fitted
from app.video import Video

Index = QModelIndex | QPersistentModelIndex
KINDS = ("Regions to edit", "Every pixel's motion")
KEPT = 800
"""Thumbnails that are held: some 40 MB."""
_BATCH = 12
_CELL = QSize(136, 100)
_PICTURE = QSize(128, 72)
_UNMARKED = 0.35
"""How much is seen of frames that are not filmed."""
_MARKED = Qt.ItemDataRole.UserRole


class _Frames(QAbstractListModel):
    """One row per frame; `wanted` lacks a picture while it is not there."""

    def __init__(self) -> None:
        super().__init__()
        self.video: Video | None = None
        self.marked = range(0)
        self._pictures: OrderedDict[int, QPixmap] = OrderedDict()

    def set_video(self, video: Video | None) -> None:
        self.beginResetModel()
        self.video = video
        self._pictures.clear()
        self.endResetModel()

    def has(self, number: int) -> bool:
        return number in self._pictures

    def set_picture(self, number: int, pixels: np.ndarray) -> None:
        self._pictures[number] = fitted(pixels, _PICTURE)
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
        if role == _MARKED:
            return index.row() in self.marked
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
            place = QRect(QPoint(), picture.deviceIndependentSize().toSize())
            place.moveCenter(space.center())
            painter.setOpacity(1 if selected or index.data(_MARKED) else _UNMARKED)
            painter.drawPixmap(place.topLeft(), picture)
            painter.setOpacity(1)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Text), 1))
            painter.drawRect(inner.adjusted(0, 0, -1, -1))


class VideoStrip(Strip):
    """Shows the frames of one video. Several that are dragged over or selected with Shift are marked to be filmed.

    picked   the number of the frame that the user wants to open: a click, or Enter.
    wanted   numbers of frames in sight that lack their picture.
    shown    another video is here, or none.
    """

    picked = Signal(int)
    wanted = Signal(object)
    shown = Signal()

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__("Close the video", "Close the video")
        self._frames = _Frames()
        self.number = made(QSpinBox, accessibleName="Frame", toolTip="Go to this frame", keyboardTracking=False)
        self.shutter = made(QSpinBox, accessibleName="Shutter", minimum=1, maximum=100, suffix=" %")
        self.shutter.setToolTip("How much of the time from frame to frame the shutter was open: lengths follow it")
        self.shutter.setValue(remembered("video_shutter", 50))
        self.kind = made(QComboBox, accessibleName="Guidance", toolTip="What the frames beside the picked one give")
        self.kind.addItems(KINDS)
        self.list = made(QListView, accessibleName="Frames of the video", uniformItemSizes=True)
        self.list.setModel(self._frames)
        self.list.setItemDelegate(_Cell(self.list))
        self.list.setSelectionMode(QListView.SelectionMode.ContiguousSelection)
        self.list.setFlow(QListView.Flow.LeftToRight)
        self.list.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setFixedHeight(_CELL.height() + 14)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.film = FilmRow(self.shutter, actions)
        for words, field in (("Frame", self.number), ("Shutter", self.shutter), ("Guidance", self.kind)):
            self.add_field(words, field)
        self.column.addWidget(self.list)
        self.column.addWidget(self.film)
        self._soon = made(QTimer, self, singleShot=True, interval=60, objectName="frames in sight")
        self._connect()

    def _connect(self) -> None:
        self.list.clicked.connect(self._clicked)
        self.list.activated.connect(lambda index: self.picked.emit(index.row()))
        self.list.selectionModel().currentChanged.connect(lambda index, _: self.number.setValue(index.row()))
        self.list.selectionModel().selectionChanged.connect(self._selected)
        self.list.horizontalScrollBar().valueChanged.connect(lambda _: self._soon.start())
        self.number.valueChanged.connect(self.go_to)
        self.film.changed.connect(self._show_marked)
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
        self.film.show_video(video)
        if video is not None:
            rate = f", {video.rate:.3g} a second" if video.rate else ""
            self.title.setText(
                f"{video.path.name}: {video.frames} frames{rate}. Pick one to open it, drag over several to film them."
            )
            self.number.setRange(0, video.frames - 1)
            self.go_to(min(1, video.frames - 1))
            self.list.setFocus()
            self._soon.start()
        self.shown.emit()

    def mark_in(self) -> None:
        """Film from the frame that is stood on."""
        row = self.list.currentIndex().row()
        self.film.set_stretch(row, max(row, self.film.last.value()))

    def mark_out(self) -> None:
        """Film up to the frame that is stood on."""
        row = self.list.currentIndex().row()
        self.film.set_stretch(min(row, self.film.first.value()), row)

    def _several(self) -> range:
        """The selected frames, where they are more than one."""
        selected = self.list.selectionModel().selection()
        ranges = [selected.at(place) for place in range(selected.count())]
        rows = [row for one in ranges for row in (one.top(), one.bottom())]
        return range(min(rows), max(rows) + 1) if rows and max(rows) > min(rows) else range(0)

    def _clicked(self, index: QModelIndex) -> None:
        if not self._several():
            self.picked.emit(index.row())

    def _selected(self) -> None:
        """A frame alone is looked at: that leaves the mark where it is."""
        if several := self._several():
            self.film.set_stretch(several[0], several[-1])

    def _show_marked(self) -> None:
        first, last = self.film.stretch
        self._frames.marked = range(first, last + 1)
        self.list.viewport().update()

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

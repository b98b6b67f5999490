"""The regions, the one in front on top, the camera at the bottom."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QDropEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.ui.canvas import colours
from models.guidance import NO_REGION, Guidance
from models.motion import Arrow

_NUMBER = Qt.ItemDataRole.UserRole
_DETAIL = Qt.ItemDataRole.UserRole + 1
ROW = 26


def described(arrow: Arrow | None) -> str:
    """An arrow in a few characters."""
    if arrow is None:
        return "no arrow"
    if arrow.length == 0:
        return "pinned"
    return f"{arrow.degrees:.0f}°  {arrow.length:.0f} px"


class _Row(QStyledItemDelegate):
    """A colour, a name, and the arrow at the right."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        number, rect = index.data(_NUMBER), option.rect
        super().paint(painter, option, index)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chip = QRect(rect.left() + 8, rect.center().y() - 5, 11, 11)
        painter.setPen(QColor(0, 0, 0, 90))
        painter.setBrush(QColor.fromRgb(colours.region(number)))
        painter.drawRoundedRect(chip, 3, 3)
        selected = bool(option.state & option.state.State_Selected)
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.PlaceholderText
        painter.setPen(option.palette.color(role))
        painter.drawText(
            rect.adjusted(0, 0, -8, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, index.data(_DETAIL)
        )
        painter.restore()

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        option.text = f"      {option.text}"

    def setModelData(self, editor, model, index) -> None:
        if editor.text().strip():
            super().setModelData(editor, model, index)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, ROW)


class RegionList(QListWidget):
    """Select, rename by double click, reorder by dragging.

    chosen     the number of the selected region, 0 for the camera.
    renamed    a number and its new name.
    reordered  all numbers, back to front.
    """

    chosen = Signal(int)
    renamed = Signal(int, str)
    reordered = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Regions")
        self.setUniformItemSizes(True)
        self.setItemDelegate(_Row(self))
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setToolTip("The region on top moves in front of the others; drag to reorder, double-click to rename")
        self.currentItemChanged.connect(self._chosen)
        self.itemChanged.connect(lambda item: self.renamed.emit(item.data(_NUMBER), item.text()))

    def fill(self, guidance: Guidance, selected: int | None) -> None:
        rows = [(one.number, one.name, one.arrow) for one in reversed(guidance.regions)]
        rows.append((NO_REGION, "camera", guidance.camera))
        with QSignalBlocker(self):
            if [row[0] for row in rows] != self.numbers():
                self.clear()
                for number, _, _ in rows:
                    self.addItem(_item(number))
            for place, (_, name, arrow) in enumerate(rows):
                self.item(place).setText(name)
                self.item(place).setData(_DETAIL, described(arrow))
        self.select(selected)
        self.setFixedHeight(min(max(len(rows), 2), 8) * ROW + 6)

    def numbers(self) -> list[int]:
        return [self.item(row).data(_NUMBER) for row in range(self.count())]

    def select(self, number: int | None) -> None:
        numbers = self.numbers()
        with QSignalBlocker(self):
            if number in numbers:
                self.setCurrentRow(numbers.index(number))
            else:
                self.setCurrentRow(-1)

    def edit_name(self) -> None:
        if self.currentItem() is not None:
            self.editItem(self.currentItem())

    def dropEvent(self, event: QDropEvent) -> None:
        super().dropEvent(event)
        self.reordered.emit([number for number in reversed(self.numbers()) if number != NO_REGION])

    def _chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(item.data(_NUMBER))


def _item(number: int) -> QListWidgetItem:
    item = QListWidgetItem()
    item.setData(_NUMBER, number)
    flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
    if number != NO_REGION:
        flags |= Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsDragEnabled
    item.setFlags(flags)
    return item

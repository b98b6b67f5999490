"""Type a few letters of what is wanted, press Return."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.ui.icons import icon
from app.ui.made import made

WIDTH = 460


def match(query: str, text: str) -> float | None:
    """How well `query` is found in `text`, smaller is better; None where its letters do not occur in order.

    Letters at the beginnings of words and next to each other count for more than scattered ones.
    """
    query, text = query.lower().replace(" ", ""), text.lower()
    place, cost = -1, 0.0
    for letter in query:
        found = text.find(letter, place + 1)
        if found < 0:
            return None
        starts_word = found == 0 or not text[found - 1].isalnum()
        cost += 0.0 if found == place + 1 else (0.5 if starts_word else 1.0 + 0.05 * (found - place))
        place = found
    return cost + 0.01 * len(text)


def ranked(query: str, texts: Iterable[str]) -> list[str]:
    """Those of `texts` that match, the best first."""
    costs = [(match(query, text), text) for text in texts]
    return [text for cost, text in sorted((cost, text) for cost, text in costs if cost is not None)]


class CommandPalette(QFrame):
    """Floats over the window while it is open; Escape or a click elsewhere closes it."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setObjectName("palette")
        self.setAutoFillBackground(True)
        self._actions = {action.text().rstrip("…"): action for action in actions}
        self._query = made(QLineEdit, placeholderText="What would you like to do?", accessibleName="Command")
        self._list = made(QListWidget, accessibleName="Commands", iconSize=QSize(18, 18))
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self._query)
        layout.addWidget(self._list)
        self._query.textChanged.connect(self._filter)
        self._query.installEventFilter(self)
        self._list.itemClicked.connect(lambda _item: self._run())
        self.hide()

    def open(self) -> None:
        parent = self._over
        width = min(WIDTH, parent.width() - 40)
        self.setGeometry((parent.width() - width) // 2, 70, width, min(380, parent.height() - 110))
        self._query.clear()
        self._filter("")
        self.show()
        self.raise_()
        self._query.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def texts(self) -> list[str]:
        """What the list offers now, in its order."""
        return [self._list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self._list.count())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.hide()
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._pressed(event.key())
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            event.accept()  # or the window's own Escape, Up and Return would come first
        return super().eventFilter(watched, event)

    def _pressed(self, key: int) -> bool:
        if key == Qt.Key.Key_Escape:
            self._leave()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            step = 1 if key == Qt.Key.Key_Down else -1
            self._list.setCurrentRow((self._list.currentRow() + step) % max(self._list.count(), 1))
        else:
            return False
        return True

    def _filter(self, query: str) -> None:
        self._list.clear()
        found = ranked(query, self._actions)
        for text in sorted(found, key=lambda text: not self._actions[text].isEnabled()) if query else found:
            action = self._actions[text]
            keys = action.shortcut().toString(action.shortcut().SequenceFormat.NativeText)
            picture = icon("blank") if action.icon().isNull() else action.icon()
            item = QListWidgetItem(picture, f"{text}    {keys}" if keys else text)
            item.setData(Qt.ItemDataRole.UserRole, text)
            item.setToolTip(action.statusTip())
            if not action.isEnabled():
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
            self._list.addItem(item)
        self._list.setCurrentRow(0)

    def _run(self) -> None:
        item = self._list.currentItem()
        self._leave()
        if item is not None:
            self._actions[item.data(Qt.ItemDataRole.UserRole)].trigger()

    def _leave(self) -> None:
        self.hide()
        self._over.setFocus()

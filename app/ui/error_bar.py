"""One sentence across the top of the window when something did not work, with a way on where there is one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from app.ui import theme
from app.ui.icons import icon, tinted
from app.ui.made import made


class ErrorBar(QFrame):
    """Hidden until `show_sentence`; goes away by its cross, by its actions and when what it says no longer holds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("error_bar")
        self._sign = QLabel()
        self._text = QLabel(wordWrap=True, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons: list[QPushButton] = []
        dismiss = made(QToolButton, icon=icon("close"), toolTip="Dismiss", accessibleName="Dismiss")
        dismiss.clicked.connect(self.dismiss)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 5, 6, 5)
        self._row.setSpacing(8)
        self._row.addWidget(self._sign)
        self._row.addWidget(self._text, 1)
        self._row.addWidget(dismiss)
        self.hide()

    @property
    def sentence(self) -> str:
        """What it says; "" while it is hidden."""
        return "" if self.isHidden() else self._text.text()

    def show_sentence(self, sentence: str, actions: dict[str, Callable[[], object]] | None = None) -> None:
        """Say one sentence; `actions` are buttons by their text."""
        self._clear()
        self._sign.setPixmap(tinted("warning", theme.colours().on_warning, 18))
        self._text.setText(sentence)
        self.setAccessibleName(sentence)
        for text, action in (actions or {}).items():
            self._add_button(text, action)
        self.show()

    def dismiss(self) -> None:
        self.hide()
        self._clear()

    def withdraw(self, sentence: str) -> None:
        """Dismiss it if this is what it says."""
        if sentence == self.sentence:
            self.dismiss()

    def _add_button(self, text: str, action: Callable[[], object]) -> None:
        button = made(QPushButton, text, focusPolicy=Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the canvas
        button.clicked.connect(lambda: (self.dismiss(), action()))
        self._row.insertWidget(self._row.count() - 1, button)
        self._buttons.append(button)

    def _clear(self) -> None:
        for button in self._buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons.clear()

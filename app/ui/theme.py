"""How the window looks: two palettes of neutral greys, one accent, one small style sheet over Fusion."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from app.ui.icons import FOLDER
from app.ui.settings import settings

CHOICES = ("system", "light", "dark")


@dataclass(frozen=True)
class Colours:
    window: str
    panel: str
    raised: str
    field: str
    line: str
    text: str
    faint: str
    disabled: str
    accent: str
    on_accent: str
    surround: str
    warning: str
    on_warning: str


DARK = Colours(
    window="#2a2a2b",
    panel="#303031",
    raised="#3d3d3f",
    field="#232324",
    line="#1d1d1e",
    text="#dededf",
    faint="#9b9b9e",
    disabled="#6b6b6e",
    accent="#4a90e2",
    on_accent="#ffffff",
    surround="#1f1f1f",
    warning="#5a3a1e",
    on_warning="#ffd9a8",
)
LIGHT = Colours(
    window="#e9e9ea",
    panel="#f4f4f5",
    raised="#ffffff",
    field="#ffffff",
    line="#cfcfd2",
    text="#1f1f21",
    faint="#636367",
    disabled="#a3a3a7",
    accent="#2470c8",
    on_accent="#ffffff",
    surround="#b9b9ba",
    warning="#ffe9cc",
    on_warning="#653c00",
)


def choice() -> str:
    """What was chosen in the menu: "system", "light" or "dark"."""
    chosen = settings().value("theme", "system")
    return chosen if chosen in CHOICES else "system"


def choose(name: str) -> None:
    settings().setValue("theme", name)
    apply()


def colours() -> Colours:
    """Those in force."""
    return DARK if _is_dark() else LIGHT


def _is_dark() -> bool:
    chosen = choice()
    if chosen == "system":
        return QApplication.styleHints().colorScheme() != Qt.ColorScheme.Light
    return chosen == "dark"


def apply() -> None:
    """Dress the whole application in what was chosen."""
    application = QApplication.instance()
    if isinstance(application, QApplication):
        application.setPalette(_palette(colours()))
        application.setStyleSheet(_style(colours()))


def follow_system() -> None:
    """Change along with the system from now on, while "system" is chosen."""
    QApplication.styleHints().colorSchemeChanged.connect(_system_changed)


def _system_changed(_scheme: Qt.ColorScheme) -> None:
    apply()


def _palette(colour: Colours) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for which, value in {
        role.Window: colour.window,
        role.WindowText: colour.text,
        role.Base: colour.field,
        role.AlternateBase: colour.panel,
        role.Text: colour.text,
        role.Button: colour.raised,
        role.ButtonText: colour.text,
        role.BrightText: colour.on_accent,
        role.ToolTipBase: colour.raised,
        role.ToolTipText: colour.text,
        role.PlaceholderText: colour.faint,
        role.Highlight: colour.accent,
        role.HighlightedText: colour.on_accent,
        role.Link: colour.accent,
        role.Accent: colour.accent,
        role.Light: colour.raised,
        role.Midlight: colour.raised,
        role.Mid: colour.line,
        role.Dark: colour.line,
        role.Shadow: colour.line,
    }.items():
        palette.setColor(which, QColor(value))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(colour.disabled))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(colour.line))
    return palette


def _style(colour: Colours) -> str:
    text = _SHEET.replace("@icons", FOLDER.as_posix())
    for name, value in vars(colour).items():
        text = text.replace(f"@{name};", f"{value};").replace(f"@{name} ", f"{value} ")
    return text


_SHEET = """
QToolBar { background: @window; border: 0; border-bottom: 1px solid @line; padding: 4px 8px; spacing: 2px; }
QToolBar::separator { background: @line; width: 1px; margin: 5px 6px; }
QToolButton { border: 1px solid transparent; border-radius: 5px; padding: 4px; background: transparent; }
QToolButton:hover { background: @raised; }
QToolButton:pressed { background: @field; }
QToolButton:checked { background: @accent; color: @on_accent; }
QToolButton:checked:disabled { background: transparent; }
QToolButton:focus { border-color: @accent; }
QToolButton:checked:focus { border-color: @text; }
QToolButton::menu-indicator { image: none; }
QPushButton { border: 1px solid @line; border-radius: 5px; padding: 5px 12px; background: @raised; }
QPushButton:hover { border-color: @faint; }
QPushButton:pressed { background: @field; }
QPushButton:focus { border-color: @accent; }
QPushButton:disabled { color: @disabled; background: @panel; }
QPushButton[primary="true"] { background: @accent; color: @on_accent; border-color: @accent; font-weight: 600; }
QPushButton[primary="true"]:focus { border-color: @text; }
QPushButton[primary="true"]:disabled { background: @raised; color: @disabled; border-color: @line; }
QLineEdit, QAbstractSpinBox, QComboBox {
  border: 1px solid @line; border-radius: 4px; background: @field; padding: 2px 5px; min-height: 18px;
  selection-background-color: @accent; selection-color: @on_accent; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QListView:focus { border: 1px solid @accent; }
QAbstractSpinBox QLineEdit { border: 0; padding: 0 4px; min-height: 0; background: transparent; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: 0; }
QComboBox::drop-down { border: 0; width: 20px; }
QComboBox::down-arrow { image: url("@icons/drop_down.svg"); width: 14px; height: 14px; }
QComboBox QAbstractItemView { background: @panel; border: 1px solid @line; padding: 4px; }
QListView, QTreeView { border: 1px solid @line; border-radius: 5px; background: @field; outline: 0; }
QListView::item { border-radius: 4px; padding: 2px 6px; min-height: 20px; }
QListView::item:hover { background: @panel; }
QListView::item:selected { background: @accent; color: @on_accent; }
QScrollArea, QScrollArea > QWidget > QWidget#column { background: @panel; border: 0; }
QScrollBar:vertical { background: transparent; width: 9px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 9px; margin: 0; }
QScrollBar::handle { background: @raised; border-radius: 4px; min-height: 24px; min-width: 24px; }
QScrollBar::handle:hover { background: @faint; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {
  background: none; width: 0; height: 0; }
QSlider { min-height: 20px; }
QSlider::groove:horizontal { height: 3px; border-radius: 1px; background: @line; }
QSlider::sub-page:horizontal { background: @accent; border-radius: 1px; }
QSlider::sub-page:horizontal:disabled { background: @line; }
QSlider::handle:horizontal {
  width: 12px; height: 12px; margin: -5px 0; border-radius: 6px; background: @text; border: 1px solid @line; }
QSlider::handle:horizontal:focus { border: 2px solid @accent; }
QSlider::handle:horizontal:disabled { background: @disabled; }
QProgressBar { border: 0; border-radius: 2px; background: @line; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: @accent; border-radius: 2px; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QSplitter::handle { background: @line; }
QStatusBar { background: @window; border-top: 1px solid @line; color: @faint; }
QStatusBar::item { border: 0; }
QStatusBar QLabel { color: @faint; padding: 0 6px; }
QMenuBar { background: @window; border: 0; }
QMenuBar::item { padding: 5px 9px; background: transparent; border-radius: 4px; }
QMenuBar::item:selected { background: @raised; }
QMenu { background: @panel; border: 1px solid @line; padding: 5px; }
QMenu::item { padding: 5px 26px 5px 10px; border-radius: 4px; }
QMenu::item:selected { background: @accent; color: @on_accent; }
QMenu::item:disabled { color: @disabled; background: transparent; }
QMenu::separator { height: 1px; background: @line; margin: 5px 8px; }
QMenu::icon { padding-left: 8px; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 4px 6px; }
QLabel[faint="true"] { color: @faint; }
QLabel[title="true"] { font-size: 15pt; font-weight: 600; }
QToolButton#section {
  border: 0; border-radius: 0; padding: 7px 8px; font-weight: 600; color: @text; text-align: left; }
QToolButton#section:hover { background: @raised; }
QToolButton#section:focus { background: @raised; }
QFrame#panel { background: @panel; border: 0; border-bottom: 1px solid @line; }
QFrame#timeline { background: @panel; border: 0; border-top: 1px solid @line; }
QFrame#error_bar { background: @warning; border: 0; border-bottom: 1px solid @line; }
QFrame#error_bar QLabel { color: @on_warning; }
QFrame#drop { border: 2px dashed @faint; border-radius: 12px; background: @panel; }
QFrame#drop[hot="true"] { border-color: @accent; background: @field; }
QFrame#palette { background: @panel; border: 1px solid @faint; border-radius: 8px; }
QToolButton#card { border: 1px solid @line; border-radius: 8px; padding: 8px; background: @panel; }
QToolButton#card:hover, QToolButton#card:focus { border-color: @accent; background: @raised; }
"""

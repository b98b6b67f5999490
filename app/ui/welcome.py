"""What an empty window shows: a place to drop a photo, what was opened last, the bundled samples."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QImageReader, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.samples import Sample, samples
from app.ui.icons import application_icon, icon
from app.ui.made import made
from app.ui.settings import recent_files

_CARD = QSize(208, 138)
_RECENT = 6


class Welcome(QScrollArea):
    """Says what the user picks; opens nothing itself."""

    open_wanted = Signal()
    path_chosen = Signal(object)
    sample_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._drop = _DropTarget()
        self._drop.button.clicked.connect(self.open_wanted)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(1)
        self._cards: list[QToolButton] = []
        self._waiting: list[tuple[QToolButton, Path]] = []
        inner = QWidget()
        inner.setObjectName("welcome")
        column = QWidget(maximumWidth=760)
        centred = QHBoxLayout(inner)
        centred.addStretch(1)
        centred.addWidget(column, 20)
        centred.addStretch(1)
        layout = QVBoxLayout(column)
        layout.setContentsMargins(24, 28, 24, 28)
        layout.setSpacing(14)
        layout.addStretch(1)
        layout.addLayout(_heading())
        top = QHBoxLayout()
        top.setSpacing(24)
        top.addWidget(self._drop, 3)
        top.addLayout(self._recent_column(), 2)
        layout.addLayout(top)
        layout.addWidget(_title("Try one of these"))
        layout.addLayout(self._sample_grid())
        layout.addStretch(2)
        self.setWidget(inner)
        self._thumbnails = made(QTimer, self, interval=0, objectName="thumbnails")
        self._thumbnails.timeout.connect(self._load_next)

    def refresh(self) -> None:
        """Look again at what was opened last."""
        while (item := self._recent.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        paths = recent_files()[:_RECENT]
        for path in paths:
            self._recent.addWidget(self._recent_button(path))
        if not paths:
            nothing = QLabel("Photos and projects you open appear here.", wordWrap=True)
            nothing.setProperty("faint", True)
            self._recent.addWidget(nothing)

    def load_thumbnails(self) -> None:
        """Read the samples' pictures one by one while nothing else happens, after the window has been seen."""
        if self._waiting:
            self._thumbnails.start()

    def set_hot(self, hot: bool) -> None:
        """Something that can be dropped is over the window."""
        self._drop.setProperty("hot", hot)
        self._drop.style().polish(self._drop)

    def _recent_column(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.addWidget(_title("Recent"))
        column.addLayout(self._recent)
        column.addStretch(1)
        self.refresh()
        return column

    def _recent_button(self, path: Path) -> QToolButton:
        button = made(QToolButton, text=path.name, toolTip=str(path), accessibleName=f"Open {path.name}")
        button.setIcon(icon("save" if path.suffix == ".unshutter" else "picture"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda: self.path_chosen.emit(path))
        return button

    def _sample_grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(12)
        for place, sample in enumerate(samples()):
            card = self._card(sample)
            grid.addWidget(card, place // 3, place % 3)
            self._cards.append(card)
            self._waiting.append((card, sample.path))
        return grid

    def _card(self, sample: Sample) -> QToolButton:
        card = made(QToolButton, text=sample.title, accessibleName=f"Open the sample {sample.title}")
        card.setObjectName("card")
        card.setToolTip(sample.attribution)
        card.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        card.setIconSize(_CARD)
        blank = QPixmap(_CARD)
        blank.fill(Qt.GlobalColor.transparent)
        card.setIcon(blank)
        card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        card.clicked.connect(lambda: self.sample_chosen.emit(sample))
        return card

    def _load_next(self) -> None:
        if not self._waiting:
            self._thumbnails.stop()
            return
        card, path = self._waiting.pop(0)
        card.setIcon(QPixmap.fromImage(_filling(path, _CARD * self.devicePixelRatioF())))


class _DropTarget(QFrame):
    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("drop")
        self.setMinimumHeight(190)
        self.button = made(QPushButton, "Open a photo…", toolTip="Open a photo, a video or a project")
        self.button.setProperty("primary", True)
        words = QLabel("Drop a blurry photo, a video or a project here", alignment=Qt.AlignmentFlag.AlignCenter)
        note = QLabel("or paste a picture", alignment=Qt.AlignmentFlag.AlignCenter)
        note.setProperty("faint", True)
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        layout.addWidget(words)
        layout.addWidget(note)
        layout.addSpacing(6)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(1)


def _heading() -> QHBoxLayout:
    logo = QLabel()
    logo.setPixmap(application_icon().pixmap(QSize(44, 44), logo.devicePixelRatioF()))
    name, line = QLabel("Unshutter"), QLabel("Recover the motion inside a blurred photo")
    name.setProperty("title", True)
    line.setProperty("faint", True)
    words = QVBoxLayout()
    words.setSpacing(0)
    words.addWidget(name)
    words.addWidget(line)
    row = QHBoxLayout()
    row.setSpacing(14)
    row.addWidget(logo)
    row.addLayout(words)
    row.addStretch(1)
    return row


def _title(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setWeight(font.Weight.DemiBold)
    label.setFont(font)
    return label


def _filling(path: Path, size: QSize) -> QImage:
    """The picture in this file, cut to fill `size`, read no larger than it takes."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    full = reader.size()
    if full.isValid():
        reader.setScaledSize(full.scaled(size, Qt.AspectRatioMode.KeepAspectRatioByExpanding))
    image = reader.read()
    left, top = (image.width() - size.width()) // 2, (image.height() - size.height()) // 2
    return image.copy(left, top, size.width(), size.height())

"""What to export and how; remembers what was chosen last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.ui.made import made
from app.ui.panels.option_form import height_of
from app.ui.settings import remembered, settings


@dataclass(frozen=True)
class Format:
    """One kind of file; `kind` as `app.jobs.Export` says it.

    name    what follows the photo's name in the file that is suggested.
    played  has a speed; `frames` has several pictures; `size` can be resized; `quality` can be compressed.
    """

    title: str
    kind: str
    name: str
    played: bool = False
    frames: bool = False
    size: bool = True
    quality: bool = False


FORMATS = (
    Format("GIF", "gif", ".gif", played=True, frames=True),
    Format("MP4 video", "mp4", ".mp4", played=True, frames=True, quality=True),
    Format("WebP animation", "webp", ".webp", played=True, frames=True, quality=True),
    Format("PNG animation (APNG)", "apng", "_animation.png", played=True, frames=True),
    Format("PNG frames in a folder", "frames", "_frames", frames=True),
    Format("This instant as a picture", "still", "_instant.png"),
    Format("Motion: offsets and trajectories", "motion", ".npz", size=False),
    Format("Flow from first to last instant", "flow", ".flo", size=False),
)
_PLAYED = {"Ping-pong": "ping-pong", "Forward": "loop", "Backward": "reverse"}


class ExportDialog(QDialog):
    """Asks for the format and its settings; where to put it is asked next.

    chosen  the `Format` and the settings as a dict: frames, fps, mode, hold, width (0: the photo's), quality.
    """

    chosen = Signal(object, object)

    def __init__(
        self, width: int, frames: int, marks: tuple[float, float] = (0.0, 1.0), parent: QWidget | None = None
    ) -> None:
        """For a photo `width` px wide and a recovery of so many frames, `marks` its in and out point."""
        super().__init__(parent)
        self._marks = marks
        self.setWindowTitle("Export")
        self._format = made(QComboBox, accessibleName="Format")
        for one in FORMATS:
            self._format.addItem(one.title)
        self._frames = made(QSpinBox, minimum=1, maximum=240, accessibleName="Frames")
        self._fps = made(QDoubleSpinBox, minimum=1, maximum=120, decimals=1, accessibleName="Frames per second")
        self._mode = made(QComboBox, accessibleName="Played")
        self._mode.addItems(list(_PLAYED))
        self._hold = made(QDoubleSpinBox, minimum=0, maximum=10, decimals=2, singleStep=0.05, suffix=" s",
                                    accessibleName="Hold at the ends")  # fmt: skip
        self._width = made(QSpinBox, minimum=0, maximum=max(width, 16), suffix=" px", accessibleName="Width")
        self._width.setSpecialValueText(f"the photo's, {width} px")
        self._quality = made(QSpinBox, minimum=1, maximum=100, accessibleName="Quality")
        self._note = QLabel(wordWrap=True)
        self._note.setProperty("faint", True)
        self._form = QFormLayout()
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for title, row in (
            ("Format", self._format),
            ("Frames", self._frames),
            ("Frames per second", self._fps),
            ("Played", self._mode),
            ("Hold at the ends", self._hold),
            ("Width", self._width),
            ("Quality", self._quality),
        ):
            self._form.addRow(title, row)
            self._form.labelForField(row).setMinimumHeight(height_of(row))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = buttons.addButton("Export…", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setProperty("primary", True)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(14)
        layout.addLayout(self._form)
        layout.addWidget(self._note)
        layout.addWidget(buttons)
        self.setMinimumWidth(400)
        self._format.currentIndexChanged.connect(self._adapt)
        for box in (self._frames, self._fps, self._hold, self._width):
            box.valueChanged.connect(self._describe)
        self._mode.currentIndexChanged.connect(self._describe)
        self._recall(frames)
        self._adapt()

    def format(self) -> Format:
        return FORMATS[self._format.currentIndex()]

    def values(self) -> dict[str, int | float | str]:
        return {
            "frames": self._frames.value(),
            "fps": self._fps.value(),
            "mode": _PLAYED[self._mode.currentText()],
            "hold": self._hold.value(),
            "width": self._width.value(),
            "quality": self._quality.value(),
        }

    def choose(self, title: str) -> None:
        """Pick a format by its title."""
        self._format.setCurrentText(title)

    def _recall(self, frames: int) -> None:
        self._format.setCurrentText(remembered("export/format", FORMATS[0].title))
        self._frames.setValue(remembered("export/frames", max(frames, 15)))
        self._fps.setValue(remembered("export/fps", 15.0))
        self._mode.setCurrentText(remembered("export/played", "Ping-pong"))
        self._hold.setValue(remembered("export/hold", 0.0))
        self._width.setValue(remembered("export/width", 0))
        self._quality.setValue(remembered("export/quality", 80))

    def _remember(self) -> None:
        stored = settings()
        stored.beginGroup("export")
        stored.setValue("format", self.format().title)
        stored.setValue("played", self._mode.currentText())
        for name in ("frames", "fps", "hold", "width", "quality"):
            stored.setValue(name, self.values()[name])

    def _adapt(self) -> None:
        """Show what this format has."""
        one = self.format()
        for row in (self._fps, self._mode, self._hold):
            self._form.setRowVisible(row, one.played)
        self._form.setRowVisible(self._frames, one.frames)
        self._form.setRowVisible(self._width, one.size)
        self._form.setRowVisible(self._quality, one.quality)
        self._describe()

    def _describe(self) -> None:
        one, values = self.format(), self.values()
        marked = ""
        if one.frames and self._marks != (0.0, 1.0):
            marked = "From the in point at t {:.2f} to the out point at {:.2f}.".format(*self._marks)
        if not one.played:
            self._note.setText(marked)
            return
        count = int(values["frames"])
        shown = 2 * count - 2 if values["mode"] == "ping-pong" and count > 1 else count
        seconds = shown / float(values["fps"]) + 2 * float(values["hold"])
        self._note.setText(f"{shown} pictures, {seconds:.1f} s a round. {marked}".strip())

    def _accept(self) -> None:
        self._remember()
        self.accept()
        self.chosen.emit(self.format(), self.values())


def default_path(photo_name: str, one: Format, folder: Path) -> Path:
    """A good name for the export."""
    return folder / f"{Path(photo_name).stem or 'photo'}{one.name}"

"""Takes what is shown out of the program: as a file, as a picture in the clipboard, as a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from app.as_command import as_command
from app.jobs import Export, ExportPicked
from app.picked import Trajectory, trajectory
from app.playback import frame_at
from app.stills import FINE, STILL_SUFFIXES
from app.ui.canvas import Canvas
from app.ui.desk import Desk
from app.ui.export_dialog import ExportDialog, Format, default_path
from app.ui.file_jobs import FileJobs, ask, folder, keep_folder
from app.ui.files import Files
from app.ui.player import Player
from app.ui.recovering import Recovering
from models.motion import MIDDLE

SHARP = Format("Sharp picture", "still", "_sharp.png")


class Exporting(QObject):
    """Also knows what was written last for other programs, an export or anything else, as `written`."""

    def __init__(
        self,
        desk: Desk,
        jobs: FileJobs,
        player: Player,
        canvas: Canvas,
        files: Files,
        recovering: Recovering,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._canvas = canvas
        self._desk, self._jobs, self._player, self._window = desk, jobs, player, window
        self._files, self._recovering = files, recovering
        self.written: Path | None = None
        desk.written.connect(self._wrote)

    def export(self) -> None:
        document, recovery = self._desk.document, self._player.recovery
        if document is None or recovery is None:
            return
        marks = self._player.playback.start, self._player.playback.end
        dialog = ExportDialog(document.photo.pixels.shape[1], len(recovery.frames), marks, self._window)
        dialog.chosen.connect(self._ask_where)
        ask(dialog)

    def _ask_where(self, one: Format, values: dict[str, Any]) -> None:
        document = self._desk.document
        if document is None:
            return
        start = default_path(document.photo.name, one, Path(folder("export")))
        dialog = QFileDialog(self._window, "Export", str(start), "All files (*)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(start.name)
        dialog.fileSelected.connect(lambda name: self.export_to(Path(name), one, values))
        ask(dialog)

    def export_to(self, path: Path, one: Format, values: dict[str, Any]) -> None:
        """Write the recovery that is looked at in this format, from the in to the out point."""
        playback = self._player.playback
        self._export(path, one, {**values, "t": playback.position, "start": playback.start, "end": playback.end})

    def _export(self, path: Path, one: Format, options: dict[str, Any]) -> None:
        document = self._desk.document
        if document is None or document.current is None:
            self._desk.fail("Recover the motion first; a preview is too small to export.")
            return
        keep_folder("export", path)
        job = Export(document.recoveries[document.current], document.photo, str(path), one.kind, options)
        self._jobs.run(job, f"Exporting {path.name}", lambda _: self._desk.wrote(path))

    def export_middle(self) -> None:
        """The sharp instant in the middle of the exposure, as a picture."""
        document = self._desk.document
        if document is not None:
            start = default_path(document.photo.name, SHARP, Path(folder("export")))
            kinds = f"Pictures ({' '.join(f'*{suffix}' for suffix in STILL_SUFFIXES)})"
            self._ask_name("Export sharp picture", start, kinds, self.export_middle_to)

    def export_middle_to(self, path: Path) -> None:
        self._export(path, SHARP, {"quality": FINE, "t": MIDDLE})

    def export_picked(self) -> None:
        """The trajectories of the picked pixels, as a table."""
        document = self._desk.document
        if document is None or not self._picked():
            self._desk.fail("Recover the motion first: the picked pixels have no trajectories yet.")
            return
        start = Path(folder("export")) / f"{Path(document.photo.name).stem or 'photo'}_picked.csv"
        self._ask_name("Export picked trajectories", start, "Tables (*.csv)", self.export_picked_to)

    def export_picked_to(self, path: Path) -> None:
        trajectories = self._picked()
        if trajectories and not self._jobs.busy:
            keep_folder("export", path)
            job = ExportPicked(trajectories, str(path))
            self._jobs.run(job, f"Exporting {path.name}", lambda _: self._desk.wrote(path))

    def _ask_name(self, title: str, start: Path, kinds: str, then: Callable[[Path], None]) -> None:
        """Ask where a file of these kinds is to go; `start` is suggested."""
        dialog = QFileDialog(self._window, title, str(start), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(start.suffix[1:])
        dialog.selectFile(start.name)
        dialog.fileSelected.connect(lambda name: then(Path(name)))
        ask(dialog)

    def _picked(self) -> list[Trajectory]:
        """What the recovery that is looked at says of the picked pixels; nothing without one."""
        document = self._desk.document
        motion = document.recoveries[document.current].motion if document and document.current is not None else None
        if document is None or motion is None:
            return []
        height, width = document.photo.pixels.shape[:2]
        return [trajectory(motion, pixel, (height, width)) for pixel in self._canvas.picks]

    def _wrote(self, path: Path) -> None:
        self.written = path

    def show_file(self) -> None:
        """What was written last, in the system's file manager."""
        if self.written is None:
            return
        folder = self.written.parent
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self._desk.fail(f"This system has nothing to show the folder {folder} with.")

    def copy(self) -> None:
        """What is shown now, into the clipboard."""
        document, recovery = self._desk.document, self._player.recovery
        if document is not None:
            picture = document.photo.pixels if recovery is None else frame_at(recovery, self._player.position)
            QGuiApplication.clipboard().setImage(_image(picture))
            self._desk.told.emit("Copied the picture")

    def copy_as_command(self) -> None:
        """The command that recovers the same without a window, into the clipboard."""
        document, recovering = self._desk.document, self._recovering
        if document is None:
            return
        try:
            line = as_command(document, self._files.origin, recovering.engine, recovering.options, recovering.device)
        except ValueError as error:
            self._desk.fail(str(error), {"Save…": lambda: self._files.save(self.copy_as_command)})
            return
        QGuiApplication.clipboard().setText(line)
        self._desk.told.emit(f"Copied: {line}")


def _image(picture: np.ndarray) -> QImage:
    eight = (picture >> 8).astype(np.uint8) if picture.dtype == np.uint16 else picture
    eight = np.ascontiguousarray(eight)
    height, width = eight.shape[:2]
    return QImage(eight.data, width, height, width * 3, QImage.Format.Format_RGB888).copy()

"""Brings guidance in from a file and takes it out as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from app.document import Document
from app.guidance_files import SUFFIXES, usual_strength
from app.jobs import ExportGuidance, ReadGuidance
from app.ui.desk import Desk
from app.ui.file_jobs import FileJobs, ask, folder, keep_folder
from models.guidance import Guidance

_KINDS = f"Guidance and motion ({' '.join(f'*{suffix}' for suffix in SUFFIXES)})"


class GuidanceFiles(QObject):
    def __init__(self, desk: Desk, jobs: FileJobs, window: QWidget) -> None:
        super().__init__(window)
        self._desk, self._jobs, self._window = desk, jobs, window

    def import_(self) -> None:
        dialog = QFileDialog(self._window, "Import guidance", folder("guidance"), f"{_KINDS};;All files (*)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.import_from(Path(name)))
        ask(dialog)

    def import_from(self, path: Path) -> None:
        """Labels take the place of all regions, motion goes under them; one step to undo."""
        document = self._desk.document
        if document is None or self._jobs.busy:
            return
        keep_folder("guidance", path)
        height, width = document.photo.pixels.shape[:2]
        job = ReadGuidance(str(path), height, width, float(usual_strength(height, width)))
        self._jobs.run(job, f"Reading {path.name}", lambda guidance: self._read(document, path, guidance))

    def _read(self, document: Document, path: Path, guidance: Guidance) -> None:
        if self._desk.document is not document:
            return
        if guidance.motion is not None:
            document.set_motion(guidance.motion, "Import motion")
            self._desk.told.emit(f"{path.name} now says how everything moves that is not painted.")
        elif not guidance.regions:
            self._desk.fail(f"{path.name} says nothing about the motion: all of it is unknown.")
        elif self._desk.attempt(lambda: document.set_guidance(guidance, "Import guidance")):
            length = usual_strength(*guidance.areas.shape)
            self._desk.told.emit(f"Imported {path.name}. Labels tell no length: every arrow is {length} px for now.")

    def export(self) -> None:
        document = self._desk.document
        if document is None:
            return
        start = Path(folder("guidance")) / f"{Path(document.photo.name).stem or 'photo'}_guidance.png"
        dialog = QFileDialog(self._window, "Export guidance", str(start), "Label pictures (*.png)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.selectFile(start.name)
        dialog.fileSelected.connect(lambda name: self.export_to(Path(name)))
        ask(dialog)

    def export_to(self, path: Path) -> None:
        """Write what is said about the motion as a label PNG: quadrants, static, unknown."""
        document = self._desk.document
        if document is None or self._jobs.busy:
            return
        keep_folder("guidance", path)
        guidance = document.guidance
        copied = Guidance(np.array(guidance.areas), guidance.regions, guidance.camera, guidance.motion)
        job = ExportGuidance(copied, str(path))
        self._jobs.run(job, f"Exporting {path.name}", lambda _: self._desk.wrote(path))

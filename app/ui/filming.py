"""Makes a film of the marked stretch of a video, in a worker of its own: all the rest goes on meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox

from app.film import SUFFIXES, Cut
from app.jobs import Film
from app.ui.asking import Asking
from app.ui.desk import Desk
from app.ui.estimate import Estimate
from app.ui.file_jobs import Then, ask, folder, keep_folder
from app.ui.recovering import Recovering
from app.ui.video_strip import VideoStrip
from app.ui.workers import Workers
from app.video import Video


class Filming(Asking):
    """One film at a time.

    progressed  fraction, step, seconds left (None: not known yet).
    """

    progressed = Signal(float, str, object)

    def __init__(self, desk: Desk, workers: Workers, recovering: Recovering, strip: VideoStrip) -> None:
        super().__init__(desk, workers, strip)
        self._recovering, self._strip = recovering, strip
        self._path = Path()

    @property
    def name(self) -> str:
        """The file that is being written."""
        return self._path.name

    def start(self) -> None:
        """Ask where to put the film, then make it with the engine that is chosen for photos."""
        video = self._strip.video
        if video is None or self.running:
            return
        cut = replace(self._strip.film.cut(), engine=self._recovering.engine, device=self._recovering.device)
        start = Path(folder("export")) / f"{video.path.stem}_film{SUFFIXES[0]}"
        kinds = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        dialog = QFileDialog(self._strip.window(), "Film", str(start), f"Videos ({kinds})")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIXES[0][1:])
        dialog.selectFile(start.name)
        dialog.fileSelected.connect(lambda name: self.film_to(Path(name), video, cut))
        ask(dialog)

    def film_to(self, path: Path, video: Video, cut: Cut) -> None:
        """Write the film there; nothing changes at `path` before it is whole."""
        if self.running:
            return
        keep_folder("export", path)
        self._path, estimate = path, Estimate()
        sound = f"The sound of {video.path.name} is left out." if video.sound else ""
        self._submit(
            Film(video, cut, str(path)),
            lambda _: self._desk.wrote(path, sound),
            lambda fraction, step, _preview: self.progressed.emit(fraction, step, estimate.left(fraction)),
        )

    def may_end(self, then: Then) -> bool:
        """Whether the window can go now. If it must be asked, `then` is called once the film may be given up."""
        if not self.running:
            return True
        box = QMessageBox(self._strip.window())
        box.setWindowTitle("Unshutter")
        box.setText(f"{self.name} is not finished.")
        box.setInformativeText("Without the window nothing is written.")
        box.setDefaultButton(box.addButton("Go on", QMessageBox.ButtonRole.RejectRole))
        give_up = box.addButton("Give it up", QMessageBox.ButtonRole.DestructiveRole)
        give_up.clicked.connect(lambda: (self.forget(), then()))
        ask(box)
        return False

    def _cancelled(self) -> None:
        super()._cancelled()
        self._desk.told.emit(f"Cancelled {self.name}.")

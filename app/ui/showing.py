"""Decides which picture the canvas shows: the photo, a recovery at its moment, or the preview that loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.document import Change
from app.ui.canvas import Canvas
from app.ui.desk import Desk
from app.ui.player import Player
from app.ui.recovering import Recovering
from models.motion import Motion
from models.recovery import Recovery


class Showing(QObject):
    """Between the player and the canvas.

    photo_shown   the photo itself is shown instead of a frame, or no longer.
    motion_shown  the motion that belongs to the picture and its t, for overlays and numbers.
    """

    photo_shown = Signal(bool)
    motion_shown = Signal(object, float)

    def __init__(
        self, desk: Desk, player: Player, canvas: Canvas, recovering: Recovering, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._desk, self._player, self._canvas, self._recovering = desk, player, canvas, recovering
        self._photo_only = False
        self._preview: Recovery | None = None
        self._preview_motion: Motion | None = None
        player.frame_changed.connect(self._show)
        desk.opened.connect(self._opened)
        desk.changed.connect(self._changed)
        recovering.previewed.connect(self._previewed)
        recovering.recovered.connect(self._recovered)

    @property
    def is_preview(self) -> bool:
        return self._preview is not None

    @property
    def shows_frame(self) -> bool:
        """A frame is on the canvas, not the photo."""
        return self._player.copy is not None and not self._photo_only

    def show_photo(self, on: bool) -> None:
        """The photo instead of the frame."""
        if on:
            self._player.pause()
        self._set_photo(on)

    def _set_photo(self, on: bool) -> None:
        self._photo_only = on
        self.photo_shown.emit(on)
        self._player.refresh()

    def stop_preview(self) -> None:
        """What was said has changed in a way that the preview does not show."""
        self._recovering.drop_preview()
        if self._preview is not None:
            self._preview = None
            self._player.show(self._current())

    def _current(self) -> Recovery | None:
        document = self._desk.document
        if document is None or document.current is None:
            return None
        return document.recoveries[document.current]

    def _opened(self) -> None:
        self._preview = None
        self._player.forget()
        self._photo_only = False
        self.photo_shown.emit(False)
        self._player.show(self._current())

    def _changed(self, change: Change) -> None:
        document = self._desk.document
        if document is None:
            return
        if change.what == "areas":
            self.stop_preview()
            if not self._photo_only and self._player.copy is not None:
                self.show_photo(True)
        elif change.what in ("regions", "camera", "motion"):
            if document.guidance.says_motion() and not self._recovering.fits(document, document.guidance):
                self._recovering.preview(document.guidance)
            else:
                self.stop_preview()
        elif change.what == "recoveries":
            self._preview = None
            if self._current() is not self._player.recovery:
                self._player.show(self._current(), play=self._player.playing)
            self._set_photo(False)

    def _previewed(self, recovery: Recovery) -> None:
        document = self._desk.document
        if document is None:
            return
        self._preview = recovery
        self._preview_motion = recovery.motion and enlarged(
            recovery.motion, document.photo.pixels.shape[1] / recovery.frames.shape[2]
        )
        self._photo_only = False
        self.photo_shown.emit(False)
        self._player.show(recovery, play=True)

    def _recovered(self) -> None:
        self._player.show(self._current(), play=True)

    def _show(self, frame: np.ndarray | None, t: float) -> None:
        if self._player.playing and self._photo_only:
            self._photo_only = False
            self.photo_shown.emit(False)
        photo = self._photo_only or frame is None
        self._canvas.show_picture(None if photo else frame)
        motion = self._motion()
        self._canvas.set_motion(motion, t)
        self.motion_shown.emit(motion, t)

    def _motion(self) -> Motion | None:
        """In px of the photo: a preview's vectors are px of its own small frames."""
        recovery, document = self._player.recovery, self._desk.document
        if recovery is None or recovery.motion is None or document is None:
            return None
        if recovery is self._preview:
            return self._preview_motion
        return recovery.motion


def enlarged(motion: Motion, factor: float) -> Motion:
    """The same motion in px of a picture `factor` times as large."""
    scale = np.float32(factor)
    return replace(motion, offsets=motion.offsets * scale, trajectories=motion.trajectories * scale)

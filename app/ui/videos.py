"""Opens videos: shows their frames in the strip, and the picked one as the photo with guidance from its neighbours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from app.jobs import OpenFrame, ReadVideo, Thumbnails
from app.ui.desk import Desk
from app.ui.file_jobs import FileJobs
from app.ui.files import Files
from app.ui.settings import remember_file
from app.ui.video_strip import KINDS, VideoStrip
from app.ui.workers import Workers
from app.video import Video
from app.video_frames import Framed, Strip


class Videos(QObject):
    """One video at a time. Its frames are decoded by the worker for files, only those that are looked at."""

    def __init__(self, desk: Desk, workers: Workers, jobs: FileJobs, files: Files, strip: VideoStrip) -> None:
        super().__init__(strip)
        self._desk, self._workers, self._jobs, self._files, self._strip = desk, workers, jobs, files, strip
        self._thumbnails: int | None = None
        self._opening: int | None = None
        self._next: int | None = None
        strip.picked.connect(self.pick)
        strip.wanted.connect(self._fetch)
        strip.closed.connect(self.close)
        jobs.busy_changed.connect(lambda busy: None if busy else strip.ask())
        desk.opened.connect(self._opened)
        files.video_chosen.connect(self.open)

    def open(self, path: Path) -> None:
        """Show the frames of a video; what is open stays until a frame is picked."""

        def read(video: Video) -> None:
            remember_file(path)
            self._strip.show_video(video)

        if not self._jobs.busy:
            self._jobs.run(ReadVideo(str(path)), f"Reading {path.name}", read)

    def pick(self, number: int) -> None:
        """Open a frame in the place of what is open; one that is still being opened is given up for it."""
        video = self._strip.video
        if self._opening is not None and number != self._opening:
            self._next = number
            self._jobs.cancel()
        if video is None or self._jobs.busy or not self._files.may_leave(lambda: self.pick(number)):
            return
        self._forget_thumbnails()
        self._opening = number
        job = OpenFrame(video, number, self._strip.shutter.value() / 100)
        self._jobs.run(job, f"Opening frame {number}", self._framed, self._over)

    def close(self) -> None:
        """Put the strip away; the photo stays."""
        self._forget_thumbnails()
        self._strip.show_video(None)

    def _over(self) -> None:
        """A frame was opened, or was not: now the one that was picked meanwhile."""
        self._opening, number = None, self._next
        self._next = None
        if number is not None:
            QTimer.singleShot(0, self, lambda: self.pick(number))

    def _framed(self, found: Framed) -> None:
        if self._next is None:
            self._show(found)
        self._over()

    def _show(self, found: Framed) -> None:
        if not self._files.open_photo(found.photo):
            return
        document = self._desk.document
        assert document is not None
        if found.guidance is None:
            self._desk.told.emit(found.note)
        elif self._strip.kind.currentText() == KINDS[0]:
            document.set_guidance(found.guidance, "Guidance from the video", counts=False)
            self._desk.told.emit("The frames beside it said how things moved. Change what is wrong, then Recover.")
        else:
            moving = replace(document.guidance, motion=found.motion)
            document.set_guidance(moving, "Motion from the video", counts=False)
            self._desk.told.emit("The frames beside it said how every pixel moved. Recover shows it.")
        self._strip.list.setFocus()

    def _fetch(self, numbers: tuple[int, ...]) -> None:
        video = self._strip.video
        if video is None or self._jobs.busy:
            return
        self._forget_thumbnails()

        def fetched(strip: Strip) -> None:
            self._thumbnails = None
            if self._strip.video is video:
                self._strip.set_pictures(strip.numbers, strip.pictures)

        def failed(sentence: str) -> None:
            self._thumbnails = None
            self._desk.told.emit(sentence)

        job = Thumbnails(video, numbers)
        self._thumbnails = self._workers.submit(job, fetched, failed, asked=False)

    def _forget_thumbnails(self) -> None:
        if self._thumbnails is not None:
            self._workers.forget(self._thumbnails)
            self._thumbnails = None

    def _opened(self) -> None:
        """Another photo than one of the video's: the strip has had its time."""
        if self._opening is None and self._strip.video is not None:
            self.close()

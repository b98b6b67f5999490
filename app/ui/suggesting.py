"""Has a network propose what moved, from the photo alone, and puts that into the document as one step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.document import Change, Document
from app.jobs import Suggest
from app.ui.desk import Desk
from app.ui.recovering import Recovering
from app.ui.workers import Workers
from models import catalog
from models.guidance import Guidance
from models.recovery import Inputs

NOTHING = "No motion was found in this photo. Paint over what moved (B) and drag an arrow along its way (A)."
REPLACED = "The suggestion took the place of what was said about the motion. Undo brings that back."
KEEP = "Keep what was painted"
STEP = "Suggest motion"


class Suggesting(QObject):
    """One suggestion at a time.

    running_changed  a network began to look, or no longer does.
    progressed  fraction, step.
    arrives     a suggestion is about to change the document: what is in the hand comes first.
    suggested   the document has got it.
    """

    running_changed = Signal(bool)
    progressed = Signal(float, str)
    arrives = Signal()
    suggested = Signal()

    def __init__(self, desk: Desk, workers: Workers, recovering: Recovering, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._workers, self._recovering = desk, workers, recovering
        self.engine = catalog.suggesting().name
        self._job: int | None = None
        self._offered: int | None = None
        desk.changed.connect(self._changed)

    @property
    def running(self) -> bool:
        return self._job is not None

    def start(self) -> None:
        """Look at the photo, whatever was painted on it."""
        document = self._desk.document
        if document is None or self.running or self._recovering.running:
            return
        self._recovering.drop_preview()
        self._desk.told.emit("Looking for motion…")
        inputs = Inputs(document.photo.pixels, Guidance.empty(*document.guidance.areas.shape), self._recovering.device)
        self._job = self._workers.submit(
            Suggest(inputs, self.engine),
            lambda guidance: self._done(document, guidance),
            self._failed,
            self._cancelled,
            self._progress,
        )
        self.running_changed.emit(True)

    def cancel(self) -> None:
        if self._job is not None:
            self._workers.cancel(self._job)

    def forget(self) -> None:
        """Another document comes: what runs is of no use."""
        if self._job is not None:
            self._workers.forget(self._job)
            self._over()

    def _done(self, document: Document, guidance: Guidance) -> None:
        self._over()
        if self._desk.document is not document:
            return
        if not guidance.says_motion():
            self._desk.told.emit("")
            self._desk.fail(NOTHING)
            return
        self.arrives.emit()
        before = document.guidance
        painted = bool(before.says_motion() or before.regions)
        if painted:
            before = replace(before, areas=np.array(before.areas))
        if self._apply(document, guidance) and painted:
            self._desk.fail(REPLACED, {KEEP: lambda: self._fill(document, before, guidance)})
            self._offered = document.state

    def _fill(self, document: Document, before: Guidance, guidance: Guidance) -> None:
        """The suggestion only where nothing had been said, instead of in its place."""
        document.undo()
        self._apply(document, guidance.under(before))

    def _changed(self, _change: Change) -> None:
        """Whoever goes on from the suggestion, or takes it back, has answered the offer."""
        if self._offered is not None and self._desk.document and self._desk.document.state != self._offered:
            self._offered = None
            self._desk.withdrawn.emit(REPLACED)

    def _apply(self, document: Document, guidance: Guidance) -> bool:
        if not self._desk.attempt(lambda: document.set_guidance(guidance, STEP)):
            return False
        self._desk.told.emit("This is a suggestion: change it like anything painted.")
        self._recovering.preview(document.guidance)
        self.suggested.emit()
        return True

    def _progress(self, fraction: float, step: str, _preview: object) -> None:
        self.progressed.emit(fraction, step)

    def _failed(self, sentence: str) -> None:
        self._over()
        self._desk.told.emit("")
        self._desk.fail(sentence, {"Try again": self.start})

    def _cancelled(self) -> None:
        self._over()
        self._desk.told.emit("Cancelled.")

    def _over(self) -> None:
        self._job = None
        self.running_changed.emit(False)

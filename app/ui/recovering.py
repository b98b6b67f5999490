"""Asks engines for the motion: at full size when the user says so, small and by itself while an arrow is changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

import msgspec
import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from app.document import Document
from app.jobs import Flip, Preview, Recover
from app.ui.asking import Asking
from app.ui.desk import Desk
from app.ui.estimate import Estimate
from app.ui.made import made
from app.ui.settings import remembered, settings
from app.ui.workers import Workers
from models import catalog
from models.guidance import Guidance
from models.motion import Arrow
from models.recovery import Inputs, Recovery

DEBOUNCE = 150
PREVIEW: dict[str, bool | int | float | str] = {"limit": 480, "frames": 5, "iterations": 6}
"""Small enough to be there within two seconds on two cores."""
IN_THE_HAND: dict[str, bool | int | float | str] = PREVIEW | {"sharpen": False}
"""While the hand still moves, the photo itself is moved: half the time."""
REMEMBERED = 4
"""Recoveries of which it is known what they were told, so that arrows can be flipped in them."""


class Recovering(Asking):
    """One recovery at a time, and previews beside it.

    progressed  fraction, step, seconds left (None: not known yet), preview or None.
    previewed   a preview came back.
    recovered   the document has got a new recovery.
    """

    progressed = Signal(float, str, object, object)
    previewed = Signal(object)
    recovered = Signal()

    def __init__(self, desk: Desk, workers: Workers, parent: QObject | None = None) -> None:
        super().__init__(desk, workers, parent)
        self.engine = catalog.ENGINES[0].name
        self.options: Mapping[str, bool | int | float | str] = {}
        self.device = "auto"
        self.live = remembered("live_preview", True)
        self._preview_job: int | None = None
        self._wanted: tuple[Guidance, dict[str, bool | int | float | str]] | None = None
        self._told: deque[tuple[Recovery, Guidance]] = deque(maxlen=REMEMBERED)
        self._pause = made(QTimer, self, singleShot=True, interval=DEBOUNCE, objectName="preview")
        self._pause.timeout.connect(self._submit_preview)

    def demonstrate(self) -> None:
        """Recover unasked; if nothing was edited by then, that leaves nothing to be saved."""
        self.start(counts=False)

    def start(self, counts: bool = True) -> None:
        """Recover the whole photo with the chosen engine and options."""
        document = self._desk.document
        if document is None or self.running:
            return
        if catalog.engine(self.engine).asks == "motion" and not document.guidance.says_motion():
            self._desk.fail("Say first how something moved: paint it and drag an arrow, or drag one for the camera.")
            return
        self.drop_preview()
        self._desk.told.emit("Recovering the motion…")
        estimate, guidance = Estimate(), _copied(document.guidance)
        job = self._flip(document, guidance)
        if job is None or (job.before.engine, job.before.options) != (self.engine, self._values()):
            job = Recover(Inputs(document.photo.pixels, guidance, self.device), self.engine, dict(self.options))
        self._submit(
            job,
            lambda recovery: self._done(document, guidance, recovery, counts),
            lambda fraction, step, preview: self.progressed.emit(fraction, step, estimate.left(fraction), preview),
        )

    def warm(self) -> None:
        """Load the engine while the user paints."""
        self._workers.client("engine").warm(self.engine)

    def forget(self) -> None:
        self.drop_preview()
        self._told.clear()
        super().forget()

    def fits(self, document: Document, guidance: Guidance) -> bool:
        """Whether the recovery that is looked at was made with this guidance."""
        told = self._told_to(_looked_at(document))
        return told is not None and guidance.flipped_since(told) == ()

    def _values(self) -> Mapping[str, object]:
        return catalog.checked(self.engine, self.options)

    def _told_to(self, recovery: Recovery | None) -> Guidance | None:
        """What a recovery was told, as far as that is still known."""
        return next((told for one, told in self._told if one is recovery), None)

    def _flip(self, document: Document, guidance: Guidance) -> Flip | None:
        """What flips parts of the recovery that is looked at, so that it fits this guidance; None where that cannot."""
        recovery = _looked_at(document)
        told = self._told_to(recovery)
        if recovery is None or told is None or not catalog.engine(recovery.engine).flip:
            return None
        inputs = Inputs(document.photo.pixels, guidance, self.device)
        return Flip(inputs, recovery, told) if guidance.flipped_since(told) else None

    def _done(self, document: Document, guidance: Guidance, recovery: Recovery, counts: bool) -> None:
        self._over()
        current = self._desk.document
        if current is None or current is not document:
            return
        self._told.append((recovery, guidance))
        if self._desk.attempt(lambda: current.add_recovery(recovery, counts)):
            said = f"Recovered {len(recovery.frames)} frames in {recovery.seconds:.1f} s."
            self._desk.told.emit(" ".join((said, *recovery.notes)))
            self.recovered.emit()
            if self._flip(current, current.guidance):  # an arrow was flipped in the meantime
                self.preview(current.guidance)

    # What runs by itself: the two-second preview, or arrows flipped in the recovery that is looked at

    @property
    def previewing(self) -> bool:
        """Whether a preview is on its way."""
        return self._pause.isActive() or self._preview_job is not None

    def set_live(self, on: bool) -> None:
        self.live = on
        settings().setValue("live_preview", on)
        if not on:
            self.drop_preview()

    def dragging(self, number: int, arrow: Arrow) -> None:
        """An arrow is in the hand: preview it as if it were set."""
        if self._desk.document is not None:
            self.preview(self._desk.document.guidance.with_arrow(number, arrow), IN_THE_HAND)

    def preview(self, guidance: Guidance, options: Mapping[str, bool | int | float | str] = PREVIEW) -> None:
        """Show soon what this guidance makes of the photo; a newer one takes its place."""
        if self.live and not self.running and guidance.says_motion():
            self._wanted = guidance, dict(options)
            if not self._pause.isActive():  # a throttle: a hand that keeps moving sees previews all the same
                self._pause.start()

    def preview_now(self, guidance: Guidance) -> None:
        """Show it roughly before whatever the user asks for next, which he does to see it."""
        if self.live and guidance.says_motion():
            self._pause.stop()
            self._wanted = guidance, dict(IN_THE_HAND)
            self._submit_preview(asked=True)

    def drop_preview(self) -> None:
        """The preview that is on its way is not wanted any more."""
        self._pause.stop()
        self._wanted = None
        if self._preview_job is not None:
            self._workers.forget(self._preview_job)
            self._preview_job = None
            self._desk.told.emit("")

    def _submit_preview(self, asked: bool = False) -> None:
        document = self._desk.document
        if document is None or self._wanted is None:
            return
        guidance, options = self._wanted
        if self.fits(document, guidance):
            return
        flip = self._flip(document, guidance)
        if flip is not None:
            self._submit_flip(document, flip, asked)
            return
        job = Preview(Inputs(document.photo.pixels, guidance, self.device), "drawn", options)
        self._preview_job = self._workers.submit(job, self._previewed, self._no_preview, asked=asked)
        self._desk.told.emit("Preparing a preview…")

    def _submit_flip(self, document: Document, flip: Flip, asked: bool) -> None:
        inputs, state = replace(flip.inputs, guidance=_copied(flip.inputs.guidance)), document.state
        flip = msgspec.structs.replace(flip, inputs=inputs)
        self._preview_job = self._workers.submit(
            flip, lambda recovery: self._flipped(document, flip, state, recovery), self._no_preview, asked=asked
        )
        self._desk.told.emit("Flipping…")

    def _flipped(self, document: Document, flip: Flip, state: int, recovery: Recovery) -> None:
        """Put it in its place as part of the edit that flipped the arrow. Where something was done since, or undone and
        may be redone, it is only shown."""
        self._preview_job = None
        guidance, here = flip.inputs.guidance, document.current
        if document.guidance.flipped_since(guidance) != ():
            return
        self._desk.told.emit(f"Flipped in {recovery.seconds:.1f} s.")
        if here is None or _looked_at(document) is not flip.before or document.state != state or document.can_redo:
            self.previewed.emit(recovery)
            return
        self._told.append((recovery, guidance))
        document.put_recovery(here, recovery, document.undo_text, joins=True)
        self.recovered.emit()

    def _previewed(self, recovery: Recovery) -> None:
        self._preview_job = None
        self._desk.told.emit("A small preview: Recover makes it at the photo's size.")
        self.previewed.emit(recovery)

    def _no_preview(self, sentence: str) -> None:
        self._preview_job = None
        self._desk.told.emit(sentence)


def _looked_at(document: Document) -> Recovery | None:
    return None if document.current is None else document.recoveries[document.current]


def _copied(guidance: Guidance) -> Guidance:
    """Safe from strokes painted while the job waits for its turn."""
    return replace(guidance, areas=np.array(guidance.areas))

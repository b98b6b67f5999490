"""Asks engines for the motion: at full size when the user says so, small and by itself while an arrow is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from app.jobs import Preview, Recover
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
        estimate = Estimate()
        inputs = Inputs(document.photo.pixels, _copied(document.guidance), self.device)
        self._submit(
            Recover(inputs, self.engine, dict(self.options)),
            lambda recovery: self._done(document, recovery, counts),
            lambda fraction, step, preview: self.progressed.emit(fraction, step, estimate.left(fraction), preview),
        )

    def warm(self) -> None:
        """Load the engine while the user paints."""
        self._workers.client("engine").warm(self.engine)

    def forget(self) -> None:
        self.drop_preview()
        super().forget()

    def _done(self, document: object, recovery: Recovery, counts: bool) -> None:
        current = self._desk.document
        if current is None or current is not document:
            return
        if self._desk.attempt(lambda: current.add_recovery(recovery, counts)):
            said = f"Recovered {len(recovery.frames)} frames in {recovery.seconds:.1f} s."
            self._desk.told.emit(" ".join((said, *recovery.notes)))
            self.recovered.emit()

    # The two-second preview

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
        job = Preview(Inputs(document.photo.pixels, guidance, self.device), "drawn", options)
        self._preview_job = self._workers.submit(job, self._previewed, self._no_preview, asked=asked)
        self._desk.told.emit("Preparing a preview…")

    def _previewed(self, recovery: Recovery) -> None:
        self._preview_job = None
        self._desk.told.emit("A small preview: Recover makes it at the photo's size.")
        self.previewed.emit(recovery)

    def _no_preview(self, sentence: str) -> None:
        self._preview_job = None
        self._desk.told.emit(sentence)


def _copied(guidance: Guidance) -> Guidance:
    """Safe from strokes painted while the job waits for its turn."""
    return replace(guidance, areas=np.array(guidance.areas))

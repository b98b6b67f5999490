"""Has a network propose what moved, from the photo alone, and puts the suggestion that is taken into the document."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Signal

from app.document import Change, Document
from app.jobs import Suggest
from app.suggestions import Suggestions
from app.ui.asking import Asking
from app.ui.desk import Desk
from app.ui.recovering import Recovering
from app.ui.suggestion_strip import SuggestionStrip
from app.ui.workers import Workers
from models import catalog
from models.guidance import Guidance
from models.recovery import Inputs

NOTHING = "No motion was found in this photo. Paint over what moved (B) and drag an arrow along its way (A)."
REPLACED = "The suggestion took the place of what was said about the motion. Undo brings that back."
KEEP = "Keep what was painted"
STEP = "Suggest motion"
COUNT = 5
TITLE = "One photo cannot tell which way things moved in time. Click the suggestion that is right, or nearly."


class Suggesting(Asking):
    """Offers suggestions in the strip until one is taken or none is wanted.

    progressed  fraction, step.
    arrives     a suggestion is about to change the document: what is in the hand comes first.
    suggested   the document has got it.
    closed      nothing is offered any more.
    """

    progressed = Signal(float, str)
    arrives = Signal()
    suggested = Signal()
    closed = Signal()

    def __init__(self, desk: Desk, workers: Workers, recovering: Recovering, strip: SuggestionStrip) -> None:
        super().__init__(desk, workers, strip)
        self._recovering, self._strip = recovering, strip
        self.engine = catalog.suggesting().name
        self._guidances: tuple[Guidance, ...] = ()
        self._seed = 0
        self._offered: int | None = None
        desk.changed.connect(self._changed)
        strip.picked.connect(self.take)
        strip.more.connect(self.more_like)
        strip.closed.connect(self.close)

    @property
    def offering(self) -> bool:
        return bool(self._guidances)

    def start(self) -> None:
        """Look at the photo, whatever was painted on it."""
        self._seed = 0
        self._ask(None)

    def more_like(self, number: int) -> None:
        """Offer this suggestion and others that differ a little from it."""
        self._seed += COUNT
        self._ask(self._guidances[number])

    def take(self, number: int) -> None:
        """Put a suggestion into the document, as one step that can be undone."""
        document, guidance = self._desk.document, self._guidances[number]
        self.close()
        if document is None:
            return
        self.arrives.emit()
        before = document.guidance
        painted = bool(before.says_motion() or before.regions)
        if painted:
            before = replace(before, areas=np.array(before.areas))
        if self._apply(document, guidance) and painted:
            self._desk.fail(REPLACED, {KEEP: lambda: self._fill(document, before, guidance)})
            self._offered = document.state

    def close(self) -> None:
        """Take none of them."""
        if self._guidances:
            self._guidances = ()
            self._strip.clear()
            self._desk.told.emit("")
            self.closed.emit()

    def _ask(self, like: Guidance | None) -> None:
        document = self._desk.document
        if document is None or self.running or self._recovering.running:
            return
        self._recovering.drop_preview()
        self._desk.told.emit("Looking for motion…")
        nothing = Guidance.empty(*document.guidance.areas.shape)
        inputs = Inputs(document.photo.pixels, nothing, self._recovering.device, self._seed)
        job = Suggest(inputs, self.engine, COUNT, like, loops=True)
        self._submit(job, lambda found: self._done(document, found), self._progress)

    def forget(self) -> None:
        """Another document comes: what runs or is offered is of no use."""
        self.close()
        super().forget()

    def _done(self, document: Document, found: Suggestions) -> None:
        self._desk.told.emit("")
        if self._desk.document is not document:
            return
        if found.loops is None:
            self._desk.fail(NOTHING)
            return
        self.offer(found.guidances, found.loops)

    def offer(self, guidances: tuple[Guidance, ...], loops: np.ndarray) -> None:
        """Show suggestions to choose from, by their loops as in `Suggestions`."""
        self._guidances = guidances
        self._strip.show_loops(TITLE, loops)

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

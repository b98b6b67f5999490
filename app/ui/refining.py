"""Adjusts arrows to the photo, one after another, each to be seen as soon as it is found."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from app.document import Change, Document
from app.jobs import Refine
from app.ui.asking import Asking
from app.ui.canvas import Canvas
from app.ui.desk import Desk, touches_motion
from app.ui.made import made
from app.ui.recovering import Recovering
from app.ui.workers import Workers
from models import catalog
from models.guidance import Guidance
from models.motion import Arrow
from models.recovery import Inputs

STEP = "Refine arrows"
NAMED = 3
"""Arrows that a sentence names one by one, at most."""
IN_SIGHT = 2000
"""Milliseconds for which what became of the arrows is seen, even while a preview plays without them."""


class Refining(Asking):
    """Shows what was found while it looks on; at the end the document gets it, as one step that can be undone.

    Cancelled, it leaves the arrows as they were, like everything that is cancelled. What is edited meanwhile is the
    user's: nothing that was found of such an arrow is used, and a stroke in the hand is waited for.

    progressed  fraction, step.
    """

    progressed = Signal(float, str)

    def __init__(
        self, desk: Desk, workers: Workers, recovering: Recovering, canvas: Canvas, parent: QObject | None = None
    ) -> None:
        super().__init__(desk, workers, parent)
        self._recovering, self._canvas = recovering, canvas
        self._drawn: dict[int, Arrow] = {}
        self._left: list[int] = []
        self._found: dict[int, Arrow] = {}
        self._previewed = False
        self._said = ""
        self._sight = made(QTimer, self, singleShot=True, interval=IN_SIGHT, objectName="refined arrows")
        self._sight.timeout.connect(lambda: canvas.show_found({}))
        desk.changed.connect(self._changed)
        canvas.hand_free.connect(self._settle)

    def arrows(self) -> dict[int, Arrow]:
        """What would be refined now: the arrow of what is selected, or with nothing selected all."""
        if self._desk.document is None or not catalog.can_refine():
            return {}
        selected = self._canvas.selected
        arrows = self._desk.document.guidance.arrows()
        return {number: arrow for number, arrow in arrows.items() if selected in (None, number)}

    def start(self) -> None:
        drawn = self.arrows()
        if self.running or self._recovering.running or not drawn:
            return
        self._clear()
        self._drawn, self._left = drawn, list(drawn)
        self._previewed = self._recovering.previewing
        self._recovering.drop_preview()
        self._desk.withdrawn.emit(self._said)
        self._desk.told.emit("Refining…")
        self._show()
        self._next()

    def forget(self) -> None:
        self._clear()
        super().forget()

    def _next(self) -> None:
        """Look at the next arrow that nobody has edited."""
        document = self._desk.document
        self._left = [number for number in self._left if number in self._drawn]
        if document is not None and self._left:
            inputs = Inputs(document.photo.pixels, document.guidance, self._recovering.device)
            self._submit(Refine(inputs, (self._left.pop(0),)), self._done, self._progress)

    def _progress(self, fraction: float, step: str, _preview: object) -> None:
        count = len(self._drawn)
        self.progressed.emit((count - len(self._left) - 1 + fraction) / count if count else 1.0, step)

    def _done(self, found: dict[int, Arrow]) -> None:
        news = {number: arrow for number, arrow in found.items() if number in self._drawn}
        self._found |= news
        self._show()
        if news and self._left:  # after the last one the document changes, which is previewed anyway
            self._previewed = True
            self._recovering.preview_now(self._refined())
        self._next()

    def _cancelled(self) -> None:
        self._give_up()
        super()._cancelled()

    def _failed(self, sentence: str) -> None:
        self._give_up()
        super()._failed(sentence)

    def _over(self) -> None:
        super()._over()
        self._settle()

    def _settle(self) -> None:
        """Once all arrows were looked at and the hand is free, the document gets what was found."""
        document = self._desk.document
        if document is None or not self._drawn or self.running or self._canvas.in_hand:
            return
        self._said = _stay([_name(document.guidance, number) for number in self._drawn if number not in self._found])
        if self._found:
            self._take(document)
        else:
            self._give_up()
            self._desk.told.emit("")
        if self._said:
            self._desk.fail(self._said)

    def _take(self, document: Document) -> None:
        refined, found = self._refined(), self._found
        self._clear()
        if self._desk.attempt(lambda: document.set_guidance(refined, STEP)):
            self._desk.told.emit(f"Refined {len(found)} arrow{'s' if len(found) > 1 else ''}.")
            self._canvas.show_found(found)
            self._sight.start()

    def _changed(self, change: Change) -> None:
        """An arrow that was edited meanwhile is no longer looked at."""
        document = self._desk.document
        if document is None or not touches_motion(change):
            return
        self._desk.withdrawn.emit(self._said)
        now = document.guidance.arrows()
        self._drawn = {number: arrow for number, arrow in self._drawn.items() if now.get(number) == arrow}
        self._found = {number: arrow for number, arrow in self._found.items() if number in self._drawn}
        self._show()

    def _show(self) -> None:
        """The arrows as far as they are known, whatever plays."""
        self._sight.stop()
        self._canvas.show_found(self._drawn | self._found)

    def _refined(self) -> Guidance:
        """What is said now, with what was found."""
        document = self._desk.document
        assert document is not None
        guidance = document.guidance
        for number, arrow in self._found.items():
            guidance = guidance.with_arrow(number, arrow)
        return guidance

    def _give_up(self) -> None:
        """Nothing was found, or it is not wanted: what is seen is again what the document says."""
        document, previewed = self._desk.document, self._previewed
        self._clear()
        if document is not None and previewed:
            self._recovering.drop_preview()
            self._recovering.preview(document.guidance)

    def _clear(self) -> None:
        self._previewed = False
        self._drawn, self._left, self._found = {}, [], {}
        self._show()


def _name(guidance: Guidance, number: int) -> str:
    region = guidance.region(number)
    return "the camera" if region is None else region.name


def _stay(names: Sequence[str]) -> str:
    """That nothing was found of these."""
    if not names:
        return ""
    words = " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
    words = words if len(names) <= NAMED else f"{len(names)} things"
    rest = "its arrow stays as it is" if len(names) == 1 else "their arrows stay as they are"
    return f"The photo does not show clearly enough how {words} moved: {rest}."

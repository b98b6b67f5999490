"""What the user's hand does on the canvas: holds tool, brush and selection, and carries out the tools' answers.

Knows the document, not Qt; what is to be seen of it goes to a `Stage`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from app.document import Change, Document
from app.edits import Rect
from app.picked import Pixel
from app.ui.canvas import events
from app.ui.canvas.anchors import Anchors
from app.ui.canvas.arrows import Placed
from app.ui.canvas.brush import LARGEST_BRUSH, SMALLEST_BRUSH, BrushTool, LassoTool
from app.ui.canvas.events import Answer, Cancel, Event, Pointer, Press, Release, Scene
from app.ui.canvas.raster import Dab, union
from app.ui.canvas.tools import Tool, tools
from models.guidance import NO_REGION
from models.motion import Arrow

BRUSH_STEP = 1.15


class Stage(Protocol):
    """Where the hand's doing is seen."""

    def show_dabs(self, number: int, dabs: Sequence[Dab]) -> Rect | None: ...
    def refresh(self, rect: Rect | None) -> None: ...
    def repaint_lines(self) -> None: ...
    def push(self, x: float, y: float) -> None: ...
    def tell_selected(self, number: int | None) -> None: ...
    def tell_brush_size(self, size: float) -> None: ...
    def tell_dragging(self, placed: Placed) -> None: ...
    def tell_picked(self, pixels: tuple[Pixel, ...]) -> None: ...
    def tell_refused(self, sentence: str) -> None: ...
    def tell_let_go(self) -> None: ...


class Hand:
    """One hand on one canvas.

    selected  number of a region, 0 the camera, None.
    preview   the arrow being dragged; `outline` the lasso so far, photo px.
    found     arrows to be seen whatever plays, by number, instead of the document's: as a job has found them so far.
    picks     the pixels whose trajectories are looked at.
    sees_arrows  whether arrows are shown, so that they can be taken hold of.
    """

    def __init__(self, stage: Stage) -> None:
        self.tool = "brush"
        self.brush_size = 40.0
        self.selected: int | None = None
        self.preview: Placed | None = None
        self.outline: tuple[tuple[float, float], ...] = ()
        self.found: Mapping[int, Arrow] = {}
        self.picks: tuple[Pixel, ...] = ()
        self.sees_arrows = True
        self._stage = stage
        self._document: Document | None = None
        self._anchors = Anchors()
        self._tools = tools()
        self._held: Tool = self._tools[self.tool]
        self._at: Pointer = Pointer(0, 0)
        self._shown: Rect | None = None
        self._performing = False
        self._joins = True

    @property
    def busy(self) -> bool:
        """Whether something is pressed."""
        return self._held.busy

    def set_document(self, document: Document | None) -> None:
        self.drop()
        self._document, self._anchors, self.found = document, Anchors(), {}
        self.select(None)
        self.pick(())

    def set_tool(self, name: str) -> None:
        if name not in self._tools:
            raise ValueError(f"expected a tool out of {', '.join(self._tools)}, got {name}")
        self.tool = name

    def set_brush_size(self, size: float) -> None:
        size = min(max(float(size), SMALLEST_BRUSH), LARGEST_BRUSH)
        if size != self.brush_size:
            self.brush_size = size
            self._stage.tell_brush_size(size)

    def step_brush_size(self, up: bool) -> None:
        """To the next size, at least a px away."""
        size = self.brush_size
        self.set_brush_size(max(size * BRUSH_STEP, size + 1) if up else min(size / BRUSH_STEP, size - 1))

    def select(self, number: int | None) -> None:
        if number != self.selected:
            self.selected = number
            self._stage.tell_selected(number)
            self._stage.repaint_lines()

    def pick(self, pixels: tuple[Pixel, ...]) -> None:
        """Look at the trajectories of these pixels."""
        if pixels != self.picks:
            self.picks = pixels
            self._stage.tell_picked(pixels)
            self._stage.repaint_lines()

    def placed(self) -> tuple[Placed, ...]:
        """Every arrow where it is shown, the one in the hand as it is now."""
        if self._document is None:
            return ()
        drawn = self._anchors.placed(self._document.guidance, fresh=not self.busy)
        placed = tuple(replace(one, arrow=self.found.get(one.number, one.arrow)) for one in drawn)
        if self.preview is None:
            return placed
        return (*(one for one in placed if one.number != self.preview.number), self.preview)

    def target(self) -> tuple[float, float] | None:
        """Where the selected region waits for an arrow; None where it has one or is nowhere."""
        if self._document is None or self.selected is None:
            return None
        if any(one.number == self.selected for one in self.placed()):
            return None
        return self._anchors.centre(self._document.guidance, self.selected, fresh=not self.busy)

    def scene(self, scale: float) -> Scene:
        assert self._document is not None
        placed = self.placed() if self.tool == "arrow" and self.sees_arrows else ()
        return Scene(self._document.guidance, placed, self.selected, self.brush_size, scale, self.picks)

    def hear(self, event: Event, scale: float, tool: str | None = None) -> None:
        """Let the tool hear an event; a press may be for another `tool` than the chosen one (a pen's eraser)."""
        if self._document is None:
            return
        if isinstance(event, Press) and not self.busy:
            self._held, self._shown = self._tools[tool or self.tool], None
        if isinstance(event, Pointer):
            self._at = event
        for answer in self._held.handle(event, self.scene(scale)):
            self._perform(answer)
        if isinstance(event, Release | Cancel):
            self._stage.repaint_lines()
            self._stage.tell_let_go()

    def finish(self, scale: float) -> None:
        """Let go, as if the button came up now, so that nothing that was painted or drawn is lost. Never a click."""
        if self.busy:
            at, keeps = self._at, self.preview or isinstance(self._held, BrushTool | LassoTool)
            let_go = Release(at.x, at.y, at.pressure, seconds=time.monotonic())
            self.hear(let_go if keeps else Cancel(), scale)

    def drop(self) -> None:
        """Let go of what the document does not have yet: it has become another one under the hand."""
        if self.busy and self._document is not None:
            self._held.handle(Cancel(), self.scene(1))
            self.preview, self.outline = None, ()
            self._stage.refresh(self._shown)

    def delete_selected(self) -> None:
        """Remove the selected region with all that it covers, or the camera's arrow."""
        document, number = self._document, self.selected
        if document is None or number is None:
            return
        if number != NO_REGION:
            document.remove_region(number)
        elif document.guidance.camera is not None:
            document.set_camera(None)

    def changed(self, change: Change) -> None:
        """The document has changed, by this hand or otherwise: what another did to the guidance ends a stroke."""
        if not self._performing and change.what in ("areas", "regions", "camera"):
            self.drop()
        elif not self._performing and change.what != "saved":
            self._joins = False
        if change.what == "areas" and change.rect is not None:
            self._anchors.areas_changed(change.rect)
        if change.what == "regions" and self._document is not None:
            gone = self.selected and self._document.guidance.region(self.selected) is None
            self.select(None if gone else self.selected)

    def _perform(self, answer: Answer) -> None:
        assert self._document is not None
        self._performing = True
        try:
            self._edit(answer, self._document)
        finally:
            self._performing = False
        match answer:
            case events.Dabs(number, dabs):
                touched = self._stage.show_dabs(number, dabs)
                self._shown = union(self._shown, touched) if touched else self._shown
            case events.Rollback():
                self._stage.refresh(self._shown)
            case events.Outline(points):
                self.outline = points
                self._stage.repaint_lines()
            case events.ArrowPreview(placed):
                self.preview = placed
                self._stage.repaint_lines()
                if placed is not None:
                    self._stage.tell_dragging(placed)
            case events.Select(number):
                self.select(number)
            case events.Pan(x, y):
                self._stage.push(x, y)
            case events.BrushSize(size):
                self.set_brush_size(size)
            case events.Picks(pixels):
                self.pick(pixels)
            case events.Refuse(sentence):
                self._stage.tell_refused(sentence)

    def _edit(self, answer: Answer, document: Document) -> None:
        match answer:
            case events.Patch(number, rect, values, text, joins):
                document.paint(rect, values, text, joins and self._joins)
                if number != NO_REGION and document.guidance.region(number) is None:
                    document.add_region(joins=True)
                self._joins = True
            case events.Rollback(undo=True) if self._joins:
                document.undo()
            case events.SetArrow(placed):
                document.set_arrow(placed.number, placed.arrow, at=(placed.x, placed.y))
            case events.Flip(number):
                document.flip_region(number)

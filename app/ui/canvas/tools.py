"""The tools: each hears pointer events and answers with what should happen. Nothing here knows Qt or the document."""

from __future__ import annotations

from math import hypot
from typing import Protocol

from app.ui.canvas import hits
from app.ui.canvas.arrows import Placed
from app.ui.canvas.brush import BrushTool, LassoTool
from app.ui.canvas.events import (
    Answer,
    ArrowPreview,
    Cancel,
    Event,
    Flip,
    Move,
    Pan,
    Pointer,
    Press,
    Release,
    Scene,
    Select,
    SetArrow,
)
from app.ui.canvas.picking import PickTool
from models.guidance import NO_REGION
from models.motion import Arrow

CLICK_REACH = 4.0
"""View px that a pointer may wander between press and release of a click."""
GRAB_REACH = 9.0
"""View px around a handle or a shaft within which it is meant."""


class Tool(Protocol):
    """Hears events in order; between a press and its release, or a cancel, it is busy."""

    @property
    def busy(self) -> bool: ...

    def handle(self, event: Event, scene: Scene) -> list[Answer]: ...


def wandered(start: Pointer, now: Pointer, scene: Scene) -> bool:
    """Whether this is a drag rather than a click."""
    return hypot(now.x - start.x, now.y - start.y) * scene.scale > CLICK_REACH


class PanTool:
    """Pushes the photo; a click selects what is painted there."""

    def __init__(self) -> None:
        self._grabbed: Press | None = None
        self._pans = False

    @property
    def busy(self) -> bool:
        return self._grabbed is not None

    def handle(self, event: Event, scene: Scene) -> list[Answer]:
        grabbed = self._grabbed
        if isinstance(event, Press):
            self._grabbed, self._pans = event, False
        elif isinstance(event, Move) and grabbed:
            self._pans |= wandered(grabbed, event, scene)
            if self._pans:
                return [Pan(event.x - grabbed.x, event.y - grabbed.y)]
        elif isinstance(event, Release) and grabbed:
            self._grabbed = None
            if not self._pans:
                return [Select(hits.painted(grabbed.x, grabbed.y, scene.guidance.areas).number or None)]
        elif isinstance(event, Cancel):
            self._grabbed = None
        return []


class ArrowTool:
    """Draws, bends and turns arrows.

    A drag inside a region draws its arrow from press to release, and so does one right across the selected region
    while that has none; any other on the bare photo draws the camera's. A drag of a handle edits; a click on an arrow
    flips it, elsewhere it selects.
    """

    def __init__(self) -> None:
        self._press: Press | None = None
        self._hit = hits.Hit("outside", None)
        self._start: Placed | None = None
        self._now: Placed | None = None

    @property
    def busy(self) -> bool:
        return self._press is not None

    def handle(self, event: Event, scene: Scene) -> list[Answer]:
        if isinstance(event, Press):
            self._press, self._now = event, None
            self._hit = hit(event, scene)
            self._start = next((one for one in scene.placed if one.number == self._hit.number), None)
        elif isinstance(event, Move) and self._press:
            return self._moved(self._press, event, scene)
        elif isinstance(event, Release) and self._press:
            self._press = None
            return self._drawn(self._now) if self._now else self._clicked()
        elif isinstance(event, Cancel) and self._press:
            self._press = None
            return [ArrowPreview(None)] if self._now else []
        return []

    def _moved(self, press: Press, event: Move, scene: Scene) -> list[Answer]:
        if self._hit.number is None or not (self._now or wandered(press, event, scene)):
            return []
        self._now = self._dragged(press, event, scene)
        return [ArrowPreview(self._now)]

    def _dragged(self, press: Press, event: Move, scene: Scene) -> Placed:
        kind, start = self._hit.kind, self._start
        if start and (kind == "tip" or kind == "tail" or kind == "middle"):
            at = start.handle(kind)
            placed = start.dragged(kind, at[0] + event.x - press.x, at[1] + event.y - press.y)
            return placed.snapped() if event.shift and kind != "middle" else placed
        number = self._hit.number or _crossed(press, event, scene)
        return Placed.between(number, (press.x, press.y), (event.x, event.y), _arrow(number, scene), event.shift)

    def _drawn(self, placed: Placed) -> list[Answer]:
        return [SetArrow(placed), ArrowPreview(None), Select(placed.number)]

    def _clicked(self) -> list[Answer]:
        if self._hit.on_arrow and self._hit.number is not None:
            return [Select(self._hit.number), Flip(self._hit.number)]
        return [Select(self._hit.number or None)]


def hit(event: Pointer, scene: Scene) -> hits.Hit:
    """What the arrow tool means at a point."""
    reach = GRAB_REACH / scene.scale
    return hits.under(event.x, event.y, scene.placed, scene.guidance.areas, scene.selected, reach)


def _crossed(press: Press, now: Pointer, scene: Scene) -> int:
    """The selected region if it waits for its arrow and the drag leads over it; else the camera's number."""
    region = scene.guidance.region(scene.selected or NO_REGION)
    if region is None or region.arrow is not None:
        return NO_REGION
    over = hits.crosses((press.x, press.y), (now.x, now.y), scene.guidance.areas, region.number)
    return region.number if over else NO_REGION


def _arrow(number: int, scene: Scene) -> Arrow | None:
    region = scene.guidance.region(number)
    return scene.guidance.camera if number == NO_REGION else region and region.arrow


def tools() -> dict[str, Tool]:
    """One of each, by name."""
    return {
        "pan": PanTool(),
        "brush": BrushTool(),
        "eraser": BrushTool(erases=True),
        "lasso": LassoTool(),
        "arrow": ArrowTool(),
        "pick": PickTool(),
    }

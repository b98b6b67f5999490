"""The tools that paint: brush, eraser and lasso.

What the hand paints is shown at once as dabs and reaches the document in tiles, the first after half a second, so that
a crash in a long stroke loses little and no event takes long. All pieces of one stroke join into one undo step.
"""

from __future__ import annotations

from math import hypot

import numpy as np

from app.edits import Rect
from app.ui.canvas import hits
from app.ui.canvas.events import (
    Answer,
    BrushSize,
    Cancel,
    Dabs,
    Event,
    Move,
    Outline,
    Patch,
    Pointer,
    Press,
    Refuse,
    Release,
    Rollback,
    Scene,
    Select,
    Tick,
)
from app.ui.canvas.raster import Dab, along, is_empty, polygon, stamp, tiles
from models.guidance import MAX_REGIONS, NO_REGION, Guidance

PIECE_SECONDS = 0.5
TILES_AT_ONCE, TILES_A_TICK, MOST_WAITING = 2, 8, 32
"""How many tiles go to the document with one move and, while the hand rests, with one tick; how many may wait."""
SMALLEST_BRUSH, LARGEST_BRUSH = 1.0, 2000.0
FAINTEST = 0.15
"""Share of the brush's size that the lightest touch of a pen leaves."""


def painted_number(scene: Scene) -> int | None:
    """Which region painting goes to: the selected one, else the next new one; None where there is no number left."""
    if scene.selected and scene.guidance.region(scene.selected):
        return scene.selected
    return free_number(scene.guidance)


def free_number(guidance: Guidance) -> int | None:
    """The number that the next new region gets."""
    taken = {region.number for region in guidance.regions}
    return next((number for number in range(1, MAX_REGIONS + 1) if number not in taken), None)


FULL = Refuse(f"There are {MAX_REGIONS} regions already; delete one to paint another.")


class BrushTool:
    """Paints the selected region, or a new one; as eraser clears whatever it passes over.

    Alt and a drag sideways change the size, Ctrl and a click select what is painted there.
    """

    def __init__(self, erases: bool = False) -> None:
        self._erases = erases
        self._number: int | None = None
        self._resizes: tuple[float, float] | None = None
        self._last: Dab | None = None
        self._unsaid = Unsaid()
        self._pieces = 0
        self._since = 0.0

    @property
    def busy(self) -> bool:
        return self._number is not None or self._resizes is not None

    def handle(self, event: Event, scene: Scene) -> list[Answer]:
        if isinstance(event, Press):
            return self._pressed(event, scene)
        if isinstance(event, Cancel):
            return self._cancelled()
        if self._resizes and isinstance(event, Pointer):
            return self._resized(event)
        if self._number is None:
            return []
        answers: list[Answer] = []
        if isinstance(event, Move):
            answers.append(self._dabs(event, scene))
        if isinstance(event, Release):
            answers += self._piece(None, scene)
            self._number = None
        elif event.seconds - self._since >= PIECE_SECONDS or len(self._unsaid) > MOST_WAITING:
            answers += self._piece(TILES_A_TICK if isinstance(event, Tick) else TILES_AT_ONCE, scene)
            if not self._unsaid:
                self._since = event.seconds
        return answers

    def _pressed(self, event: Press, scene: Scene) -> list[Answer]:
        if event.ctrl:
            return [Select(hits.painted(event.x, event.y, scene.guidance.areas).number or None)]
        if event.alt:
            self._resizes = event.x, scene.brush_size
            return []
        self._number = NO_REGION if self._erases else painted_number(scene)
        if self._number is None:
            return [FULL]
        self._last, self._unsaid, self._pieces, self._since = None, Unsaid(), 0, event.seconds
        return [self._dabs(event, scene)]

    def _dabs(self, event: Pointer, scene: Scene) -> Dabs:
        share = FAINTEST + (1 - FAINTEST) * min(max(event.pressure, 0.0), 1.0)
        new = Dab(event.x, event.y, scene.brush_size / 2 * share)
        dabs = tuple(along(self._last, new))
        self._last = new
        for dab in dabs:
            self._unsaid.add(dab, *scene.guidance.areas.shape)
        return Dabs(self._number or NO_REGION, dabs)

    def _piece(self, most: int | None, scene: Scene) -> list[Answer]:
        number, text = self._number or NO_REGION, "Erase" if self._erases else "Paint"
        answers: list[Answer] = []
        for rect, values in self._unsaid.take(most, scene.guidance.areas, number):
            answers.append(Patch(number, rect, values, text, joins=self._pieces > 0))
            self._pieces += 1
        if answers and number and number != scene.selected:
            answers.append(Select(number))
        return answers

    def _cancelled(self) -> list[Answer]:
        busy, self._number, self._resizes = self._number is not None, None, None
        return [Rollback(undo=self._pieces > 0)] if busy else []

    def _resized(self, event: Pointer) -> list[Answer]:
        start, size = self._resizes or (event.x, LARGEST_BRUSH)
        if isinstance(event, Release):
            self._resizes = None
            return []
        return [BrushSize(min(max(size + 2 * (event.x - start), SMALLEST_BRUSH), LARGEST_BRUSH))]


class Unsaid:
    """Dabs that the document does not have yet, by the tile they fall in, the longest waiting first."""

    def __init__(self) -> None:
        self._tiles: dict[Rect, list[Dab]] = {}

    def __len__(self) -> int:
        return len(self._tiles)

    def add(self, dab: Dab, height: int, width: int) -> None:
        rect = dab.rect(height, width)
        for tile in () if is_empty(rect) else tiles(rect, height, width):
            self._tiles.setdefault(tile, []).append(dab)

    def take(self, most: int | None, areas: np.ndarray, number: int) -> list[tuple[Rect, np.ndarray]]:
        """At most so many tiles, None: all, with their new values; those that do not change are left out."""
        changes = []
        for tile in list(self._tiles)[:most]:
            x0, y0, x1, y1 = tile
            values = areas[y0:y1, x0:x1].copy()
            for dab in self._tiles.pop(tile):
                stamp(values, dab, number, (x0, y0))
            if (values != areas[y0:y1, x0:x1]).any():
                changes.append((tile, values))
        return changes


class LassoTool:
    """Fills what the hand draws round, for the selected region or a new one; with Alt erases it. A click selects."""

    def __init__(self) -> None:
        self._points: list[tuple[float, float]] = []
        self._erases = False

    @property
    def busy(self) -> bool:
        return bool(self._points)

    def handle(self, event: Event, scene: Scene) -> list[Answer]:
        if isinstance(event, Press):
            self._points, self._erases = [(event.x, event.y)], event.alt
        elif isinstance(event, Move) and self._points:
            if hypot(event.x - self._points[-1][0], event.y - self._points[-1][1]) * scene.scale >= 1:
                self._points.append((event.x, event.y))
                return [Outline(tuple(self._points))]
        elif isinstance(event, Release) and self._points:
            points, self._points = self._points, []
            return [Outline(), *self._filled(points, scene)]
        elif isinstance(event, Cancel) and self._points:
            self._points = []
            return [Outline()]
        return []

    def _filled(self, points: list[tuple[float, float]], scene: Scene) -> list[Answer]:
        areas = scene.guidance.areas
        if len(points) < 3:
            return [Select(hits.painted(*points[0], areas).number or None)]
        number = NO_REGION if self._erases else painted_number(scene)
        if number is None:
            return [FULL]
        answers: list[Answer] = []
        rect, inside = polygon(points, *areas.shape)
        for x0, y0, x1, y1 in () if is_empty(rect) else tiles(rect, *areas.shape):
            x0, y0, x1, y1 = max(x0, rect[0]), max(y0, rect[1]), min(x1, rect[2]), min(y1, rect[3])
            before = areas[y0:y1, x0:x1]
            mask = inside[y0 - rect[1] : y1 - rect[1], x0 - rect[0] : x1 - rect[0]]
            values = np.where(mask, np.uint8(number), before)
            if (values != before).any():
                answers.append(Patch(number, (x0, y0, x1, y1), values, "Lasso", joins=bool(answers)))
        return [*answers, Select(number)] if answers and number else answers

"""The tool that picks pixels whose trajectories are looked at, and where their kernels find room. Without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, hypot

from app.picked import Pixel
from app.ui.canvas.events import Answer, Cancel, Event, Move, Picks, Pointer, Press, Refuse, Release, Scene

MOST = 8
REACH = 9.0
"""View px around a picked pixel within which it is meant."""
CLICK = 4.0
"""View px that a click may wander."""
GAP = 12.0
"""View px between a trajectory and its kernel."""

Box = tuple[float, float, float, float]
"""left, top, right, bottom."""


class PickTool:
    """A press picks the pixel and a drag takes it along; a click on one that is picked lets it go."""

    def __init__(self) -> None:
        self._press: Press | None = None
        self._before: tuple[Pixel, ...] = ()
        self._held = 0
        self._drops = False

    @property
    def busy(self) -> bool:
        return self._press is not None

    def handle(self, event: Event, scene: Scene) -> list[Answer]:
        if isinstance(event, Press):
            return self._pressed(event, scene)
        press = self._press
        if press is None:
            return []
        if isinstance(event, Cancel):
            self._press = None
            return [Picks(self._before)]
        if isinstance(event, Move):
            wandered = hypot(event.x - press.x, event.y - press.y) * scene.scale > CLICK
            self._drops = self._drops and not wandered
            return [] if self._drops else [Picks(self._with(_pixel(event, scene), scene.picks))]
        if isinstance(event, Release):
            self._press = None
            if self._drops:
                return [Picks((*scene.picks[: self._held], *scene.picks[self._held + 1 :]))]
        return []

    def _pressed(self, event: Press, scene: Scene) -> list[Answer]:
        height, width = scene.guidance.areas.shape
        if not (0 <= event.x < width and 0 <= event.y < height):
            return []
        near = _near(event, scene)
        if near is None and len(scene.picks) >= MOST:
            return [Refuse(f"There are {MOST} picked pixels already: click one of them to let it go.")]
        self._press, self._before, self._drops = event, scene.picks, near is not None
        self._held = len(scene.picks) if near is None else near
        return [Picks((*scene.picks, _pixel(event, scene)))] if near is None else []

    def _with(self, pixel: Pixel, picks: tuple[Pixel, ...]) -> tuple[Pixel, ...]:
        return (*picks[: self._held], pixel, *picks[self._held + 1 :])


def _pixel(at: Pointer, scene: Scene) -> Pixel:
    """The pixel under the pointer, or the photo's nearest."""
    height, width = scene.guidance.areas.shape
    return min(max(floor(at.x), 0), width - 1), min(max(floor(at.y), 0), height - 1)


def _near(at: Pointer, scene: Scene) -> int | None:
    """Which picked pixel is meant; None: none."""
    far = [hypot(x + 0.5 - at.x, y + 0.5 - at.y) * scene.scale for x, y in scene.picks]
    nearest = min(range(len(far)), key=far.__getitem__, default=None)
    return nearest if nearest is not None and far[nearest] <= REACH else None


def places(boxes: Sequence[Box], width: float, height: float, side: float) -> list[tuple[float, float]]:
    """Where squares of `side` beside these boxes find room in a view: their left upper corners, a square per box.

    Right of the box, else left, below or above, where it covers no box and no other square; else as near as it gets.
    """
    found: list[tuple[float, float]] = []
    for left, top, right, bottom in boxes:
        x, y = (left + right - side) / 2, (top + bottom - side) / 2
        ways = [(right + GAP, y), (left - GAP - side, y), (x, bottom + GAP), (x, top - GAP - side)]
        taken = [*map(_grown, boxes), *((a, b, a + side, b + side) for a, b in found)]
        inside = [_clamped(way, width - side, height - side) for way in ways]
        found.append(min(inside, key=lambda place: sum(_overlap(place, side, box) for box in taken)))
    return found


def _clamped(place: tuple[float, float], x: float, y: float) -> tuple[float, float]:
    return min(max(place[0], 2.0), max(x - 2, 2.0)), min(max(place[1], 2.0), max(y - 2, 2.0))


def _grown(box: Box) -> Box:
    """With what is painted around a way: its width, its head, the marks."""
    return box[0] - GAP / 2, box[1] - GAP / 2, box[2] + GAP / 2, box[3] + GAP / 2


def _overlap(place: tuple[float, float], side: float, box: Box) -> float:
    across = min(place[0] + side, box[2]) - max(place[0], box[0])
    down = min(place[1] + side, box[3]) - max(place[1], box[1])
    return max(across, 0.0) * max(down, 0.0)

"""What tools hear and what they answer. All coordinates are photo px, whatever the zoom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.edits import Rect
from app.picked import Pixel
from app.ui.canvas.arrows import Placed
from app.ui.canvas.raster import Dab
from models.guidance import Guidance


@dataclass(frozen=True)
class Pointer:
    """A mouse, a finger or a pen at (x, y). `seconds` is any clock that only goes forward."""

    x: float
    y: float
    pressure: float = 1.0
    shift: bool = False
    ctrl: bool = False
    alt: bool = False
    seconds: float = 0.0


class Press(Pointer):
    """The button or the pen's tip goes down."""


class Move(Pointer):
    """The pointer moves; tools heed it only while something is pressed."""


class Release(Pointer):
    """The button or the pen's tip comes up."""


@dataclass(frozen=True)
class Tick:
    """Time goes by while something is pressed."""

    seconds: float


@dataclass(frozen=True)
class Cancel:
    """Give up what is being done and leave nothing changed."""


Event = Press | Move | Release | Tick | Cancel


@dataclass(frozen=True)
class Scene:
    """What a tool may know about the canvas when it hears an event.

    placed      every arrow where it is shown.
    selected    number of a region, 0 the camera, None.
    brush_size  diameter in photo px.
    scale       view px per photo px.
    picks       the pixels whose trajectories are looked at.
    """

    guidance: Guidance
    placed: tuple[Placed, ...] = ()
    selected: int | None = None
    brush_size: float = 40.0
    scale: float = 1.0
    picks: tuple[Pixel, ...] = ()


@dataclass(frozen=True)
class Dabs:
    """Show these discs in the region's colour (0: erased); the document does not have them yet."""

    number: int
    dabs: tuple[Dab, ...]


@dataclass(frozen=True)
class Patch:
    """Put into the document: `values` (h, w) for `rect`. Region `number` is made if there is none; 0 erases."""

    number: int
    rect: Rect
    values: np.ndarray
    text: str
    joins: bool


@dataclass(frozen=True)
class Rollback:
    """Drop what was shown; with `undo`, also take back what the document got of this stroke."""

    undo: bool


@dataclass(frozen=True)
class Outline:
    """The lasso so far; empty when there is none."""

    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class ArrowPreview:
    """The arrow in the hand; None when it was let go of."""

    placed: Placed | None


@dataclass(frozen=True)
class SetArrow:
    placed: Placed


@dataclass(frozen=True)
class Flip:
    number: int


@dataclass(frozen=True)
class Select:
    number: int | None


@dataclass(frozen=True)
class Pan:
    """Push the photo by (x, y) photo px."""

    x: float
    y: float


@dataclass(frozen=True)
class BrushSize:
    size: float


@dataclass(frozen=True)
class Picks:
    """The pixels whose trajectories are looked at from now on."""

    pixels: tuple[Pixel, ...]


@dataclass(frozen=True)
class Refuse:
    """Cannot be done; why, in one sentence."""

    sentence: str


Answer = Dabs | Patch | Rollback | Outline | ArrowPreview | SetArrow | Flip | Select | Pan | BrushSize | Picks | Refuse

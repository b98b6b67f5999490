"""The bundled photos, each with its licence and ready-made guidance."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from models.guidance import Guidance, Region
from models.motion import Arrow

FOLDER = Path(__file__).parents[1] / "resources" / "samples"
_ORDER = ("cups", "plate", "ball", "dog", "text", "clock")


class Painted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A region as an outline: `outline` is a polygon of (x, y) in px of the photo."""

    name: str
    arrow: Arrow
    outline: list[tuple[float, float]]


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bundled photo; `photo` is its file beside the description."""

    title: str
    photo: str
    licence: str
    attribution: str
    camera: Arrow | None = None
    regions: list[Painted] = []

    @property
    def name(self) -> str:
        return Path(self.photo).stem

    @property
    def path(self) -> Path:
        return FOLDER / self.photo

    def guidance(self, height: int, width: int) -> Guidance:
        """What is said about the sample's motion, on a grid of the photo's size."""
        areas = np.zeros((height, width), np.uint8)
        for number, painted in enumerate(self.regions, 1):
            areas[_inside(painted.outline, height, width)] = number
        regions = tuple(Region(number, painted.name, painted.arrow) for number, painted in enumerate(self.regions, 1))
        return Guidance(areas, regions, self.camera)


@cache
def samples() -> tuple[Sample, ...]:
    """All bundled photos, the one for the demo first."""
    return tuple(msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Sample) for name in _ORDER)


def sample(name: str) -> Sample:
    """The bundled photo of this name. Raises ValueError with one sentence."""
    for one in samples():
        if one.name == name:
            return one
    raise ValueError(f"there is no sample called {name}; there is {', '.join(one.name for one in samples())}")


def _inside(outline: list[tuple[float, float]], height: int, width: int) -> np.ndarray:
    """Where a polygon covers a grid: bool (height, width)."""
    from PIL import Image, ImageDraw

    mask = Image.new("1", (width, height))
    ImageDraw.Draw(mask).polygon(outline, fill=1)
    return np.array(mask)

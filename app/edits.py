"""What can be done to a document, as values: each edit knows what was before and what is after.

Edits that a journal keeps (`Edit`) go to JSON and back; recoveries and dense motion are edits too, held in memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import numpy as np

from models.guidance import MAX_REGIONS, NO_REGION, Region
from models.motion import Arrow, Motion
from models.recovery import Recovery

Rect = tuple[int, int, int, int]
"""x0, y0, x1, y1 in px; x1 and y1 are the first column and row outside."""

LONGEST_NAME = 100

_MARK = b"R"
"""What `packed` begins with; zlib itself begins with "x"."""


class Paint(msgspec.Struct, frozen=True, tag="paint", forbid_unknown_fields=True):
    """New region numbers in the rectangle `w` x `h` at (x, y); `before` and `after` are uint8 rows as `packed`."""

    text: str
    x: int
    y: int
    w: int
    h: int
    before: bytes
    after: bytes

    @property
    def rect(self) -> Rect:
        return self.x, self.y, self.x + self.w, self.y + self.h

    def inverse(self) -> Paint:
        return msgspec.structs.replace(self, before=self.after, after=self.before)


class SetRegions(msgspec.Struct, frozen=True, tag="regions", forbid_unknown_fields=True):
    """Another list of regions: added, removed, renamed, in another order, with another arrow."""

    text: str
    before: tuple[Region, ...]
    after: tuple[Region, ...]

    def inverse(self) -> SetRegions:
        return SetRegions(self.text, self.after, self.before)


class SetCamera(msgspec.Struct, frozen=True, tag="camera", forbid_unknown_fields=True):
    """Another motion of all that no region covers."""

    text: str
    before: Arrow | None
    after: Arrow | None

    def inverse(self) -> SetCamera:
        return SetCamera(self.text, self.after, self.before)


@dataclass(frozen=True, eq=False)
class SetMotion:
    """Another dense motion under the painted regions."""

    text: str
    before: Motion | None
    after: Motion | None

    def inverse(self) -> SetMotion:
        return SetMotion(self.text, self.after, self.before)


@dataclass(frozen=True, eq=False)
class SetRecoveries:
    """Other recoveries, and which of them is looked at."""

    text: str
    before: tuple[Recovery, ...]
    after: tuple[Recovery, ...]
    current_before: int | None
    current_after: int | None

    def inverse(self) -> SetRecoveries:
        return SetRecoveries(self.text, self.after, self.before, self.current_after, self.current_before)


Edit = Paint | SetRegions | SetCamera
AnyEdit = Edit | SetMotion | SetRecoveries


def paint(areas: np.ndarray, rect: Rect, values: np.ndarray | int, text: str = "Paint") -> Paint:
    """The edit that puts `values` into `rect` of `areas` (H, W); one number, or uint8 of the rectangle's shape.

    `areas` is only read. A rectangle reaching over the border is cut, `values` with it. Raises ValueError where
    nothing of it lies inside.
    """
    x0, y0, x1, y1 = rect
    height, width = areas.shape
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if left >= right or top >= bottom:
        raise ValueError("the stroke lies outside the photo")
    if isinstance(values, np.ndarray):
        if values.shape != (y1 - y0, x1 - x0) or values.dtype != np.uint8:
            raise ValueError(f"expected uint8 values of shape {(y1 - y0, x1 - x0)}, got {values.dtype} {values.shape}")
        values = values[top - y0 : bottom - y0, left - x0 : right - x0]
    else:
        values = np.full((bottom - top, right - left), values, np.uint8)
    before = areas[top:bottom, left:right]
    return Paint(text, left, top, right - left, bottom - top, packed(before), packed(values))


def put(areas: np.ndarray, edit: Paint) -> None:
    """Paint into `areas` (H, W) in place. Raises ValueError, and changes nothing, where the edit does not fit."""
    x0, y0, x1, y1 = edit.rect
    if not (0 <= x0 < x1 <= areas.shape[1] and 0 <= y0 < y1 <= areas.shape[0]):
        raise ValueError("a stroke lies outside the photo")
    areas[y0:y1, x0:x1] = unpacked(edit.after, edit.h, edit.w)


def unpacked(data: bytes, height: int, width: int) -> np.ndarray:
    """uint8 (height, width) of what was packed, never more than that; also of all rows under zlib, as older versions
    wrote them. Raises ValueError on any other length."""
    if not data.startswith(_MARK):
        return _inflated(data, height * width).reshape(height, width)
    bits = -(-height // 8)
    values = _inflated(data[len(_MARK) :], bits + height * width, least=bits)
    places = np.cumsum(np.unpackbits(values[:bits], count=height), dtype=np.intp) - 1
    rows = values[bits:].reshape(-1, width) if (len(values) - bits) % width == 0 else values[:0].reshape(0, width)
    if places[0] != 0 or places[-1] + 1 != len(rows):
        raise ValueError("a stroke has another size than its rectangle")
    return rows[places]


def _inflated(data: bytes, most: int, least: int | None = None) -> np.ndarray:
    engine = zlib.decompressobj()
    try:
        values = engine.decompress(data, most)
    except zlib.error as error:
        raise ValueError("a stroke is damaged") from error
    if len(values) < (most if least is None else least) or engine.unconsumed_tail:
        raise ValueError("a stroke has another size than its rectangle")
    return np.frombuffer(values, np.uint8)


def checked_regions(regions: Iterable[Region]) -> tuple[Region, ...]:
    """Regions with numbers 1 to 254, each once, and names a person can read. Raises ValueError with one sentence."""
    regions = tuple(regions)
    numbers = [region.number for region in regions]
    if len(set(numbers)) != len(numbers) or any(not NO_REGION < number <= MAX_REGIONS for number in numbers):
        raise ValueError(f"regions have numbers from 1 to {MAX_REGIONS}, each once")
    for region in regions:
        if not region.name.strip() or len(region.name) > LONGEST_NAME or not region.name.isprintable():
            raise ValueError(f"a region's name has 1 to {LONGEST_NAME} readable letters")
    return regions


def changed_rect(one: np.ndarray, other: np.ndarray) -> Rect | None:
    """The smallest rectangle outside which two arrays (H, W) agree; None where they agree everywhere."""
    differs = one != other
    differs = differs.view(np.uint8)  # a maximum of bytes is much faster than `any` of truths
    rows = np.flatnonzero(differs.max(axis=1, initial=0))
    if not len(rows):
        return None
    columns = np.flatnonzero(differs[rows[0] : rows[-1] + 1].max(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def packed(values: np.ndarray) -> bytes:
    """uint8 (H, W) under zlib, less every row that is the same as the one above: most are, in a large photo, and zlib
    takes its time for each. Before the rows a bit for each: 1 it is there, 0 as above."""
    fresh = np.ones(len(values), np.uint8)
    fresh[1:] = (values[1:] != values[:-1]).view(np.uint8).max(axis=1)
    return _MARK + zlib.compress(np.packbits(fresh).tobytes() + values[fresh.astype(bool)].tobytes(), 1)

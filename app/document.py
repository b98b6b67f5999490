"""One photo, what was said about its motion, and what was recovered; every edit can be undone.

Qt-free and for one thread. Whoever shows a document subscribes to its changes; whoever keeps it safe is its `journal`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from app.edits import (
    AnyEdit,
    Edit,
    Paint,
    Rect,
    SetCamera,
    SetMotion,
    SetRecoveries,
    SetRegions,
    changed_rect,
    checked_regions,
    paint,
    put,
)
from app.photo import Photo
from models.guidance import MAX_REGIONS, NO_REGION, Guidance, Region
from models.motion import Arrow, Motion
from models.recovery import Recovery

__all__ = ["Change", "Document", "Edit", "Paint", "SetCamera", "SetMotion", "SetRecoveries", "SetRegions", "paint"]


What = Literal["areas", "regions", "camera", "motion", "recoveries", "saved"]


@dataclass(frozen=True)
class Change:
    """What became different. `rect` is x0, y0, x1, y1 in px for "areas" and None for the rest."""

    what: What
    rect: Rect | None = None


_CHANGED: dict[type[AnyEdit], What] = {
    SetRegions: "regions",
    SetCamera: "camera",
    SetMotion: "motion",
    SetRecoveries: "recoveries",
}


@dataclass
class _Step:
    """What one undo takes back; `state` names the document's state after it."""

    edits: list[AnyEdit]
    state: int
    journalled: bool = field(default=False)


class Document:
    """A photo with guidance and recoveries.

    guidance    the state now. `guidance.areas` is changed in place by paint edits and always the same array; read it,
                never write to it.
    recoveries  oldest first; `current` is the index of the one looked at, None: the photo.
    path        the project file; None while there is none.
    journal     called with every edit that can be journalled, as it is done, and whether it joins the one before.
    """

    def __init__(
        self,
        photo: Photo,
        guidance: Guidance | None = None,
        recoveries: Sequence[Recovery] = (),
        path: Path | None = None,
    ) -> None:
        height, width = photo.pixels.shape[:2]
        areas = np.zeros((height, width), np.uint8) if guidance is None else np.array(guidance.areas, np.uint8)
        guidance = guidance or Guidance(areas)
        if guidance.areas.shape != (height, width):
            raise ValueError(f"the guidance has {_size(guidance.areas)} px, the photo {_size(photo.pixels)}")
        checked_regions(guidance.regions)
        self.photo = photo
        self.path = path
        self.guidance = replace(guidance, areas=areas)
        self.recoveries = tuple(recoveries)
        self.current: int | None = len(self.recoveries) - 1 if self.recoveries else None
        self.journal: Callable[[Edit, bool], None] | None = None
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self._listeners: list[Callable[[Change], None]] = []
        self._states = count(1)
        self._start = self._saved = 0

    # What was done

    def apply(self, edit: AnyEdit, joins: bool = False, counts: bool = True, performed: bool = False) -> None:
        """Do an edit as a new undo step; with `joins` as part of the step before.

        `counts` False: it leaves nothing that would have to be saved. `performed`: the document is that way already,
        keep it and tell of it. Raises ValueError, and changes nothing, where
        the edit does not fit this document.
        """
        before = self.state
        if not performed:
            self._perform(edit)
        self._undone.clear()
        joins = joins and bool(self._done)
        if not joins:
            self._done.append(_Step([], 0))
        step = self._done[-1]
        step.state = next(self._states) if counts else before
        _append(step.edits, edit)
        self._keep(edit, joins and step.journalled)
        step.journalled |= isinstance(edit, Edit)
        self._tell(edit)

    def undo(self) -> None:
        """Take the last step back; nothing where there is none."""
        if self._done:
            step = self._done.pop()
            self._undone.append(step)
            self._again([edit.inverse() for edit in reversed(step.edits)])

    def redo(self) -> None:
        """Do the step last undone again; nothing where there is none."""
        if self._undone:
            step = self._undone.pop()
            self._done.append(step)
            self._again(step.edits)

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    @property
    def undo_text(self) -> str:
        """What the next undo takes back, in words; "" where there is nothing."""
        return self._done[-1].edits[0].text if self._done else ""

    @property
    def redo_text(self) -> str:
        return self._undone[-1].edits[0].text if self._undone else ""

    @property
    def state(self) -> int:
        """A number for the document as it is now: undo brings a number back, every new edit makes a new one."""
        return self._done[-1].state if self._done else self._start

    @property
    def modified(self) -> bool:
        """Whether there is something that was not saved."""
        return self.state != self._saved

    def mark_saved(self, state: int | None = None) -> None:
        """The document is saved as it was at `state`; None: as it is now."""
        self._saved = self.state if state is None else state
        self._notify(Change("saved"))

    def mark_unsaved(self) -> None:
        """The document as it is now is on no disk."""
        self._saved = -1
        self._notify(Change("saved"))

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """`listener` hears of every change from now on. Returns what ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    # Ways to say an edit

    def paint(self, rect: Rect, values: np.ndarray | int, text: str = "Paint", joins: bool = False) -> None:
        """Region numbers for a rectangle x0, y0, x1, y1: one for all of it, or uint8 (y1 - y0, x1 - x0)."""
        self.apply(paint(self.guidance.areas, rect, values, text), joins)

    def add_region(self, name: str | None = None, arrow: Arrow | None = None, joins: bool = False) -> int:
        """A new region in front of the others. Returns its number."""
        taken = {region.number for region in self.guidance.regions}
        number = next((number for number in range(1, MAX_REGIONS + 1) if number not in taken), None)
        if number is None:
            raise ValueError(f"there are {MAX_REGIONS} regions already")
        region = Region(number, name or f"region {number}", arrow)
        self._set_regions("Add region", (*self.guidance.regions, region), joins)
        return number

    def remove_region(self, number: int) -> None:
        """Erase what the region covers and drop it, in one step."""
        self._region(number)
        rest = tuple(region for region in self.guidance.regions if region.number != number)
        self._set_regions("Delete region", rest)
        self.erase(number, "Delete region", joins=True)

    def erase(self, number: int, text: str = "Clear region", joins: bool = False) -> None:
        """Erase all that the region covers; nothing where that is nothing."""
        areas = self.guidance.areas
        where = areas == number
        rect = changed_rect(where, np.zeros((), bool))
        if rect is not None:
            x0, y0, x1, y1 = rect
            kept = np.where(where[y0:y1, x0:x1], np.uint8(NO_REGION), areas[y0:y1, x0:x1])
            self.paint(rect, kept, text, joins)

    def rename(self, number: int, name: str) -> None:
        self._set_region("Rename region", replace(self._region(number), name=name.strip()))

    def reorder(self, numbers: Sequence[int]) -> None:
        """The regions back to front, by their numbers."""
        if sorted(numbers) != sorted(region.number for region in self.guidance.regions):
            raise ValueError("the new order names every region once")
        self._set_regions("Reorder regions", tuple(self._region(number) for number in numbers))

    def set_arrow(
        self,
        number: int,
        arrow: Arrow | None,
        joins: bool = False,
        text: str = "Set arrow",
        at: tuple[float, float] | None = None,
    ) -> None:
        """The arrow of a region, or with number 0 the camera's; drawn `at` a place, None: where the old one is."""
        if number == NO_REGION:
            self.set_camera(arrow, joins, text)
        else:
            region = self._region(number)
            self._set_region(text, replace(region, arrow=arrow, at=region.at if at is None else at), joins)

    def set_camera(self, arrow: Arrow | None, joins: bool = False, text: str = "Set camera motion") -> None:
        self.apply(SetCamera(text, self.guidance.camera, arrow), joins)

    def flip_region(self, number: int) -> None:
        """Turn an arrow round, that of the camera with number 0; nothing where there is none."""
        arrow = self.guidance.camera if number == NO_REGION else self._region(number).arrow
        if arrow is not None:
            self.set_arrow(number, arrow.reversed(), text="Flip")

    def flip_all(self) -> None:
        """Turn everything round that is said about the motion, in one step; nothing where nothing is said."""
        turned = self.guidance.reversed()
        if turned.says_motion():
            self.set_guidance(turned, "Flip everything")

    def set_motion(self, motion: Motion | None, text: str = "Set motion", joins: bool = False) -> None:
        """Dense motion under the regions. Can be undone, goes into the project, not into the journal."""
        self.apply(SetMotion(text, self.guidance.motion, motion), joins)

    def set_guidance(self, guidance: Guidance, text: str = "Replace guidance", counts: bool = True) -> None:
        """Other guidance altogether, in one step. `counts` False: nobody would miss it, it can be had again."""
        before = self.state
        areas = self.guidance.areas
        if guidance.areas.shape != areas.shape:
            raise ValueError(f"the guidance has {_size(guidance.areas)} px, the photo {_size(areas)}")
        self._set_regions(text, guidance.regions)
        rect = changed_rect(areas, guidance.areas)
        if rect is not None:
            x0, y0, x1, y1 = rect
            edit = paint(areas, rect, guidance.areas[y0:y1, x0:x1], text)
            areas[y0:y1, x0:x1] = guidance.areas[y0:y1, x0:x1]  # many times faster than what was packed a moment ago
            self.apply(edit, joins=True, performed=True)
        if guidance.camera != self.guidance.camera:
            self.set_camera(guidance.camera, joins=True, text=text)
        if guidance.motion is not self.guidance.motion:
            self.set_motion(guidance.motion, text, joins=True)
        if not counts:
            self._done[-1].state = before
            self._notify(Change("saved"))

    def add_recovery(self, recovery: Recovery, counts: bool = True) -> None:
        """Keep what an engine found and look at it. Can be undone; in the project once saved, not in the journal.

        `counts` False: nobody would miss it, as it can be had again unasked.
        """
        if recovery.frames.shape[1:] != self.photo.pixels.shape:
            raise ValueError(f"the recovery has {_size(recovery.frames[0])} px, the photo {_size(self.photo.pixels)}")
        self._set_recoveries("Recover", (*self.recoveries, recovery), len(self.recoveries), counts)

    def remove_recovery(self, index: int) -> None:
        self._check_recovery(index)
        rest = self.recoveries[:index] + self.recoveries[index + 1 :]
        current = self.current
        if current is not None and current >= index:
            current = max(current - 1, 0) if rest else None
        self._set_recoveries("Delete recovery", rest, current)

    def reverse_recovery(self, index: int) -> None:
        """The recovery backwards in its own place."""
        self._check_recovery(index)
        self.put_recovery(index, self.recoveries[index].reversed(), "Reverse")

    def put_recovery(self, index: int, recovery: Recovery, text: str, joins: bool = False) -> None:
        """Another recovery in the place of one."""
        self._check_recovery(index)
        before, after = self.recoveries[:index], self.recoveries[index + 1 :]
        self._set_recoveries(text, (*before, recovery, *after), self.current, joins=joins)

    def show(self, index: int | None) -> None:
        """Look at another recovery, or with None at the photo. No edit."""
        if index is not None:
            self._check_recovery(index)
        self.current = index
        self._notify(Change("recoveries"))

    # How it is done

    def _check_recovery(self, index: int) -> None:
        if not 0 <= index < len(self.recoveries):
            raise ValueError(f"there is no recovery {index}")

    def _region(self, number: int) -> Region:
        region = self.guidance.region(number)
        if region is None:
            raise ValueError(f"there is no region {number}")
        return region

    def _set_region(self, text: str, changed: Region, joins: bool = False) -> None:
        regions = (changed if one.number == changed.number else one for one in self.guidance.regions)
        self._set_regions(text, tuple(regions), joins)

    def _set_regions(self, text: str, regions: tuple[Region, ...], joins: bool = False) -> None:
        self.apply(SetRegions(text, self.guidance.regions, regions), joins)

    def _set_recoveries(
        self,
        text: str,
        recoveries: tuple[Recovery, ...],
        current: int | None,
        counts: bool = True,
        joins: bool = False,
    ) -> None:
        self.apply(SetRecoveries(text, self.recoveries, recoveries, self.current, current), joins, counts)

    def _again(self, edits: Sequence[AnyEdit]) -> None:
        joins = False
        for edit in edits:
            self._perform(edit)
            self._keep(edit, joins)
            joins |= isinstance(edit, Edit)
            self._tell(edit)

    def _perform(self, edit: AnyEdit) -> None:
        if isinstance(edit, Paint):
            put(self.guidance.areas, edit)
        elif isinstance(edit, SetRegions):
            self.guidance = replace(self.guidance, regions=checked_regions(edit.after))
        elif isinstance(edit, SetCamera):
            self.guidance = replace(self.guidance, camera=edit.after)
        elif isinstance(edit, SetMotion):
            self.guidance = replace(self.guidance, motion=edit.after)
        else:
            self.recoveries, self.current = edit.after, edit.current_after

    def _keep(self, edit: AnyEdit, joins: bool) -> None:
        if self.journal is not None and isinstance(edit, Edit):
            self.journal(edit, joins)

    def _tell(self, edit: AnyEdit) -> None:
        self._notify(Change("areas", edit.rect) if isinstance(edit, Paint) else Change(_CHANGED[type(edit)]))

    def _notify(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            listener(change)


def _append(edits: list[AnyEdit], edit: AnyEdit) -> None:
    """Add an edit to a step; one that only carries the one before further takes its place."""
    if edits and isinstance(edit, SetRegions | SetCamera) and isinstance(edits[-1], type(edit)):
        edits[-1] = msgspec.structs.replace(edit, text=edits[-1].text, before=edits[-1].before)
    else:
        edits.append(edit)


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"

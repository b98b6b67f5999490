"""What to run, on what, with which options: the same objects for the window, the command line and the tests.

A job is a value with a `run`. The command line calls it; the window sends it to a worker process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from app.atomic import remove_parts
from app.devices import Device, checked, devices
from app.film import Cut
from app.photo import Photo
from app.picked import Trajectory
from app.store import Contents
from app.suggestions import Suggestions, loops
from app.video import Video
from app.video_frames import Framed, Strip
from models import catalog
from models.guidance import Guidance
from models.motion import Arrow
from models.recovery import Inputs, Progress, Recovery, between
from models.variation import varied

OnProgress = Callable[[Progress], None]
IsCancelled = Callable[[], bool]

Channel = Literal["io", "engine", "film"]
"""Which of the window's workers: for files, for engines, and for films, which take long. Each is its own process."""

TIDY = 2000
"""Milliseconds for a job that writes to a user's folder: ended by force it would leave a part of a file there."""


class Job(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    """A request. Newer requests of the same kind make older ones pointless, as far as `outdates` says.

    channel   the worker that runs it: "io" never imports torch.
    result    the type of what `run` returns.
    outdates  which older ones of its kind it replaces: "none", those "waiting", or also the one "running".
    gives_way whether it is stopped when the user asks for something else while it runs by itself.
    patience  milliseconds it has to stop after a cancel, before its process is ended.
    """

    channel: ClassVar[Channel] = "engine"
    result: ClassVar[Any] = None
    outdates: ClassVar[Literal["none", "waiting", "running"]] = "none"
    gives_way: ClassVar[bool] = True
    patience: ClassVar[int] = 150

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> Any:
        """Do it. Raises Cancelled, or ValueError with one sentence for the user."""
        raise NotImplementedError

    def tidy(self) -> None:
        """Remove the part of a file that is left beside `path` where its process was ended by force."""
        path = getattr(self, "path", None)
        if self.patience == TIDY and path is not None:
            remove_parts(Path(path))


class Recover(Job, frozen=True):
    """Find the motion in a photo."""

    result: ClassVar[Any] = Recovery
    outdates: ClassVar[Literal["none", "waiting", "running"]] = "running"

    inputs: Inputs
    engine: str
    options: dict[str, bool | int | float | str] = {}

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> Recovery:
        options = catalog.checked(self.engine, self.options)
        _check_can_run(self.engine, self.inputs.device)
        on_progress(Progress(0, "loading the engine"))
        run = catalog.load(self.engine)
        started = time.perf_counter()
        recovery = run(self.inputs, options, on_progress, is_cancelled)
        return replace(recovery, seconds=time.perf_counter() - started)


class Preview(Recover, frozen=True):
    """Find it roughly, while the user still drags: one that runs is shown before the next begins."""

    outdates: ClassVar[Literal["none", "waiting", "running"]] = "waiting"


class Flip(Job, frozen=True):
    """Make a recovery anew where arrows were flipped; `told` is the guidance it was made with."""

    result: ClassVar[Any] = Recovery
    outdates: ClassVar[Literal["none", "waiting", "running"]] = "running"

    inputs: Inputs
    before: Recovery
    told: Guidance

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> Recovery:
        _check_can_run(self.before.engine, self.inputs.device)
        on_progress(Progress(0, "loading the engine"))
        return catalog.load_flip(self.before.engine)(self.inputs, self.before, self.told, on_progress, is_cancelled)


class Suggest(Job, frozen=True):
    """Propose what moved, and which way, from the photo alone: up to `count` answers. None where nothing was found.

    like   answers much like this one instead; `inputs.seed` says which.
    loops  whether each comes with a small moving picture of it.
    """

    result: ClassVar[Any] = Suggestions
    outdates: ClassVar[Literal["none", "waiting", "running"]] = "running"

    inputs: Inputs
    engine: str
    count: int = 5
    like: Guidance | None = None
    loops: bool = False

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> Suggestions:
        found = self._found(on_progress, is_cancelled)
        if not (self.loops and found):
            return Suggestions(found)
        return Suggestions(found, loops(self.inputs.pixels, found, between(on_progress, 0.5, 1.0), is_cancelled))

    def _found(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> tuple[Guidance, ...]:
        if self.like is not None:
            seed = self.inputs.seed
            return (self.like, *(varied(self.like, seed + n) for n in range(1, self.count)))
        _check_can_run(self.engine, self.inputs.device)
        on_progress(Progress(0, "loading the network"))
        return catalog.load_suggest(self.engine)(self.inputs, self.count, on_progress, is_cancelled)


class Refine(Job, frozen=True):
    """Adjust the arrows of the guidance to the photo. Returns the new ones by number, of the camera 0; those of which
    it says too little are not among them.

    only  the numbers that are meant; None: all.
    """

    result: ClassVar[Any] = dict[int, Arrow]
    outdates: ClassVar[Literal["none", "waiting", "running"]] = "running"

    inputs: Inputs
    only: tuple[int, ...] | None = None

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> dict[int, Arrow]:
        checked(self.inputs.device)
        missing = catalog.missing_weights(catalog.REFINEMENT)
        if missing:
            raise ValueError(f"refining lacks its weights {', '.join(missing)}")
        on_progress(Progress(0, "loading the network"))
        drawn = self.inputs.guidance.arrows()
        refined = catalog.load_refine()(self.inputs, on_progress, is_cancelled, self.only).arrows()
        return {number: arrow for number, arrow in refined.items() if arrow != drawn[number]}


class Reblur(Job, frozen=True):
    """How well pictures of one size, in time order, average back to a photo.

    Returns `reblur` in dB (100: exactly), which alone says little, as the photo repeated scores best; and so also
    `moved`, the mean flow from the first to the last picture in px, and `sharpness`, the middle one's fine detail
    over the photo's.
    """

    result: ClassVar[Any] = dict[str, float]

    frames: list[str]
    photo: str

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> dict[str, float]:
        from app.reblur import reblur

        return reblur(self.frames, self.photo, on_progress, is_cancelled)


class Warm(Job, frozen=True):
    """Load an engine before it is needed."""

    outdates: ClassVar[Literal["none", "waiting", "running"]] = "waiting"
    gives_way: ClassVar[bool] = False

    engine: str

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> None:
        catalog.load(self.engine)


class ListDevices(Job, frozen=True):
    """Find out what engines can run on."""

    result: ClassVar[Any] = tuple[Device, ...]
    outdates: ClassVar[Literal["none", "waiting", "running"]] = "waiting"
    gives_way: ClassVar[bool] = False

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> tuple[Device, ...]:
        return devices()


class Open(Job, frozen=True):
    """Read a photo or a project."""

    channel: ClassVar[Channel] = "io"
    result: ClassVar[Any] = Contents
    outdates: ClassVar[Literal["none", "waiting", "running"]] = "running"

    path: str

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> Contents:
        from app.photo import read_photo
        from app.project import is_project, read_project

        if is_project(self.path):
            return read_project(self.path, on_progress, is_cancelled)
        photo = read_photo(self.path)
        return Contents(photo, Guidance.empty(*photo.pixels.shape[:2]))


class ReadVideo(Job, frozen=True):
    """Find out which frames a video has, without decoding any."""

    channel: ClassVar[Channel] = "io"
    result: ClassVar[Any] = Video
    outdates: ClassVar[Literal["none", "waiting", "running"]] = "running"

    path: str

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> Video:
        from app.video import read_video

        return read_video(self.path, on_progress, is_cancelled)


class Thumbnails(Job, frozen=True):
    """Small copies of some of a video's frames. Newer ones replace older: other frames are in sight by then."""

    channel: ClassVar[Channel] = "io"
    result: ClassVar[Any] = Strip
    outdates: ClassVar[Literal["none", "waiting", "running"]] = "running"

    video: Video
    numbers: tuple[int, ...]

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> Strip:
        from app.video_frames import thumbnails

        return thumbnails(self.video, self.numbers, on_progress, is_cancelled)


class OpenFrame(Job, frozen=True):
    """A frame of a video as a photo, with guidance from its neighbours; `shutter` as in `models.from_video.seen`."""

    channel: ClassVar[Channel] = "io"
    result: ClassVar[Any] = Framed
    outdates: ClassVar[Literal["none", "waiting", "running"]] = "running"

    video: Video
    number: int
    shutter: float

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> Framed:
        from app.video_frames import framed

        return framed(self.video, self.number, self.shutter, on_progress, is_cancelled)


class WriteVideoGuidance(Job, frozen=True):
    """Write guidance for a frame of a video, and with `frame` the frame itself as a PNG."""

    channel: ClassVar[Channel] = "io"
    patience: ClassVar[int] = TIDY

    video: str
    number: int
    shutter: float
    path: str
    frame: str = ""

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> None:
        from app.video import read_video
        from app.video_frames import write_guidance, write_photo

        video = read_video(self.video, on_progress, is_cancelled)
        photo = write_guidance(self.path, video, self.number, self.shutter, on_progress, is_cancelled)
        if self.frame:
            write_photo(self.frame, photo)


class Film(Job, frozen=True):
    """Make a blurred video longer and smoother."""

    channel: ClassVar[Channel] = "film"
    patience: ClassVar[int] = TIDY

    video: Video
    cut: Cut
    path: str

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> None:
        from app.film import write_film

        _check_can_run(self.cut.engine, self.cut.device)
        write_film(Path(self.path), self.video, self.cut, on_progress, is_cancelled)


class Save(Job, frozen=True):
    """Write a project; the old file stays until the new one is whole."""

    channel: ClassVar[Channel] = "io"
    patience: ClassVar[int] = TIDY

    contents: Contents
    path: str

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> None:
        from app.project import write_project

        write_project(self.path, self.contents, on_progress, is_cancelled)


class ReadGuidance(Job, frozen=True):
    """Read labels, or motion itself, for a photo of `height` x `width`; `strength` px where it says no length."""

    channel: ClassVar[Channel] = "io"
    result: ClassVar[Any] = Guidance

    path: str
    height: int
    width: int
    strength: float

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> Guidance:
        from app.guidance_files import read_guidance

        return read_guidance(self.path, self.height, self.width, self.strength)


class ExportGuidance(Job, frozen=True):
    """Write guidance as a label PNG."""

    channel: ClassVar[Channel] = "io"
    patience: ClassVar[int] = TIDY

    guidance: Guidance
    path: str

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> None:
        from app.export import export_guidance

        export_guidance(self.guidance, self.path)


class Export(Job, frozen=True):
    """Write a recovery as a file for other programs.

    `kind` is one of `app.reel.Options.kind`, or "": by the path's suffix. `options` are the other fields of
    `app.reel.Options`. Profile and EXIF come from `photo`, the one that the recovery belongs to.
    """

    channel: ClassVar[Channel] = "io"
    patience: ClassVar[int] = TIDY

    recovery: Recovery
    photo: Photo
    path: str
    kind: str = ""
    options: dict[str, bool | int | float | str] = {}

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> None:
        from app.export import export_recovery
        from app.reel import Options

        options = msgspec.convert({**self.options, "kind": self.kind}, Options)
        photo = self.photo
        export_recovery(self.recovery, self.path, options, on_progress, is_cancelled, photo.profile, photo.exif)


class ExportPicked(Job, frozen=True):
    """Write the trajectories of single pixels as a table, .csv."""

    channel: ClassVar[Channel] = "io"
    patience: ClassVar[int] = TIDY

    trajectories: list[Trajectory]
    path: str

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> None:
        from app.export import export_picked

        export_picked(self.trajectories, self.path)


class ScreenCopy(Job, frozen=True):
    """Make the small copy of a recovery that the window plays; at most `width` x `height` px."""

    channel: ClassVar[Channel] = "io"
    result: ClassVar[Any] = Recovery
    outdates: ClassVar[Literal["none", "waiting", "running"]] = "waiting"

    recovery: Recovery
    width: int
    height: int

    def run(self, on_progress: OnProgress, is_cancelled: IsCancelled) -> Recovery:
        from app.playback import screen_copy

        return screen_copy(self.recovery, self.width, self.height)


@dataclass(frozen=True)
class Ticket:
    """A job in the queue; `asked`: the user asked for it, it does not run by itself."""

    id: int
    job: Job
    asked: bool


class Queue:
    """Who comes first: what the user asked beats what runs by itself; the newest of a kind replaces the older.

    One ticket runs at a time. What is no longer wanted is returned, so that whoever waits for it is told.
    """

    def __init__(self) -> None:
        self.running: Ticket | None = None
        self._waiting: list[Ticket] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, ticket: Ticket) -> list[Ticket]:
        """Put a ticket in. Returns those it makes pointless: the running one stays `running` until it has ended."""
        pointless = [older for older in self._waiting if _outdated(older, ticket)]
        self._waiting = [older for older in self._waiting if older not in pointless]
        self._waiting.append(ticket)
        running = self.running
        if running is not None and (_outdated(running, ticket, "running") or _gives_way(running, ticket)):
            pointless.append(running)
        return pointless

    def start_next(self) -> Ticket | None:
        """The ticket to run now, which becomes `running`; None while one runs or none waits."""
        if self.running is None and self._waiting:
            self.running = next((ticket for ticket in self._waiting if ticket.asked), self._waiting[0])
            self._waiting.remove(self.running)
            return self.running
        return None

    def withdraw(self, ticket_id: int) -> Ticket | None:
        """Take a waiting ticket out; None if it does not wait."""
        ticket = next((ticket for ticket in self._waiting if ticket.id == ticket_id), None)
        if ticket is not None:
            self._waiting.remove(ticket)
        return ticket

    def clear(self) -> list[Ticket]:
        """Take all waiting tickets out."""
        waiting, self._waiting = self._waiting, []
        return waiting


def _outdated(older: Ticket, newer: Ticket, state: str = "waiting") -> bool:
    same = type(older.job) is type(newer.job) and (newer.asked or not older.asked)
    return same and newer.job.outdates in (state, "running")


def _gives_way(running: Ticket, newer: Ticket) -> bool:
    return newer.asked and not running.asked and running.job.gives_way


def _check_can_run(engine: str, device: str) -> None:
    """Raises ValueError with one sentence where the device is not there, or the engine's weights."""
    checked(device)
    missing = catalog.engine(engine).missing_weights()
    if missing:
        raise ValueError(f"the engine {engine} lacks its weights {', '.join(missing)}")


AnyJob = (
    Recover
    | Preview
    | Flip
    | Suggest
    | Refine
    | Warm
    | ListDevices
    | Open
    | Save
    | Export
    | ExportGuidance
    | ExportPicked
    | ReadGuidance
    | ReadVideo
    | Thumbnails
    | OpenFrame
    | WriteVideoGuidance
    | Film
    | ScreenCopy
    | Reblur
)

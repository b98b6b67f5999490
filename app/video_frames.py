"""One frame of a video as a photo with guidance from its neighbours, and small copies of many for a strip."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.atomic import replacing
from app.motion_files import write_flo, write_npz
from app.photo import Photo
from app.project import SUFFIX, write_project
from app.store import Contents
from app.video import IsCancelled, OnProgress, Video, neighbours, read_frames
from models.guidance import Guidance, write_labels
from models.motion import Motion

if TYPE_CHECKING:
    from models.from_video import Seen

SUFFIXES = (SUFFIX, ".png", ".flo", ".npz")
"""What guidance from a video is written as: a project with the frame, quadrants, the motion of every pixel."""
THUMBNAIL = 160
"""px of the long side."""


@dataclass(frozen=True)
class Framed:
    """A frame of a video.

    photo     its pixels as they were decoded, losslessly packed.
    guidance  the camera's arrow and regions, from the neighbours; None where one of them is missing.
    motion    the motion of every pixel instead, on a grid that may be coarser than the photo.
    note      a sentence where there is no guidance: why.
    """

    photo: Photo
    guidance: Guidance | None = None
    motion: Motion | None = None
    note: str = ""


@dataclass(frozen=True)
class Strip:
    """Small copies uint8 (N, h, w, 3) of the frames with these numbers."""

    numbers: tuple[int, ...]
    pictures: np.ndarray


def framed(video: Video, number: int, shutter: float, on_progress: OnProgress, is_cancelled: IsCancelled) -> Framed:
    """A frame and what its neighbours say about its motion. Raises ValueError with one sentence, and Cancelled."""
    wanted = [one for one in (number - 1, number, number + 1) if 0 <= one < video.frames or one == number]
    found = dict(read_frames(video, wanted, on_progress, is_cancelled))
    photo = as_photo(found[number], _name(video, number))
    if len(found) < 3:
        missing = "before" if number == 0 else "after"
        return Framed(photo, note=f"Frame {number} has no frame {missing} it, so nothing is known of its motion.")
    from models.from_video import seen

    motion = seen(found[number - 1], found[number], found[number + 1], shutter)
    return Framed(photo, motion.guidance(), motion.motion())


def as_photo(pixels: np.ndarray, name: str) -> Photo:
    """Pixels uint8 (H, W, 3) as a photo whose file is a PNG of them."""
    import cv2

    packed = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))[1]
    return Photo(pixels, name, np.ascontiguousarray(packed).reshape(-1))


def thumbnails(video: Video, numbers: Sequence[int], on_progress: OnProgress, is_cancelled: IsCancelled) -> Strip:
    """Small copies of some frames."""
    found = dict(read_frames(video, numbers, on_progress, is_cancelled, THUMBNAIL))
    return Strip(tuple(found), np.stack(list(found.values())))


def write_guidance(
    path: str | Path, video: Video, number: int, shutter: float, on_progress: OnProgress, is_cancelled: IsCancelled
) -> Photo:
    """Write guidance for a frame, as the suffix says. Returns the frame. Raises ValueError with one sentence."""
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path.name} has a kind that is not written here: expected {', '.join(SUFFIXES)}")
    found = neighbours(video, number, on_progress, is_cancelled)
    from models.from_video import seen

    motion, photo = seen(*found, shutter), as_photo(found[1], _name(video, number))
    if path.suffix.lower() == SUFFIX:
        contents = Contents(photo, motion.guidance(), stamp=uuid.uuid4().hex)
        write_project(path, contents, on_progress, is_cancelled)
        return photo
    with replacing(path) as new:
        _write(new, motion)
    return photo


def _write(path: Path, motion: Seen) -> None:
    if path.suffix.lower() == ".png":
        write_labels(path, motion.labels())
    elif path.suffix.lower() == ".flo":
        write_flo(path, motion.full())
    else:
        write_npz(path, {"flow": motion.full()})


def write_photo(path: str | Path, photo: Photo) -> None:
    """Write the file of a photo that is a PNG."""
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"{path.name} has a kind that is not written here: a frame is a .png")
    with replacing(path) as new:
        photo.data.tofile(new)


def _name(video: Video, number: int) -> str:
    return f"{video.path.stem}_{number:05d}.png"

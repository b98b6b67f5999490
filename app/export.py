"""A recovery as files for other programs. What is written appears whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from app.animations import write_apng, write_gif, write_mp4, write_webp
from app.atomic import replacing, replacing_folder
from app.motion_files import write_flo, write_motion
from app.picked import Trajectory, write_csv
from app.playback import frame_at
from app.reel import Options, Reel, checked, resized, resized_size, schedule, span
from app.stills import STILL_SUFFIXES, png_bytes, write_still
from models.guidance import Guidance, write_labels
from models.motion import Motion, resized_field
from models.recovery import Cancelled, Progress, Recovery

__all__ = ["Options", "export_guidance", "export_picked", "export_recovery", "kind_of", "schedule"]

OnProgress = Callable[[Progress], None]
IsCancelled = Callable[[], bool]

_BY_SUFFIX = {
    ".gif": "gif",
    ".mp4": "mp4",
    ".webp": "webp",
    ".png": "apng",
    "": "frames",
    ".npz": "motion",
    ".flo": "flow",
}
_SUFFIXES = {kind: (suffix,) for suffix, kind in _BY_SUFFIX.items()} | {"still": STILL_SUFFIXES}


def export_recovery(
    recovery: Recovery,
    path: str | Path,
    options: Options | None = None,
    on_progress: OnProgress = lambda progress: None,
    is_cancelled: IsCancelled = lambda: False,
    profile: bytes | None = None,
    exif: bytes | None = None,
) -> None:
    """Write a recovery to `path`, as `options.kind` or the path's suffix says.

    profile, exif  the photo's; embedded where the format can, GIF and MP4 are converted to sRGB instead.
    Raises ValueError with one sentence, or Cancelled; then nothing at `path` has changed.
    """
    path, options = Path(path), checked(options or Options(), recovery.frames.shape[2])
    kind = kind_of(path, options)
    on_progress(Progress(0, "exporting"))
    if kind == "frames":
        _frames(recovery, path, options, on_progress, is_cancelled, profile, exif)
    elif kind in ("motion", "flow"):
        _motion(recovery, path, kind, on_progress, is_cancelled)
    elif kind == "still":
        with replacing(path) as new:
            size = resized_size(recovery.frames.shape[2], recovery.frames.shape[1], options.width)
            write_still(new, resized(frame_at(recovery, options.t), size), profile, exif, options.quality)
    else:
        _animation(recovery, path, kind, options, on_progress, is_cancelled, profile)
    on_progress(Progress(1, "exported"))


def export_guidance(guidance: Guidance, path: str | Path) -> None:
    """Write guidance as labels: an 8-bit PNG of one channel."""
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"{path.name} has a kind that is not written here: guidance is a .png")
    with replacing(path) as new:
        write_labels(new, guidance.labels())


def export_picked(trajectories: Sequence[Trajectory], path: str | Path) -> None:
    """Write the trajectories of single pixels as a table: .csv."""
    path = Path(path)
    if path.suffix.lower() != ".csv":
        raise ValueError(f"{path.name} has a kind that is not written here: picked trajectories are a .csv")
    with replacing(path) as new:
        write_csv(new, trajectories)


def kind_of(path: Path, options: Options) -> str:
    """What to write. Raises ValueError where the path's suffix does not fit."""
    suffix = path.suffix.lower()
    kind = options.kind or _BY_SUFFIX.get(suffix) or ("still" if suffix in STILL_SUFFIXES else "")
    if not kind:
        raise ValueError(
            f"{path.name} has a kind that is not written here: expected {', '.join(filter(None, _BY_SUFFIX))}"
        )
    if kind != "frames" and suffix not in _SUFFIXES[kind]:
        raise ValueError(f"{path.name} does not end in {' or '.join(_SUFFIXES[kind])}")
    return kind


def _animation(
    recovery: Recovery,
    path: Path,
    kind: str,
    options: Options,
    on_progress: OnProgress,
    is_cancelled: IsCancelled,
    profile: bytes | None,
) -> None:
    from av.error import FFmpegError

    without_profile = profile if kind in ("gif", "mp4") else None
    reel = Reel(recovery, options, on_progress, is_cancelled, kind == "mp4", without_profile)
    with replacing(path) as new:
        try:
            if kind == "gif":
                write_gif(new, reel, options)
            elif kind == "mp4":
                write_mp4(new, reel, options)
            elif kind == "webp":
                write_webp(new, reel, options, profile)
            else:
                write_apng(new, reel, profile)
        except FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise ValueError(f"{path.name} was not written: {error.strerror}") from error


def _frames(
    recovery: Recovery,
    path: Path,
    options: Options,
    on_progress: OnProgress,
    is_cancelled: IsCancelled,
    profile: bytes | None,
    exif: bytes | None,
) -> None:
    """A folder with `frame_000.png` ... in time order, as deep as the photo."""
    height, width = recovery.frames.shape[1:3]
    size = resized_size(width, height, options.width)
    times = np.linspace(*span(recovery, options), options.frames)
    with replacing_folder(path) as folder:
        for number, t in enumerate(times if len(times) > 1 else [times.mean()]):
            if is_cancelled():
                raise Cancelled
            picture = resized(frame_at(recovery, float(t)), size)
            (folder / f"frame_{number:03}.png").write_bytes(png_bytes(picture, profile, exif))
            on_progress(Progress((number + 1) / options.frames, f"frame {number + 1} of {options.frames}"))


def _motion(recovery: Recovery, path: Path, kind: str, on_progress: OnProgress, is_cancelled: IsCancelled) -> None:
    motion: Motion | None = recovery.motion
    if motion is None:
        raise ValueError(f"the engine {recovery.engine} does not say how pixels moved")
    height, width = recovery.frames.shape[1:3]
    with replacing(path) as new:
        if kind == "flow":
            write_flo(new, resized_field(motion.flow(), height, width))
        else:
            write_motion(new, motion, (height, width), on_progress, is_cancelled)

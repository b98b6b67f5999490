"""What the window is about to do, as a line for a shell."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from app.document import Document
from models import catalog
from models.guidance import Guidance
from models.motion import Arrow


def as_command(
    document: Document,
    origin: Path | None,
    engine: str,
    options: Mapping[str, bool | int | float | str],
    device: str = "auto",
) -> str:
    """The `unshutter animate` line that recovers this document the same way.

    `origin` is the photo's own file, None where it has none. Raises ValueError where the motion is known to no file:
    neither to the saved project nor as one straight arrow of the camera.
    """
    if document.path is not None and not document.modified:
        said = [str(document.path)]
    elif origin is not None and _is_plain(document.guidance):
        said = [str(origin), *_camera(document.guidance.camera)]
    else:
        raise ValueError("The command line reads what was painted from a saved project: save it first.")
    stem = Path(document.path or origin or document.photo.name).stem
    words = ["unshutter", "animate", *said, *_engine(engine, options)]
    words += [] if device == "auto" else ["--device", device]
    return _joined([*words, "-o", f"{stem}.gif"])


def _is_plain(guidance: Guidance) -> bool:
    """Whether arguments can say all of it."""
    camera = guidance.camera
    straight = camera is None or not (camera.bend or camera.ease_in or camera.ease_out or camera.shares)
    return straight and guidance.motion is None and not guidance.areas.any()


def _camera(arrow: Arrow | None) -> list[str]:
    return [] if arrow is None else ["--toward", f"{arrow.degrees:.6g}", "--strength", f"{arrow.length:.6g}"]


def _engine(name: str, values: Mapping[str, bool | int | float | str]) -> list[str]:
    """The engine and those of its options that are not as they usually are."""
    words = [] if name == catalog.ENGINES[0].name else ["-e", name]
    for option in catalog.options(name):
        value = values.get(option.name, option.default)
        flag = "-n" if option.name == "frames" else f"--{option.name.replace('_', '-')}"
        if value == option.default:
            continue
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag[2:]}")
        else:
            words += [flag, str(value)]
    return words


def _joined(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)

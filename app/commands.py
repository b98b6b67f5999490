"""What the commands do: the same jobs as in the window, one after another in this process."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from app.atomic import replacing, replacing_folder
from app.film import SUFFIXES as FILM
from app.film import Cut
from app.flow_colours import flow_colours
from app.guidance_files import usual_strength
from app.guidance_picture import guidance_picture
from app.jobs import (
    Export,
    ExportGuidance,
    Film,
    Job,
    ListDevices,
    Open,
    ReadGuidance,
    ReadVideo,
    Reblur,
    Recover,
    Refine,
    Save,
    Suggest,
    WriteVideoGuidance,
)
from app.motion_files import write_flo, write_motion, write_npz
from app.picked import Pixel, trajectory, write_csv
from app.reblur import frame_files
from app.reel import Options, checked
from app.stills import FINE, STILL_SUFFIXES, png_bytes
from app.store import Contents
from app.video import is_video
from app.video_frames import SUFFIXES
from models import catalog
from models.guidance import NO_REGION, Guidance
from models.motion import MIDDLE, Arrow, resized_field
from models.recovery import Inputs, Progress, Recovery, most_frames

USUAL_FRAMES = 15
"""Of a moving picture: engines find fewer, the rest is moved in between."""

MOST_SUGGESTIONS = 20

MOVING = (".gif", ".mp4", ".webp", ".png")


def guidance(chosen: argparse.Namespace) -> int:
    output = _writable(chosen.output, chosen.video, SUFFIXES)
    photo = "" if chosen.photo is None else str(_writable(chosen.photo, chosen.video, (".png",)))
    if photo and Path(photo).absolute() == output.absolute():
        raise ValueError(f"{output.name} cannot be both the frame and its guidance")
    _run(WriteVideoGuidance(chosen.video, chosen.frame, chosen.shutter, str(output), photo))
    return 0


def film(chosen: argparse.Namespace) -> int:
    output = _writable(chosen.output, chosen.video, FILM)
    video = _run(ReadVideo(chosen.video))
    cut = Cut(chosen.frames, chosen.shutter, chosen.first, chosen.last, chosen.fps, chosen.engine, chosen.device)
    if video.sound:
        print(f"The sound of {video.path.name} is left out.", file=sys.stderr)
    _run(Film(video, cut, str(output)))
    return 0


def animate(chosen: argparse.Namespace) -> int:
    output = _output(chosen, MOVING, folder=True)
    contents = _run(Open(chosen.photo))
    kind = "frames" if _is_folder(chosen.output) else ""
    said = {"frames": chosen.frames, "fps": chosen.fps, "hold": chosen.hold, "width": chosen.width}
    options = {"mode": chosen.loop, **{name: value for name, value in said.items() if value is not None}}
    checked(msgspec.convert(options, Options), contents.photo.pixels.shape[1])
    recovery = _recovered(chosen, contents)
    if chosen.frames is None:
        options["frames"] = len(recovery.frames) if kind else max(len(recovery.frames), USUAL_FRAMES)
    _run(Export(recovery, contents.photo, str(output), kind, options))
    return _numbers(chosen, recovery, output)


def deblur(chosen: argparse.Namespace) -> int:
    output = _output(chosen, STILL_SUFFIXES)
    _check_size(chosen)
    contents = _run(Open(chosen.photo))
    if chosen.engine is None:
        _take_sharpest(chosen, contents)
    recovery = _recovered(chosen, contents)
    _run(Export(recovery, contents.photo, str(output), "still", {"quality": FINE, "t": MIDDLE}))
    return _numbers(chosen, recovery, output)


def trajectories(chosen: argparse.Namespace) -> int:
    if (Path(chosen.output).suffix.lower() == ".csv") != bool(chosen.at):
        raise ValueError("a .csv is for the pixels that --at X,Y names, a .npz for all of them")
    return _motion(chosen, (".npz", ".csv"))


def flow(chosen: argparse.Namespace) -> int:
    return _motion(chosen, (".flo", ".npz", ".png"))


def suggest(chosen: argparse.Namespace) -> int:
    output = _output(chosen, (), folder=True)
    photo = _run(Open(chosen.photo)).photo
    inputs = Inputs(photo.pixels, Guidance.empty(*photo.pixels.shape[:2]), chosen.device, chosen.seed)
    if not 1 <= chosen.count <= MOST_SUGGESTIONS:
        raise ValueError(f"count lies between 1 and {MOST_SUGGESTIONS}, got {chosen.count}")
    suggestions = _run(Suggest(inputs, catalog.suggesting().name, chosen.count)).guidances
    if not suggestions:
        raise ValueError(f"nothing that moves was found in {Path(chosen.photo).name}")
    with replacing_folder(output) as folder:
        for number, guidance in enumerate(suggestions, 1):
            stem = f"suggestion_{number}"
            _run(Save(Contents(photo, guidance, stamp=uuid.uuid4().hex), str(folder / f"{stem}.unshutter")))
            _run(ExportGuidance(guidance, str(folder / f"{stem}.png")))
            (folder / f"{stem}_preview.png").write_bytes(png_bytes(guidance_picture(photo.pixels, guidance)))
    if chosen.json:
        print(json.dumps({"output": str(output), "suggestions": [_arrows(one) for one in suggestions]}))
    return 0


def refine(chosen: argparse.Namespace) -> int:
    output = _output(chosen, (".unshutter",))
    contents = _run(Open(chosen.photo))
    drawn = refined = _guidance(chosen, contents)
    only = None if chosen.only is None else _numbers_called(chosen.only, drawn)
    found = _run(Refine(Inputs(contents.photo.pixels, drawn, chosen.device, chosen.seed), only))
    for number, arrow in found.items():
        refined = refined.with_arrow(number, arrow)
    _run(Save(Contents(contents.photo, refined, stamp=uuid.uuid4().hex), str(output)))
    if not found:
        print(f"{Path(chosen.photo).name} shows too little of its motion: the arrows stayed.", file=sys.stderr)
    if chosen.json:
        print(json.dumps({"output": str(output), "drawn": _arrows(drawn), "refined": _arrows(refined)}))
    return 0


def reblur(chosen: argparse.Namespace) -> int:
    scores = _run(Reblur(frame_files(chosen.frames), chosen.photo))
    print(json.dumps({**scores, "frames": int(scores["frames"])}))
    return 0


def engines(chosen: argparse.Namespace) -> int:
    devices = _run(ListDevices())
    if chosen.json:
        said = [{"name": one.name, "title": one.title, "memory": one.memory} for one in devices]
        print(json.dumps({"engines": [_described(one) for one in catalog.ENGINES], "devices": said}, indent=2))
        return 0
    for engine in catalog.ENGINES:
        missing = engine.missing_weights()
        state = f"lacks {', '.join(missing)}" if missing else "ready"
        print(f"{engine.name:<16} {state:<16} {engine.summary}")
    for device in devices:
        memory = f", {device.memory / 2**30:.0f} GB" if device.memory else ""
        print(f"{device.name:<16} {'device':<16} {device.title}{memory}")
    return 0


def demo(chosen: argparse.Namespace) -> int:
    from app.cli import open_window
    from app.display import problem

    reason = "No window was wanted." if chosen.headless else problem()
    if not reason:
        return open_window(None, demo=True)
    print(f"{reason} The demo runs without a window.", file=sys.stderr)
    from app.samples import samples

    sample, output = samples()[0], Path("demo.gif")
    contents = _run(Open(str(sample.path)))
    height, width = contents.photo.pixels.shape[:2]
    inputs = Inputs(contents.photo.pixels, sample.guidance(height, width))
    recovery = _run(Recover(inputs, "drawn", {"frames": USUAL_FRAMES}))
    _run(Export(recovery, contents.photo, str(output), "", {"frames": USUAL_FRAMES, "hold": 0.1}))
    print(f"{output} shows the motion in {sample.path.name}.", file=sys.stderr)
    return 0


def _recovered(chosen: argparse.Namespace, contents: Contents) -> Recovery:
    """The motion in what was opened, recovered as the arguments say."""
    options = _engine_options(chosen, most_frames(contents.photo.pixels))
    guidance = _guidance(chosen, contents)
    if catalog.engine(chosen.engine).asks == "motion" and not guidance.says_motion():
        raise ValueError(
            f"nothing is said to move in {Path(chosen.photo).name}: say it with -g FILE or --toward DEGREES"
        )
    inputs = Inputs(contents.photo.pixels, guidance, chosen.device, chosen.seed)
    recovery = _run(Recover(inputs, chosen.engine, options))
    for note in (*contents.photo.notes, *recovery.notes):
        print(note, file=sys.stderr)
    return recovery


def _engine_options(chosen: argparse.Namespace, most: int) -> dict[str, bool | int | float | str]:
    """The engine's options that were said, checked. It finds at most `most` frames; what is between them is moved."""
    said = {name[4:]: value for name, value in vars(chosen).items() if name.startswith("set_") and value is not None}
    if told := _told(chosen):
        said["told"] = told
    if chosen.frames is not None:
        if not 1 <= chosen.frames <= 240:
            raise ValueError(f"frames lies between 1 and 240, got {chosen.frames}")
        if any(option.name == "frames" for option in catalog.options(chosen.engine)):
            said["frames"] = min(chosen.frames, most)
    catalog.checked(chosen.engine, said)
    return said


def _take_sharpest(chosen: argparse.Namespace, contents: Contents) -> None:
    """Choose the engine for the middle instant, and its options where they were not said."""
    said = chosen.guidance is not None or chosen.toward is not None
    of_file = Path(chosen.guidance or "").suffix.lower() in (".flo", ".npz")
    every_pixel = of_file if said else contents.guidance.motion is not None
    chosen.engine, options = catalog.SHARPEST_ALONG if every_pixel and chosen.set_by is None else catalog.SHARPEST
    for name, value in options.items():
        if getattr(chosen, f"set_{name}") is None:
            setattr(chosen, f"set_{name}", value)


def _check_size(chosen: argparse.Namespace) -> None:
    if getattr(chosen, "set_limit", None):
        raise ValueError("limit is for previews: the result is written at the photo's own size")


def _guidance(chosen: argparse.Namespace, contents: Contents) -> Guidance:
    """What the arguments say about the motion; where they say nothing, the project."""
    height, width = contents.photo.pixels.shape[:2]
    strength = _strength(chosen, height, width)
    if not (math.isfinite(strength) and 0 <= strength <= 2 * max(height, width)):
        raise ValueError(f"strength lies between 0 and {2 * max(height, width)} px, got {strength:g}")
    if chosen.toward is not None:
        if not math.isfinite(chosen.toward):
            raise ValueError(f"toward is an angle in degrees, got {chosen.toward}")
        return replace(Guidance.empty(height, width), camera=Arrow(chosen.toward % 360, strength))
    if chosen.guidance is None:
        return contents.guidance
    return _run(ReadGuidance(chosen.guidance, height, width, strength))


def _strength(chosen: argparse.Namespace, height: int, width: int) -> float:
    """The length that was said, or the usual one, which is told where it counts."""
    if chosen.strength is not None:
        return chosen.strength
    usual = usual_strength(height, width)
    if _lacks_length(chosen) and not _told(chosen):
        print(f"No --strength was said; this takes {usual} px.", file=sys.stderr)
    return usual


def _lacks_length(chosen: argparse.Namespace) -> bool:
    """Whether a direction was said without a length."""
    of_guidance = Path(chosen.guidance or "").suffix.lower() == ".png"
    return chosen.strength is None and (chosen.toward is not None or of_guidance)


def _told(chosen: argparse.Namespace) -> str:
    """What counts where a direction was said without a length, to engines that find lengths themselves; "": as they
    have it."""
    engine = getattr(chosen, "engine", None)
    asked = engine is not None and any(option.name == "told" for option in catalog.options(engine))
    if not asked or chosen.set_told is not None or not _lacks_length(chosen):
        return ""
    return "quadrants" if chosen.toward is None else "directions"


def _output(chosen: argparse.Namespace, suffixes: tuple[str, ...], folder: bool = False) -> Path:
    return _writable(chosen.output, chosen.photo, suffixes, folder)


def _writable(output: str, source: str, suffixes: tuple[str, ...], folder: bool = False) -> Path:
    """Where the result goes. Raises ValueError before any work is done where that cannot be."""
    path = Path(output)
    known = f"{', '.join(suffixes)}{' or FOLDER/' if folder else ''}"
    is_folder = folder and _is_folder(output)
    if not is_folder and path.suffix.lower() not in suffixes:
        raise ValueError(f"{path.name} has a kind that is not written here: expected {known}")
    if path.is_dir() and not is_folder:
        raise ValueError(f"{path.name} is a folder")
    if is_folder and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ValueError(f"{path.name} exists already and is not an empty folder")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{path.name} cannot be written: there is no folder {path.parent}")
    if path.exists() and Path(source).exists() and path.samefile(source):
        raise ValueError(f"{path.name} is the {'video' if is_video(source) else 'photo'} itself")
    return path


def _motion(chosen: argparse.Namespace, suffixes: tuple[str, ...]) -> int:
    """Recover, and write the motion on the photo's grid."""
    output = _output(chosen, suffixes)
    _check_size(chosen)
    contents = _run(Open(chosen.photo))
    pixels = [_pixel(said, contents.photo.pixels) for said in getattr(chosen, "at", None) or ()]
    recovery = _recovered(chosen, contents)
    if recovery.motion is None:
        raise ValueError(f"the engine {chosen.engine} does not say how pixels moved")
    size = contents.photo.pixels.shape[:2]
    with replacing(output) as new:
        if pixels:
            write_csv(new, [trajectory(recovery.motion, pixel, size) for pixel in pixels])
        elif chosen.command == "trajectories":
            write_motion(new, recovery.motion, size)
        else:
            _write_flow(new, resized_field(recovery.motion.flow(), *size))
    return _numbers(chosen, recovery, output)


def _pixel(said: str, photo: np.ndarray) -> Pixel:
    """The pixel that "X,Y" names. Raises ValueError with one sentence where the photo has none there."""
    height, width = photo.shape[:2]
    try:
        x, y = (int(number) for number in said.split(","))
    except ValueError:
        raise ValueError(f"--at takes two whole numbers, X,Y, got {said}") from None
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError(f"--at {said} lies outside the photo of {width} x {height} px")
    return x, y


def _write_flow(path: Path, flow: np.ndarray) -> None:
    if path.suffix.lower() == ".npz":
        write_npz(path, {"flow": flow})
    elif path.suffix.lower() == ".flo":
        write_flo(path, flow)
    else:
        from PIL import Image

        Image.fromarray(flow_colours(flow)).save(path)


def _numbers_called(names: Sequence[str], guidance: Guidance) -> tuple[int, ...]:
    """The numbers of the regions with these names; "camera" is the camera's. Raises ValueError where one has none."""
    called = [("camera", NO_REGION), *((one.name, one.number) for one in guidance.regions)]
    for unknown in set(names) - {name for name, _ in called}:
        raise ValueError(f"there is no region called {unknown}")
    return tuple(number for name, number in called if name in names)


def _arrows(guidance: Guidance) -> dict[str, Any]:
    """What guidance says of the motion, in numbers."""

    def said(arrow: Arrow | None) -> dict[str, float] | None:
        return arrow and {"degrees": round(arrow.degrees, 1), "length": round(arrow.length, 2)}

    shares = np.bincount(guidance.areas.ravel(), minlength=256) / guidance.areas.size
    regions = [
        {"name": one.name, "arrow": said(one.arrow), "share": round(float(shares[one.number]), 4)}
        for one in guidance.regions
    ]
    return {"camera": said(guidance.camera), "regions": regions}


def _is_folder(output: str) -> bool:
    return output.endswith(("/", os.sep)) or not Path(output).suffix


def _numbers(chosen: argparse.Namespace, recovery: Recovery, output: Path) -> int:
    """With --json: what was measured, on stdout."""
    if chosen.json:
        said: Mapping[str, Any] = {
            "output": str(output),
            "engine": recovery.engine,
            "options": dict(recovery.options),
            "device": recovery.device,
            "seconds": round(recovery.seconds, 3),
            "frames": len(recovery.frames),
            "scores": {name: round(float(score), 4) for name, score in recovery.scores.items()},
            "notes": list(recovery.notes),
        }
        print(json.dumps(said))
    return 0


def _described(engine: catalog.Engine) -> dict[str, Any]:
    keys = ("name", "title", "default", "help", "low", "high", "choices", "unit")
    return {
        "name": engine.name,
        "title": engine.title,
        "summary": engine.summary,
        "asks": engine.asks,
        "weights": list(engine.weights),
        "missing": list(engine.missing_weights()),
        "options": [{key: getattr(one, key) for key in keys} for one in catalog.options(engine.name)],
    }


def _run(job: Job) -> Any:
    """Run a job here, its progress on stderr."""
    steps = _Steps()
    try:
        return job.run(steps.show, lambda: False)
    finally:
        steps.clear()


class _Steps:
    """Progress on stderr: one line that changes on a terminal, a line for each new step elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._step = ""

    def show(self, progress: Progress) -> None:
        if self._terminal:
            print(f"\r\x1b[K{progress.fraction:4.0%}  {progress.step}", end="", file=sys.stderr, flush=True)
        elif progress.step and progress.step != self._step:
            print(progress.step, file=sys.stderr, flush=True)
        self._step = progress.step

    def clear(self) -> None:
        if self._terminal and self._step:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

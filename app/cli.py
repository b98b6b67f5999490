"""The command line: what may be said, and what becomes of it. Imports neither Qt, torch nor a picture library."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from app.devices import NAMES
from models import catalog

LOOPS = ("loop", "ping-pong", "reverse")
_EPILOG = """commands:
  demo            a bundled photo moves: in the window, or without a display into demo.gif
  guidance        see the motion in a frame of a video from the frames beside it
  film            make a longer, smoother video of a blurred one
  animate         recover the motion in a photo and write it as a moving picture or frames
  deblur          write the sharp middle instant, as a picture
  trajectories    write where every pixel went, as .npz; or a few, as .csv
  flow            write the optical flow, as .flo, .npz or .png
  suggest         propose what moved and which way, as guidance to look at and to edit
  refine          fit drawn arrows, and the places they move, to the photo
  reblur          how well frames average back to a photo, as JSON
  engines         which engines, weights and devices there are

Without a command the window opens. `%(prog)s COMMAND --help` says what a command takes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command or the window. Returns the exit code: 0, 2 after bad input, 130 after Ctrl-C, 1 otherwise."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if arguments[:1] == ["worker"]:
            return _worker(arguments[1:])
        if arguments and arguments[0] in _COMMANDS:
            return _command(arguments)
        return _window(arguments)
    except KeyboardInterrupt:
        return _said("Stopped.", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
        return 1
    except ValueError as error:
        return _said(str(error), 2)
    except Exception as error:
        if os.environ.get("UNSHUTTER_DEBUG"):
            raise
        from app.worker import sentence

        return _said(sentence(error), 2 if isinstance(error, OSError | MemoryError) else 1)


def _said(sentence: str, code: int) -> int:
    print(f"unshutter: {sentence}", file=sys.stderr)
    return code


def _worker(arguments: Sequence[str]) -> int:
    """Hidden: what the window starts."""
    parser = _Parser(prog="unshutter worker")
    parser.add_argument("channel", choices=("io", "engine", "film"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engines", default="")
    chosen = parser.parse_args(arguments)
    importlib.import_module("app.worker").run(chosen.channel, chosen.folder, chosen.engines)
    return 0


def _window(arguments: Sequence[str]) -> int:
    parser = _Parser(
        prog="unshutter",
        description="Opens one motion-blurred photo and gives back the motion inside it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photo", nargs="?", metavar="PHOTO|PROJECT", help="what the window opens with")
    parser.add_argument("--version", action="store_true", help="say the version and exit")
    chosen = parser.parse_args(arguments)
    if chosen.version:
        print(f"unshutter {_version()}")
        return 0
    if chosen.photo is not None and not Path(chosen.photo).exists():
        raise ValueError(f"{chosen.photo} is neither a command nor a file")
    from app.display import problem

    if sentence := problem():
        raise ValueError(sentence)
    return open_window(chosen.photo)


def open_window(path: str | None, demo: bool = False) -> int:
    """Open the window; the only way from here to Qt."""
    return importlib.import_module("app.ui.main").run(path, demo=demo)


def _command(arguments: Sequence[str]) -> int:
    name, *rest = arguments
    parser = _Parser(prog=f"unshutter {name}", description=_COMMANDS[name][0])
    _COMMANDS[name][1](parser)
    chosen = parser.parse_args(rest, argparse.Namespace(command=name))
    commands = importlib.import_module("app.commands")
    return getattr(commands, name)(chosen)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="do not even try to open a window")


def _add_guidance(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", metavar="VIDEO", help="a video whose frames are blurred")
    parser.add_argument("--frame", type=int, required=True, metavar="I", help="which frame, counted from 0")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help=".png (a quadrant per pixel), .flo or .npz (the motion itself), or a project .unshutter with the frame",
    )
    _add_shutter(parser)
    parser.add_argument("--photo", metavar="PNG", help="write the frame itself here, as decoded")


def _add_film(parser: argparse.ArgumentParser) -> None:
    from app.film import FEWEST, MOST, WORDS

    names = [engine.name for engine in catalog.ENGINES]
    parser.add_argument("video", metavar="VIDEO", help="a video whose frames are blurred; its sound is left out")
    parser.add_argument("-o", "--output", required=True, metavar="OUT.mp4", help="an MP4")
    parser.add_argument(
        "-n",
        "--frames",
        type=int,
        default=8,
        metavar="N",
        help=f"{WORDS['steps']}, {FEWEST} to {MOST} (default: %(default)s)",
    )
    _add_shutter(parser)
    parser.add_argument("--from", type=int, default=0, metavar="I", dest="first", help=WORDS["first"])
    parser.add_argument("--to", type=int, metavar="J", dest="last", help=f"{WORDS['last']} (default: to the end)")
    parser.add_argument(
        "--fps",
        type=float,
        help=f"{WORDS['fps']} (default: the video's, so N times slower)",
    )
    parser.add_argument("-e", "--engine", default=names[0], metavar="NAME", help=f"{', '.join(names)}")
    parser.add_argument("--device", choices=NAMES, default="auto", help="what to compute on (default: %(default)s)")


def _add_shutter(parser: argparse.ArgumentParser) -> None:
    from app.film import WORDS

    parser.add_argument(
        "--shutter",
        type=float,
        default=0.5,
        metavar="SHARE",
        help=f"{WORDS['shutter']}, up to 1 (default: %(default)s)",
    )


def _add_animate(parser: argparse.ArgumentParser) -> None:
    _add_recovery(parser)
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT", help=".gif, .mp4, .webp, .png (APNG) or FOLDER/"
    )
    parser.add_argument("--fps", type=float, help="frames a second")
    parser.add_argument("--loop", choices=LOOPS, default="ping-pong", help="how it is played (default: %(default)s)")
    parser.add_argument("--hold", type=float, metavar="SECONDS", help="how long both ends stand still")
    parser.add_argument("--width", type=int, metavar="PX", help="resize to this width")


def _add_deblur(parser: argparse.ArgumentParser) -> None:
    engine, options = catalog.SHARPEST
    usual = " ".join([engine, *(f"--{name} {value}" for name, value in options.items())])
    _add_engine(parser, None, f"{usual}; for a .flo or .npz {catalog.SHARPEST_ALONG[0]}")
    parser.set_defaults(frames=1)
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT", help=".png, .tif or .jpg; as deep as the photo, but for .jpg"
    )


def _add_trajectories(parser: argparse.ArgumentParser) -> None:
    _add_recovery(parser)
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help=".npz; or .csv, with --at")
    parser.add_argument(
        "--at", action="append", metavar="X,Y", help="of this pixel, for a .csv; may be said repeatedly"
    )


def _add_flow(parser: argparse.ArgumentParser) -> None:
    _add_recovery(parser)
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help=".flo, .npz or .png (colours)")


def _add_suggest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", metavar="PHOTO|PROJECT", help="a motion-blurred photo; what a project says is ignored")
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER/", help="a new or empty folder")
    parser.add_argument("-n", "--count", type=int, default=5, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--device", choices=NAMES, default="auto", help="what to compute on (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="for what is drawn by lot")
    parser.add_argument("--json", action="store_true", help="say on stdout what was found, as JSON")


def _add_refine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", metavar="PHOTO|PROJECT", help="a motion-blurred photo, or a project with its arrows")
    _add_said(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="a project, .unshutter")
    words = "only the arrow of this region, or of the camera; may be said again for another (default: all)"
    parser.add_argument("--only", action="append", metavar="NAME", help=words)
    parser.add_argument("--device", choices=NAMES, default="auto", help="what to compute on (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="for networks that draw lots")
    parser.add_argument("--json", action="store_true", help="say on stdout what became of the arrows, as JSON")


def _add_reblur(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("frames", metavar="FRAMES/", help="a folder with frame_000.png ... in time order")
    parser.add_argument("photo", metavar="PHOTO", help="the motion-blurred photo")


def _add_engines(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON on stdout")


def _add_recovery(parser: argparse.ArgumentParser) -> None:
    """What every command takes that recovers motion over time."""
    _add_engine(parser, catalog.ENGINES[0].name, catalog.ENGINES[0].name)
    parser.add_argument("-n", "--frames", type=int, metavar="N", help="how many frames, 1 to 240")


def _add_engine(parser: argparse.ArgumentParser, usual: str | None, said: str) -> None:
    """The photo and what finds its motion: the `usual` engine, which `said` names."""
    parser.add_argument("photo", metavar="PHOTO|PROJECT", help="a motion-blurred photo, or a project with its guidance")
    _add_said(parser)
    names = [engine.name for engine in catalog.ENGINES]
    known = f"{', '.join(names)} (default: {said})"
    parser.add_argument("-e", "--engine", default=usual, metavar="NAME", help=known)
    parser.add_argument("--device", choices=NAMES, default="auto", help="what to compute on (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="for engines that draw lots")
    parser.add_argument("--json", action="store_true", help="say on stdout what was measured, as JSON")
    for option in _options(names):
        parser.add_argument(f"--{option.name.replace('_', '-')}", dest=f"set_{option.name}", **_told(option))


def _add_said(parser: argparse.ArgumentParser) -> None:
    """What is said about the motion."""
    said = parser.add_mutually_exclusive_group()
    said.add_argument("-g", "--guidance", metavar="FILE", help="guidance as .png, or the motion as .flo or .npz")
    said.add_argument("--toward", type=float, metavar="DEGREES", help="the whole picture moved: 0 right, 90 up")
    parser.add_argument("--strength", type=float, metavar="PX", help="how far, for --toward and a guidance .png")


def _options(engines: Sequence[str]) -> list[catalog.Option]:
    """The options of all engines, each name once, but for `frames`, which all commands have."""
    found = {option.name: option for engine in reversed(engines) for option in catalog.options(engine)}
    return [option for name, option in found.items() if name != "frames"]


def _told(option: catalog.Option) -> dict:
    """An engine's option for argparse; what was not said stays None."""
    kind = type(option.default)
    unit = f" {option.unit}" if option.unit else ""
    text = f"{option.help} (default: {option.default}{unit})".replace("%", "%%")
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction, "default": None, "help": text}
    return {
        "type": kind,
        "choices": option.choices or None,
        "default": None,
        "metavar": kind.__name__.upper(),
        "help": text,
    }


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("unshutter")
    except PackageNotFoundError:
        return "(from a checkout)"


_COMMANDS = {
    "demo": ("A bundled photo moves: in the window, or without a display into demo.gif.", _add_demo),
    "guidance": ("See the motion in a frame of a video from the frames beside it, and write it.", _add_guidance),
    "film": (
        "Make a longer, smoother video of a blurred one: every exposure taken apart along the motion that the frames "
        "beside it show, the time between exposures interpolated.",
        _add_film,
    ),
    "animate": ("Recover the motion in a photo and write it as a moving picture or frames.", _add_animate),
    "deblur": ("Recover the sharp instant in the middle of the exposure and write it as a picture.", _add_deblur),
    "trajectories": (
        "Write where every pixel went: offsets, trajectories (N, H, W, 2) px, times (N,).",
        _add_trajectories,
    ),
    "flow": ("Write the optical flow from the first to the last instant, px.", _add_flow),
    "suggest": (
        "Propose what moved and which way, the likeliest first: suggestion_1.unshutter has arrows and regions, to "
        "edit in the window and for animate; suggestion_1.png labels for animate -g; suggestion_1_preview.png is to "
        "look at.",
        _add_suggest,
    ),
    "refine": (
        "Fit drawn arrows, regions' and the camera's, to what the photo shows: their lengths and directions, and how "
        "far each place goes that they move; where it shows too little they stay. The result is a project.",
        _add_refine,
    ),
    "reblur": ("How well frames average back to a photo, as JSON.", _add_reblur),
    "engines": ("Which engines, weights and devices there are.", _add_engines),
}


if __name__ == "__main__":
    sys.exit(main())

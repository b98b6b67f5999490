"""Engines that do in a moment what real ones may do: finish, take long, ignore, print, crash, run out of memory."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping

import numpy as np

from models.catalog import Engine, Option
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion, instants
from models.recovery import Cancelled, Inputs, Progress, Recovery

ENDS = ("well", "badly", "wrong", "crash", "memory", "exit")
OPTIONS = (
    Option("frames", "Frames", 3, "how many instants", low=1, high=240),
    Option("seconds", "Seconds", 0.0, "how long it takes", low=0, high=60),
    Option("ends", "Ends", "well", "how it ends", choices=ENDS),
    Option("deaf", "Deaf", False, "does not look whether it is cancelled"),
)
ENGINES = (
    Engine(
        "trial", "Trial", "For tests.", "trial_engines:run", "trial_engines:OPTIONS", suggest="trial_engines:suggest"
    ),
    Engine("endless", "Endless", "Goes on until it is cancelled.", "trial_engines:endless", "trial_engines:OPTIONS"),
)


def run(
    inputs: Inputs,
    options: Mapping[str, object],
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> Recovery:
    """Repeats the photo, brighter from frame to frame, after `seconds` and however it `ends`."""
    print("a stray line on stdout")
    os.write(1, b'{"type": "finished"}\n')
    _spend(float(str(options["seconds"])), bool(options["deaf"]), inputs, on_progress, is_cancelled)
    _end(str(options["ends"]))
    count = int(str(options["frames"]))
    frames = np.stack([np.clip(inputs.pixels.astype(int) + k, 0, 255).astype(np.uint8) for k in range(count)])
    flow = np.nan_to_num(inputs.guidance.flow())
    return Recovery(frames, instants(count), Motion.from_flow(flow), "trial", options, inputs.device)


def endless(
    inputs: Inputs,
    options: Mapping[str, object],
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> Recovery:
    """Reports progress for longer than any test waits."""
    _spend(3600.0, False, inputs, on_progress, is_cancelled)
    raise AssertionError("nobody cancelled")


def suggest(
    inputs: Inputs, count: int, on_progress: Callable[[Progress], None], is_cancelled: Callable[[], bool]
) -> tuple[Guidance, ...]:
    """A region in the upper left, turned on by 90 degrees from one to the next, and the camera's arrow; nothing in a
    black photo, and never an end to a white one."""
    if inputs.pixels.min() == 255:
        _spend(60.0, False, inputs, on_progress, is_cancelled)
    areas = np.zeros(inputs.pixels.shape[:2], np.uint8)
    if not inputs.pixels.any():
        return ()
    areas[: len(areas) // 2, : areas.shape[1] // 2] = 1
    arrows = (Arrow(90.0 * n % 360, 6) for n in range(1, count + 1))
    return tuple(Guidance(areas, (Region(1, "thing 1", arrow),), Arrow(0, 4)) for arrow in arrows)


def _spend(seconds, deaf, inputs, on_progress, is_cancelled) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(0.01, left))
        if not deaf:
            if is_cancelled():
                raise Cancelled
            on_progress(Progress(1 - left / seconds, "waiting", inputs.pixels[::2, ::2]))


def _end(how: str) -> None:
    if how == "badly":
        raise ValueError("the trial found no motion")
    if how == "wrong":
        raise KeyError("a mistake")
    if how == "memory":
        os.kill(os.getpid(), signal.SIGKILL)  # what Linux does when memory has run out
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(10)  # another thread may be the one to get it
    if how == "exit":
        os._exit(3)

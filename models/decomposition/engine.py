"""The engine "Decomposition": every frame restored at its own moment, in two stages, motion and then restoration."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import cv2
import numpy as np
import torch

from models.catalog import checked
from models.decomposition.both import frames_by_both
from models.decomposition.network import RestorationNetwork
from models.decomposition.restoring import Restorer
from models.devices import run_on
from models.guidance import Guidance
from models.loading import load_weights
from models.motion import Motion, instants, moments
from models.recovery import Cancelled, Inputs, Progress, Recovery, between, check_frames
from models.trajectory.engine import FAINT, FINDING, HARDLY, found, seen_at
from models.trajectory.estimation import Ends
from models.trajectory.flipping import Window, flipped_parts

SHARPENING = 0.5
"""The share of restoring that deconvolution takes, for seven frames."""
CONTEXT = 32
"""Px beyond the motion's reach up to which the network, 24, and deconvolution, 8, let pixels have a say in each other
that shows."""


def run(
    inputs: Inputs,
    options: Mapping[str, object],
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> Recovery:
    """Frames and motion of a photo. Raises Cancelled, or ValueError with one sentence."""
    start = time.perf_counter()
    values = checked("decomposition", options)
    seen = seen_at(inputs, int(values["limit"]))
    times = instants(int(values["frames"]))
    check_frames(len(times), seen.pixels)

    further = between(on_progress, FINDING, 1.0)

    def work(device: torch.device) -> tuple[np.ndarray, np.ndarray, Ends]:
        on_progress(Progress(0.0, "Finding the motion"))
        ends = found(seen, str(values["told"]), device)
        network = load_weights(RestorationNetwork(), "restoration", device)
        deconvolving, restoring = between(further, 0.0, SHARPENING), between(further, SHARPENING, 1.0)
        restorer = Restorer(seen.pixels, ends, network, device, None, deconvolving, is_cancelled)
        frames = _frames(restorer, ends, times, str(values["by"]), restoring, is_cancelled)
        return frames, restorer.middle, ends

    (frames, middle, ends), device, notes = run_on(inputs.device, work)
    on_progress(Progress(1.0, "Done"))
    motion = ends.motion(moments(times))
    moved = float(np.hypot(*np.moveaxis(motion.flow(), -1, 0)).mean())
    faint = (HARDLY,) if ends.longest() < FAINT else ()
    seconds = time.perf_counter() - start
    return Recovery(
        frames, times, motion, "decomposition", values, device.type, seconds, (*notes, *faint), {"moved": moved}, middle
    )


def flip(
    inputs: Inputs,
    before: Recovery,
    told: Guidance,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> Recovery:
    """See `models.recovery.Flip`."""
    by = str(checked("decomposition", before.options)["by"])

    def draw(window: Window, motion: Motion) -> np.ndarray:
        pixels = inputs.pixels[window]
        # Deconvolution does not tell one direction of time from the other.
        middle = None if before.middle is None else part_of(before.middle, window, inputs.pixels.shape[:2])

        def work(device: torch.device) -> np.ndarray:
            ends = Ends.of(motion, device)
            network = load_weights(RestorationNetwork(), "restoration", device)
            restorer = Restorer(pixels, ends, network, device, middle, is_cancelled=is_cancelled)
            return _frames(restorer, ends, before.times, by, on_progress, is_cancelled)

        return run_on(inputs.device, work)[0]

    return flipped_parts(inputs, before, told, CONTEXT, draw)


def part_of(picture: np.ndarray, window: Window, size: tuple[int, int]) -> np.ndarray:
    """What a picture on a grid over a photo of `size` (H, W) shows of a window of it, on a grid as fine."""
    if picture.shape[:2] == size:
        return picture[window]
    places = []
    for side, length, cells in zip(window, size, picture.shape, strict=False):
        first, last = side.start * cells / length, side.stop * cells / length
        count = max(1, round(last - first))
        places.append((first + (np.arange(count) + 0.5) * ((last - first) / count) - 0.5).astype(np.float32))
    x, y = np.meshgrid(places[1], places[0])
    return cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _frames(
    restorer: Restorer,
    ends: Ends,
    times: np.ndarray,
    by: str,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> np.ndarray:
    """The frames (N, H, W, 3) at `times`, even ones, restored `by` what the option of this name says."""
    if by == "both":
        return frames_by_both(restorer, ends, len(times), on_progress, is_cancelled)
    frames = np.empty((len(times), *restorer.pixels.shape), restorer.pixels.dtype)
    for n, t in enumerate(times):
        if is_cancelled():
            raise Cancelled
        on_progress(Progress(n / len(times), "Restoring"))
        frames[n] = restorer.frame(float(t))
    return frames

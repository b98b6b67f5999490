"""The engine "Decomposition": every frame restored at its own moment, in two stages, motion and then restoration."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

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
from models.trajectory.flipping import flipped_parts

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

    def work(device: torch.device) -> tuple[np.ndarray, Ends]:
        on_progress(Progress(0.0, "Finding the motion"))
        ends = found(seen, str(values["told"]), device)
        return _restored(seen.pixels, ends, times, str(values["by"]), device, further, is_cancelled), ends

    (frames, ends), device, notes = run_on(inputs.device, work)
    on_progress(Progress(1.0, "Done"))
    motion = ends.motion(moments(times))
    moved = float(np.hypot(*np.moveaxis(motion.flow(), -1, 0)).mean())
    faint = (HARDLY,) if ends.longest() < FAINT else ()
    seconds = time.perf_counter() - start
    return Recovery(
        frames, times, motion, "decomposition", values, device.type, seconds, (*notes, *faint), {"moved": moved}
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

    def draw(pixels: np.ndarray, motion: Motion) -> np.ndarray:
        def work(device: torch.device) -> np.ndarray:
            return _restored(pixels, Ends.of(motion, device), before.times, by, device, on_progress, is_cancelled)

        return run_on(inputs.device, work)[0]

    return flipped_parts(inputs, before, told, CONTEXT, draw)


def _restored(
    pixels: np.ndarray,
    ends: Ends,
    times: np.ndarray,
    by: str,
    device: torch.device,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> np.ndarray:
    """The frames (N, H, W, 3) at `times`, even ones, restored `by` what the option of this name says."""
    network = load_weights(RestorationNetwork(), "restoration", device)
    restorer = Restorer(pixels, ends, network, device, between(on_progress, 0.0, SHARPENING), is_cancelled)
    further = between(on_progress, SHARPENING, 1.0)
    if by == "both":
        return frames_by_both(restorer, ends, len(times), device, further, is_cancelled)
    frames = np.empty((len(times), *pixels.shape), pixels.dtype)
    for n, t in enumerate(times):
        if is_cancelled():
            raise Cancelled
        further(Progress(n / len(times), "Restoring"))
        frames[n] = restorer.frame(float(t))
    return frames

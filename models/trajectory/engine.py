"""The engine "Trajectories": the motion of every pixel, found by a network; frames by deconvolution along it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from models.areas.correction import CorrectionNetwork
from models.areas.network import AreaNetwork
from models.catalog import checked
from models.devices import run_on
from models.drawn import engine as drawn
from models.guidance import Guidance
from models.loading import load_weights
from models.motion import Motion
from models.recovery import Cancelled, Inputs, Progress, Recovery, between
from models.trajectory.adjustment import AdjustmentNetwork
from models.trajectory.estimation import Ends, Networks, as_tensor, estimate, shaken_slightly, too_sharp_for
from models.trajectory.flipping import Window, flipped_parts
from models.trajectory.moving import Moving, MovingNetwork, what_moves
from models.trajectory.network import MotionNetwork
from models.trajectory.pace import paced
from models.trajectory.shake import Shake
from models.trajectory.sharpening import as_guidance
from models.trajectory.suggestion import one_direction, suggested

FAINT = 1.0
FINDING = 0.2
SHARPNESS = 0.5
"""Share of the deconvolved in every frame, the rest is the photo moved: found motion is never quite right, and where it
errs the one errs less than the other."""
GAPS = 0.25
"""The share of a photo up to which what nothing is told of is a gap in what is told: it does as what is next to it. By
itself it might be found to move the other way, as a photo looks the same played backwards."""
CONTEXT = 8
"""Px beyond the motion's reach up to which deconvolution lets pixels have a say in each other."""
HARDLY = "Hardly any motion was found in this photo."


@dataclass(frozen=True)
class Seen:
    """A photo and its guidance as the engines of this family look at them.

    pixels  (H, W, 3), at most `limit` px a side where that was asked for.
    flow    the guidance's without its gaps, (H, W, 2) px of `pixels`, NaN where nothing is known; None where nothing is
            said at all.
    bends   the guidance's, complex (H, W) on a grid of its own, NaN where no bent or uneven arrow is drawn; None
            where none is at all.
    """

    pixels: np.ndarray
    flow: np.ndarray | None
    bends: np.ndarray | None = None


def run(
    inputs: Inputs,
    options: Mapping[str, object],
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> Recovery:
    """Motion and frames of a photo. Raises Cancelled, or ValueError with one sentence."""
    start = time.perf_counter()
    values = checked("trajectory", options)
    seen = seen_at(inputs, int(values["limit"]))
    on_progress(Progress(0.0, "Finding the motion"))
    ends, device, notes = run_on(inputs.device, lambda device: found(seen, str(values["told"]), device))
    if is_cancelled():
        raise Cancelled
    told = as_guidance(seen.pixels, ends)
    further = between(on_progress, FINDING, 1.0)
    recovery = _along(Inputs(seen.pixels, told, device.type, inputs.seed), values, further, is_cancelled)
    faint = (HARDLY,) if ends.longest() < FAINT else ()
    return replace(
        recovery,
        engine="trajectory",
        options=values,
        seconds=time.perf_counter() - start,
        notes=(*notes, *faint, *(note.replace("drawn motion", "found motion") for note in recovery.notes)),
    )


def _along(
    inputs: Inputs,
    values: Mapping[str, object],
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> Recovery:
    """The frames along the found motion."""
    settings = {"frames": values["frames"], "sharpen": values["sharpen"]}
    return drawn.along(inputs, settings, SHARPNESS, on_progress, is_cancelled)


def flip(
    inputs: Inputs,
    before: Recovery,
    told: Guidance,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> Recovery:
    """See `models.recovery.Flip`."""
    values = checked("trajectory", before.options)

    def draw(window: Window, motion: Motion) -> np.ndarray:
        pixels = inputs.pixels[window]
        found = as_guidance(pixels, Ends.of(motion, torch.device("cpu")))
        return _along(Inputs(pixels, found, inputs.device), values, on_progress, is_cancelled).frames

    return flipped_parts(inputs, before, told, CONTEXT, draw)


def seen_at(inputs: Inputs, limit: int) -> Seen:
    """Photo and guidance at most `limit` px a side; 0: as large as they are."""
    if inputs.guidance.areas.shape != inputs.pixels.shape[:2]:
        raise ValueError("the guidance has another size than the photo")
    pixels, flow = np.ascontiguousarray(inputs.pixels), inputs.guidance.flow()
    says = bool(np.isfinite(flow).any())
    height, width = pixels.shape[:2]
    if 0 < limit < max(height, width):
        import cv2

        scale = limit / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        flow = cv2.resize(flow, size, interpolation=cv2.INTER_NEAREST) * np.float32(scale)
    return Seen(pixels, _without_gaps(flow) if says else None, inputs.guidance.bends())


def _without_gaps(flow: np.ndarray) -> np.ndarray:
    """A guidance's flow (H, W, 2) with what is next to each gap in it."""
    gaps = ~np.isfinite(flow[..., 0])
    if not 0 < gaps.mean() <= GAPS:
        return flow
    import cv2

    _, labels = cv2.distanceTransformWithLabels(gaps.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    number = np.asarray(labels, np.intp)  # of the told pixel that is nearest to each
    told = np.zeros((int(number.max()) + 1, 2), flow.dtype)
    told[number[~gaps]] = flow[~gaps]
    return np.where(gaps[..., None], told[number], flow)


def load_networks(device: torch.device) -> Networks:
    """The networks that find motion, with their weights. Raises ValueError with one sentence."""
    motion = load_weights(MotionNetwork(), "motion", device)
    areas = load_weights(AreaNetwork(), "areas", device)
    correction = load_weights(CorrectionNetwork(), "correction", device)
    return Networks(motion, areas, correction, load_weights(AdjustmentNetwork(), "adjustment", device))


@torch.no_grad()
def found(seen: Seen, told: str, device: torch.device) -> Ends:
    """Start and end of every pixel; without guidance in one direction of time throughout. A camera's pace is what the
    photo shows; drawn bends and uneven speeds are followed, unless only quadrants count."""
    ends = estimate(load_networks(device), as_tensor(seen.pixels, device), seen.flow, told)
    ends = paced(one_direction(ends) if seen.flow is None else ends, seen.pixels, device)
    return ends if seen.bends is None or told == "quadrants" else ends.bent(seen.bends)


def suggest(
    inputs: Inputs, count: int, on_progress: Callable[[Progress], None], is_cancelled: Callable[[], bool]
) -> tuple[Guidance, ...]:
    """What the network proposes by itself: up to `count` answers as regions with arrows, on the photo's grid.

    Raises Cancelled, or ValueError with one sentence.
    """
    on_progress(Progress(0.1, "Finding the motion"))
    seen = Seen(np.ascontiguousarray(inputs.pixels), None)

    def look(device: torch.device) -> tuple[Ends, np.ndarray, Moving, Shake]:
        ends, photo = found(seen, "quadrants", device), as_tensor(seen.pixels, device)
        moving = what_moves(load_weights(MovingNetwork(), "moving", device), photo)
        shake = shaken_slightly(load_weights(CorrectionNetwork(), "correction", device), photo)
        return ends, too_sharp_for(ends, photo), moving, shake

    (ends, sharp, moving, shake), _, _ = run_on(inputs.device, look)
    if is_cancelled():
        raise Cancelled
    on_progress(Progress(0.9, "Cutting it into things"))
    height, width = inputs.pixels.shape[:2]
    return suggested(ends, height, width, count, inputs.seed, sharp, moving, shake)

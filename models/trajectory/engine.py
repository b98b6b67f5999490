"""The engine "Trajectories": the motion of every pixel, the sharp middle instant, and frames along the motion."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch

from models.catalog import checked
from models.decomposition.network import RestorationNetwork
from models.decomposition.restoring import Restorer, as_tensor
from models.devices import run_on
from models.loading import load_weights
from models.motion import MIDDLE, instants
from models.recovery import Cancelled, Inputs, Progress, Recovery
from models.trajectory.estimation import Ends, estimate
from models.trajectory.network import MotionNetwork
from models.trajectory.suggestion import one_direction

MOTION_TIMES = 9
LARGEST_RESULT = 1.3e9
FAINT = 1.0


def run(
    inputs: Inputs,
    options: Mapping[str, object],
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> Recovery:
    """Frames and motion: the middle instant is restored, the others are read from it along the offsets (Exposure
    Trajectory Recovery, eq. 17). Raises Cancelled, or ValueError with one sentence."""
    return recovered("trajectory", inputs, options, on_progress, is_cancelled)


def recovered(
    name: str,
    inputs: Inputs,
    options: Mapping[str, object],
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> Recovery:
    """What both engines of this family do: find the motion, then the frames.

    "decomposition" restores every frame at its own moment, "trajectory" the middle one only.
    """
    start = time.perf_counter()
    values = checked(name, options)
    pixels, flow = limited(inputs, int(values["limit"]))
    times = instants(int(values["frames"]))
    if len(times) * pixels.nbytes > LARGEST_RESULT:
        most = int(LARGEST_RESULT // pixels.nbytes)
        raise ValueError(f"{len(times)} frames of this photo do not fit in memory; ask for at most {most}")

    def tell(fraction: float, step: str) -> None:
        if is_cancelled():
            raise Cancelled
        on_progress(Progress(fraction, step))

    def work(device: torch.device) -> tuple[np.ndarray, Ends]:
        with torch.no_grad():
            tell(0.0, "Finding the motion")
            ends = found_motion(pixels, flow, str(values["told"]), device)
            tell(0.2, "Restoring")
            network = load_weights(RestorationNetwork(), "restoration", device)
            restorer = Restorer(pixels, ends, network, device)
            return frames_of(restorer, times, name == "trajectory", tell), ends

    (frames, ends), device, notes = run_on(inputs.device, work)
    on_progress(Progress(1.0, "Done"))
    motion = ends.motion(times if len(times) <= MOTION_TIMES else instants(MOTION_TIMES))
    moved = float(np.hypot(*np.moveaxis(motion.flow(), -1, 0)).mean())
    if ends.longest() < FAINT:
        notes = (*notes, "Hardly any motion was found in this photo.")
    return Recovery(
        frames, times, motion, name, values, device.type, time.perf_counter() - start, notes, {"moved": moved}
    )


def found_motion(pixels: np.ndarray, flow: np.ndarray | None, told: str, device: torch.device) -> Ends:
    """Start and end of every pixel of a photo; without guidance in one direction of time throughout."""
    network = load_weights(MotionNetwork(), "motion", device)
    photo = as_tensor(pixels, device)
    ends = estimate(network, photo, flow, told)
    return ends if flow is not None else one_direction(ends)


def frames_of(
    restorer: Restorer, times: np.ndarray, from_middle: bool, tell: Callable[[float, str], None]
) -> np.ndarray:
    """Frames (N, H, W, 3) at `times`."""
    frames = np.empty((len(times), *restorer.pixels.shape), restorer.pixels.dtype)
    if from_middle:
        restorer.keep_middle(MIDDLE)
    for n, t in enumerate(times):
        tell(0.25 + 0.75 * n / len(times), "Restoring")
        frames[n] = restorer.frame(float(t))
    return frames


def limited(inputs: Inputs, limit: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Photo, at most `limit` px a side (0: as it is), and the guidance's flow in its px; None where nothing is said."""
    if inputs.guidance.areas.shape != inputs.pixels.shape[:2]:
        raise ValueError("the guidance has another size than the photo")
    pixels, flow = np.ascontiguousarray(inputs.pixels), inputs.guidance.flow()
    if not np.isfinite(flow).any():
        flow = None
    height, width = pixels.shape[:2]
    if not 0 < limit < max(height, width):
        return pixels, flow
    import cv2

    scale = limit / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if flow is not None:
        flow = cv2.resize(flow, size, interpolation=cv2.INTER_NEAREST) * np.float32(scale)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), flow

"""Frames by network and deconvolution: the network restores the middle instant, deconvolution along the motion goes on
from there, and the other instants are that one, moved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.decomposition.restoring import Restorer
from models.drawn import engine as drawn
from models.motion import MIDDLE
from models.recovery import Inputs, Progress
from models.trajectory.estimation import Ends
from models.trajectory.sharpening import as_guidance

ROUNDS = 1
"""Of deconvolution. On real exposures one brings the network's picture nearer to the truth, four spoil it."""


def frames_by_both(
    restorer: Restorer,
    ends: Ends,
    count: int,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> np.ndarray:
    """So many frames (count, H, W, 3) of the photo's type, at even times. Raises Cancelled."""
    inputs = Inputs(restorer.pixels, as_guidance(restorer.pixels, ends), restorer.device.type)
    options = {"frames": count, "iterations": ROUNDS}
    return drawn.along(inputs, options, 1.0, on_progress, is_cancelled, restorer.frame(MIDDLE)).frames

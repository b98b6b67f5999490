"""The middle instant by deconvolution along found motion: what the restoration network is shown beside the photo, and
what shows how evenly a camera moved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from models.drawn import engine as drawn
from models.guidance import Guidance
from models.motion import MOTION_TIMES, instants
from models.recovery import Inputs, Progress
from models.trajectory.estimation import Ends

ROUNDS, PATHS = (15, 40), (14.0, 22.0)
"""Rounds of deconvolution for the shorter and for the longer of two paths, px, and in between accordingly: long blur
takes more rounds to come out, and along short ways, of things, which are found less surely, more of them do harm."""


def as_guidance(pixels: np.ndarray, ends: Ends) -> Guidance:
    """Found motion, `ends` in px of the photo, as guidance for its pixels (H, W, 3): what engines that follow told
    motion are given."""
    return Guidance(np.zeros(pixels.shape[:2], np.uint8), motion=ends.motion(instants(MOTION_TIMES)))


def sharpened(
    pixels: np.ndarray,
    ends: Ends,
    device: torch.device,
    on_progress: Callable[[Progress], None] = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
    rounds: int | None = None,
) -> np.ndarray:
    """The middle instant (H, W, 3) of a photo of the same shape and type after so many rounds, None: as many as its
    longest path asks for; `ends` in its px; the photo itself where nothing moves. Raises Cancelled."""
    rounds = round(float(np.interp(ends.longest(), PATHS, ROUNDS))) if rounds is None else rounds
    inputs = Inputs(pixels, as_guidance(pixels, ends), device.type)
    return drawn.along(inputs, {"frames": 1, "iterations": rounds}, 1.0, on_progress, is_cancelled).frames[0]

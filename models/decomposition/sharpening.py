"""The middle instant by deconvolution along found motion: what the restoration network is shown beside the photo."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from models.drawn import engine as drawn
from models.recovery import Inputs, Progress
from models.trajectory.engine import as_guidance
from models.trajectory.estimation import Ends


def sharpened(
    pixels: np.ndarray,
    ends: Ends,
    device: torch.device,
    on_progress: Callable[[Progress], None] = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> np.ndarray:
    """The middle instant (H, W, 3) of a photo of the same shape and type, `ends` in its px; the photo itself where
    nothing moves. Raises Cancelled."""
    inputs = Inputs(pixels, as_guidance(pixels, ends), device.type)
    return drawn.along(inputs, {"frames": 1}, 1.0, on_progress, is_cancelled).frames[0]

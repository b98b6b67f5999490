"""The slight shake of a camera, as a guess.

Many hand-held photos are shaken by a px or three: too little for the motion network, which says nothing where nothing
is told and motion is short, and too much to be sharp. Of what a camera may have done (going along one of four lines,
zooming, turning) the motion is taken that windows seen along it doubt least. Whether there is any is often a guess, so
it is only ever suggested.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from models.areas.correction import CorrectionNetwork
from models.areas.fields import AFFINE, COEFFICIENTS, NEAREST_LOOK, SPAN, likeliest, shortened, spread
from models.areas.proposals import SURE

_LINES = tuple((math.cos(n * math.pi / 4), math.sin(n * math.pi / 4)) for n in range(4))
_CHANGES = (((1, 0), (0, 1)), ((0, 1), (-1, 0)))
"""How a zoom and a turn change for each px to the right, and down."""


@dataclass(frozen=True)
class Shake:
    """flow   (h, w, 2) px of the photo, on a grid over it, in one of its two directions of time.
    doubt  by how much, as a share of the motion, windows are off by their own account."""

    flow: np.ndarray
    doubt: float


@torch.no_grad()
def shaken(network: CorrectionNetwork, photo: torch.Tensor, scale: float) -> Shake:
    """The likeliest shake, px of the photo, seen in its copy (1, 3, H, W), sRGB curve, `scale` times as large. Doubted
    infinitely where the copy has room for too few windows."""
    grey = photo.mean(1)[0]
    height, width = grey.shape
    centre = torch.tensor([width / 2, height / 2], device=grey.device)
    fields = grey.new_zeros(len(_LINES) + len(_CHANGES), COEFFICIENTS, 2)
    fields[: len(_LINES), 0] = NEAREST_LOOK * fields.new_tensor(_LINES)
    fields[len(_LINES) :, 1:AFFINE] = 2 * NEAREST_LOOK * SPAN / max(height, width) * fields.new_tensor(_CHANGES)
    field, doubt = likeliest(network, grey, torch.ones_like(grey), centre, fields.unbind())
    flow = spread(field[None], centre[None], height, width)[0].permute(1, 2, 0).cpu().numpy()
    called = float(np.hypot(flow[..., 0], flow[..., 1]).mean())
    truly = shortened(called) if doubt >= SURE else called
    return Shake(flow * (truly / max(called, 1e-6) / scale), doubt)

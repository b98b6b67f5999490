"""How evenly a camera moved over the exposure: where in its way the middle instant lies.

A pan that sets out slowly leaves a trace that is denser at its beginning. Of the pictures that deconvolution makes of
the photo along the same way at different paces the right one has the fewest edges for its contrast: the mean of slopes
along the way over the root of the mean of their squares is least (that ratio as a prior of sharp pictures: Krishnan,
Tay and Fergus, Blind Deconvolution Using a Normalized Sparsity Measure, 2011). It says nothing of the motion of small
things, so it is asked only where most of the photo moves far.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from models.trajectory.estimation import Ends, as_tensor
from models.trajectory.evidence import slopes
from models.trajectory.sharpening import sharpened

SIDE, ROUNDS = 256, 12
"""The longer side, at most, of the copy that is looked at, and the rounds of its deconvolution."""
PACE = 0.2
"""The pace that is tried, as the mean of start and end over half the way between them: the one end of the way is gone
two and a third times as fast as the other."""
FAR, BROAD = 2.5, 0.5
"""Px of the copy from which motion shows a pace, and the share of the copy that has to move so far."""
FALL, RISE = 0.012, 0.005
"""By how much, as shares, the ratio has to fall for a pace to count as seen, and to rise for the opposite one: where
the way is taken for too short it falls for both."""
BORDER = 8
"""Px of the copy at its borders that do not count, where deconvolution lacks what lay outside."""


def paced(ends: Ends, pixels: np.ndarray, device: torch.device) -> Ends:
    """The ways in a photo (H, W, 3) gone at the pace that it shows; as they are where they are short or few, and where
    no pace stands out."""
    scale = min(1.0, SIDE / max(pixels.shape[:2]))
    size = [round(length * scale) for length in pixels.shape[:2]]
    if min(size) < 4 * BORDER:
        return ends
    small = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
    way = F.interpolate((ends.fields[:, 3] - ends.fields[:, 2]) * scale, size=size, mode="bilinear")
    length = way.norm(dim=1, keepdim=True)
    counts = F.pad((length > FAR)[..., BORDER:-BORDER, BORDER:-BORDER], (BORDER,) * 4)
    if float(counts.float().mean()) < BROAD:
        return ends
    if ends.leftward():  # so that reversed motion goes at the reversed pace
        return paced(ends.reversed(), pixels, device).reversed()
    ahead = way / length.clamp_min(1e-6)
    earlier, even, later = (
        _ratio(small, at_pace(ends.scaled(scale), pace), ahead, counts, device) for pace in (-PACE, 0.0, PACE)
    )
    pace = PACE if later < earlier else -PACE
    seen = min(earlier, later) < (1 - FALL) * even and max(earlier, later) > (1 + RISE) * even
    return at_pace(ends, pace) if seen else ends


def at_pace(ends: Ends, pace: float) -> Ends:
    """The same ways with start and end this far later or earlier, in halves of the way."""
    return ends.bent(np.full((1, 1), pace, np.complex64))


def _ratio(small: np.ndarray, ends: Ends, ahead: torch.Tensor, counts: torch.Tensor, device: torch.device) -> float:
    """Mean over root mean square of slopes along directions (1, 2, h, w) of what deconvolution makes of the photo."""
    crisp = as_tensor(sharpened(small, ends, device, rounds=ROUNDS), device).mean(1, keepdim=True)
    slope = (slopes(crisp) * ahead).sum(1, keepdim=True)[counts]
    return float(slope.abs().mean() / slope.square().mean().sqrt().clamp_min(1e-6))

"""What stands behind a moving thing, where the exposure shows too little of it."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from models import exposure

_CLEAR = 0.98
"""Share of the exposure for which a pixel must be seen to count as background alone."""
_REACH = 4
"""Px of background that one uncovered pixel is told from."""


def uncovered(photo: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """The photo (1, 3, H, W), linear light, without the things that cover it.

    `visible` (1, 1, H, W): how much of the exposure each pixel is seen. What is seen all the time stays; what is
    seen only at times is drawn on from the nearest of it (Telea's inpainting, on the sRGB curve, where steps are
    even to the eye). What is never seen does not matter and stays too.
    """
    seen = visible[0, 0].cpu().numpy()
    hidden = ((seen < _CLEAR) & (seen > 0)).astype(np.uint8)
    if not hidden.any() or hidden.all():
        return photo
    rows, columns = np.flatnonzero(hidden.any(1)), np.flatnonzero(hidden.any(0))
    y0, y1 = max(rows[0] - 2 * _REACH, 0), rows[-1] + 2 * _REACH + 1
    x0, x1 = max(columns[0] - 2 * _REACH, 0), columns[-1] + 2 * _REACH + 1
    hidden = cv2.dilate((seen < _CLEAR).astype(np.uint8), np.ones((3, 3), np.uint8))[y0:y1, x0:x1]
    pixels = exposure.to_pixels(photo[:, :, y0:y1, x0:x1])[0]
    drawn = exposure.from_pixels(cv2.inpaint(pixels, hidden, _REACH, cv2.INPAINT_TELEA), photo.device)
    result = photo.clone()
    filled = torch.from_numpy(hidden > 0).to(photo.device)
    result[:, :, y0:y1, x0:x1] = torch.where(filled, drawn, photo[:, :, y0:y1, x0:x1])
    return result

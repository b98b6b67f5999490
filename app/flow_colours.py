"""A flow as a picture: the colours of the Middlebury benchmark."""

from __future__ import annotations

import numpy as np


def flow_colours(flow: np.ndarray, longest: float | None = None) -> np.ndarray:
    """uint8 (H, W, 3) of a flow (H, W, 2) px: the hue is the direction, white is rest, the longest has full colour.

    `longest` px instead of the longest there is makes pictures comparable; what goes beyond it is darkened.
    """
    flow = np.nan_to_num(np.asarray(flow, np.float32))
    length = np.hypot(flow[..., 0], flow[..., 1])
    radius = (length / max(longest or float(length.max(initial=0)), 1e-6))[..., None]
    wheel = _wheel()
    place = (np.arctan2(-flow[..., 1], -flow[..., 0]) / np.pi + 1) / 2 * (len(wheel) - 1)
    before = place.astype(int)
    share = (place - before)[..., None]
    colour = wheel[before] * (1 - share) + wheel[(before + 1) % len(wheel)] * share
    return np.rint(np.where(radius <= 1, 255 - radius * (255 - colour), colour * 0.75)).astype(np.uint8)


def _wheel() -> np.ndarray:
    """The 55 hues of the benchmark, float32 (55, 3)."""
    red, green, blue = np.eye(3, dtype=np.float32) * 255
    corners = [(red, red + green, 15), (red + green, green, 6), (green, green + blue, 4)]
    corners += [(green + blue, blue, 11), (blue, blue + red, 13), (blue + red, red, 6)]
    return np.concatenate([a + (b - a) * (np.arange(n, dtype=np.float32) / n)[:, None] for a, b, n in corners])

"""The canvas's colours, as numbers: pure functions, no Qt.

Colours are 0xAARRGGBB words; pictures of them are uint32 (H, W), premultiplied by their alpha, which is how Qt's
Format_ARGB32_Premultiplied lies in memory.
"""

from __future__ import annotations

import numpy as np

from app.flow_colours import flow_colours
from app.region_colours import REGIONS, TINT_ALPHA, region

__all__ = ["TINT_ALPHA", "region"]

PICKS = (0x3F86DC, 0xD9761A, 0x2B9E62, 0xCF4F48, 0x8F68C9, 0x2A9AA5, 0xC2559A, 0x9A8222)
"""Of picked pixels: white numbers can be read on them, and they on a dark panel and a light one."""
HALO, INK = 0xC0101010, 0xFFFFFFFF
DARK_BACKGROUND, LIGHT_BACKGROUND = 0xFF2B2B2D, 0xFFC9C9CC

# Viridis with its darkest fifth left out, so that the start of a trajectory shows on a dark photo too.
_TIME = np.array([(62, 74, 137), (38, 130, 142), (53, 183, 121), (170, 220, 50), (253, 231, 37)], np.float64)
_HEAT = np.array([(0, 0, 0), (87, 15, 109), (187, 55, 84), (249, 142, 8), (252, 255, 164)], np.float64)


def pick(number: int) -> int:
    """The opaque colour of the picked pixel `number`, from 1."""
    return 0xFF000000 | PICKS[(number - 1) % len(PICKS)]


def tint_table() -> np.ndarray:
    """What each region number paints into the tint: uint32 (256,); number 0 is clear."""
    numbers = np.arange(1, 256)
    rgb = np.array(REGIONS, np.uint32)[(numbers - 1) % len(REGIONS)]
    channels = np.stack([rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255], -1).astype(np.float32)
    return np.concatenate([np.zeros(1, np.uint32), premultiplied(channels, TINT_ALPHA)])


def premultiplied(channels: np.ndarray, alpha: np.ndarray | float) -> np.ndarray:
    """Words of colours (..., 3) in 0 to 255 with an alpha in 0 to 1 of the same shape less the last axis."""
    alpha = np.broadcast_to(alpha, channels.shape[:-1])
    red, green, blue = np.moveaxis(np.rint(channels * alpha[..., None]).astype(np.uint32), -1, 0)
    return np.rint(alpha * 255).astype(np.uint32) << 24 | red << 16 | green << 8 | blue


def time_colours(count: int) -> list[int]:
    """`count` opaque colours from the start of the exposure (blue) to its end (yellow), colour-blind safe."""
    return [int(word) for word in premultiplied(_ramp(_TIME, np.linspace(0, 1, count)), 1.0)]


def error_picture(error: np.ndarray) -> np.ndarray:
    """An error map (h, w), 0 none to 1 most, as words (h, w): clear where there is none, then red to yellow."""
    error = np.clip(np.nan_to_num(error), 0, 1)
    return premultiplied(_ramp(_HEAT, error), np.sqrt(error))


def flow_picture(flow: np.ndarray, longest: float | None = None) -> np.ndarray:
    """The Middlebury colours of a flow (H, W, 2) px, as opaque words (H, W): the hue is the direction, white is rest.

    `longest` px is the length that gets the full colour; None: the longest there is. Not-a-number is clear.
    """
    known = np.asarray(np.isfinite(flow).all(-1), np.float32)
    return premultiplied(flow_colours(flow, longest), known)


def _ramp(stops: np.ndarray, place: np.ndarray) -> np.ndarray:
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(place, at, stops[:, channel]) for channel in range(3)], -1)

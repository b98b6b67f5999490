"""Suggestions and the small loops that show what each of them says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.guidance_picture import guidance_picture
from app.reel import eight_bits, resized
from models import catalog
from models.guidance import Guidance
from models.recovery import Inputs, Progress

SIDE, FRAMES = 240, 10
MOVES, POINTS = 0.07, 0.2
"""Of the loop's longer side, at least, the longest motion and the longest arrow: less would hardly be seen."""


@dataclass(frozen=True)
class Suggestions:
    """Guidance to choose from, the likeliest first.

    loops  uint8 (K, N, h, w, 3): for each what it makes of the photo, from first to last instant; None: not asked for.
    """

    guidances: tuple[Guidance, ...]
    loops: np.ndarray | None = None


def loops(
    pixels: np.ndarray,
    guidances: tuple[Guidance, ...],
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> np.ndarray:
    """The photo (H, W, 3) moved along each guidance, with the arrows on top: uint8 (K, N, h, w, 3)."""
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = resized(eight_bits(pixels), size)
    found = []
    for number, guidance in enumerate(guidances):
        on_progress(Progress(number / len(guidances), "Moving the photo along it"))
        moving, pointing = (_shrunk(guidance, size, scale, share) for share in (MOVES, POINTS))
        found.append(_loop(small, moving, pointing, is_cancelled))
    return np.stack(found)


def _loop(small: np.ndarray, moving: Guidance, pointing: Guidance, is_cancelled: Callable[[], bool]) -> np.ndarray:
    options = {"frames": FRAMES, "sharpen": False}
    recovery = catalog.load("drawn")(Inputs(small, moving, "cpu"), options, lambda _: None, is_cancelled)
    return np.stack([guidance_picture(frame, pointing, SIDE) for frame in recovery.frames])


def _shrunk(guidance: Guidance, size: tuple[int, int], scale: float, share: float) -> Guidance:
    """The guidance for a copy of this size (w, h), its longest arrow at least that `share` of the longer side."""
    import cv2

    arrows = [guidance.camera, *(one.arrow for one in guidance.regions)]
    longest = max((arrow.length * scale for arrow in arrows if arrow is not None), default=0.0)
    factor = scale * max(1.0, share * max(size) / max(longest, 1e-6))
    areas = cv2.resize(guidance.areas, size, interpolation=cv2.INTER_NEAREST)
    regions = (replace(one, arrow=one.arrow and one.arrow.scaled(factor), at=None) for one in guidance.regions)
    return Guidance(areas, tuple(regions), guidance.camera and guidance.camera.scaled(factor))

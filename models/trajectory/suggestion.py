"""What the motion network proposes by itself: one direction of time throughout, and regions a person can edit."""

from __future__ import annotations

import numpy as np
import torch

from models.guidance import Guidance, Region
from models.motion import Arrow, resized_field
from models.trajectory.estimation import Ends

MOVING = 1.0
SMALLEST_SHARE = 0.004
MOST = 6
GRID = 1024
"""The longer side, at most, of the grid on which the regions are found."""


def one_direction(ends: Ends) -> Ends:
    """The motion with start and end swapped wherever it runs against the photo's main axis.

    Without guidance each pixel's direction of time is a guess; along one axis the guesses agree. The main axis is that
    of the doubled angles, weighted by length; of its two directions the one that most pixels found is kept.
    """
    flow = (ends.fields[:, 3] - ends.fields[:, 2])[0]
    length = flow.norm(dim=0).clamp_min(1e-6)
    doubled = torch.stack((flow[0] ** 2 - flow[1] ** 2, 2 * flow[0] * flow[1])) / length
    angle = torch.atan2(doubled[1].sum(), doubled[0].sum()) / 2
    along = flow[0] * angle.cos() + flow[1] * angle.sin()
    along = along if float(along.sum()) >= 0 else -along
    swapped = ends.fields[:, [1, 0, 3, 2]]
    return Ends(torch.where(along >= 0, ends.fields, swapped))


def suggested(ends: Ends, height: int, width: int) -> Guidance:
    """The motion as guidance for a photo (height, width): the camera's arrow and up to six regions, largest first.

    Pixels are grouped by the nearest of four directions and by connection; what is small joins nothing and is left
    out. What fills more than half of the photo is the camera's.
    """
    import cv2

    scale = min(1.0, GRID / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    flow = resized_field((ends.fields[0, 3] - ends.fields[0, 2]).permute(1, 2, 0).cpu().numpy(), *size)
    pieces = _pieces(flow)
    areas, regions, camera = np.zeros(size, np.uint8), [], None
    if pieces and pieces[0].mean() > 0.5:
        camera = _arrow(flow, pieces.pop(0))
    for number, piece in enumerate(pieces[:MOST], 1):
        areas[piece] = number
        regions.append(Region(number, f"suggestion {number}", _arrow(flow, piece)))
    if size != (height, width):
        areas = cv2.resize(areas, (width, height), interpolation=cv2.INTER_NEAREST)
    return Guidance(areas, tuple(regions), camera)


def _pieces(flow: np.ndarray) -> list[np.ndarray]:
    """What moves one way and hangs together, of a flow (H, W, 2) px: masks bool (H, W), largest first."""
    import cv2

    sector = np.round(np.degrees(np.arctan2(-flow[..., 1], flow[..., 0])) / 90).astype(int) % 4 + 1
    sector[np.hypot(flow[..., 0], flow[..., 1]) < MOVING] = 0
    found: list[tuple[int, np.ndarray]] = []
    for one in range(1, 5):
        mask = cv2.morphologyEx((sector == one).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
        _, numbered, stats, _ = cv2.connectedComponentsWithStats(mask)
        sizes = stats[:, cv2.CC_STAT_AREA]
        large = [number for number in range(1, len(sizes)) if sizes[number] >= SMALLEST_SHARE * sector.size]
        found += [(int(sizes[number]), numbered == number) for number in large]
    return [piece for _, piece in sorted(found, key=lambda one: -one[0])]


def _arrow(flow: np.ndarray, where: np.ndarray) -> Arrow:
    x, y = np.median(flow[where], axis=0)
    return Arrow.from_vector(float(x), float(y))

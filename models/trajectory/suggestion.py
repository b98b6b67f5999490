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
    """The motion as guidance for a photo (height, width): the camera's arrow and up to six regions, largest last.

    Pixels are grouped by direction in 45-degree sectors and by connection; what is small joins nothing and is left out.
    """
    import cv2

    flow = resized_field((ends.fields[0, 3] - ends.fields[0, 2]).permute(1, 2, 0).cpu().numpy(), height, width)
    length = np.hypot(flow[..., 0], flow[..., 1])
    sector = np.round(np.degrees(np.arctan2(-flow[..., 1], flow[..., 0])) / 90).astype(int) % 4 + 1
    sector[length < MOVING] = 0
    pieces: list[np.ndarray] = []
    for one in range(1, 5):
        mask = cv2.morphologyEx((sector == one).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
        count, numbered = cv2.connectedComponents(mask)
        pieces += [numbered == number for number in range(1, count)]
    pieces = sorted(
        (piece for piece in pieces if piece.sum() >= SMALLEST_SHARE * height * width), key=lambda piece: -piece.sum()
    )
    areas, regions, camera = np.zeros((height, width), np.uint8), [], None
    if pieces and pieces[0].mean() > 0.5:
        camera = _arrow(flow, pieces.pop(0))
    for number, piece in enumerate(pieces[:MOST], 1):
        areas[piece] = number
        regions.append(Region(number, f"suggestion {number}", _arrow(flow, piece)))
    return Guidance(areas, tuple(regions), camera)


def _arrow(flow: np.ndarray, where: np.ndarray) -> Arrow:
    x, y = np.median(flow[where], axis=0)
    return Arrow.from_vector(float(x), float(y))

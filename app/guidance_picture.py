"""Guidance as a picture to look at: the photo with its regions tinted and their arrows on top."""

from __future__ import annotations

import numpy as np

from app.reel import eight_bits, resized
from app.region_colours import TINT_ALPHA, region
from models.guidance import NO_REGION, Guidance, Region
from models.motion import Arrow

SIDE = 960
_TIMES = np.linspace(0, 1, 25)
_FINE = 2
"""Lines are drawn so many times as large, which smooths them."""


def guidance_picture(pixels: np.ndarray, guidance: Guidance, side: int = SIDE) -> np.ndarray:
    """uint8 (h, w, 3), at most `side` px a side, of a photo (H, W, 3) and what is said about its motion."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    areas = cv2.resize(guidance.areas, size, interpolation=cv2.INTER_NEAREST)
    picture = _tinted(resized(eight_bits(pixels), size), areas)
    picture = cv2.resize(picture, None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_LINEAR)
    for number, arrow, at in _placed(guidance, areas):
        _draw(picture, arrow.scaled(scale * _FINE), at * _FINE, number)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _tinted(picture: np.ndarray, areas: np.ndarray) -> np.ndarray:
    shares = np.where(areas == NO_REGION, 0, TINT_ALPHA)[..., None]
    table = np.array([_rgb(number) for number in range(256)], np.float32)
    return np.rint(picture * (1 - shares) + table[areas] * shares).astype(np.uint8)


def _placed(guidance: Guidance, areas: np.ndarray) -> list[tuple[int, Arrow, np.ndarray]]:
    """Every arrow with its region's number and where its middle is: a region's centre, the photo's for the camera."""
    height, width = areas.shape
    placed = []
    if guidance.camera is not None:
        placed.append((NO_REGION, guidance.camera, np.array([width / 2, height / 2])))
    for one in guidance.regions:
        at = _middle(one, areas, width / guidance.areas.shape[1])
        if one.arrow is not None and at is not None:
            placed.append((one.number, one.arrow, at))
    return placed


def _middle(one: Region, areas: np.ndarray, scale: float) -> np.ndarray | None:
    """Where the middle of a region's arrow is, px of the small `areas`: where it was drawn, or the centre."""
    where = np.argwhere(areas == one.number)
    if one.at is not None:
        x, y = np.array(one.at) * scale
        if 0 <= y < areas.shape[0] and 0 <= x < areas.shape[1] and areas[int(y), int(x)] == one.number:
            return np.array([x, y])
    return where.mean(0)[::-1] + 0.5 if len(where) else None


def _draw(picture: np.ndarray, arrow: Arrow, at: np.ndarray, number: int) -> None:
    """The arrow's curve and head in its region's colour, in a light sheath in a dark one; a ring for a pin."""
    import cv2

    line = arrow.displacement(_TIMES)
    line = line - (line[0] + line[-1]) / 2 + at
    along = line[-1] - line[-2]
    along = along / max(float(np.hypot(*along)), 1e-6)
    left = np.array([along[1], -along[0]])
    size = min(9.0 * _FINE, arrow.length / 2)
    head = np.stack([line[-1], line[-1] - size * along + size / 2 * left, line[-1] - size * along - size / 2 * left])
    for ink, width in (((16, 16, 16), 8), ((255, 255, 255), 4), (_rgb(number), 2)):
        if arrow.length == 0:
            cv2.circle(picture, (round(at[0]), round(at[1])), 7 * _FINE, ink, width * _FINE, cv2.LINE_AA)
            continue
        cv2.polylines(picture, [_whole(line)], False, ink, width * _FINE, cv2.LINE_AA)
        cv2.polylines(picture, [_whole(head)], True, ink, width * _FINE, cv2.LINE_AA)
        cv2.fillPoly(picture, [_whole(head)], ink, cv2.LINE_AA)


def _whole(points: np.ndarray) -> np.ndarray:
    return np.rint(points).astype(np.int32)


def _rgb(number: int) -> tuple[int, int, int]:
    word = region(number)
    return word >> 16 & 255, word >> 8 & 255, word & 255

"""Guidance much like another: what a person asks for who likes one suggestion but not all of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.guidance import Guidance
from models.motion import Arrow

DEGREES = 18.0
STRETCH = 0.35
OUTLINE = 0.012
"""How far an outline moves, as a share of the photo's longer side."""
GRID = 1024


def varied(guidance: Guidance, seed: int) -> Guidance:
    """Other lengths, angles a little turned and outlines a little moved; the same for the same seed."""
    dice = np.random.default_rng(seed)
    regions = (replace(one, arrow=one.arrow and _varied_arrow(one.arrow, dice)) for one in guidance.regions)
    camera = guidance.camera and _varied_arrow(guidance.camera, dice)
    return replace(guidance, areas=_varied_areas(guidance.areas, dice), regions=tuple(regions), camera=camera)


def _varied_arrow(arrow: Arrow, dice: np.random.Generator) -> Arrow:
    degrees = (arrow.degrees + dice.normal(0, DEGREES)) % 360
    return replace(arrow, degrees=float(degrees), length=float(arrow.length * np.exp(dice.normal(0, STRETCH))))


def _varied_areas(areas: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    """Areas (H, W) read at places that lie a little off, smoothly so."""
    import cv2

    height, width = areas.shape
    scale = min(1.0, GRID / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    coarse = dice.normal(0, OUTLINE * max(size), (2, 5, 5)).astype(np.float32)
    x, y = (cv2.resize(one, size, interpolation=cv2.INTER_CUBIC) for one in coarse)
    small = cv2.resize(areas, size, interpolation=cv2.INTER_NEAREST)
    flags = cv2.INTER_NEAREST | cv2.WARP_RELATIVE_MAP
    moved = cv2.remap(small, x, y, flags, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(moved, (width, height), interpolation=cv2.INTER_NEAREST)

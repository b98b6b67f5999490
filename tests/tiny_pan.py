"""A texture seen by a camera that pans: what an arrow can be refined on."""

from __future__ import annotations

import cv2
import numpy as np


def panned(
    length: int, height: int = 160, width: int = 200, seed: int = 3, octaves: tuple[int, ...] = (2, 4, 8)
) -> np.ndarray:
    """Blurred by a pan of `length` px to the right, (H, W) in 0 to 1. `octaves`: sizes of its grains, px."""
    dice = np.random.default_rng(seed)
    coarse = [dice.random((height // step, (width + 80) // step)).astype(np.float32) for step in octaves]
    texture = np.mean([cv2.resize(one, (width + 80, height)) for one in coarse], 0)
    return np.mean([texture[:, 40 - n : 40 - n + width] for n in range(length + 1)], 0).astype(np.float32)


def pixels(grey: np.ndarray) -> np.ndarray:
    """(H, W) in 0 to 1 as a photo's pixels."""
    return np.repeat((grey * 255).round().astype(np.uint8)[..., None], 3, 2)

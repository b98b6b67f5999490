"""How near one picture or one series of frames is to another, and how sure a mean is."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np


def psnr(frames: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of uint8 arrays of one shape, from the error pooled over everything."""
    error = np.mean(np.square(frames.astype(np.float32) - truth.astype(np.float32)))
    return float(10 * np.log10(255**2 / max(float(error), 1e-3)))


def ssim(frames: np.ndarray, truth: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004: Gaussian window of sigma 1.5, 11 px) of (N, H, W, 3) uint8, the mean."""
    return float(np.mean([_ssim(one, other) for one, other in zip(frames, truth, strict=True)]))


def _ssim(one: np.ndarray, other: np.ndarray) -> float:
    x, y = one.astype(np.float32), other.astype(np.float32)
    mean_x, mean_y = _window(x), _window(y)
    var_x, var_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    both = _window(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    return float(np.mean(top / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))))


def _window(picture: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(picture, (11, 11), 1.5)


def bootstrap(
    values: Sequence[float], clips: Sequence[str] | None = None, rounds: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of the mean of `values`, drawn again with replacement.

    clips  which clip each value comes from: whole clips are drawn, as exposures of one clip are alike.
    """
    numbers = np.asarray(values, np.float64)
    names = np.arange(len(numbers)).astype(str) if clips is None else np.asarray(clips)
    member = names[:, None] == np.unique(names)  # (values, clips)
    sums, counts = numbers @ member, member.sum(0)
    drawn = np.random.default_rng(seed).integers(0, len(counts), (rounds, len(counts)))
    low, high = np.percentile(sums[drawn].sum(1) / counts[drawn].sum(1), [2.5, 97.5])
    return float(low), float(high)


def share_closed(score: float, floor: float, ceiling: float) -> float:
    """How much of the gap from floor to ceiling a score closes: 0 at the floor, 1 at the ceiling."""
    return (score - floor) / (ceiling - floor) if ceiling > floor else 0.0

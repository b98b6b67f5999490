"""The trajectories of single pixels that somebody picked, in numbers.

Pixels are (x, y) whole numbers; places are px of the photo with pixel centres on whole numbers.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from models.motion import MIDDLE, Motion

Pixel = tuple[int, int]

SMALLEST_KERNEL, LARGEST_KERNEL = 9, 257
"""Cells a side."""


@dataclass(frozen=True)
class Trajectory:
    """Where the thing that is at `pixel` at mid-exposure is over the exposure.

    times   float32 (N,), rising, within 0 to 1; linear between, held beyond.
    places  float64 (N, 2) px.
    """

    pixel: Pixel
    times: np.ndarray
    places: np.ndarray

    def at(self, times: float | np.ndarray) -> np.ndarray:
        """Places at any times: float64 (..., 2) px."""
        return np.stack([np.interp(times, self.times, self.places[:, axis]) for axis in (0, 1)], -1)

    def length(self) -> float:
        """px along the way, over the whole exposure."""
        return float(np.hypot(*np.diff(self.places, axis=0).T).sum())

    def chord(self) -> np.ndarray:
        """From the first to the last place, float64 (2,) px, y down."""
        return self.places[-1] - self.places[0]

    def speeds(self, times: np.ndarray) -> np.ndarray:
        """Along the curve at `times` (M,), float64 (M,) px per exposure: known between the times at hand, linear from
        one middle to the next."""
        if len(self.times) < 2:
            return np.zeros(len(times))
        speeds = np.hypot(*np.diff(self.places, axis=0).T) / np.diff(self.times)
        return np.interp(times, (self.times[1:] + self.times[:-1]) / 2, speeds)

    def kernel(self, most: int = LARGEST_KERNEL) -> np.ndarray:
        """The blur of a point here: float64 (S, S), S odd, a cell per px, the middle cell the picked pixel. The sum is
        1; where the motion is slow much of the exposure is spent, and the kernel is bright.

        A way too long for `most` cells is drawn on cells of more than a px.
        """
        times = np.linspace(0, 1, 64 + min(ceil(self.length()) * 4, 8192))
        way = self.at(times) - self.pixel
        half = max(ceil(np.abs(way).max()) + 1, SMALLEST_KERNEL // 2)
        cells = min(half, most // 2)
        way = way * (cells / half) + cells
        kernel = np.zeros((2 * cells + 1, 2 * cells + 1))
        first = np.floor(way).astype(np.intp)
        share = way - first
        for down in (0, 1):
            for right in (0, 1):
                weight = np.abs(1 - right - share[:, 0]) * np.abs(1 - down - share[:, 1])
                inside = weight > 0
                np.add.at(kernel, (first[inside, 1] + down, first[inside, 0] + right), weight[inside])
        return kernel / kernel.sum()


def trajectory(motion: Motion, pixel: Pixel, size: tuple[int, int]) -> Trajectory:
    """What `motion` says of a pixel of a photo `size` (H, W): the nearest place of its grid, so that two things that
    meet there do not mix."""
    x, y = pixel
    height, width = motion.trajectories.shape[1:3]
    row, column = min(y * height // size[0], height - 1), min(x * width // size[1], width - 1)
    return Trajectory(pixel, motion.times, motion.trajectories[:, row, column].astype(np.float64) + pixel)


def cropped(kernel: np.ndarray, margin: int = 2) -> np.ndarray:
    """The smallest square of a kernel (S, S) about all that is bright, with a margin; at least 9 cells a side."""
    rows, columns = np.nonzero(kernel)
    low, high = np.array([rows.min(), columns.min()]), np.array([rows.max(), columns.max()])
    side = max(int((high - low).max()) + 1 + 2 * margin, SMALLEST_KERNEL)
    top, left = (low + high - side + 1) // 2 + side
    return np.pad(kernel, side)[top : top + side, left : left + side]


def write_csv(path: Path, trajectories: Sequence[Trajectory]) -> None:
    """Write a line for each picked pixel and time: where it is (px), how far from where it is at mid-exposure (px), and
    how fast (px per exposure). Overwrites."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("point", "t", "x", "y", "dx", "dy", "speed"))
        for number, one in enumerate(trajectories, 1):
            middle = one.at(MIDDLE)
            for t, place, speed in zip(one.times, one.places, one.speeds(one.times), strict=True):
                numbers = (t, *place, *(place - middle), speed)
                lines.writerow((number, *(f"{value:.4f}" for value in numbers)))

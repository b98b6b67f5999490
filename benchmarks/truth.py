"""Exposures whose instants are known: reading them, their motion, and the scores to measure others by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch

from models import exposure
from models.motion import Motion, constrained, instants

FRAMES = 7
MOTIONS = ("straight", "offsets")


@dataclass(frozen=True, eq=False)
class Exposure:
    """One blurred photo (H, W, 3) with its true frames (7, H, W, 3), RGB uint8, flow (H, W, 2) and labels (H, W)."""

    name: str
    photo: np.ndarray
    frames: np.ndarray
    flow: np.ndarray
    labels: np.ndarray

    @property
    def clip(self) -> str:
        """The clip it was made from: its name less the number of the frame."""
        return self.name.rpartition("_")[0]

    @property
    def repeated(self) -> np.ndarray:
        """The floor: the photo in place of every frame."""
        return np.broadcast_to(self.photo, self.frames.shape)


def read_exposures(folder: Path, limit: int | None = None) -> list[Exposure]:
    """Every exposure in a folder of folders, by name. Raises ValueError where there is none."""
    places = sorted(place.parent for place in folder.glob("*/blurry.jpg"))[:limit]
    if not places:
        raise ValueError(f"{folder} has no folder with a blurry.jpg in it")
    return [_read(place) for place in places]


def _read(place: Path) -> Exposure:
    with np.load(place / "flow.npz", allow_pickle=False) as arrays:
        flow = arrays["flow"].astype(np.float32)
    frames = np.stack([picture(place / f"frame_{n:03d}.jpg") for n in range(FRAMES)])
    labels = cv2.imread(str(place / "guidance.png"), cv2.IMREAD_UNCHANGED)
    if labels is None:
        raise ValueError(f"{place / 'guidance.png'} cannot be read")
    return Exposure(place.name, picture(place / "blurry.jpg"), frames, flow, labels)


def picture(path: Path) -> np.ndarray:
    """A picture file (H, W, 3), RGB uint8. Raises ValueError where it is none."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path} cannot be read")
    return np.ascontiguousarray(picture[..., ::-1])


@lru_cache(maxsize=4)
def true_motion(one: Exposure, kind: str) -> Motion:
    """The motion of an exposure: "straight", its stored flow at even speed, or "offsets", the parabola through where
    DIS finds the middle frame's pixels in the first and in the last frame."""
    if kind == "straight":
        return Motion.from_flow(one.flow, FRAMES)
    if kind != "offsets":
        raise ValueError(f"expected a motion out of {', '.join(MOTIONS)}, got {kind}")
    ends = np.stack([_dis(one.frames[FRAMES // 2], one.frames[n]) for n in (0, -1)])
    times = instants(FRAMES)
    return Motion.from_trajectories(constrained(ends, times, "quadratic"), times)


def _dis(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    one, other = (cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in (first, second))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return search.calc(one, other, None)  # pyright: ignore[reportCallIssue, reportArgumentType]


def warped(picture: np.ndarray, motion: Motion, count: int = FRAMES) -> np.ndarray:
    """A picture (H, W, 3) moved along the offsets to `count` even times, in linear light, uint8 (count, H, W, 3)."""
    offsets = np.stack([motion.offsets_at(float(t)) for t in instants(count)])
    moved = exposure.frames(exposure.from_pixels(picture), torch.from_numpy(offsets)[None], cubic=True)
    return exposure.to_pixels(moved[0], picture.dtype)


def own_average(frames: np.ndarray, photo: np.ndarray) -> float:
    """How well frames average back to their photo, dB."""
    linear = torch.stack([exposure.from_pixels(frame) for frame in frames], 1)
    return float(exposure.reblur_error(linear, exposure.from_pixels(photo)))

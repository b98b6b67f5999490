"""Validation on real exposures: clips averaged into photos, with their true frames and a measured flow.

A folder an exposure: `blurry.jpg`, `frame_000.jpg` to `frame_006.jpg`, `flow.npz`, `guidance.png`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from models.decomposition.network import RestorationNetwork
from models.decomposition.restoring import Restorer
from models.guidance import UNKNOWN, encode, read_labels
from models.motion import instants
from models.trajectory.estimation import Ends, Networks, as_tensor, estimate

FRAMES = 7
MOVING = 1.0


@dataclass(frozen=True)
class Exposure:
    """One real exposure: photo and frames uint8 (H, W, 3), flow float32 (H, W, 2) px, labels uint8 (H, W)."""

    name: str
    photo: np.ndarray
    frames: np.ndarray
    flow: np.ndarray
    labels: np.ndarray

    def told(self) -> np.ndarray:
        """The labels as a guidance's flow: quadrants along their diagonal, NaN where unknown."""
        return np.where((self.labels == UNKNOWN)[..., None], np.nan, encode(self.labels)).astype(np.float32)


def read_exposures(folder: Path) -> Iterator[Exposure]:
    """All exposures of a folder, by name."""
    for one in sorted(path for path in folder.iterdir() if path.is_dir()):
        frames = np.stack([_picture(one / f"frame_{n:03d}.jpg") for n in range(FRAMES)])
        with np.load(one / "flow.npz", allow_pickle=False) as file:
            flow = file["flow"].astype(np.float32)
        yield Exposure(one.name, _picture(one / "blurry.jpg"), frames, flow, read_labels(one / "guidance.png"))


def _picture(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path} cannot be read as a picture")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def psnr(frames: np.ndarray, truth: np.ndarray) -> float:
    """Pooled over everything, dB."""
    return float(-10 * np.log10(np.square((frames.astype(np.float32) - truth) / 255).mean() + 1e-10))


@torch.no_grad()
def motion_scores(networks: Networks, exposures: list[Exposure], device: torch.device) -> dict[str, float]:
    """Mean over exposures of the flow's end-point error on moving pixels, px: quadrants told, nothing told (the better
    time direction), zero motion, the best constant."""
    rows: dict[str, list[float]] = {"clips_told": [], "clips_untold": [], "clips_zero": [], "clips_constant": []}
    for one in exposures:
        photo, truth = as_tensor(one.photo, device), one.flow
        moving = np.hypot(truth[..., 0], truth[..., 1]) > MOVING
        if not moving.any():
            continue
        told = _flow(estimate(networks, photo, one.told(), "quadrants"), truth)
        blind = _flow(estimate(networks, photo), truth)
        constant = np.broadcast_to(np.median(truth[moving], axis=0), truth.shape)
        rows["clips_told"].append(_error(told, truth)[moving].mean())
        rows["clips_untold"].append(np.minimum(_error(blind, truth), _error(-blind, truth))[moving].mean())
        rows["clips_zero"].append(_error(0 * truth, truth)[moving].mean())
        rows["clips_constant"].append(_error(constant, truth)[moving].mean())
    return {name: float(np.mean(values)) for name, values in rows.items()}


@torch.no_grad()
def frame_scores(
    networks: Networks, restoration: RestorationNetwork | None, exposures: list[Exposure], device: torch.device
) -> dict[str, float]:
    """Mean PSNR over exposures, pooled over seven frames each, dB: the photo repeated, and the frames restored along
    the motion found with the quadrants told."""
    repeated, found = [], []
    for one in exposures:
        ends = estimate(networks, as_tensor(one.photo, device), one.told(), "quadrants")
        restorer = Restorer(one.photo, ends, restoration, device)
        frames = np.stack([restorer.frame(float(t)) for t in instants(FRAMES)])
        repeated.append(psnr(np.broadcast_to(one.photo, frames.shape), one.frames))
        found.append(psnr(frames, one.frames))
    return {"clips_repeated": float(np.mean(repeated)), "clips_frames": float(np.mean(found))}


def _flow(ends: Ends, like: np.ndarray) -> np.ndarray:
    flow = (ends.fields[0, 3] - ends.fields[0, 2]).permute(1, 2, 0).cpu().numpy()
    return cv2.resize(flow, like.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _error(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.hypot(found[..., 0] - truth[..., 0], found[..., 1] - truth[..., 1])

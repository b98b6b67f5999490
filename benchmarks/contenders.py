"""Who finds the motion of a photo whose motion is known: nobody, who knows it, the shipped network, a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from models.devices import available
from models.loading import load_weights
from models.motion import instants, resized_field
from models.trajectory.estimation import as_tensor, estimate
from models.trajectory.network import MotionNetwork
from training.checkpoint import load_checkpoint
from training.recipes import changed, recipe
from training.recipes.exposure_trajectory import ExposureTrajectory

SAMPLES = 15


@dataclass(frozen=True, eq=False)
class Pair:
    """A photo blurred along known motion, and the sharp one; pixels (H, W, 3) uint8, RGB.

    linear  the photo as the same motion leaves it in linear light.
    flow    float32 (H, W, 2) px, x right, y down: straight and even, on the photo's grid.
    """

    name: str
    sharp: np.ndarray
    photo: np.ndarray
    linear: np.ndarray
    flow: np.ndarray


Contender = Callable[[Pair], np.ndarray]
"""Finds the offsets of a pair's photo at 15 even times, float32 (15, H, W, 2) px."""


def along(flow: np.ndarray) -> np.ndarray:
    """The offsets of straight, even motion with this flow (H, W, 2)."""
    return flow[None] * (0.5 - instants(SAMPLES))[:, None, None, None]


def nothing(pair: Pair) -> np.ndarray:
    """The answer that nothing moves."""
    return along(np.zeros_like(pair.flow))


def constant(pair: Pair) -> np.ndarray:
    """The best answer that is the same all over the photo: as long as the mean, along the better diagonal."""
    x, y = np.abs(pair.flow[..., 0]).mean(), np.abs(pair.flow[..., 1]).mean()
    sign = 1 if (pair.flow[..., 0] * pair.flow[..., 1]).sum() >= 0 else -1
    return along(np.broadcast_to(np.array([x, sign * y], np.float32), pair.flow.shape))


def truth(pair: Pair) -> np.ndarray:
    """The answer of who knows."""
    return along(pair.flow)


def shipped(device: str = "auto") -> Contender:
    """The engine `trajectory`'s network, told nothing."""
    return _unguided(load_weights(MotionNetwork(), "motion", _device(device)))


def checkpoint(folder: Path, device: str = "auto") -> Contender:
    """The averaged network of a training run. Raises ValueError where the folder holds none, or another kind."""
    tensors, _ = load_checkpoint(folder)
    said = json.loads((folder / "run.json").read_text())
    one = changed(recipe(said["recipe"]), said["settings"])
    network = one.network()
    network.load_state_dict(tensors["average"])
    network = network.to(_device(device)).eval().requires_grad_(False)
    if isinstance(one, ExposureTrajectory):
        return _offsets(one, network, _device(device))
    if isinstance(network, MotionNetwork):
        return _unguided(network)
    raise ValueError(f"{folder} holds a run of the recipe {said['recipe']}, which finds no motion")


def _unguided(network: MotionNetwork) -> Contender:
    device = next(network.parameters()).device

    @torch.no_grad()
    def find(pair: Pair) -> np.ndarray:
        motion = estimate(network, as_tensor(pair.photo, device)).motion(instants(SAMPLES))
        return resized_field(motion.offsets, *pair.photo.shape[:2])

    return find


def _offsets(one: ExposureTrajectory, network: nn.Module, device: torch.device) -> Contender:
    @torch.no_grad()
    def find(pair: Pair) -> np.ndarray:
        found = one.found(network, as_tensor(pair.photo, device), SAMPLES)
        return found[0].permute(0, 2, 3, 1).contiguous().cpu().numpy()

    return find


def _device(name: str) -> torch.device:
    return torch.device(available()[0] if name == "auto" else name)

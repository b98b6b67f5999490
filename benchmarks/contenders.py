"""Who finds the motion of a photo whose motion is known: nobody, who knows it, the shipped network, a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from models import exposure
from models.devices import available
from models.motion import instants, resized_field
from models.trajectory.engine import load_networks
from models.trajectory.estimation import Networks, as_tensor, estimate
from models.trajectory.network import MotionNetwork
from models.trajectory.pace import paced
from models.trajectory.suggestion import one_direction
from training.checkpoint import load_checkpoint
from training.recipes import Recipe, changed, recipe
from training.recipes.deblurring import Deblurring
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


@dataclass(frozen=True, eq=False)
class Found:
    """What a contender finds in a photo: offsets float32 (15, H, W, 2) px at even times, and the sharp photo where it
    has one of its own."""

    offsets: np.ndarray
    sharp: np.ndarray | None = None

    @property
    def flow(self) -> np.ndarray:
        return self.offsets[0] - self.offsets[-1]


Contender = Callable[[Pair], Found]


def along(flow: np.ndarray) -> Found:
    """Straight, even motion with this flow (H, W, 2)."""
    return Found(flow[None] * (0.5 - instants(SAMPLES))[:, None, None, None])


def nothing(pair: Pair) -> Found:
    """The answer that nothing moves."""
    return along(np.zeros_like(pair.flow))


def constant(pair: Pair) -> Found:
    """The best answer that is the same all over the photo: as long as the mean, along the better diagonal."""
    x, y = np.abs(pair.flow[..., 0]).mean(), np.abs(pair.flow[..., 1]).mean()
    sign = 1 if (pair.flow[..., 0] * pair.flow[..., 1]).sum() >= 0 else -1
    return along(np.broadcast_to(np.array([x, sign * y], np.float32), pair.flow.shape))


def truth(pair: Pair) -> Found:
    """The answer of who knows."""
    return along(pair.flow)


def shipped(device: str = "auto") -> Contender:
    """The engine `trajectory`'s network, told nothing."""
    return _unguided(load_networks(_device(device)))


def checkpoint(folder: Path, device: str = "auto") -> Contender:
    """The averaged network of a training run. Raises ValueError where the folder holds none, or another kind."""
    one, network = trained(folder, device)
    if isinstance(one, ExposureTrajectory):
        return _offsets(one, network)
    if isinstance(one, Deblurring):
        return _sharp(Sharpener(one, network), {"true": truth, "nothing": nothing}.get(one.told) or shipped(device))
    if isinstance(network, MotionNetwork):
        return _unguided(replace(load_networks(_device(device)), motion=network))
    raise ValueError(f"{folder} holds a run of {type(one).__name__}, which finds no motion")


def sharpener(folder: Path, device: str = "auto") -> Sharpener:
    """A run of the recipe `deblurring`. Raises ValueError where the folder holds none."""
    one, network = trained(folder, device)
    if not isinstance(one, Deblurring):
        raise ValueError(f"{folder} holds a run of {type(one).__name__}, which sharpens nothing along told motion")
    return Sharpener(one, network)


def trained(folder: Path, device: str = "auto") -> tuple[Recipe, nn.Module]:
    """The recipe of a training run and its averaged network. Raises ValueError where the folder holds none."""
    tensors, _ = load_checkpoint(folder)
    said = json.loads((folder / "run.json").read_text())
    one = changed(recipe(said["recipe"]), said["settings"])
    network = one.network()
    network.load_state_dict(tensors["average"])
    return one, network.to(_device(device)).eval().requires_grad_(False)


@dataclass(frozen=True, eq=False)
class Sharpener:
    """A network that finds the sharp middle instant along motion that it is told."""

    recipe: Deblurring
    network: nn.Module

    @torch.no_grad()
    def __call__(self, photo: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """The sharp instant of a photo, both (H, W, 3) uint8; `ends` (2, H, W, 2) px are offsets at start and end."""
        device = _device_of(self.network)
        told = torch.from_numpy(ends).permute(0, 3, 1, 2)[None].to(device)
        sharp = self.recipe.sharpened(self.network, as_tensor(photo, device), told)
        return exposure.as_pixels(sharp[0].clamp(0, 1))


def _unguided(networks: Networks) -> Contender:
    @torch.no_grad()
    def find(pair: Pair) -> Found:
        device = _device_of(networks.motion)
        ends = paced(one_direction(estimate(networks, as_tensor(pair.photo, device))), pair.photo, device)
        return Found(resized_field(ends.motion(instants(SAMPLES)).offsets, *pair.photo.shape[:2]))

    return find


def _offsets(one: ExposureTrajectory, network: nn.Module) -> Contender:
    @torch.no_grad()
    def find(pair: Pair) -> Found:
        return _found(one.found(network, as_tensor(pair.photo, _device_of(network)), SAMPLES))

    return find


def _sharp(sharpen: Sharpener, find_motion: Contender) -> Contender:
    def find(pair: Pair) -> Found:
        found = find_motion(pair)
        return Found(found.offsets, sharpen(pair.photo, found.offsets[[0, -1]]))

    return find


def _found(offsets: torch.Tensor) -> Found:
    """Of offsets (1, N, 2, H, W)."""
    return Found(offsets[0].permute(0, 2, 3, 1).contiguous().cpu().numpy())


def _device_of(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


def _device(name: str) -> torch.device:
    return torch.device(available()[0] if name == "auto" else name)

"""The restoration network on the motion that is found: the second stage of guided decomposition.

It learns what it will meet: motion that is wrong at outlines, too short where the blur is ambiguous, even where a thing
moves unevenly. What finds the motion is what ships.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from models.areas.proposals import proposed
from models.trajectory.engine import load_networks
from models.trajectory.estimation import Networks, seen_closely, settled
from training.recipes import Batch
from training.recipes.restoration import Restoration, along
from training.world import Exposures
from training.world.dice import Dice
from training.world.hints import sloppy


@functools.cache
def guide(device: torch.device) -> Networks:
    """What finds the motion to learn along."""
    return load_networks(device)


@torch.no_grad()
def with_hints(photo: torch.Tensor, guidance: torch.Tensor) -> torch.Tensor:
    """Hints (B, 13, H, W) of photos (B, 3, H, W): guidance (B, 5, H, W), and what is proposed given it."""
    networks = guide(photo.device)
    return torch.cat((guidance, proposed(networks.areas, photo, guidance, networks.correction, photo)), 1)


@torch.no_grad()
def found(photo: torch.Tensor, hints: torch.Tensor) -> torch.Tensor:
    """The motion (B, 4, 2, H, W) px found in photos (B, 3, H, W) given hints (B, 13, H, W)."""
    network = guide(photo.device).motion
    return torch.cat([settled(network, *one) for one in zip(photo.split(1), hints.split(1), strict=True)])


@dataclass(frozen=True)
class Decomposition(Restoration):
    """As `Restoration`, on found motion; its exposures' guidance is sloppy and always there."""

    rate: float = 6e-4

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        guidance, _ = sloppy(dice, exposures)
        return _along_found(exposures.photo, exposures.frames, guidance)

    def of_crops(self, crops: Batch) -> Batch:
        """Material of crops of real exposures (`training.real`), their quadrants told."""
        return _along_found(crops["photo"], crops["frames"], crops["guidance"])


@torch.no_grad()
def _along_found(photo: torch.Tensor, frames: torch.Tensor, guidance: torch.Tensor) -> Batch:
    hints = with_hints(photo, guidance)
    fields = found(photo, hints)
    adjustment = guide(photo.device).adjustment
    if adjustment is not None:
        each = zip(photo.split(1), fields.split(1), hints.split(1), strict=True)
        fields = torch.cat([seen_closely(adjustment, *one) for one in each])
    return along(photo, frames, F.avg_pool2d(fields.flatten(1, 2), 2).unflatten(1, (4, 2)))


RECIPE = Decomposition()

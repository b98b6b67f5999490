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
from models.trajectory.estimation import Networks, settled
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
def found(photo: torch.Tensor, guidance: torch.Tensor) -> torch.Tensor:
    """The motion (B, 4, 2, H/2, W/2) px found in photos (B, 3, H, W) given guidance (B, 5, H, W)."""
    networks = guide(photo.device)
    hints = torch.cat((guidance, proposed(networks.areas, photo, guidance, networks.correction, photo)), 1)
    fields = [settled(networks.motion, *one) for one in zip(photo.split(1), hints.split(1), strict=True)]
    return F.avg_pool2d(torch.cat(fields).flatten(1, 2), 2).unflatten(1, (4, 2))


@dataclass(frozen=True)
class Decomposition(Restoration):
    """As `Restoration`, on found motion; its exposures' guidance is sloppy and always there."""

    rate: float = 6e-4

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        guidance, _ = sloppy(dice, exposures)
        return along(exposures.photo, exposures.frames, found(exposures.photo, guidance))

    def of_crops(self, crops: Batch) -> Batch:
        """Material of crops of real exposures (`training.real`), their quadrants told."""
        return along(crops["photo"], crops["frames"], found(crops["photo"], crops["guidance"]))


RECIPE = Decomposition()

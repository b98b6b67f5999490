"""The restoration network on the motion that the motion network finds: the second stage of guided decomposition.

It learns what it will meet: motion that is wrong at outlines, too short where the blur is ambiguous. The motion network
is the shipped one, or the averaged one of the checkpoint folder that the environment variable UNSHUTTER_GUIDE names.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path

import torch

from models.loading import load_weights
from models.trajectory.network import MotionNetwork
from training.checkpoint import load_checkpoint
from training.recipes import Batch
from training.recipes.motion import guided
from training.recipes.restoration import Restoration, along
from training.world import Exposures
from training.world.dice import Dice
from training.world.hints import sloppy


@functools.cache
def guide(device: torch.device) -> MotionNetwork:
    """The motion network to learn from."""
    network = MotionNetwork()
    folder = os.environ.get("UNSHUTTER_GUIDE")
    if folder is None:
        return load_weights(network, "motion", device)
    network.load_state_dict(load_checkpoint(Path(folder))[0]["average"])
    return network.to(device).eval().requires_grad_(False)


@dataclass(frozen=True)
class Decomposition(Restoration):
    """As `Restoration`, on found motion; its exposures' guidance is sloppy and always there."""

    rate: float = 6e-4

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        device = exposures.photo.device
        guidance, _ = sloppy(dice, exposures)
        hints = guided(exposures.photo, guidance)
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
            motion = guide(device)(exposures.photo, hints)
        return along(exposures.photo, exposures.frames, motion.float())


RECIPE = Decomposition()

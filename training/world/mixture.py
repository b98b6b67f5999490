"""Two worlds in one: things in layers, and photos that smear along smooth maps."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from training.world.dice import Dice
from training.world.flow_maps import FlowMaps
from training.world.scene import Exposures, World


@dataclass(frozen=True)
class Mixture(FlowMaps):
    """Half of all batches, drawn by their seeds, are of the world of layers, the others of flow maps."""

    @torch.no_grad()
    def render(self, count: int, seed: int, frames: int = 7, sensor: bool = True) -> Exposures:
        """As either world does."""
        if bool(Dice(seed + 1, self.device).chance(0.5)):
            return super().render(count, seed, frames, sensor)
        return World(self.photos, self.size, self.reach, self.uneven).render(count, seed, frames, sensor)

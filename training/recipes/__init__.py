"""What can be trained, by name."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

import msgspec
import torch
from torch import nn

from training.world import Exposures, World
from training.world.dice import Dice

NAMES = (
    "areas",
    "correction",
    "motion",
    "adjustment",
    "moving",
    "restoration",
    "decomposition",
    "decomposer",
    "exposure_trajectory",
    "deblurring",
    "predictor",
)
Batch = dict[str, torch.Tensor]


class Recipe(Protocol):
    """One thing to train. The loop does the rest.

    batch, rate, clip  pictures a step, the highest learning rate, the largest norm of the gradient.
    reuse, kept        how many batches are learned from for each that is rendered, each time turned or mirrored another
                       way, and from how many of the last chunks they are drawn.
    reach              shortest and longest path in the world, as shares of the picture's side.
    score              the validation number that says how good it is; smaller is better.
    """

    batch: int
    rate: float
    clip: float
    reuse: int
    kept: int
    reach: tuple[float, float]
    score: str

    def network(self) -> nn.Module: ...

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        """What a rendered batch is kept as: tensors whose first dimension is the exposure."""
        ...

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        """The same exposures mirrored, turned or reversed at random."""
        ...

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor: ...

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]: ...

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        """Rows of pictures to look at."""
        ...


def recipe(name: str) -> Recipe:
    """The recipe of this name. Raises ValueError with one sentence."""
    if name not in NAMES:
        raise ValueError(f"there is no recipe called {name}; there is {', '.join(NAMES)}")
    return cast("Recipe", importlib.import_module(f"training.recipes.{name}").RECIPE)


def changed(one: Recipe, settings: Mapping[str, object]) -> Recipe:
    """The recipe with some of its settings, its public fields, changed; numbers and yes or no may be given as words.
    Raises ValueError with one sentence."""
    now = dataclasses.asdict(cast("Any", one))
    for name in settings:
        if name not in now:
            raise ValueError(f"this recipe has no setting called {name}; there is {', '.join(now)}")
    try:
        return msgspec.convert({**now, **settings}, type(one), strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"a setting does not fit: {error}") from error


def rendered(world: World, one: Recipe, count: int, seed: int, frames: int = 7, group: int | None = None) -> Batch:
    """`count` exposures as the recipe's material, rendered `group` at a time (one recipe batch), all from one seed."""
    group, parts = group or one.batch, []
    for first in range(0, count, group):
        exposures = world.render(min(group, count - first), seed * 1009 + first, frames)
        parts.append(one.material(exposures, Dice(seed * 1009 + first + 1, world.device)))
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}

"""Motion-aware deblurring (Exposure Trajectory Recovery, section 5.1): the sharp middle instant, offsets told.

The same network that is told nothing is the published backbone: trained alike, the one shows what the other gains.
Which way time runs makes no difference to the middle instant, so offsets are told in either direction at random.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from models.trajectory.deblurring import STRIDE, TAPS, MotionAwareDeblurring
from training.recipes import Batch
from training.recipes.exposure_trajectory import laid, path
from training.recipes.restoration import misjudged
from training.sheets import flow_colours, picture
from training.world import Exposures
from training.world.dice import Dice

TOLD = ("found", "true", "nothing")


@dataclass(frozen=True)
class Deblurring:
    """The recipe.

    told    which offsets the network is told: found ones, the true ones, or nothing. What finds them is too slow to
            learn with, so here "found" are the true ones, misjudged at random.
    alpha   how far the network's taps are pushed; that and `short` see `MotionAwareDeblurring`.
    even    whether a picture counts by the logarithm of its error, that is by its PSNR, and not by its error, as
            published: pictures that blur has spoilt most have the largest errors and are the hardest to learn from.
    """

    batch: int = 8
    rate: float = 1e-4
    clip: float = 1.0
    reuse: int = 6
    kept: int = 1
    reach: tuple[float, float] = (0.015, 0.25)
    score: str = "minus_gain"
    told: str = "found"
    width: int = 32
    alpha: float = 0.1
    short: bool = False
    even: bool = False

    def __post_init__(self) -> None:
        if self.told not in TOLD:
            raise ValueError(f"told is one of {', '.join(TOLD)}, got {self.told}")

    def network(self) -> nn.Module:
        network = MotionAwareDeblurring(self.width, self.alpha, self.short)
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        frames = exposures.frames.shape[1]
        if frames % 2 == 0:
            raise ValueError(f"this recipe needs the middle instant: an odd number of frames, got {frames}")
        ends = self.told_of(exposures.offsets[:, [0, -1]], dice)
        return {"photo": exposures.photo, "sharp": exposures.frames[:, frames // 2], "ends": ends}

    def told_of(self, ends: torch.Tensor, dice: Dice) -> torch.Tensor:
        """What the network is told of true offsets at start and end, (B, 2, 2, H, W) px."""
        if self.told == "found":
            return misjudged(ends, dice)
        return ends if self.told == "true" else torch.zeros_like(ends)

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        batch = laid(batch, dice)
        back = dice.chance(0.5, len(batch["ends"]))[:, None, None, None, None]
        return {**batch, "ends": torch.where(back, batch["ends"].flip(1), batch["ends"])}

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        error = (self.sharpened(network, batch["photo"], batch["ends"]) - batch["sharp"]).square().mean((1, 2, 3))
        return error.clamp_min(1e-6).log().mean() if self.even else error.mean()

    def sharpened(self, network: nn.Module, photo: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        """The sharp instant (B, 3, H, W) of a photo of any size, offsets at start and end (B, 2, 2, H, W) px told."""
        height, width = photo.shape[-2:]
        pad = (0, -width % STRIDE, 0, -height % STRIDE)
        photo = F.pad(photo, pad, mode="replicate")
        ends = F.pad(ends.flatten(1, 2), pad, mode="replicate").unflatten(1, (2, 2))
        offsets = None
        if self.told != "nothing":
            with torch.autocast(photo.device.type, enabled=False):
                offsets = path(ends, TAPS, "quadratic")
        photo = photo.contiguous(memory_format=torch.channels_last)
        return network(photo, offsets).float()[..., :height, :width]

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """PSNR in dB of the photo and of the sharpened one against the sharp instant, and the gain, negative."""
        scores: dict[str, list[float]] = {"blurred": [], "sharpened": []}
        for batch in batches:
            sharpened = self.sharpened(network, batch["photo"], batch["ends"]).clamp(0, 1)
            for name, pictures in (("blurred", batch["photo"]), ("sharpened", sharpened)):
                error = (pictures - batch["sharp"]).square().mean((1, 2, 3))
                scores[name] += (-10 * error.clamp_min(1e-10).log10()).tolist()
        means = {name: float(np.mean(values)) for name, values in scores.items()}
        return {**means, "minus_gain": means["blurred"] - means["sharpened"]}

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        rows = []
        sharpened = self.sharpened(network, batch["photo"], batch["ends"])
        for one in range(len(sharpened)):
            flow = batch["ends"][one, 0] - batch["ends"][one, 1]
            pictures = [picture(x[one]) for x in (batch["photo"], sharpened, batch["sharp"])]
            rows.append([flow_colours(flow, float(flow.norm(dim=0).max())), *pictures])
        return rows


RECIPE = Deblurring()

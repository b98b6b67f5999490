"""The published offset network (Exposure Trajectory Recovery), taught as published or by true offsets.

As published nobody tells it the motion: the true sharp middle instant, sampled along the offsets it finds and averaged,
has to give the photo back (eq. 5 to 11). Or it is told the true offsets, up to the direction of time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from models.exposure import blurred, linear_to_srgb, srgb_to_linear
from models.motion import CONSTRAINTS, constrained, instants
from models.symmetry import WAYS, turned, turned_vectors
from models.trajectory.published import STRIDE, PublishedOffsetNetwork
from training.recipes import Batch
from training.sheets import flow_colours, picture
from training.similarity import ms_ssim
from training.world import Exposures
from training.world.dice import Dice

TEACHERS = ("reblur", "offsets")


def laid(batch: Batch, dice: Dice) -> Batch:
    """Photos, their sharp instants and the ends (B, 2, 2, H, W) px of their motion, turned or mirrored at random."""
    way = int(dice.whole(WAYS))
    turns = {key: turned(batch[key], way) for key in ("photo", "sharp")}
    return {**turns, "ends": turned_vectors(batch["ends"], way)}


@dataclass(frozen=True)
class ExposureTrajectory:
    """The recipe; the published settings but for batch, reuse, clip and the loop's own optimiser.

    teacher       "reblur", as published, or "offsets": the true ones.
    constraint    what the offsets are bound to: "zero", "linear", "bi-linear" or "quadratic".
    offsets       how many there are to a photo.
    similarity    the weight of 1 - MS-SSIM; `smoothness` that of total variation, `nearness` that of squared length; 0
                  leaves a term out.
    linear_light  whether light is added up in linear light, as in the world of layers, or on the photo's values, as
                  in that of flow maps.
    """

    batch: int = 8
    rate: float = 1e-4
    clip: float = 1.0
    reuse: int = 6
    kept: int = 1
    reach: tuple[float, float] = (0.015, 0.25)
    score: str = "motion_mse"
    teacher: str = "reblur"
    constraint: str = "quadratic"
    offsets: int = 15
    similarity: float = 0.1
    smoothness: float = 5e-4
    nearness: float = 2e-5
    linear_light: bool = False
    width: int = 16

    def __post_init__(self) -> None:
        if self.teacher not in TEACHERS:
            raise ValueError(f"the teacher is one of {', '.join(TEACHERS)}, got {self.teacher}")
        if self.constraint not in CONSTRAINTS:
            raise ValueError(f"the constraint is one of {', '.join(CONSTRAINTS)}, got {self.constraint}")
        if self.offsets < 3 or self.offsets % 2 == 0:
            raise ValueError(f"there are 3, 5, 7 or more offsets, an odd number, got {self.offsets}")

    def network(self) -> nn.Module:
        fields = {"zero": self.offsets, "linear": 1}.get(self.constraint, 2)
        network = PublishedOffsetNetwork(self.width, fields)
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.xavier_uniform_(parameter)
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        frames = exposures.frames.shape[1]
        if frames % 2 == 0:
            raise ValueError(f"this recipe needs the middle instant: an odd number of frames, got {frames}")
        ends = exposures.offsets[:, [0, -1]]
        return {"photo": exposures.photo, "sharp": exposures.frames[:, frames // 2], "ends": ends}

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        return laid(batch, dice)

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        found = self.found(network, batch["photo"], self.offsets)
        with torch.autocast(found.device.type, enabled=False):  # offsets and sampling want more than 8 bits
            return self._told(found, batch) if self.teacher == "offsets" else self._reblur(found, batch)

    def _told(self, found: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Robust end-point error against the true path or the same path backwards, whichever is nearer at a pixel."""
        truth = path(batch["ends"], self.offsets, "quadratic")
        errors = [((found - one).square().sum(2) + 0.01).sqrt().mean(1) for one in (truth, truth.flip(1))]
        return torch.minimum(*errors).mean()

    def _reblur(self, found: torch.Tensor, batch: Batch) -> torch.Tensor:
        again = self.reblurred(batch["sharp"], found)
        loss = F.mse_loss(again, batch["photo"])
        if self.similarity:
            loss = loss + self.similarity * (1 - ms_ssim(again, batch["photo"]))
        down, right = found.diff(dim=-2).abs(), found.diff(dim=-1).abs()
        loss = loss + self.smoothness * (down.sum(2).mean() + right.sum(2).mean())
        return loss + self.nearness * found.square().sum(2).mean()

    def reblurred(self, sharp: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """The photo (B, 3, H, W) that a sharp instant leaves along offsets (B, N, 2, H, W)."""
        offsets = offsets.permute(0, 1, 3, 4, 2)
        if self.linear_light:
            return linear_to_srgb(blurred(srgb_to_linear(sharp), offsets))
        return blurred(sharp, offsets)

    def found(self, network: nn.Module, photo: torch.Tensor, count: int) -> torch.Tensor:
        """Offsets at `count` even times, (B, count, 2, H, W) px, of photos of any size."""
        height, width = photo.shape[-2:]
        padded = F.pad(photo, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
        fields = network(padded.contiguous(memory_format=torch.channels_last)).float()[..., :height, :width]
        with torch.autocast(photo.device.type, enabled=False):
            return path(fields, count, self.constraint)

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """The published motion error in px^2, beside that of no motion and of the best constant; the end-point error
        of the flow in px against the better direction of time; and the reblur PSNR in dB, which proves little."""
        parts = [self._scores(network, batch) for batch in batches]
        return {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}

    def _scores(self, network: nn.Module, batch: Batch) -> dict[str, float]:
        found = self.found(network, batch["photo"], self.offsets)
        flow, truth = found[:, 0] - found[:, -1], batch["ends"][:, 0] - batch["ends"][:, 1]
        distance = torch.minimum((flow - truth).norm(dim=1), (flow + truth).norm(dim=1))
        error = (self.reblurred(batch["sharp"], found) - batch["photo"]).square().mean((1, 2, 3))
        return {
            "motion_mse": float((flow.abs() - truth.abs()).square().mean()),
            "zero_mse": float(truth.square().mean()),
            "constant_mse": float(truth.abs().var((2, 3)).mean()),
            "end_point_error": float(distance.mean()),
            "reblur": float((-10 * error.clamp_min(1e-10).log10()).mean()),
        }

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        rows = []
        found = self.found(network, batch["photo"], self.offsets)
        again = self.reblurred(batch["sharp"], found)
        for one in range(len(found)):
            truth = batch["ends"][one, 0] - batch["ends"][one, 1]
            longest = float(truth.norm(dim=0).max())
            flows = [flow_colours(flow, longest) for flow in (truth, found[one, 0] - found[one, -1])]
            pictures = [picture(x[one]) for x in (batch["photo"], again, batch["sharp"])]
            rows.append([pictures[0], *flows, *pictures[1:]])
        return rows


def path(fields: torch.Tensor, count: int, constraint: str) -> torch.Tensor:
    """Offsets (B, count, 2, H, W) at even times from a constraint's fields (B, K, 2, H, W)."""
    return constrained(fields.transpose(0, 1), instants(count), constraint).transpose(0, 1)  # type: ignore[arg-type]


RECIPE = ExposureTrajectory()

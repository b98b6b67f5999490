"""The motion network: start and end of every pixel, with guidance and without.

Where a true direction is told the loss is the plain end-point error; elsewhere the smaller of the errors against the
two time directions, because one photo cannot tell them apart.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from models.areas.network import AreaNetwork
from models.areas.proposals import GUIDANCE, proposed, reversed_hints, turned_hints
from models.loading import load_weights
from models.symmetry import WAYS, turned, turned_vectors
from models.trajectory.network import MotionNetwork
from training.recipes import Batch
from training.sheets import flow_colours, picture
from training.world import Exposures
from training.world.dice import Dice
from training.world.hints import sloppy

MOVING = 1.0


def end_point_errors(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean over the four fields (B, 4, 2, h, w) of the robust end-point error, (B, 1, h, w) px."""
    return ((found - truth).square().sum(2) + 0.01).sqrt().mean(1, keepdim=True)


def backwards(motion: torch.Tensor) -> torch.Tensor:
    """Motion (B, 4, 2, h, w) of the same exposures played backwards: start and end change places."""
    return motion[:, [1, 0, 3, 2]]


def _cropped(batch: Batch, dice: Dice, share: float) -> Batch:
    """A random part of each picture, `share` of its side: more steps for the same time."""
    half = batch["firm"].shape[-1]
    side = max(8, int(half * share) // 8 * 8)
    y, x = (int(dice.whole(half - side + 1)) for _ in range(2))
    cut = {2 * half: (slice(2 * y, 2 * (y + side)), slice(2 * x, 2 * (x + side)))}
    cut[half] = (slice(y, y + side), slice(x, x + side))
    return {key: value[(..., *cut[value.shape[-1]])] for key, value in batch.items()}


@functools.cache
def judge(device: torch.device) -> AreaNetwork:
    """The area network whose proposals are learned from: the shipped one."""
    return load_weights(AreaNetwork(), "areas", device)


def guided(photo: torch.Tensor, guidance: torch.Tensor) -> torch.Tensor:
    """Hints (B, 13, H, W): guidance (B, 5, H, W), and what is proposed for photos (B, 3, H, W) given it."""
    return torch.cat((guidance, proposed(judge(photo.device), photo, guidance)), 1)


def unguided(photo: torch.Tensor) -> torch.Tensor:
    """Hints (B, 13, H, W) where nothing is told."""
    return guided(photo, photo.new_zeros(len(photo), GUIDANCE, *photo.shape[-2:]))


def with_hints(batch: Batch) -> Batch:
    """Material whose guidance is joined by what is proposed, `hints`, with what is proposed were nothing told, `blind`,
    beside it."""
    hints, blind = guided(batch["photo"], batch["guidance"]), unguided(batch["photo"])
    return {key: value for key, value in batch.items() if key != "guidance"} | {"hints": hints, "blind": blind}


@dataclass(frozen=True)
class Motion:
    """The recipe; `crop` is how much of a rendered picture's side a step sees, `untold` the share of exposures that it
    sees without guidance."""

    batch: int = 6
    rate: float = 1.5e-3
    clip: float = 2.0
    reuse: int = 6
    kept: int = 1
    reach: tuple[float, float] = (0.015, 0.25)
    score: str = "told_epe"
    crop: float = 1.0
    untold: float = 0.25
    widths: tuple[int, ...] = (24, 48, 96, 128)

    def network(self) -> nn.Module:
        return MotionNetwork(self.widths)

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        ends = torch.cat((exposures.offsets[:, [0, -1]], exposures.trajectories[:, [0, -1]]), 1)
        half = F.avg_pool2d(ends.flatten(0, 1), 2).unflatten(0, ends.shape[:2])
        guidance, firm = sloppy(dice, exposures)
        firm = F.avg_pool2d(firm.float(), 2) > 0.99
        return with_hints({"photo": exposures.photo, "motion": half, "guidance": guidance, "firm": firm})

    def of_crops(self, crops: Batch) -> Batch:
        """Material of crops of real exposures (`training.real`)."""
        return with_hints({name: value for name, value in crops.items() if name != "frames"})

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        batch = _cropped(batch, dice, self.crop)
        way = int(dice.whole(WAYS))
        batch = {
            "photo": turned(batch["photo"], way),
            "motion": turned_vectors(batch["motion"], way),
            "hints": turned_hints(batch["hints"], way),
            "blind": turned_hints(batch["blind"], way),
            "firm": turned(batch["firm"], way),
        }
        back = dice.chance(0.5, len(batch["hints"]))[:, None, None, None]
        batch["hints"] = torch.where(back, reversed_hints(batch["hints"]), batch["hints"])
        batch["motion"] = torch.where(back[..., None], backwards(batch["motion"]), batch["motion"])
        return batch

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        told = (~dice.chance(self.untold, len(batch["photo"])))[:, None, None, None]
        found = network(batch["photo"], torch.where(told, batch["hints"], batch["blind"])).float()
        forward = end_point_errors(found, batch["motion"])
        either = torch.minimum(forward, end_point_errors(found, backwards(batch["motion"])))
        return torch.where(batch["firm"] & told, forward, either).mean()

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """End-point error of the flow in px, where guidance is told and true, and without guidance against the better
        time direction; on all pixels, on moving ones, and beside it that of zero motion and of the best constant."""
        sums: dict[str, float] = {}
        pixels = moving_pixels = 0
        for batch in batches:
            truth = batch["motion"][:, 3] - batch["motion"][:, 2]
            flows = {}
            for name, hints in (("told", batch["hints"]), ("untold", batch["blind"])):
                found = network(batch["photo"], hints).float()
                flows[name] = found[:, 3] - found[:, 2]
            firm = batch["firm"][:, 0]
            moving = (truth.norm(dim=1) > MOVING) & firm
            constant = truth.mean((2, 3), keepdim=True)
            errors = {
                "told": (flows["told"] - truth).norm(dim=1),
                "untold": torch.minimum(*((sign * flows["untold"] - truth).norm(dim=1) for sign in (1, -1))),
                "zero": truth.norm(dim=1),
                "constant": (constant - truth).norm(dim=1),
            }
            for name, error in errors.items():
                sums[f"{name}_epe"] = sums.get(f"{name}_epe", 0) + float(error[firm].sum())
                sums[f"{name}_epe_moving"] = sums.get(f"{name}_epe_moving", 0) + float(error[moving].sum())
            pixels, moving_pixels = pixels + int(firm.sum()), moving_pixels + int(moving.sum())
        counts = {True: max(moving_pixels, 1), False: max(pixels, 1)}
        return {name: value / counts[name.endswith("moving")] for name, value in sums.items()}

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        rows = []
        found = network(batch["photo"], batch["hints"]).float()
        blind = network(batch["photo"], batch["blind"]).float()
        for one in range(len(found)):
            truth = batch["motion"][one, 3] - batch["motion"][one, 2]
            longest = float(truth.norm(dim=0).max())
            fields = (batch["motion"][one], found[one], blind[one])
            flows = [flow_colours(F.interpolate((x[3] - x[2])[None], scale_factor=2)[0], longest) for x in fields]
            told = flow_colours(batch["hints"][one, :2], 1.5)
            rows.append([picture(batch["photo"][one]), told, *flows])
        return rows


RECIPE = Motion()

"""The restoration network on motion that is misjudged as an estimate might: turned, stretched and smeared at random."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from models.decomposition.alignment import aligned, base, played_backwards
from models.decomposition.network import RestorationNetwork
from models.exposure import as_pixels
from models.motion import MIDDLE
from models.symmetry import WAYS, turned, turned_vectors
from models.trajectory.estimation import Ends, as_tensor
from models.trajectory.sharpening import sharpened
from training.recipes import Batch
from training.sheets import picture
from training.world import Exposures
from training.world.dice import Dice

SCORED = (0, 2, 4, 6)
GOOD = 1e-4
"""Squared error under which a frame is as good as right: 40 dB."""
PATCHES = 4
"""Squares a side between whose middles errors of motion change."""


def misjudged(motion: torch.Tensor, dice: Dice) -> torch.Tensor:
    """Motion (B, N, 2, h, w) as an estimate might have it: by a fifth to a third too long or short, 10 to 15 degrees
    off, half of that everywhere alike and half from place to place, and mostly smeared. Some pictures have a fifth of
    that error and some nearly twice as much: only what is seen can tell which."""
    count, size = len(motion), motion.shape[-2:]
    severity = dice.uniform(count, low=0.2, high=1.8)[:, None, None, None]
    angle, longer = (severity * _error(dice, count, size, spread) for spread in (0.12, 0.17))
    factor = longer.exp()
    cos, sin = angle.cos() * factor, angle.sin() * factor
    x, y = motion[:, :, 0], motion[:, :, 1]
    wrong = torch.stack((cos * x - sin * y, sin * x + cos * y), 2)
    smeared = F.avg_pool2d(wrong.flatten(1, 2), 5, 1, 2, count_include_pad=False).view_as(wrong)
    return torch.where(dice.chance(0.7, count)[:, None, None, None, None], smeared, wrong)


def _error(dice: Dice, count: int, size: torch.Size, spread: float) -> torch.Tensor:
    """A normal error with this spread all over each picture, and one as large from place to place, (B, 1, h, w)."""
    whole = dice.normal(count, 1, 1, 1).clamp(-2.5, 2.5)
    local = dice.normal(count, 1, PATCHES, PATCHES).clamp(-2.5, 2.5)
    return spread * (whole + F.interpolate(local, size=size, mode="bicubic", align_corners=False))


@dataclass(frozen=True)
class Restoration:
    batch: int = 8
    rate: float = 1e-3
    clip: float = 1.0
    reuse: int = 10
    kept: int = 4
    reach: tuple[float, float] = (0.015, 0.22)
    score: str = "minus_gain"

    def network(self) -> nn.Module:
        return RestorationNetwork()

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        ends = torch.cat((exposures.offsets[:, [0, -1]], exposures.trajectories[:, [0, -1]]), 1)
        half = F.avg_pool2d(ends.flatten(0, 1), 2).unflatten(0, ends.shape[:2])
        return along(exposures.photo, exposures.frames, misjudged(half, dice))

    def of_crops(self, crops: Batch) -> Batch:
        """Material of crops of real exposures (`training.real`), each misjudged in a way of its own."""
        dice = Dice(int(crops["photo"].double().sum() * 1000) % 2**31)
        return along(crops["photo"], crops["frames"], misjudged(crops["motion"], dice))

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        way = int(dice.whole(WAYS))
        pictures = {name: turned(batch[name].float(), way) for name in ("photo", "sharpened", "frames")}
        return {**pictures, "motion": turned_vectors(batch["motion"], way)}

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        """Of one random frame an exposure the logarithm of the mean squared error, which is PSNR."""
        count, frames = batch["frames"].shape[:2]
        chosen = dice.whole(frames, count)
        found = self._restored(network, batch, chosen / (frames - 1))
        truth = batch["frames"][torch.arange(count, device=chosen.device), chosen]
        return ((found - truth).square().mean((1, 2, 3)) + GOOD).log().mean()

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Mean over exposures of PSNR pooled over four frames, dB: of the photo repeated, of the photo merely moved, of
        the network; and the network's gain over the first, negative."""
        scores: dict[str, list[torch.Tensor]] = {"repeated": [], "moved": [], "network": []}
        for batch in batches:
            errors = {name: [] for name in scores}
            for frame in SCORED:
                truth = batch["frames"][:, frame].float()
                t = torch.full((len(truth),), frame / (batch["frames"].shape[1] - 1), device=truth.device)
                found = {"repeated": batch["photo"].float(), "network": self._restored(network, batch, t)}
                found["moved"] = self._moved(batch, t)
                for name, value in found.items():
                    errors[name].append((value.clamp(0, 1) - truth).square().mean((1, 2, 3)))
            for name, parts in errors.items():
                scores[name].append(-10 * torch.stack(parts).mean(0).clamp_min(1e-6).log10())
        means = {name: float(torch.cat(parts).mean()) for name, parts in scores.items()}
        return {**means, "minus_gain": means["repeated"] - means["network"]}

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        rows = []
        whole = torch.ones(len(batch["photo"]), device=batch["photo"].device)
        restored = [self._restored(network, batch, whole * t) for t in (0.0, MIDDLE, 1.0)]
        for one in range(len(batch["photo"])):
            truths = [batch["frames"][one, frame].float() for frame in (0, 3, 6)]
            parts = [part for pair in zip((x[one] for x in restored), truths, strict=True) for part in pair]
            rows.append([picture(batch["photo"][one].float()), *map(picture, parts)])
        return rows

    def _restored(self, network: nn.Module, batch: Batch, t: torch.Tensor) -> torch.Tensor:
        with torch.autocast(t.device.type, enabled=False):
            stack, length = self._aligned(batch, t)
            later = (t > MIDDLE)[:, None, None, None]
            stack = torch.where(later, played_backwards(stack), stack)  # as the engine does: from the nearer end
        return network(stack, length)

    def _moved(self, batch: Batch, t: torch.Tensor) -> torch.Tensor:
        return base(self._aligned(batch, t)[0])

    def _aligned(self, batch: Batch, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return aligned(batch["photo"].float(), batch["sharpened"].float(), batch["motion"], t)


def along(photo: torch.Tensor, frames: torch.Tensor, motion: torch.Tensor) -> Batch:
    """Material to restore along this motion: photos (B, 3, H, W), frames (B, T, 3, H, W), motion (B, 4, 2, h, w) px;
    the photos deconvolved along it stand beside them."""
    pixels, device = as_pixels(photo), photo.device
    crisp = [sharpened(one, Ends(ends[None]), device) for one, ends in zip(pixels, motion, strict=True)]
    middle = torch.cat([as_tensor(one, device) for one in crisp])
    return {"photo": photo.half(), "sharpened": middle.half(), "frames": frames.half(), "motion": motion.float()}


RECIPE = Restoration()

"""The restoration network on motion that is nearly true: turned, stretched and smeared at random."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from models.decomposition.alignment import aligned, base
from models.decomposition.network import RestorationNetwork
from models.symmetry import WAYS, turned, turned_vectors
from training.recipes import Batch
from training.sheets import picture
from training.world import Exposures
from training.world.dice import Dice

SCORED = (0, 2, 4, 6)


def misjudged(motion: torch.Tensor, dice: Dice) -> torch.Tensor:
    """Motion (B, N, 2, h, w) as an estimate might have it: up to 15 degrees off, a third too short to half too long,
    smeared."""
    count = len(motion)
    angle = (0.1 * dice.normal(count).clamp(-2.5, 2.5))[:, None, None, None]
    factor = torch.exp(0.2 * dice.normal(count).clamp(-2, 2))[:, None, None, None]
    cos, sin = angle.cos() * factor, angle.sin() * factor
    x, y = motion[:, :, 0], motion[:, :, 1]
    wrong = torch.stack((cos * x - sin * y, sin * x + cos * y), 2)
    smeared = F.avg_pool2d(wrong.flatten(1, 2), 5, 1, 2, count_include_pad=False).view_as(wrong)
    return torch.where(dice.chance(0.7, count)[:, None, None, None, None], smeared, wrong)


@dataclass(frozen=True)
class Restoration:
    batch: int = 8
    rate: float = 1e-3
    clip: float = 1.0
    reuse: int = 3
    kept: int = 1
    reach: tuple[float, float] = (0.015, 0.25)
    score: str = "minus_gain"

    def network(self) -> nn.Module:
        return RestorationNetwork()

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        ends = torch.cat((exposures.offsets[:, [0, -1]], exposures.trajectories[:, [0, -1]]), 1)
        half = F.avg_pool2d(ends.flatten(0, 1), 2).unflatten(0, ends.shape[:2])
        return {"photo": exposures.photo, "frames": exposures.frames, "motion": misjudged(half, dice)}

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        way = int(dice.whole(WAYS))
        return {
            "photo": turned(batch["photo"], way),
            "frames": turned(batch["frames"], way),
            "motion": turned_vectors(batch["motion"], way),
        }

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        """Charbonnier at one random frame an exposure."""
        count, frames = batch["frames"].shape[:2]
        chosen = dice.whole(frames, count)
        found = self._restored(network, batch, chosen / (frames - 1))
        truth = batch["frames"][torch.arange(count, device=chosen.device), chosen]
        return ((found - truth).square() + 1e-4).sqrt().mean()

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Mean over exposures of PSNR pooled over four frames, dB: of the photo repeated, of the photo merely moved, of
        the network; and the network's gain over the first, negative."""
        scores: dict[str, list[torch.Tensor]] = {"repeated": [], "moved": [], "network": []}
        for batch in batches:
            errors = {name: [] for name in scores}
            for frame in SCORED:
                truth = batch["frames"][:, frame]
                t = torch.full((len(truth),), frame / (batch["frames"].shape[1] - 1), device=truth.device)
                found = {"repeated": batch["photo"], "network": self._restored(network, batch, t)}
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
        restored = [self._restored(network, batch, whole * t) for t in (0.0, 0.5, 1.0)]
        for one in range(len(batch["photo"])):
            truths = [batch["frames"][one, frame] for frame in (0, 3, 6)]
            parts = [part for pair in zip((x[one] for x in restored), truths, strict=True) for part in pair]
            rows.append([picture(batch["photo"][one]), *map(picture, parts)])
        return rows

    def motion(self, batch: Batch) -> torch.Tensor:
        """The motion (B, 4, 2, h, w) px to restore along."""
        return batch["motion"]

    def _restored(self, network: nn.Module, batch: Batch, t: torch.Tensor) -> torch.Tensor:
        with torch.autocast(t.device.type, enabled=False):
            stack, length = aligned(batch["photo"], self.motion(batch), t)
        return network(stack, length)

    def _moved(self, batch: Batch, t: torch.Tensor) -> torch.Tensor:

        return base(aligned(batch["photo"], self.motion(batch), t)[0])


RECIPE = Restoration()

"""The refinement network: rough strokes over areas whose true motion is known."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from models.refinement.agreement import ANGLES, LAGS, around, lags
from models.refinement.network import RefinementNetwork, expected, hypotheses
from training.recipes import Batch
from training.sheets import picture
from training.world import Exposures
from training.world.dice import Dice
from training.world.shapes import LAYERS

SMALLEST, SHORTEST = 0.016, 2.0
"""Share of the picture and path in px below which nothing is learned from an area."""


def areas_and_motions(exposures: Exposures) -> tuple[torch.Tensor, torch.Tensor]:
    """What moves by itself, (B, K, H, W), 0 or 1, the background first; and each one's mean motion, (B, K, 2) px."""
    areas = F.one_hot(exposures.owner.long(), LAYERS + 1).permute(0, 3, 1, 2).float()
    total = areas.sum((2, 3)).clamp_min(1)[..., None]
    return areas, torch.einsum("bchw,bkhw->bkc", exposures.flow(), areas) / total


@dataclass(frozen=True)
class Refinement:
    """The recipe. Every area is looked at from `strokes` rough strokes: up to `stretch` times too long or too short and
    up to `degrees` off, all alike likely."""

    batch: int = 32
    rate: float = 2e-3
    clip: float = 2.0
    reuse: int = 40
    reach: tuple[float, float] = (0.02, 0.2)
    score: str = "error"
    strokes: int = 8
    stretch: float = 1.65
    degrees: float = 27.0

    def network(self) -> nn.Module:
        return RefinementNetwork()

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        areas, motions = areas_and_motions(exposures)
        shape = (*motions.shape[:2], self.strokes)
        factor = torch.exp(dice.uniform(*shape, low=-1) * math.log(self.stretch))
        turn = dice.uniform(*shape, low=-1) * math.radians(self.degrees)
        off = torch.polar(factor, turn)
        strokes = torch.view_as_real(torch.view_as_complex(motions)[..., None] * off)
        known = (areas.mean((2, 3)) > SMALLEST) & (motions.norm(dim=-1) > SHORTEST)
        which = torch.nonzero(known)
        grey = exposures.photo.mean(1)[which[:, 0]]
        evidence, about = around(grey, areas[known], strokes[known])
        whole = evidence.new_zeros(*shape, *evidence.shape[2:], dtype=torch.float16)
        whole[known] = evidence.half()
        told = about.new_zeros(*shape, about.shape[-1])
        told[known] = about
        small = F.avg_pool2d(exposures.photo, 2)
        true = torch.view_as_real(1 / off)
        return {
            "photo": small,
            "evidence": whole,
            "about": told,
            "true": true,
            "known": known,
            "length": motions.norm(dim=-1),
        }

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        """Mirrored across the strokes, or not."""
        if not bool(dice.chance(0.5)):
            return batch
        mirrored = batch["evidence"].flip(-1).roll(1, -1)
        return batch | {"evidence": mirrored, "true": batch["true"] * batch["true"].new_tensor([1, -1])}

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        """Cross-entropy against the hypotheses around the truth, and the mean hypothesis's end-point error as a share
        of the true length; of every area one stroke."""
        stroke = int(dice.whole(self.strokes))
        found, true = self._found(network, batch, stroke)
        target = nearness(true)
        unlike = -(target * found).sum()
        return (unlike + 2 * ((expected(found) - true).abs() / true.abs()).sum()) / max(len(true), 1)

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Mean end-point error of the rough strokes and of the refined ones, as shares of the true length."""
        before, after = [], []
        for batch in batches:
            for stroke in range(self.strokes):
                found, true = self._found(network, batch, stroke)
                after.append((expected(found) - true).abs() / true.abs())
                before.append((1 - true).abs() / true.abs())
        return {"rough_error": float(torch.cat(before).mean()), "error": float(torch.cat(after).mean())}

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        """The photo; the evidence of its areas from one stroke; how likely each hypothesis is."""
        rows = []
        for one in range(len(batch["photo"])):
            alone = {name: value[one : one + 1] for name, value in batch.items()}
            side = batch["photo"].shape[-1]
            row = [picture(batch["photo"][one])]
            if alone["known"].any():
                found, _ = self._found(network, alone, 0)
                seen = alone["evidence"][alone["known"]][:, 0, 0].float() / 6 + 0.5
                for map_ in (seen[0], found[0].exp() / found[0].exp().max()):
                    row.append(_enlarged(map_, side))
            rows.append(row)
        return rows

    def _found(self, network: nn.Module, batch: Batch, stroke: int) -> tuple[torch.Tensor, torch.Tensor]:
        known = batch["known"]
        evidence, about, true = (batch[name][known][:, stroke].float() for name in ("evidence", "about", "true"))
        return network(evidence, about), torch.view_as_complex(true.contiguous())


def nearness(true: torch.Tensor) -> torch.Tensor:
    """Shares (B, ROWS, COLUMNS) of the hypotheses that lie within about a step of the true factors (B,)."""
    off = true[:, None, None] / hypotheses(true.real)
    step = float((lags(true.real)[1] / lags(true.real)[0]).log())
    far = (off.abs().log() / step).square() + (off.angle() / (math.pi / ANGLES)).square()
    return (-far / 2).flatten(1).softmax(1).view_as(far)


def _enlarged(values: torch.Tensor, side: int) -> np.ndarray:
    grey = F.interpolate(values[None, None].float(), (side, side * ANGLES // LAGS))[0].expand(3, -1, -1)
    return picture(grey)


RECIPE = Refinement()

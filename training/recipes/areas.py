"""The area network: what moves in one quadrant, judged as a whole."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from models.areas import agreement
from models.areas.agreement import ANGLES
from models.areas.network import LENGTHS, AreaNetwork, expected, hypotheses, posterior, within
from models.areas.proposals import MIDDLES, areas
from training.recipes import Batch
from training.sheets import picture
from training.world import Exposures
from training.world.dice import Dice
from training.world.hints import sloppy

SMALLEST, SHORTEST = 0.012, 0.5
"""Share of the picture and path in px below which nothing is learned from an area."""
FLOOR = 1.0
"""Px added to a path's length where errors count as a share of it."""


@dataclass(frozen=True)
class Areas:
    """The recipe. The areas are a sloppy guidance's quadrants; what in them truly moves that way is their motion."""

    batch: int = 32
    rate: float = 2e-3
    clip: float = 2.0
    reuse: int = 64
    kept: int = 40
    reach: tuple[float, float] = (0.015, 0.23)
    score: str = "error"

    def network(self) -> nn.Module:
        return AreaNetwork()

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        guidance, firm = sloppy(dice, exposures)
        return self._of(exposures.photo, exposures.flow(), guidance, firm)

    def of_crops(self, crops: Batch) -> Batch:
        """Material of crops of real exposures (`training.real`)."""
        return self._of(*read_crops(crops))

    def _of(self, photo: torch.Tensor, flow: torch.Tensor, guidance: torch.Tensor, firm: torch.Tensor) -> Batch:
        parts, true = told_and_true(flow, guidance, firm)
        share, firmly = parts.float().mean((2, 3)), true.float().mean((2, 3))
        motion = torch.einsum("bchw,bkhw->bkc", flow, true.to(flow.dtype)) / true.sum((2, 3)).clamp_min(1)[..., None]
        known = (share > SMALLEST) & (firmly > share / 2) & (motion.norm(dim=-1) > SHORTEST)
        row, part = torch.nonzero(known).unbind(1)
        seen = agreement.evidence(photo.mean(1)[row], parts[row, part].float())
        evidence = seen.new_zeros(*known.shape, *seen.shape[1:], dtype=torch.float16)
        evidence[row, part] = seen.half()
        pixels = parts.sum((2, 3)).float()
        small = F.avg_pool2d(photo, 4)
        return {"photo": small, "evidence": evidence, "pixels": pixels, "motion": motion, "known": known}

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        """The evidence as the mirrored and turned picture would give it; the photo stays."""
        evidence, motion = batch["evidence"], batch["motion"]
        if bool(dice.chance(0.5)):
            evidence, motion = agreement.mirrored(evidence), motion * motion.new_tensor([-1, 1])
        if bool(dice.chance(0.5)):
            evidence, motion = agreement.swapped(evidence), motion.flip(-1)
        return batch | {"evidence": evidence, "motion": motion}

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        """Cross-entropy against the hypotheses around the truth, with and without the quadrant told, and the mean
        hypothesis's end-point error as a share of the path."""
        logits, motion = self._judged(network, batch)
        told = posterior(logits, quadrant(motion))
        target = nearness(motion)
        either = target[..., :ANGLES] + target[..., ANGLES:]
        unlike = -(target * told.clamp_min(-1e4)).sum((1, 2))
        blind = -(either * logits.flatten(1).log_softmax(1).view_as(logits)).sum((1, 2))
        off = (expected(told)[0] - motion).norm(dim=1) / (motion.norm(dim=1) + FLOOR)
        return (unlike + blind / 2 + 2 * off).sum() / max(len(motion), 1)

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """End-point error of the areas' motions, quadrants told, over their mean length; the same of areas over a
        quarter of the picture, and of paths over 8 px; and the found lengths' median share of the true ones."""
        errors, truths, large = [], [], []
        for batch in batches:
            logits, motion = self._judged(network, batch, even_handed=True)
            found = expected(posterior(logits, quadrant(motion)))[0]
            errors.append(torch.stack(((found - motion).norm(dim=1), found.norm(dim=1))))
            truths.append(motion.norm(dim=1))
            large.append(batch["pixels"][batch["known"]] > batch["photo"][0, 0].numel() * 4)
        (error, length), truth, wide = torch.cat(errors, 1), torch.cat(truths), torch.cat(large)
        groups = {"error": truth > 0, "error_large": wide, "error_long": truth > 8}
        scores = {name: float(error[those].sum() / truth[those].sum()) for name, those in groups.items()}
        return {**scores, "length": float((length / truth)[truth > 8].median())}

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        """The photo; the evidence of its first area; how likely each hypothesis is."""
        rows = []
        for one in range(len(batch["photo"])):
            alone = {name: value[one : one + 1] for name, value in batch.items()}
            side = batch["photo"].shape[-1]
            row = [picture(batch["photo"][one])]
            if alone["known"].any():
                logits, _ = self._judged(network, alone)
                share = logits[0].flatten().softmax(0).view_as(logits[0])
                seen = alone["evidence"][alone["known"]][0, 0].float() / 6 + 0.5
                row += [_enlarged(seen, side), _enlarged(share / share.max(), side)]
            rows.append(row)
        return rows

    def _judged(self, network: nn.Module, batch: Batch, even_handed: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of the areas that are known, and their true motion (N, 2) px."""
        known = batch["known"]
        evidence, pixels = batch["evidence"][known].float(), batch["pixels"][known]
        judge = cast("AreaNetwork", network).even_handed if even_handed else network
        return judge(evidence, pixels), batch["motion"][known]


def read_crops(crops: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of crops of real exposures the photos (B, 3, H, W), their flow (B, 2, H, W) px, guidance (B, 5, H, W), and where
    it can be relied on (B, 1, H, W): everywhere."""
    flow = F.interpolate(crops["motion"][:, 3] - crops["motion"][:, 2], scale_factor=2)
    return crops["photo"], flow, crops["guidance"], torch.ones_like(flow[:, :1], dtype=torch.bool)


def told_and_true(flow: torch.Tensor, guidance: torch.Tensor, firm: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The areas of the four quadrants that guidance (B, 5, H, W) tells, bool (B, 4, H, W), and where in them the flow
    (B, 2, H, W) runs that way and the telling is `firm` (B, 1, H, W)."""
    told = areas(guidance)[:, : len(MIDDLES)]
    true = areas(torch.cat((flow, torch.ones_like(flow[:, :1]).expand(-1, 3, -1, -1)), 1))[:, : len(MIDDLES)]
    return told, true & firm & told


def quadrant(motion: torch.Tensor) -> torch.Tensor:
    """The prior that motions (N, 2) lie in their quadrant."""
    right, down = motion[:, 0] > 0, motion[:, 1] > 0
    middle = torch.atan2(torch.where(down, 1.0, -1.0), torch.where(right, 1.0, -1.0))
    return within(middle, math.pi / 4)


def nearness(motion: torch.Tensor) -> torch.Tensor:
    """Shares (N, LENGTHS, TURN) of the hypotheses of the same quadrant within about a step of motions (N, 2) px."""
    true = torch.view_as_complex(motion.contiguous())
    each = hypotheses(motion)
    step = float((each[1, 0].abs() / each[0, 0].abs()).log())
    length = true.abs().clamp(float(each[0, 0].abs()), float(each[-1, 0].abs()))
    longer = (each.abs().log() - length.log()[:, None, None]) / step
    aside = (each * true.conj()[:, None, None]).angle() / (math.pi / ANGLES)
    near = -(longer.square() + aside.square()) / 2 + quadrant(motion)
    return near.flatten(1).softmax(1).view_as(near)


def _enlarged(values: torch.Tensor, side: int) -> np.ndarray:
    grey = F.interpolate(values[None, None].float(), (side, side * ANGLES // LENGTHS))[0].expand(3, -1, -1)
    return picture(grey)


RECIPE = Areas()

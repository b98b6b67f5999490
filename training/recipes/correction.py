"""The correction network: how far a supposed motion is off, in windows anywhere, of areas and of all there is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from models.areas.correction import FURTHEST, SIDE, CorrectionNetwork, seen
from models.areas.proposals import MIDDLES
from models.symmetry import WAYS, turned, turned_vectors
from training.recipes import Batch
from training.recipes.areas import read_crops, told_and_true
from training.sheets import picture
from training.world import Exposures
from training.world.dice import Dice
from training.world.hints import sloppy

NOTHING = len(MIDDLES)
"""The label of what no quadrant is told of, or none that can be relied on."""
STILL = 0.8
"""Path in px up to which nothing moves; from twice that on it does."""
APART = 4
"""Windows are drawn around every so-manieth pixel."""


@dataclass(frozen=True)
class CorrectionRecipe:
    """The recipe. `windows` are looked at in each picture; half of them see an area told alike, the others all."""

    batch: int = 16
    rate: float = 1.5e-3
    clip: float = 2.0
    reuse: int = 24
    kept: int = 6
    reach: tuple[float, float] = (0.015, 0.18)
    score: str = "error"
    windows: int = 8

    def network(self) -> nn.Module:
        return CorrectionNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        guidance, firm = sloppy(dice, exposures)
        return self._of(exposures.photo, exposures.flow(), guidance, firm)

    def of_crops(self, crops: Batch) -> Batch:
        """Material of crops of real exposures (`training.real`)."""
        return self._of(*read_crops(crops))

    def _of(self, photo: torch.Tensor, flow: torch.Tensor, guidance: torch.Tensor, firm: torch.Tensor) -> Batch:
        told, true = told_and_true(flow, guidance, firm)
        label = torch.where(told.any(1), told.float().argmax(1), NOTHING)
        return {
            "photo": photo.mean(1, keepdim=True).half(),
            "flow": flow.half(),
            "label": label[:, None].to(torch.uint8),
            "sure": true.any(1, keepdim=True),
        }

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        way = int(dice.whole(WAYS))
        turns = {key: turned(batch[key], way) for key in ("photo", "label", "sure")}
        return {**turns, "flow": turned_vectors(batch["flow"], way)}

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        """Laplace's negative log-likelihood of both errors where something moves, and the cross-entropy of whether."""
        with torch.autocast(batch["photo"].device.type, enabled=False):
            masks, places, true = drawn(batch, self.windows, dice)
            supposed = _supposed(true, dice)
            windows = seen(batch["photo"][:, 0].float(), masks, places, supposed).flatten(0, 1)
        said = network(windows.contiguous(memory_format=torch.channels_last))
        longer, turn, moves, counts = _truth(true, supposed)
        off = torch.stack(((said.longer - longer).abs(), (said.turned - turn).abs()), 1)
        unlike = (off / said.spreads + said.spreads.log()).sum(1)
        guess = F.binary_cross_entropy_with_logits(said.moves, moves.float(), reduction="none")
        return ((unlike * moves + guess) * counts).sum() / counts.sum().clamp_min(1)

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Where something moves: the end-point error of supposed motions over their true length, then of motions put
        right once and three times; the last of windows that see all there is; the median factor of lengths."""
        judge, dice = cast("CorrectionNetwork", network), Dice(5)
        errors: list[torch.Tensor] = []
        for batch in batches:
            masks, places, true = drawn(batch, 2 * self.windows, dice)
            supposed = _rough(true, dice)
            row = [_share(supposed, true)]
            for _ in range(3):
                windows = seen(batch["photo"][:, 0].float(), masks, places, supposed).flatten(0, 1)
                supposed = judge(windows).of(supposed.flatten(0, 1)).view_as(supposed)
                row.append(_share(supposed, true))
            row += [supposed.norm(dim=-1) / true.norm(dim=-1).clamp_min(1e-3)]
            moves = true.norm(dim=-1) > 2 * STILL
            row += [(masks.flatten(2).mean(2) == 1).float()]
            errors.append(torch.stack([part[moves] for part in row]))
        before, once, _, thrice, length, whole = torch.cat(errors, 1)
        return {
            "before": float(before.mean()),
            "once": float(once.mean()),
            "error": float(thrice.mean()),
            "error_whole": float(thrice[whole > 0.5].mean()),
            "length": float(length.median()),
        }

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        """Windows with the true motion supposed, and their masks."""
        masks, places, true = drawn(batch, 4, Dice(7))
        way = torch.where(true.norm(dim=-1, keepdim=True) > STILL, true, true.new_tensor((8.0, 0.0)))
        windows = seen(batch["photo"][:, 0].float(), masks, places, way)
        values = (windows[:, :, 0] / 6 + 0.5).clamp(0, 1)
        return [[picture(one[None].expand(3, SIDE, SIDE)) for one in row] for row in values]


def drawn(batch: Batch, count: int, dice: Dice) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """`count` windows in each picture: masks (B, count, H, W), places (B, count, 2) px and the true motion there
    (B, count, 2) px. Every other one sees the area told alike of its place, where the telling is true; the rest, and
    those where there is none, see all there is."""
    label, sure, flow = batch["label"][:, 0], batch["sure"][:, 0], batch["flow"].float()
    width = label.shape[-1]
    coarse = sure[:, APART // 2 :: APART, APART // 2 :: APART].flatten(1).float()
    narrow = (torch.arange(count, device=label.device) % 2 == 0)[None] & coarse.any(1, keepdim=True)
    either = torch.where(narrow[..., None], coarse[:, None], 1.0)
    # an even number for each window, and the place where the sum of what may be drawn reaches it
    sums = either.cumsum(2)
    lot = dice.uniform(len(label), count)[..., None] * sums[..., -1:]
    place = (sums < lot).sum(2).clamp_max(coarse.shape[1] - 1)
    across = len(range(APART // 2, width, APART))
    y, x = place // across * APART + APART // 2, place % across * APART + APART // 2
    each = torch.arange(len(label), device=label.device)[:, None]
    own = label[each, y, x]
    masks = torch.where(narrow[..., None, None], label[:, None] == own[..., None, None], True)
    return masks.float(), torch.stack((x, y), -1).float(), flow.permute(0, 2, 3, 1)[each, y, x]


def _supposed(true: torch.Tensor, dice: Dice) -> torch.Tensor:
    """Motions (B, K, 2) px near the true ones, half of them very near, a tenth anywhere."""
    shape = true.shape[:2]
    wide = torch.where(dice.chance(0.5, *shape), 0.12, 0.5)
    length = true.norm(dim=-1) * torch.exp((dice.normal(*shape) * wide).clamp(-1.2, 1.2))
    angle = torch.atan2(true[..., 1], true[..., 0]) + (dice.normal(*shape) * wide * 0.8).clamp(-1.2, 1.2)
    anywhere = dice.chance(0.1, *shape) | (true.norm(dim=-1) < 2 * STILL)
    length = torch.where(anywhere, torch.exp(math.log(3) + dice.uniform(*shape) * math.log(12)), length).clamp(2.5, 44)
    angle = torch.where(anywhere, dice.uniform(*shape) * 2 * math.pi, angle)
    return torch.stack((length * angle.cos(), length * angle.sin()), -1)


def _rough(true: torch.Tensor, dice: Dice) -> torch.Tensor:
    """Motions (B, K, 2) px that are 1.4 times too long or too short, and turned by 20 degrees."""
    shape = true.shape[:2]
    sign = torch.where(dice.chance(0.5, *shape), 1.0, -1.0)
    turn = torch.where(dice.chance(0.5, *shape), 1.0, -1.0) * math.radians(20)
    factor = torch.polar(1.4**sign, turn)
    rough = torch.view_as_real(torch.view_as_complex(true.contiguous()) * factor)
    return torch.where(true.norm(dim=-1, keepdim=True) > STILL, rough, true.new_tensor((8.0, 0.0)))


def _truth(true: torch.Tensor, supposed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of motions (B, K, 2): how much longer and how turned, whether they move, and which count: all (B K,)."""
    ratio = torch.view_as_complex(true.contiguous()) / torch.view_as_complex(supposed.contiguous())
    ratio = torch.where(ratio.real < 0, -ratio, ratio).flatten()
    length = true.norm(dim=-1).flatten()
    longer = ratio.abs().clamp_min(1e-4).log().clamp(-FURTHEST, FURTHEST)
    return longer, ratio.angle(), length > 2 * STILL, (length < STILL) | (length > 2 * STILL)


def _share(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """End-point error over the true length, in the better direction of time: (B, K)."""
    off = torch.minimum((found - true).norm(dim=-1), (found + true).norm(dim=-1))
    return off / true.norm(dim=-1).clamp_min(1e-3)


RECIPE = CorrectionRecipe()

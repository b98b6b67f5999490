"""What moves, where nothing is told: which places, along which line, how far.

Everything is measured once; after that a picture turned or mirrored is its cells turned or mirrored, so many steps cost
little.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from models.symmetry import WAYS, turned, turned_vectors
from models.trajectory.cells import CELL
from models.trajectory.moving import AXES, COLOURS, MovingNetwork, line_of, seen, turned_seen
from training.recipes import Batch
from training.sheets import flow_colours, picture
from training.world import Exposures
from training.world.dice import Dice

STILL, MOVING = 1.0, 2.0
"""Px up to which a place stands still, and from which it moves; of what is in between nothing is learned."""
SHOWS = 2 / 255
"""How much the photo and its middle instant differ where motion shows; of what only seems to move (noise, and what is
measured in it) nothing is learned."""
BRIGHTNESS = 0.1
"""How much brighter or darker pictures are made, as a deviation."""
LINES, LENGTHS = 1 / 6, 0.1
"""What lines and lengths count beside whether something moves."""


@dataclass(frozen=True)
class MovingRecipe:
    """The recipe."""

    batch: int = 16
    rate: float = 2e-3
    clip: float = 2.0
    reuse: int = 48
    kept: int = 24
    reach: tuple[float, float] = (0.012, 0.2)
    score: str = "loss"

    def network(self) -> nn.Module:
        return MovingNetwork()

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        return _measured(exposures.photo, exposures.flow(), exposures.frames)

    def of_crops(self, crops: Batch) -> Batch:
        """Material of crops of real exposures (`training.real`)."""
        flow = crops["motion"][:, 3] - crops["motion"][:, 2]
        return _measured(crops["photo"], F.interpolate(flow, scale_factor=2.0), crops["frames"])

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        way = int(dice.whole(WAYS))
        return {
            "photo": turned(batch["photo"], way),
            "seen": turned_seen(batch["seen"], way),
            "flow": turned_vectors(batch["flow"], way),
            "length": turned(batch["length"], way),
            "shows": turned(batch["shows"], way),
        }

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        moves, lines, lengths = _losses(network(recoloured(batch["seen"].float(), dice)), batch)
        return moves + LINES * lines + LENGTHS * lengths

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Means over pictures: the loss; of places said or known to move the share where both hold; of those that move
        the share whose line is right to within its neighbours."""
        scores: dict[str, list[float]] = {"loss": [], "overlap": [], "line": []}
        for batch in batches:
            for n in range(len(batch["photo"])):
                one = {key: value[n : n + 1] for key, value in batch.items()}
                answer = network(one["seen"].float())
                moves, lines, lengths = _losses(answer, one)
                scores["loss"].append(float(moves + LINES * lines + LENGTHS * lengths))
                known, true = _moves(one)
                said = (answer[:, :1] > 0) & (known > 0)
                scores["overlap"].append(float((said & (true > 0)).sum() / (said | (true > 0)).sum().clamp_min(1)))
                off = (answer[:, 1 : 1 + AXES].argmax(1, keepdim=True) - line_of(one["flow"].float())[:, None]) % AXES
                near = (off <= 1) | (off == AXES - 1)
                scores["line"].append(float(((near * true).sum() / true.sum()).nan_to_num(1.0)))
        return {name: sum(values) / max(len(values), 1) for name, values in scores.items()}

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        rows = []
        likely = network(batch["seen"].float())[:, :1].sigmoid()
        for one in range(len(likely)):
            flow = F.interpolate(batch["flow"][one : one + 1].float(), scale_factor=CELL / 4)[0]
            there = F.interpolate(likely[one : one + 1], scale_factor=CELL / 4)[0]
            longest = float(flow.norm(dim=0).max())
            photo = picture(batch["photo"][one].float())
            rows.append([photo, flow_colours(flow, longest), picture(there.expand(3, -1, -1))])
        return rows


def _measured(photo: torch.Tensor, flow: torch.Tensor, frames: torch.Tensor) -> Batch:
    """What is seen of photos (B, 3, H, W), where and how far they truly move, flow (B, 2, H, W) px, and where that
    shows beside the middle one of frames (B, N, 3, H, W): all in cells."""
    if not frames.shape[1] % 2:
        raise ValueError(f"this recipe needs the middle instant, an odd number of frames, got {frames.shape[1]}")
    blur = (photo - frames[:, frames.shape[1] // 2]).mean(1, keepdim=True).abs()
    return {
        "photo": F.avg_pool2d(photo, 4).half(),
        "seen": seen(photo).half(),
        "flow": F.avg_pool2d(flow, CELL).half(),
        "length": F.avg_pool2d(flow.norm(dim=1, keepdim=True), CELL).half(),
        "shows": F.avg_pool2d(blur, CELL) > SHOWS,
    }


def _moves(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Where it is known whether something moves, and where it does, (B, 1, h, w), 0 or 1."""
    length = batch["length"].float()
    moves = (length > MOVING) & batch["shows"]
    return ((length < STILL) | moves).float(), moves.float()


def _losses(answer: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Cross-entropies of moving and of the lines, and the error of the lengths' logarithms where something moves."""
    known, true = _moves(batch)
    count = true.sum().clamp_min(1)
    moves, lines, length = answer.split((1, AXES, 1), 1)
    blurred = (F.binary_cross_entropy_with_logits(moves, true, reduction="none") * known).mean()
    along = F.cross_entropy(lines, line_of(batch["flow"].float()), reduction="none")[:, None]
    far = (length - (batch["length"].float() + 1).log()).abs()
    return blurred, (along * true).sum() / count, (far * true).sum() / count


def recoloured(seen: torch.Tensor, dice: Dice) -> torch.Tensor:
    """Brighter or darker, half of all pictures with their colours exchanged and paler or stronger, a third without."""
    count = len(seen)
    rest, colours = seen[:, :-COLOURS], seen[:, -COLOURS:].unflatten(1, (2, 3))
    order = torch.argsort(dice.uniform(count, 3), 1)[:, None, :, None, None].expand_as(colours)
    strength = torch.stack((dice.uniform(count, low=0.3, high=1.3), torch.ones(count, device=seen.device)), 1)
    other = colours.gather(2, order) * strength[..., None, None, None]
    chosen, without = (dice.chance(share, count)[:, None, None, None, None] for share in (0.5, 0.33))
    brighter = BRIGHTNESS * dice.normal(count)[:, None, None, None]
    colours = torch.where(chosen, other, colours)
    colours = torch.cat((colours[:, :1], colours[:, 1:] + brighter[:, None]), 1) * ~without
    rest = torch.cat((rest[:, :-5], rest[:, -5:-4] + brighter, rest[:, -4:]), 1)
    return torch.cat((rest, colours.flatten(1, 2)), 1)


RECIPE = MovingRecipe()

"""Guidance as people give it: the direction of things, exact or only its quadrant, and never quite in place.

What a network reads is five channels, the same as `models.trajectory.network.read_guidance` makes of a user's
guidance: direction x, y; known; length; length known.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from models.areas.proposals import LENGTH_UNIT, sides
from models.guidance import Guidance
from models.motion import Arrow
from models.trajectory.estimation import Ends
from models.trajectory.suggestion import suggested
from training.world.dice import Dice
from training.world.scene import Exposures

STILL = 0.5
GROWN = 12
"""Px by which outlines of what is told in arrows are drawn too far outside, at most."""


def arrows(exposures: Exposures) -> torch.Tensor:
    """The flow as arrows say it, (B, 2, H, W) px: each thing's mean displacement over its area."""
    flow, owner = exposures.flow(), exposures.owner.long()
    things = int(owner.max()) + 1
    area = F.one_hot(owner, things).permute(0, 3, 1, 2).float()  # (B, L, H, W)
    mean = torch.einsum("bchw,blhw->blc", flow, area) / area.sum((2, 3)).clamp_min(1)[..., None]
    return torch.einsum("blc,blhw->bchw", mean, area)


def in_arrows(flow: np.ndarray) -> Guidance:
    """A flow (H, W, 2) px in arrows: the camera's, where most of the picture moves one way, and up to six things'."""
    half = torch.from_numpy(flow).permute(2, 0, 1) / 2
    fields = torch.stack((half, -half, -half, half))[None]
    height, width = flow.shape[:2]
    return next(iter(suggested(Ends(fields), height, width)), Guidance.empty(height, width))


def drawn_about(dice: Dice, told: Guidance, degrees: float) -> Guidance:
    """Guidance in arrows as somebody draws it: arrows turned by up to so many degrees, outlines too far outside by up
    to `GROWN` px where something beside them stands still."""

    def turned(arrow: Arrow) -> Arrow:
        return replace(arrow, degrees=(arrow.degrees + float(dice.uniform(low=-degrees, high=degrees))) % 360)

    regions = tuple(replace(one, arrow=one.arrow and turned(one.arrow)) for one in told.regions)
    grown = int(dice.whole(GROWN + 1))
    if told.camera is not None and told.camera.length:
        return replace(told, regions=regions, camera=turned(told.camera))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grown + 1, 2 * grown + 1))
    areas = told.areas.copy()
    for one in regions:
        wide = cv2.dilate((told.areas == one.number).astype(np.uint8), disc) > 0
        areas[wide & (areas == 0)] = one.number
    return replace(told, areas=areas, regions=regions)


def coded(flow: torch.Tensor, quadrants: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Guidance channels (B, 5, H, W) that tell all of `flow` (B, 2, H, W) px.

    quadrants, lengths  bool (B,): only the quadrant is told, as (+-1, +-1), whose norm is not 1; lengths are told.
    """
    length = flow.norm(dim=1, keepdim=True)
    direction = flow / length.clamp_min(1e-6)
    quadrant = torch.cat(sides(flow[:, :1], flow[:, 1:]), 1).to(flow.dtype) * 2 - 1
    moving = length >= STILL
    direction = torch.where(quadrants[:, None, None, None], quadrant, direction) * moving
    told = lengths[:, None, None, None].to(flow.dtype).expand_as(length)
    return torch.cat((direction, torch.ones_like(length), told * length / LENGTH_UNIT, told), 1)


def sloppy(dice: Dice, exposures: Exposures, exact: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Guidance (B, 5, H, W) as a person or another network might give it, and where its direction can be relied on
    (B, 1, H, W) bool: where something is told and it is true.

    Half of the photos get arrows, a direction a thing, half the quadrants of the dense flow. Arrows turn up to 25
    degrees and lengths err by a third; outlines are shifted, grown and eaten into by smooth random shifts; whole
    things, the background or a smooth part of the picture stay unknown; one thing in 25 goes the wrong way.

    exact  True leaves out all that: the dense flow's quadrants, for tests and scores.
    """
    count, _, height, width = exposures.photo.shape
    device = exposures.photo.device
    dense = exposures.flow()
    if exact:
        every = torch.ones(count, dtype=torch.bool, device=device)
        return coded(dense, every, ~every), torch.ones(count, 1, height, width, dtype=torch.bool, device=device)
    drawn = dice.chance(0.5, count)
    flow = torch.where(drawn[:, None, None, None], _erring(dice, arrows(exposures)), dense)
    flow, wrong = _wrong(dice, flow, exposures.owner)
    quadrants = torch.where(drawn, dice.chance(0.2, count), dice.chance(0.9, count))
    guidance = coded(flow, quadrants, dice.chance(0.5, count) & drawn)
    both = displaced(dice, torch.cat((guidance, wrong), 1))
    guidance = both[:, :5] * ~_untold(dice, exposures.owner, count, height, width)
    return guidance, (guidance[:, 2:3] > 0.5) & (both[:, 5:] < 0.5)


def _erring(dice: Dice, flow: torch.Tensor) -> torch.Tensor:
    count = len(flow)
    angle = 0.25 * dice.normal(count).clamp(-1.7, 1.7)[:, None, None]
    factor = torch.exp(0.25 * dice.normal(count).clamp(-2, 2))[:, None, None]
    cos, sin = angle.cos() * factor, angle.sin() * factor
    return torch.stack((cos * flow[:, 0] - sin * flow[:, 1], sin * flow[:, 0] + cos * flow[:, 1]), 1)


def _wrong(dice: Dice, flow: torch.Tensor, owner: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """One thing in 25 is told the opposite way; returns the flow and where (B, 1, H, W) as 0 or 1."""
    lots = dice.chance(0.04, len(flow), 5)
    wrong = lots.gather(1, owner.flatten(1).long()).view_as(owner)[:, None]
    return torch.where(wrong, -flow, flow), wrong.float()


def displaced(dice: Dice, channels: torch.Tensor) -> torch.Tensor:
    """Channels (B, C, H, W) read from up to a few px beside, smoothly varying: outlines shift, grow and are
    eaten into."""
    count, _, height, width = channels.shape
    sloppiness = (0.04 * dice.uniform(count).pow(2) * dice.chance(0.6, count))[:, None, None, None]
    shift = F.interpolate(dice.normal(count, 2, 5, 5), size=(height, width), mode="bicubic", align_corners=True)
    theta = torch.eye(2, 3, device=channels.device).expand(count, 2, 3)
    where = F.affine_grid(theta, list(channels.shape), align_corners=False)
    where = where + (shift * sloppiness * 2).permute(0, 2, 3, 1)
    return F.grid_sample(channels, where, mode="nearest", padding_mode="border", align_corners=False)


def _untold(dice: Dice, owner: torch.Tensor, count: int, height: int, width: int) -> torch.Tensor:
    """Where nothing is told, bool (B, 1, H, W): some things, often the background, sometimes a smooth part."""
    lots = dice.chance(0.12, count, 5)
    lots[:, 0] |= dice.chance(0.2, count)
    things = lots.gather(1, owner.flatten(1).long()).view_as(owner)[:, None]
    part = F.interpolate(dice.normal(count, 1, 4, 4), size=(height, width), mode="bicubic", align_corners=True)
    part = (part > 0.6) & dice.chance(0.3, count)[:, None, None, None]
    return things | part

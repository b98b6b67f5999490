"""From where things go to where a pixel looks: forward splatting of trajectories, and filling what nothing reaches."""

from __future__ import annotations

import torch
from torch.nn import functional

_FASTER_WINS = 1.0
"""How much a px of speed counts in front: of two things at one place the faster one is most likely the nearer."""

_GAP, _STRETCHED = 5, 0.3
"""Half the width, px, of gaps that count as a thing's own; change a px from which a thing stretches."""


def splatted_offsets(trajectory: torch.Tensor) -> torch.Tensor:
    """Sampling offsets (H, W, 2) of the instant to which `trajectory` (H, W, 2), px, carries the middle one.

    Every pixel of the middle instant is laid down where it goes, on four neighbours; where several meet the faster
    weighs more, by a factor of e a px. Where nothing arrives, a thing stretched or background was uncovered: there the
    offsets come from around, the slower ones first.
    """
    height, width = trajectory.shape[:2]
    speed = trajectory.norm(dim=-1)
    weight = ((speed - speed.amax()) * _FASTER_WINS).clamp(min=-40).exp()[..., None]
    laid = torch.cat((-trajectory * weight, weight, torch.ones_like(weight), weight * stretching(trajectory)), -1)
    laid = laid.flatten(0, 1)
    x = torch.arange(width, device=trajectory.device) + trajectory[..., 0]
    y = torch.arange(height, device=trajectory.device)[:, None] + trajectory[..., 1]
    total = torch.zeros_like(laid)
    for row in (y.floor(), y.floor() + 1):
        for column in (x.floor(), x.floor() + 1):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            share = (1 - (x - column).abs()) * (1 - (y - row).abs()) * inside
            places = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).long()
            total.index_add_(0, places.flatten(), laid * share.view(-1, 1))
    total = total.view(height, width, 5)
    reached = (total[..., 3] > 0.25) & (total[..., 2] > 0)
    offsets = torch.where(reached[..., None], total[..., :2] / total[..., 2:3].clamp(min=1e-30), 0.0)
    stretched = reached & (total[..., 4] > total[..., 2] / 2)
    for reach in range(1, _GAP + 1 if bool(stretched.any()) else 1):
        offsets, reached, stretched = bridged(offsets, reached, stretched, reach)
    slower = reached * (-offsets.norm(dim=-1) * 0.5).clamp(min=-20).exp().clamp(min=1e-8)
    return filled(offsets.permute(2, 0, 1)[None], slower[None, None], reached[None, None])[0].permute(1, 2, 0)


def stretching(trajectory: torch.Tensor) -> torch.Tensor:
    """1 where (H, W, 2) px changes on both sides of a pixel, in a thing that stretches, 0 elsewhere, also at an
    outline, where it changes on one side only. (H, W, 1)"""
    change = torch.zeros_like(trajectory[..., 0])
    for side in (0, 1):
        step = trajectory.diff(dim=side).norm(dim=-1)
        none = torch.zeros_like(step.narrow(side, 0, 1))
        change = torch.maximum(change, torch.minimum(torch.cat((none, step), side), torch.cat((step, none), side)))
    return (change > _STRETCHED)[..., None].to(trajectory)


def bridged(
    offsets: torch.Tensor, reached: torch.Tensor, stretched: torch.Tensor, reach: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Offsets (H, W, 2), where there are any, and which of them stretch (H, W), with the gaps filled that lie in a
    thing that stretches: halfway between the offsets `reach` px off on opposite sides. Taking such a gap for uncovered
    background would stripe the one with the other."""
    total, count = torch.zeros_like(offsets), torch.zeros_like(offsets[..., :1])
    for side in (0, 1):
        inner = offsets.shape[side] - 2 * reach
        if inner <= 0:
            continue
        first, second = (offsets.narrow(side, start, inner) for start in (0, 2 * reach))
        there = reached.narrow(side, 0, inner) & reached.narrow(side, 2 * reach, inner)
        there &= stretched.narrow(side, 0, inner) | stretched.narrow(side, 2 * reach, inner)
        middle = there[..., None].to(offsets)
        total.narrow(side, reach, inner).add_((first + second) / 2 * middle)
        count.narrow(side, reach, inner).add_(middle)
    new = ~reached & (count[..., 0] > 0)
    return torch.where(new[..., None], total / count.clamp(min=1), offsets), reached | new, stretched | new


def filled(picture: torch.Tensor, weight: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """`picture` (1, C, H, W) with what weighs nothing filled smoothly from what does (pull, then push).

    `weight` (1, 1, H, W), 0 to 1. Where `keep` (1, 1, H, W) is true the picture stays as it is.
    """
    total, mass, levels = picture * weight, weight, []
    while min(mass.shape[-2:]) > 1 and mass.amin() < 0.25 * mass.amax():
        levels.append((total, mass))
        total = functional.avg_pool2d(total, 2, ceil_mode=True, count_include_pad=False)
        mass = functional.avg_pool2d(mass, 2, ceil_mode=True, count_include_pad=False)
    fill = total / mass.clamp(min=1e-20)
    for total, mass in reversed(levels):
        coarse = functional.interpolate(fill, size=mass.shape[-2:], mode="bilinear", align_corners=False)
        sure = (mass / mass.amax().clamp(min=1e-20) * 4).clamp(max=1)
        fill = torch.where(mass > 1e-12, total / mass.clamp(min=1e-12), coarse) * sure + coarse * (1 - sure)
    return torch.where(keep, picture, fill)

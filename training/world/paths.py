"""How layers move: smooth maps of the plane over the exposure, as 2 x 3 matrices.

A path maps where a point of a layer stands mid-exposure to where it stands at s = 2t - 1, in px from the picture's
centre, x right, y down. Everything is quadratic in s and zero in the middle, so that start and end say it all.
"""

from __future__ import annotations

import math

import torch

from training.world.dice import Dice

STATIC_CAMERA, STATIC_LAYER, FOLLOWED = 0.3, 0.15, 0.1
BEND, UNEVEN = 0.35, 0.3
"""How far paths bulge and how much faster their ends are than their starts at most, shares of half the travel."""
SHORT = 0.8
"""A path's share of the longest is a uniform number to this power: long ones somewhat oftener than short ones."""


def moved(
    s: torch.Tensor,
    travel: torch.Tensor,
    bend: torch.Tensor,
    uneven: torch.Tensor,
    turn: torch.Tensor,
    zoom: torch.Tensor,
    centre: torch.Tensor,
) -> torch.Tensor:
    """Matrices (..., N, 2, 3) of a shift, rotation and zoom about a centre.

    s (N,); travel (..., 2) px from first to last place; bend (...,) bulge as a share of half the travel; uneven (...,)
    how much faster the end is than the start; turn (...,) radians and zoom (...,) log scale over half the exposure;
    centre (..., 2) px.
    """
    gone = s + uneven[..., None] * s * s  # (..., N)
    left = torch.stack((travel[..., 1], -travel[..., 0]), -1)
    shift = travel[..., None, :] / 2 * gone[..., None] + (bend[..., None] * s * s)[..., None] * left[..., None, :] / 2
    scale = torch.exp(zoom[..., None] * gone)
    cos, sin = torch.cos(turn[..., None] * gone) * scale, torch.sin(turn[..., None] * gone) * scale
    linear = torch.stack((torch.stack((cos, -sin), -1), torch.stack((sin, cos), -1)), -2)
    about = centre[..., None, :]
    rest = shift + about - (linear @ about[..., None])[..., 0]
    return torch.cat((linear, rest[..., None]), -1)


def after(second: torch.Tensor, first: torch.Tensor) -> torch.Tensor:
    """The matrix that does `first` and then `second`, both (..., 2, 3)."""
    linear = second[..., :2] @ first[..., :2]
    return torch.cat((linear, second[..., :2] @ first[..., 2:] + second[..., 2:]), -1)


def undone(path: torch.Tensor) -> torch.Tensor:
    """The inverse of matrices (..., 2, 3)."""
    a, b, c, d = path[..., 0, 0], path[..., 0, 1], path[..., 1, 0], path[..., 1, 1]
    inverse = torch.stack((torch.stack((d, -b), -1), torch.stack((-c, a), -1)), -2)
    inverse = inverse / (a * d - b * c)[..., None, None]
    return torch.cat((inverse, -inverse @ path[..., 2:]), -1)


def random_moves(
    dice: Dice,
    s: torch.Tensor,
    shape: tuple[int, ...],
    reach: float,
    radius: torch.Tensor,
    centre: torch.Tensor,
    spin: float,
    still: float,
    most_uneven: float = UNEVEN,
) -> torch.Tensor:
    """Random matrices (*shape, N, 2, 3): at most `reach` px of travel; turning and zooming move a point at `radius` px
    (*shape) from `centre` (*shape, 2) by at most `spin` times `reach`; a share `still` of them does not move."""
    moving = (~dice.chance(still, *shape)).float()
    length = reach * dice.uniform(*shape).pow(SHORT) * moving
    angle = dice.uniform(*shape, high=2 * math.pi)
    travel = length[..., None] * torch.stack((angle.cos(), angle.sin()), -1)
    swing = moving * spin * reach / 2 / radius.clamp_min(8)
    turn = swing * dice.uniform(*shape, low=-1) * dice.chance(0.75, *shape)
    zoom = 0.6 * swing * dice.uniform(*shape, low=-1) * dice.chance(0.5, *shape)
    bend = dice.uniform(*shape, low=-BEND, high=BEND)
    uneven = dice.uniform(*shape, low=-most_uneven, high=most_uneven)
    return moved(s, travel, bend, uneven, turn.clamp(-0.5, 0.5), zoom.clamp(-0.2, 0.2), centre)


def camera_and_layers(
    dice: Dice,
    s: torch.Tensor,
    reach: float,
    size: int,
    centre: torch.Tensor,
    radius: torch.Tensor,
    joint: torch.Tensor,
    child: torch.Tensor,
    uneven: float = UNEVEN,
) -> torch.Tensor:
    """All paths of a batch of scenes, (B, L + 1, N, 2, 3), the background's first.

    centre, joint (B, L, 2) px, radius (B, L) px; child (B, L) bool: this layer hangs on the one before it and turns
    about `joint`. Layers are carried along by the camera's motion; a share of cameras follows its subject, which then
    stands still before a moving background.
    """
    count, layers = radius.shape
    middle = torch.zeros(count, 2, device=s.device)
    half = torch.full((count,), size / 2, device=s.device)
    camera = random_moves(dice, s, (count,), reach, half, middle, 0.4, STATIC_CAMERA, uneven)
    own = random_moves(dice, s, (count, layers), reach, radius, centre, 1.0, STATIC_LAYER, uneven)
    carried = dice.chance(0.7, count)[:, None, None, None]
    identity = torch.eye(2, 3, device=s.device).expand_as(camera)
    carry = torch.where(carried, camera, identity)
    followed = dice.chance(FOLLOWED, count, layers)[..., None, None, None]
    paths = torch.where(followed, identity[:, None], after(carry[:, None].expand_as(own), own))
    paths = list(torch.unbind(paths, 1))
    zeros = torch.zeros(count, layers, device=s.device)
    swing = (dice.uniform(count, layers, low=-0.6, high=0.6) * reach / radius.clamp_min(8)).clamp(-0.7, 0.7)
    about_joint = moved(s, zeros[..., None].expand(-1, -1, 2), zeros, zeros, swing / 2, zeros, joint)
    for layer in range(1, layers):
        hung = after(paths[layer - 1], about_joint[:, layer])
        paths[layer] = torch.where(child[:, layer, None, None, None], hung, paths[layer])
    return torch.stack((camera, *paths), 1)

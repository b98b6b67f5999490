"""What layers look like mid-exposure: their outlines as signed distances, in px, positive inside."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from training.world.dice import Dice

BLOB, POLYGON, LIMB, CUTOUT = range(4)
LAYERS = 4


@dataclass(frozen=True)
class Shapes:
    """Outlines of all layers of a batch of scenes, (B, L) each, L = 4.

    kind      BLOB, POLYGON, LIMB or CUTOUT.
    alive     whether the layer is there.
    centre    (B, L, 2) px from the picture's centre; `radius` px; `angle` radians; `aspect` 1 or more.
    waves     (B, L, 10) numbers in 0 to 1 that shape the outline.
    soft      px over which the edge fades.
    child     hangs on the layer before it, turns about `joint` (B, L, 2).
    """

    kind: torch.Tensor
    alive: torch.Tensor
    centre: torch.Tensor
    radius: torch.Tensor
    angle: torch.Tensor
    aspect: torch.Tensor
    waves: torch.Tensor
    soft: torch.Tensor
    child: torch.Tensor
    joint: torch.Tensor


def random_shapes(dice: Dice, count: int, size: int, cutouts: bool) -> Shapes:
    """Outlines for `count` scenes of `size` px with 0 to 4 layers; arms and legs come as two limbs on a joint."""
    shape = (count, LAYERS)
    weights = (0.4, 0.25, 0.25, 0.35 if cutouts else 0.0)
    kind = dice.choice(weights, *shape)
    alive = torch.arange(LAYERS, device=dice.device)[None] < dice.choice((0.2, 0.3, 0.25, 0.15, 0.1), count)[:, None]
    limb = (kind == LIMB) & alive
    child = torch.zeros_like(limb)
    for layer in range(1, LAYERS):
        child[:, layer] = limb[:, layer] & limb[:, layer - 1] & ~child[:, layer - 1]
        # A limb usually brings its other half along.
        wanted = limb[:, layer - 1] & ~child[:, layer - 1] & alive[:, layer] & dice.chance(0.8, count)
        kind[:, layer] = torch.where(wanted, LIMB, kind[:, layer])
        limb[:, layer] |= wanted
        child[:, layer] |= wanted
    radius = size * (0.1 + 0.35 * dice.uniform(*shape).pow(1.4))
    angle = dice.uniform(*shape, high=2 * math.pi)
    aspect = 1 + 2.7 * dice.uniform(*shape).pow(2)
    aspect = torch.where(limb, 3 + aspect, aspect)
    centre = size * dice.uniform(*shape, 2, low=-0.45, high=0.45)
    along = torch.stack((angle.cos(), angle.sin()), -1)
    joint = centre.clone()
    for layer in range(1, LAYERS):
        end = centre[:, layer - 1] + (along * radius[..., None])[:, layer - 1]
        hangs = child[:, layer, None]
        joint[:, layer] = torch.where(hangs, end, joint[:, layer])
        centre[:, layer] = torch.where(hangs, end + (along * radius[..., None])[:, layer] * 0.9, centre[:, layer])
    soft = 0.6 + 2.5 * dice.uniform(*shape).pow(4)
    return Shapes(kind, alive, centre, radius, angle, aspect, dice.uniform(*shape, 10), soft, child, joint)


def local(shapes: Shapes, which: tuple[torch.Tensor, ...], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The grid in a layer's own turned coordinates: (K, h, w, 2) px for K layers picked by `which`."""
    centre, angle = shapes.centre[which], shapes.angle[which]
    dx, dy = x[None] - centre[:, 0, None, None], y[None] - centre[:, 1, None, None]
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return torch.stack((cos * dx + sin * dy, cos * dy - sin * dx), -1)


def inside(shapes: Shapes, which: tuple[torch.Tensor, ...], kind: int, place: torch.Tensor) -> torch.Tensor:
    """Signed distance (K, h, w), roughly px, of the K layers picked by `which`, all of one `kind`."""
    radius, aspect = shapes.radius[which][:, None, None], shapes.aspect[which][:, None, None]
    waves = shapes.waves[which][:, :, None, None]
    u, v = place[..., 0], place[..., 1]
    if kind == LIMB:
        return radius / aspect * (1 - 0.3 * u / radius.clamp_min(1)) - torch.hypot((u.abs() - radius).clamp_min(0), v)
    v = v * aspect.sqrt()
    u = u / aspect.sqrt()
    if kind == POLYGON:
        turns = 2 * math.pi * (torch.arange(5, device=u.device)[None, :, None, None] + 0.8 * waves[:, :5]) / 5
        edges = (0.45 + 0.5 * waves[:, 5:]) * radius[:, None]
        return (edges - (turns.cos() * u[:, None] + turns.sin() * v[:, None])).amin(1)
    around = torch.atan2(v, u)
    outline = torch.ones_like(u)
    for wave in range(1, 5):
        strength = 0.35 * waves[:, wave] / wave**0.7
        outline = outline + strength * torch.cos(wave * around + 2 * math.pi * waves[:, 4 + wave])
    return radius * outline * 0.8 - torch.hypot(u, v)

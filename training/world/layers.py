"""The pictures of all layers as they stand mid-exposure: linear light, colour already times alpha."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

from models.exposure import srgb_to_linear
from training.world.dice import Dice
from training.world.photos import Photos
from training.world.shapes import CUTOUT, LIMB, Shapes, inside, local

RED, GREEN, BLUE, ALPHA, SHADOW = range(5)


def grid(size: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixel places from the picture's centre, px: x and y, (size, size) each."""
    along = torch.arange(size, device=device, dtype=torch.float32) - (size - 1) / 2
    return along[None, :].expand(size, size), along[:, None].expand(size, size)


def textured(pixels: torch.Tensor, index: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """Textures read at `place`: bilinear, mirrored at the border, values 0 to 1 on the sRGB curve.

    pixels uint8 (P, S, S, C); index (K,); place (K, h, w, 2) px of the texture. Returns (K, C, h, w).
    """
    side = pixels.shape[1]
    place = (side - 1) - ((place % (2 * (side - 1))) - (side - 1)).abs()
    whole = place.floor().clamp_max(side - 2)
    part = (place - whole)[..., None, :]
    first = (index[:, None, None] * side + whole[..., 1].long()) * side + whole[..., 0].long()
    flat = pixels.reshape(-1, pixels.shape[3])
    x, y = part[..., 0], part[..., 1]
    above = torch.lerp(flat[first].float(), flat[first + 1].float(), x)
    below = torch.lerp(flat[first + side].float(), flat[first + side + 1].float(), x)
    return torch.lerp(above, below, y).permute(0, 3, 1, 2) / 255


def _crops(dice: Dice, count: int, side: int, place: torch.Tensor, turned: bool) -> torch.Tensor:
    """`place` (K, h, w, 2) px of the picture -> px of a texture, at a random spot, size, mirroring and turn."""
    scale = dice.uniform(count, low=0.7, high=1.6)[:, None, None, None]
    angle = dice.uniform(count, high=2 * math.pi if turned else 0.0) + math.pi / 2 * dice.whole(2, count) * turned
    mirrored = 1 - 2.0 * dice.whole(2, count)
    cos, sin = (angle.cos() * mirrored)[:, None, None], angle.sin()[:, None, None]
    u = cos * place[..., 0] - sin * place[..., 1]
    v = sin * mirrored[:, None, None] * place[..., 0] + angle.cos()[:, None, None] * place[..., 1]
    spot = side * dice.uniform(count, 2, low=0.15, high=0.85)
    return torch.stack((u, v), -1) * scale + spot[:, None, None, :]


def backgrounds(dice: Dice, photos: Photos, count: int, size: int) -> torch.Tensor:
    """`count` backgrounds (B, 3, size, size), linear light."""
    x, y = grid(size, dice.device)
    place = torch.stack((x, y), -1)[None].expand(count, -1, -1, -1)
    crops = _crops(dice, count, photos.pixels.shape[1], place, turned=False)
    picture = textured(photos.pixels, dice.whole(len(photos.pixels), count), crops)
    return srgb_to_linear(_graded(dice, picture, 0.6))


def foregrounds(dice: Dice, photos: Photos, shapes: Shapes, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (K, 5, size, size) of all layers that are alive: colour times alpha, alpha, shadow; and their number
    (B, L) in that list, -1 where there is none."""
    which = torch.nonzero(shapes.alive, as_tuple=True)
    count = len(which[0])
    number = torch.full(shapes.alive.shape, -1, dtype=torch.long, device=dice.device)
    number[which] = torch.arange(count, device=dice.device)
    if not count:
        return torch.zeros(0, 5, size, size, device=dice.device), number
    place = local(shapes, which, *grid(size, dice.device))
    crops = _crops(dice, count, photos.pixels.shape[1], place, turned=True)
    colour = textured(photos.pixels, dice.whole(len(photos.pixels), count), crops)
    flat = colour.mean((2, 3), keepdim=True)
    plain = torch.where(shapes.kind[which] == LIMB, 0.2, 0.5)
    contrast = (plain + (1 - plain) * dice.uniform(count)).clamp_max(1)[:, None, None, None]
    colour = _graded(dice, flat + (colour - flat) * contrast, 0.4)
    alpha = torch.zeros(count, 1, size, size, device=dice.device)
    for kind in range(CUTOUT):
        mine = torch.nonzero(shapes.kind[which] == kind)[:, 0]
        if len(mine):
            chosen = (which[0][mine], which[1][mine])
            distance = inside(shapes, chosen, kind, place[mine])
            alpha[mine, 0] = torch.sigmoid(2 * distance / shapes.soft[chosen][:, None, None])
    _stamp(dice, photos, shapes, which, place, colour, alpha)
    return torch.cat((srgb_to_linear(colour) * alpha, alpha, _shadow(dice, alpha)), 1), number


def _stamp(
    dice: Dice,
    photos: Photos,
    shapes: Shapes,
    which: tuple[torch.Tensor, ...],
    place: torch.Tensor,
    colour: torch.Tensor,
    alpha: torch.Tensor,
) -> None:
    """Fill in, in place, the layers that are cut-outs of real objects."""
    mine = torch.nonzero(shapes.kind[which] == CUTOUT)[:, 0]
    if not len(mine):
        return
    side = photos.cutouts.shape[1]
    radius = shapes.radius[which][mine][:, None, None, None] * 1.2
    where = place[mine] / radius * side / 2 + side / 2
    drawn = textured(photos.cutouts, dice.whole(len(photos.cutouts), len(mine)), where)
    within = ((where > 0) & (where < side - 1)).all(-1)[:, None]
    colour[mine], alpha[mine] = drawn[:, :3], drawn[:, 3:] * within


def _graded(dice: Dice, picture: torch.Tensor, amount: float) -> torch.Tensor:
    """Other brightness, contrast and tint, so that a few hundred photos look like more."""
    count = len(picture)
    power = torch.exp(amount * dice.uniform(count, 1, low=-1)) * torch.exp(0.12 * dice.uniform(count, 3, low=-1))
    gain = 1 - 0.5 * amount * dice.uniform(count, 1)
    return gain[..., None, None] * picture.clamp(1e-4, 1) ** power[..., None, None]


def _shadow(dice: Dice, alpha: torch.Tensor) -> torch.Tensor:
    """What each layer darkens: its own soft outline, shifted; three in ten cast one."""
    count = len(alpha)
    soft = F.interpolate(alpha, size=(32, 32), mode="area")
    soft = F.avg_pool2d(soft, 3, 1, 1, count_include_pad=False)
    shift = dice.uniform(count, 2, low=-0.15, high=0.15)
    theta = torch.cat((torch.eye(2, device=alpha.device).expand(count, 2, 2), shift[..., None]), -1)
    moved = F.grid_sample(soft, F.affine_grid(theta, list(alpha.shape), align_corners=False), align_corners=False)
    strength = 0.6 * dice.uniform(count) * dice.chance(0.3, count)
    return moved * strength[:, None, None, None]

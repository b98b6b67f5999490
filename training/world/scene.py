"""Scenes in layers, moved along known paths and exposed: photos with everything known about their motion."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch.nn import functional as F

from models.exposure import linear_to_srgb
from training.world.dice import Dice
from training.world.layers import ALPHA, SHADOW, backgrounds, foregrounds, grid
from training.world.paths import UNEVEN, camera_and_layers, undone
from training.world.photos import Photos
from training.world.sensor import defocused, exposed, lit
from training.world.shapes import LAYERS, random_shapes

STEP = 1.3
FEWEST, MOST = 3, 10
LONGEST_SHARE = 0.3


@dataclass(frozen=True)
class Exposures:
    """A batch of photos with their truth. T frames at even times, H = W.

    photo         float32 (B, 3, H, W), 0 to 1 on the sRGB curve, 8-bit steps.
    frames        float32 (B, T, 3, H, W), the true instants, the same curve, without noise.
    offsets       float32 (B, T, 2, H, W) px: the pixel p of instant t looks at p + offset in the middle instant.
    trajectories  float32 (B, T, 2, H, W) px: what stands at p in the middle stands at p + trajectory at t.
    visible       bool (B, T, H, W): whether the offset leads to the same thing, not to what covers it mid-exposure.
    owner         uint8 (B, H, W): 0 the background, k the k-th layer, mid-exposure.
    paths         float32 (B, L + 1, T, 2, 3): how each layer moves, px from the centre.
    times         float32 (T,).
    """

    photo: torch.Tensor
    frames: torch.Tensor
    offsets: torch.Tensor
    trajectories: torch.Tensor
    visible: torch.Tensor
    owner: torch.Tensor
    paths: torch.Tensor
    times: torch.Tensor

    def flow(self) -> torch.Tensor:
        """Visible displacement from first to last instant on the middle one's grid, (B, 2, H, W) px."""
        return self.trajectories[:, -1] - self.trajectories[:, 0]

    @classmethod
    def joined(cls, parts: list[Exposures]) -> Exposures:
        names = [field.name for field in fields(cls) if field.name != "times"]
        return cls(**{name: torch.cat([getattr(part, name) for part in parts]) for name in names}, times=parts[0].times)


@dataclass(frozen=True)
class World:
    """A source of exposures.

    photos   what it is made of, on the device that renders.
    size     H = W, px.
    reach    (shortest, longest) the longest path of a batch is drawn between these, px over the exposure.
    uneven   how much faster paths end than they start at most, or slower.
    """

    photos: Photos
    size: int = 128
    reach: tuple[float, float] = (2.0, 38.0)
    uneven: float = UNEVEN

    @property
    def device(self) -> torch.device:
        return self.photos.pixels.device

    @torch.no_grad()
    def render(self, count: int, seed: int, frames: int = 7, sensor: bool = True) -> Exposures:
        """`count` exposures; the same seed gives the same. `frames` - 1 divides 6 times 3 to 10: 2, 3, 4 or 7.

        sensor  False leaves out noise, clipping, defocus and JPEG: the mean of all exposures in linear light.
        """
        if frames not in (2, 3, 4, 7):
            raise ValueError(f"expected 2, 3, 4 or 7 frames, got {frames}")
        dice = Dice(seed, self.device)
        low, high = self.reach
        reach = low + (high - low) * float(dice.uniform()) ** 1.2
        steps = 6 * min(MOST, max(FEWEST, math.ceil(reach / STEP / 6)))
        canvas = self.size + 2 * (math.ceil(0.9 * reach) + 6)
        shapes = random_shapes(dice, count, self.size, len(self.photos.cutouts) > 0)
        s = torch.linspace(-1, 1, steps + 1, device=self.device)
        placed = (shapes.centre, shapes.radius, shapes.joint, shapes.child)
        paths = camera_and_layers(dice, s, reach, self.size, *placed, self.uneven)
        background = backgrounds(dice, self.photos, count, canvas)
        background = lit(dice, background) if sensor else background
        layers, number = foregrounds(dice, self.photos, shapes, canvas)
        light, instants, owners = _exposed(background, layers, number, paths, self.size, steps // (frames - 1))
        if sensor:
            together = defocused(dice, torch.cat((light[:, None], instants), 1))
            light, instants = together[:, 0], together[:, 1:]
        photo = exposed(dice, light) if sensor else linear_to_srgb(light)
        keep = paths[:, :, :: steps // (frames - 1)]
        middle = owners[:, -1]
        offsets = _followed(undone(keep), owners[:, :-1])
        return Exposures(
            photo=photo,
            frames=linear_to_srgb(instants.clamp(0, 1) if sensor else instants),
            offsets=offsets,
            trajectories=_followed(keep, middle[:, None].expand(-1, frames, -1, -1)),
            visible=_visible(offsets, owners[:, :-1], middle),
            owner=middle.to(torch.uint8),
            paths=keep,
            times=torch.linspace(0, 1, frames, device=self.device),
        )


def _exposed(
    background: torch.Tensor, layers: torch.Tensor, number: torch.Tensor, paths: torch.Tensor, size: int, keep: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The mean light (B, 3, H, W), every `keep`-th instant (B, T, 3, H, W), who owns each pixel in them and, last, in
    the middle one (B, T + 1, H, W)."""
    inverse, count = undone(paths), paths.shape[2]
    light, middle = torch.zeros((), device=background.device), torch.zeros(())
    instants, owners = [], []
    for n in range(count):
        picture, owner = _instant(background, layers, number, inverse[:, :, n], size)
        light = light + picture / count
        middle = owner if n == count // 2 else middle
        if n % keep == 0:
            instants.append(picture)
            owners.append(owner)
    return light, torch.stack(instants, 1), torch.stack((*owners, middle), 1)


def _instant(
    background: torch.Tensor, layers: torch.Tensor, number: torch.Tensor, inverse: torch.Tensor, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The scene at one time, (B, 3, H, W) linear light, and the owner (B, H, W) of each pixel."""
    picture = _placed(background, inverse[:, 0], size, "reflection")
    owner = torch.zeros(len(picture), size, size, dtype=torch.long, device=picture.device)
    for layer in range(LAYERS):
        mine = torch.nonzero(number[:, layer] >= 0)[:, 0]
        if not len(mine):
            continue
        placed = _placed(layers[number[mine, layer]], inverse[mine, layer + 1], size, "zeros")
        alpha = placed[:, ALPHA : ALPHA + 1]
        below = picture[mine] * (1 - placed[:, SHADOW : SHADOW + 1])
        picture[mine] = below * (1 - alpha) + placed[:, :3]
        owner[mine] = torch.where(alpha[:, 0] > 0.5, layer + 1, owner[mine])
    return picture, owner


def _placed(picture: torch.Tensor, inverse: torch.Tensor, size: int, padding: str) -> torch.Tensor:
    """Pictures (K, C, S, S) moved by the inverse of `inverse` (K, 2, 3) and cut to (K, C, size, size)."""
    side = picture.shape[-1]
    x, y = grid(size, picture.device)
    linear, shift = inverse[..., :2, None] * (2 / side), inverse[..., 2] * (2 / side)
    along = linear[:, :, 0] * x[:1] + shift[..., None]  # (K, 2, size)
    down = linear[:, :, 1] * y[:, :1].T
    where = (along[:, :, None, :] + down[:, :, :, None]).permute(0, 2, 3, 1)
    return F.grid_sample(picture, where, padding_mode=padding, align_corners=False)


def _followed(matrices: torch.Tensor, owners: torch.Tensor) -> torch.Tensor:
    """Displacements (B, T, 2, H, W) px: each pixel moved by the matrix, of (B, L + 1, T, 2, 3), of its owner."""
    count, times, size = owners.shape[0], owners.shape[1], owners.shape[-1]
    x, y = grid(size, owners.device)
    batch = torch.arange(count, device=owners.device)[:, None, None, None]
    time = torch.arange(times, device=owners.device)[None, :, None, None]
    chosen = matrices[batch, owners, time]  # (B, T, H, W, 2, 3)
    moved = chosen[..., 0] * x[..., None] + chosen[..., 1] * y[..., None] + chosen[..., 2]
    return (moved - torch.stack((x, y), -1)).permute(0, 1, 4, 2, 3).contiguous()


def _visible(offsets: torch.Tensor, owners: torch.Tensor, middle: torch.Tensor) -> torch.Tensor:
    """Where the offset leads to the pixel's own thing inside the picture, bool (B, T, H, W)."""
    size = owners.shape[-1]
    x, y = grid(size, owners.device)
    x = (x + offsets[:, :, 0] + (size - 1) / 2).round().long()
    y = (y + offsets[:, :, 1] + (size - 1) / 2).round().long()
    within = (x >= 0) & (x < size) & (y >= 0) & (y < size)
    place = y.clamp(0, size - 1) * size + x.clamp(0, size - 1)
    there = middle.flatten(1)[:, None].expand(-1, owners.shape[1], -1).gather(2, place.flatten(2)).view_as(owners)
    return within & (there == owners)

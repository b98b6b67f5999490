"""What a camera does to the light: defocus, highlights, noise, clipping, JPEG."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

from models.exposure import linear_to_srgb
from training.world.dice import Dice

DEFOCUSED, BRIGHT, PACKED = 0.25, 0.25, 0.5
NOISE = 0.012

_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip


def exposed(dice: Dice, light: torch.Tensor) -> torch.Tensor:
    """The photo (B, 3, H, W), 0 to 1 on the sRGB curve in 8-bit steps, of the averaged light (B, 3, H, W)."""
    count = len(light)
    strength = NOISE * dice.uniform(count).pow(2)[:, None, None, None]
    shot = (light.clamp_min(0) * 0.9 + 0.1).sqrt()
    noisy = light + strength * shot * dice.normal(*light.shape)
    photo = (linear_to_srgb(noisy.clamp(0, 1)) * 255).round() / 255
    packed = dice.chance(PACKED, count)[:, None, None, None]
    quality = dice.uniform(count, low=40, high=96)
    return torch.where(packed, jpeg(photo, quality), photo)


def lit(dice: Dice, background: torch.Tensor) -> torch.Tensor:
    """Some scenes have lights brighter than the sensor can record: their highlights rise to up to 4."""
    count = len(background)
    boost = 3 * dice.uniform(count) * dice.chance(BRIGHT, count)
    over = ((background.amax(1, keepdim=True) - 0.75) / 0.25).clamp(0, 1)
    return background * (1 + boost[:, None, None, None] * over)


def defocused(dice: Dice, pictures: torch.Tensor) -> torch.Tensor:
    """Pictures (B, T, 3, H, W), a share of the scenes softened by a Gaussian of up to 1.3 px; the same for all T."""
    count = len(pictures)
    sigma = (1.3 * dice.uniform(count) * dice.chance(DEFOCUSED, count)).clamp_min(0.05)
    taps = torch.arange(-3, 4, device=pictures.device)
    kernel = torch.exp(-0.5 * (taps / sigma[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(pictures[0, :, :, 0, 0].numel(), 0)
    flat = F.pad(pictures.flatten(0, 2)[None], (3, 3, 3, 3), mode="replicate")
    channels = flat.shape[1]
    flat = F.conv2d(flat, kernel[:, None, None, :], groups=channels)
    return F.conv2d(flat, kernel[:, None, :, None], groups=channels)[0].unflatten(0, pictures.shape[:3])


def jpeg(picture: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
    """What JPEG compression leaves of pictures (B, 3, H, W) in 0 to 1; quality (B,) 1 to 100. No chroma subsampling."""
    height, width = picture.shape[-2:]
    padded = F.pad(picture, (0, -width % 8, 0, -height % 8), mode="replicate") * 255
    red, green, blue = padded.unbind(1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = torch.stack((luma - 128, 0.564 * (blue - luma), 0.713 * (red - luma)), 1)
    factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
    table = torch.tensor(_LUMA, device=picture.device, dtype=torch.float32) * factor[:, None, None]
    chroma = torch.full_like(table, 60) * factor[:, None, None]
    steps = torch.stack((table, chroma, chroma), 1).clamp_min(1)[:, :, None, :, None, :]
    dct = _dct(picture.device)
    blocks = planes.unflatten(3, (-1, 8)).unflatten(2, (-1, 8))  # (B, 3, h, 8, w, 8)
    blocks = torch.einsum("ik,bchkwl,jl->bchiwj", dct, blocks, dct)
    blocks = (blocks / steps).round() * steps
    planes = torch.einsum("ik,bchiwj,jl->bchkwl", dct, blocks, dct).flatten(4, 5).flatten(2, 3)
    luma, blue, red = planes[:, 0] + 128, planes[:, 1] / 0.564, planes[:, 2] / 0.713
    green = luma - (0.299 * red + 0.114 * blue) / 0.587
    back = torch.stack((luma + red, green, luma + blue), 1)[..., :height, :width]
    return (back.round() / 255).clamp(0, 1)


def _dct(device: torch.device) -> torch.Tensor:
    place = torch.arange(8, device=device)
    basis = torch.cos(math.pi / 8 * (place[None] + 0.5) * place[:, None]) / 2
    basis[0] /= math.sqrt(2)
    return basis

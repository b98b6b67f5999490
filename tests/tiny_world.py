"""A world small enough for tests: made of painted textures instead of photos."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from training.world import Photos, World


def tiny_photos(side: int = 64, cutouts: int = 2) -> Photos:
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(4, 3, side // 4, side // 4, generator=generator)
    pixels = F.interpolate(coarse, size=(side, side), mode="bicubic").clamp(0, 1)
    pixels = (pixels.permute(0, 2, 3, 1) * 255).byte().contiguous()
    stamps = torch.zeros(cutouts, side // 2, side // 2, 4, dtype=torch.uint8)
    stamps[:, 4:-4, 6:-6] = torch.randint(0, 256, (cutouts, side // 2 - 8, side // 2 - 12, 4), generator=generator)
    stamps[:, 4:-4, 6:-6, 3] = 255
    return Photos(pixels, stamps, ("painted",), ("A",))


def tiny_world(size: int = 48, reach: tuple[float, float] = (4.0, 12.0)) -> World:
    return World(tiny_photos(), size, reach)

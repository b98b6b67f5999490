"""The eight turns and mirrorings of a picture, for pictures and for fields of vectors on them."""

from __future__ import annotations

import torch

WAYS = 8


def turned(x: torch.Tensor, way: int) -> torch.Tensor:
    """`x` (..., H, W) turned and mirrored; `way` 0 to 7, bits: mirror x, mirror y, swap x and y."""
    flips = [axis for axis, bit in ((-1, 1), (-2, 2)) if way & bit]
    x = x.flip(flips) if flips else x
    return x.transpose(-1, -2) if way & 4 else x


def turned_vectors(field: torch.Tensor, way: int) -> torch.Tensor:
    """Vectors (..., 2, H, W), x then y, of the turned picture."""
    signs = field.new_tensor([-1 if way & 1 else 1, -1 if way & 2 else 1])[:, None, None]
    field = turned(field * signs, way)
    return field.flip(-3) if way & 4 else field

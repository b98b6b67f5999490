"""How a photo comes about: sharp instants, averaged in linear light over the exposure.

Conventions, for every function here:
    pictures      (B, C, H, W) float tensors on any device; linear light unless a name says sRGB, 0 black, 1 white.
    instants      (B, N, C, H, W), in time order.
    fields        (B, H, W, 2), sequences of them (B, N, H, W, 2): px, x right, y down.
    offsets       sampling: the result at p shows the picture at p + offset. Things seen to move by +v have offset -v.
    pixel centre  whole numbers; the first pixel's centre is (0, 0) (`align_corners=True`).
    padding       beyond the border the border pixel goes on.
Everything is differentiable in pictures and offsets.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

_KNEE_SRGB, _KNEE_LINEAR = 0.04045, 0.0031308


def srgb_to_linear(srgb: torch.Tensor) -> torch.Tensor:
    """Linear light of values on the sRGB curve (IEC 61966-2-1), any shape; straight on below 0."""
    curve = ((srgb.clamp(min=_KNEE_SRGB) + 0.055) / 1.055) ** 2.4
    return torch.where(srgb <= _KNEE_SRGB, srgb / 12.92, curve)


def linear_to_srgb(linear: torch.Tensor) -> torch.Tensor:
    """Values on the sRGB curve of linear light, any shape; the inverse of `srgb_to_linear`."""
    curve = 1.055 * linear.clamp(min=_KNEE_LINEAR) ** (1 / 2.4) - 0.055
    return torch.where(linear <= _KNEE_LINEAR, linear * 12.92, curve)


def from_pixels(pixels: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
    """Linear light (1, 3, H, W) float32 of pixels (H, W, 3) uint8 or uint16 on the sRGB curve."""
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"expected pixels (H, W, 3) of type uint8 or uint16, got {pixels.dtype} {pixels.shape}")
    srgb = torch.from_numpy(pixels.astype(np.float32) / np.iinfo(pixels.dtype).max).to(device)
    return srgb_to_linear(srgb).permute(2, 0, 1)[None].contiguous()


def to_pixels(linear: torch.Tensor, dtype: np.dtype | type = np.uint8) -> np.ndarray:
    """Pixels (..., H, W, 3) on the sRGB curve of linear light (..., 3, H, W), rounded to `dtype`."""
    return as_pixels(linear_to_srgb(linear.detach().clamp(0, 1)), dtype)


def as_pixels(srgb: torch.Tensor, dtype: np.dtype | type = np.uint8) -> np.ndarray:
    """Pixels (..., H, W, 3) of values (..., 3, H, W) on the sRGB curve, 0 to 1, rounded to `dtype`."""
    values = srgb.detach() * np.iinfo(dtype).max
    return values.movedim(-3, -1).round().cpu().numpy().astype(dtype)


def sampled(picture: torch.Tensor, offsets: torch.Tensor, cubic: bool = False) -> torch.Tensor:
    """The picture at p + offsets(p).

    `picture` (B, C, h, w), `offsets` (B, H, W, 2) px; a batch of one picture serves any number of offsets. Bilinear,
    or bicubic (a = -0.75), which keeps detail sharp and may overshoot by a few percent. Returns (B, C, H, W).
    """
    if offsets.ndim != 4 or offsets.shape[-1] != 2:
        raise ValueError(f"expected offsets of shape (B, H, W, 2), got {tuple(offsets.shape)}")
    picture = picture.expand(len(offsets), -1, -1, -1)
    places = grid(offsets, picture.shape[-2:])
    mode = "bicubic" if cubic else "bilinear"
    return functional.grid_sample(picture, places, mode=mode, padding_mode="border", align_corners=True)


def grid(offsets: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """The places p + offsets (B, H, W, 2) in a picture of `size` (h, w), as grid_sample wants them: -1 to 1."""
    height, width = offsets.shape[1:3]
    x = torch.arange(width, device=offsets.device, dtype=offsets.dtype) + offsets[..., 0]
    y = torch.arange(height, device=offsets.device, dtype=offsets.dtype)[:, None] + offsets[..., 1]
    return torch.stack((_spread(x, size[1]), _spread(y, size[0])), -1)


def _spread(places: torch.Tensor, size: int) -> torch.Tensor:
    return places * (2 / (size - 1)) - 1 if size > 1 else torch.zeros_like(places)


def frames(middle: torch.Tensor, offsets: torch.Tensor, cubic: bool = False) -> torch.Tensor:
    """The instants of an exposure from its middle one: L_n(p) = L(p + d_n(p)) (Exposure Trajectory Recovery, eq. 17).

    `middle` (B, C, H, W), `offsets` (B, N, H, W, 2). Returns (B, N, C, H, W).
    """
    if offsets.ndim != 5 or len(offsets) != len(middle):
        raise ValueError(f"expected offsets of shape ({len(middle)}, N, H, W, 2), got {tuple(offsets.shape)}")
    return torch.stack([sampled(middle, one, cubic) for one in offsets.unbind(1)], 1)


def average(instants: torch.Tensor) -> torch.Tensor:
    """The photo (B, C, H, W) that instants (B, N, C, H, W) in linear light leave behind."""
    return instants.mean(1)


def blurred(middle: torch.Tensor, offsets: torch.Tensor, cubic: bool = False) -> torch.Tensor:
    """The photo of a middle instant: B(p) = 1/N sum_n L(p + d_n(p)) (Exposure Trajectory Recovery, eq. 3 and 4).

    Shapes as in `frames`; the instants are summed one by one, never held together. Returns (B, C, H, W).
    """
    if offsets.ndim != 5 or len(offsets) != len(middle):
        raise ValueError(f"expected offsets of shape ({len(middle)}, N, H, W, 2), got {tuple(offsets.shape)}")
    total = torch.zeros(())
    for one in offsets.unbind(1):
        total = total.to(middle) + sampled(middle, one, cubic)
    return total / offsets.shape[1]


def psnr(picture: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio in dB for values in 0 to 1, over everything; a scalar, 100 at most."""
    return -10 * torch.log10((picture - truth).square().mean().clamp(min=1e-10))


def reblur_error(instants: torch.Tensor, photo: torch.Tensor) -> torch.Tensor:
    """How well instants (B, N, C, H, W) average back to the photo (B, C, H, W): PSNR in dB on the sRGB curve.

    A consistency check: it is blind to the answer "nothing moved".
    """
    return psnr(linear_to_srgb(average(instants).clamp(0, 1)), linear_to_srgb(photo.clamp(0, 1)))

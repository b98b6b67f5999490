"""Motion-aware deblurring (Exposure Trajectory Recovery, section 5.1, eq. 16): a multi-patch network whose last 3 x 3
convolutions reach along each pixel's trajectory. A configuration to train and to compare with; no weights are shipped.

The backbone is DMPHN 1-2-4 (Zhang et al. 2019), 5.42 M parameters: quarters, then halves, then the whole picture, each
level correcting what the one before left. Where nothing moves the network is that backbone.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from models.exposure import grid

PLACES = tuple((column, row) for row in (-1, 0, 1) for column in (-1, 0, 1))
TAPS = len(PLACES)
STRIDE = 8
"""Sides are multiples of this: half of a side is halved twice more."""


class MotionAwareConvolution(nn.Conv2d):
    """A 3 x 3 convolution whose nine taps are each pushed along the trajectory."""

    def __init__(self, width: int) -> None:
        super().__init__(width, width, 3, padding=1)

    def forward(self, input: torch.Tensor, pushes: torch.Tensor | None = None) -> torch.Tensor:
        """The tap n of `input` (B, C, H, W) at p reads it at p + (its place in the 3 x 3 square) + push n.

        pushes  (B, 9, H, W, 2) px, x then y; None: all of them zero. Outside there are zeros, as for any padded
                convolution.
        """
        if pushes is None:
            return super().forward(input)
        count, height, width = pushes.shape[1:4]
        pushed = pushes + pushes.new_tensor(PLACES)[:, None, None]
        there = grid(pushed.flatten(0, 1), input.shape[-2:]).view(-1, count * height, width, 2)
        read = F.grid_sample(input.float(), there, padding_mode="zeros", align_corners=True)
        taps = self.weight.flatten(1)[..., None, None]
        return F.conv2d(read.unflatten(2, (count, height)).flatten(1, 2), taps, self.bias)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = MotionAwareConvolution(width), MotionAwareConvolution(width)

    def forward(self, x: torch.Tensor, pushes: torch.Tensor | None = None) -> torch.Tensor:
        return x + self.second(F.relu(self.first(x, pushes)), pushes)


class _Encoder(nn.Module):
    """A picture (B, 3, H, W) to features (B, width, H, W), `fine`, and these to (B, 4 * width, H / 4, W / 4)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fine = _stage(3, width, 1)
        self.coarse = nn.Sequential(_stage(width, 2 * width, 2), _stage(2 * width, 4 * width, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.coarse(self.fine(x))


def _stage(inner: int, outer: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inner, outer, 3, stride, 1), _Residual(outer), _Residual(outer))


class _Decoder(nn.Module):
    """Features to a picture; only the residual blocks at full size are pushed, and given `fine` features."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            *(_Residual(4 * width), _Residual(4 * width), nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1)),
            *(_Residual(2 * width), _Residual(2 * width), nn.ConvTranspose2d(2 * width, width, 4, 2, 1)),
        )
        self.last = nn.ModuleList(_Residual(width) for _ in range(2))
        self.head = nn.Conv2d(width, 3, 3, padding=1)

    def forward(
        self, x: torch.Tensor, pushes: torch.Tensor | None = None, fine: torch.Tensor | float = 0.0
    ) -> torch.Tensor:
        x = self.inner(x) + fine
        for block in self.last:
            x = block(x, pushes)
        return self.head(x)


class MotionAwareDeblurring(nn.Module):
    """A blurred photo and its offsets to the sharp middle instant.

    width   channels at full size; twice and four times as many below. 32 is the published size.
    alpha   how far taps are pushed, as a share of the offsets: of eq. 16, .1 as published.
    short   whether there are short ways: the last level adds to the picture it is given and its blocks at full size see
            the encoder's features of that size, and all levels begin with adding nothing. As published all goes
            through features of a quarter of the size, and the network has to learn to copy before it can sharpen.
    """

    def __init__(self, width: int = 32, alpha: float = 0.1, short: bool = False) -> None:
        super().__init__()
        self.alpha, self.short = alpha, short
        self.encoders = nn.ModuleList(_Encoder(width) for _ in range(3))
        self.decoders = nn.ModuleList(_Decoder(width) for _ in range(3))
        if short:
            for name, parameter in self.decoders.named_parameters():
                if ".head." in name:
                    nn.init.zeros_(parameter)

    def forward(self, photo: torch.Tensor, offsets: torch.Tensor | None = None) -> torch.Tensor:
        """The sharp instant (B, 3, H, W) on the photo's curve.

        photo    (B, 3, H, W), 0 to 1; sides are multiples of 8.
        offsets  (B, 9, 2, H, W) px at nine even times, the middle one zero; None: nothing moves.
        """
        if photo.shape[-1] % STRIDE or photo.shape[-2] % STRIDE:
            raise ValueError(f"expected sides that are multiples of {STRIDE}, got {tuple(photo.shape[-2:])}")
        if offsets is not None and (offsets.ndim != 5 or offsets.shape[1] != TAPS):
            raise ValueError(f"expected offsets of shape (B, {TAPS}, 2, H, W), got {tuple(offsets.shape)}")
        pushes = None if offsets is None else self.alpha * offsets.permute(0, 1, 3, 4, 2)
        photo = photo - 0.5
        quarters = self._encoded(2, photo, 2, 2)
        residual = self._decoded(2, quarters, 2)
        halves = self._encoded(1, photo + residual, 2, 1) + quarters
        residual = self._decoded(1, halves, 1)
        nearly = photo + residual
        encoder = self.encoders[0]
        fine = encoder.get_submodule("fine")(nearly)
        whole = encoder.get_submodule("coarse")(fine) + halves
        if self.short:
            return nearly + self.decoders[0](whole, pushes, fine) + 0.5
        return self.decoders[0](whole, pushes) + 0.5

    def _encoded(self, level: int, picture: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
        """The features of rows x columns patches, each seen by itself, laid together again."""
        lines = [line.chunk(columns, 3) for line in picture.chunk(rows, 2)]
        encode = self.encoders[level]
        return torch.cat([torch.cat([encode(patch) for patch in line], 3) for line in lines], 2)

    def _decoded(self, level: int, features: torch.Tensor, rows: int) -> torch.Tensor:
        return torch.cat([self.decoders[level](part) for part in features.chunk(rows, 2)], 2)

"""Linear operators that blur one layer of a photo along its motion, and their adjoints.

All take and return (1, C, H, W). A layer's blur is the mean over the exposure of the layer moved to each instant.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch.nn import functional

from models import exposure
from models.drawn.splatting import splatted_offsets

STILL = 0.05
"""Px under which a pixel counts as still."""
_MODE, _MODE_NUMBER = "bicubic", 2

Displacement = Callable[[float], torch.Tensor]


class Blur(Protocol):
    """One layer's motion as an operator."""

    def forward(self, layer: torch.Tensor) -> torch.Tensor:
        """What the layer leaves on the photo."""
        ...

    def adjoint(self, photo: torch.Tensor) -> torch.Tensor:
        """The transpose of `forward`."""
        ...

    def at(self, t: float, layer: torch.Tensor) -> torch.Tensor:
        """The layer as it stands at t, cubic sampling."""
        ...


class Still:
    """A layer that does not move."""

    def forward(self, layer: torch.Tensor) -> torch.Tensor:
        return layer

    def adjoint(self, photo: torch.Tensor) -> torch.Tensor:
        return photo

    def at(self, t: float, layer: torch.Tensor) -> torch.Tensor:
        return layer


class Shift:
    """A layer that moves as one, (x, y) px at each t: a convolution, done by Fourier transform.

    The canvas wraps around, so its outermost pixels, as far as the motion reaches, mean nothing.
    """

    def __init__(self, displacement: Displacement, samples: int, size: tuple[int, int], device: torch.device) -> None:
        self.displacement = displacement
        self.size = (fast_length(size[0]), fast_length(size[1]))
        self.transfer = self._transfer(samples, device)

    def _transfer(self, samples: int, device: torch.device) -> torch.Tensor:
        """The spectrum of the path, drawn with bilinear dots: Richardson-Lucy diverges on kernels below zero."""
        kernel = torch.zeros(self.size)
        for n in range(samples):
            x, y = self.displacement(n / (samples - 1)).tolist()
            left, top = math.floor(x), math.floor(y)
            for column, across in ((left, left + 1 - x), (left + 1, x - left)):
                for row, down in ((top, top + 1 - y), (top + 1, y - top)):
                    kernel[row % self.size[0], column % self.size[1]] += across * down / samples
        return torch.fft.rfft2(kernel.to(device))

    def forward(self, layer: torch.Tensor) -> torch.Tensor:
        return self._multiplied(layer, self.transfer)

    def adjoint(self, photo: torch.Tensor) -> torch.Tensor:
        return self._multiplied(photo, self.transfer.conj())

    def _multiplied(self, picture: torch.Tensor, transfer: torch.Tensor) -> torch.Tensor:
        height, width = picture.shape[-2:]
        spectrum = torch.fft.rfft2(picture, s=self.size)
        return torch.fft.irfft2(spectrum * transfer, s=self.size)[..., :height, :width]

    def at(self, t: float, layer: torch.Tensor) -> torch.Tensor:
        offset = -self.displacement(t).to(layer)
        return exposure.sampled(layer, offset.expand(1, *layer.shape[-2:], 2), cubic=True)


class Field:
    """A layer whose pixels each move on their own: (H, W, 2) px at each t.

    Only what moves is sampled; the rest passes through as it is.
    """

    def __init__(self, displacement: Displacement, samples: int, check: Callable[[], None]) -> None:
        self.displacement = displacement
        self.check = check
        self.offsets = [self.offsets_at(n / (samples - 1)) for n in range(samples)]
        self.moves = torch.stack([offsets[0].norm(dim=-1) for offsets in self.offsets]).amax(0) > STILL
        self.places = torch.stack([exposure.grid(one, one.shape[1:3])[0][self.moves] for one in self.offsets])[None]

    def offsets_at(self, t: float) -> torch.Tensor:
        """Sampling offsets (1, H, W, 2) at t."""
        self.check()
        return splatted_offsets(self.displacement(t))[None]

    def forward(self, layer: torch.Tensor) -> torch.Tensor:
        self.check()
        blurred = layer.clone()
        samples = functional.grid_sample(layer, self.places, _MODE, "border", align_corners=True)
        blurred[..., self.moves] = samples.mean(2)
        return blurred

    def adjoint(self, photo: torch.Tensor) -> torch.Tensor:
        self.check()
        moved = (photo[..., self.moves] / self.places.shape[1])[:, :, None].expand(-1, -1, self.places.shape[1], -1)
        spread, _ = torch.ops.aten.grid_sampler_2d_backward(
            moved.contiguous(), photo, self.places, _MODE_NUMBER, 1, True, [True, False]
        )
        return torch.where(self.moves, 0.0, photo) + spread

    def at(self, t: float, layer: torch.Tensor) -> torch.Tensor:
        return exposure.sampled(layer, self.offsets_at(t), cubic=True)


def fast_length(length: int) -> int:
    """The smallest even length from `length` on with no prime factor above 5."""
    length += length % 2
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 2


def softened(picture: torch.Tensor, sigma: float) -> torch.Tensor:
    """`picture` (1, C, H, W) under a Gaussian of `sigma` px, border replicated."""
    radius = max(1, math.ceil(3 * sigma))
    bell = (-torch.arange(-radius, radius + 1, device=picture.device).square() / (2 * sigma * sigma)).exp().to(picture)
    bell = (bell / bell.sum()).expand(picture.shape[1], 1, 1, -1)
    channels = picture.shape[1]
    wide = functional.pad(picture, (radius, radius, radius, radius), mode="replicate")
    return functional.conv2d(
        functional.conv2d(wide, bell, groups=channels), bell.transpose(2, 3), groups=channels
    )

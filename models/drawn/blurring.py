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
_WIDE = 6.0
"""Px of a Gaussian's sigma beyond which a convolution takes gigabytes."""
_SAMPLES_AT_ONCE = 1 << 22
"""Bounds what one step of a dense blur holds in memory: some 100 MB."""
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

    A pixel is sampled about once a px of its way, at most `samples` times; what stands still passes through.
    """

    def __init__(self, displacement: Displacement, samples: int, check: Callable[[], None]) -> None:
        self.displacement = displacement
        self.check = check
        halvings = max(2, math.ceil(math.log2(max(samples - 1, 1))))
        offsets = torch.cat([self.offsets_at(n / 2**halvings) for n in range(2**halvings + 1)])
        self.moves = offsets.norm(dim=-1).amax(0) > STILL
        self.groups = self._grouped(offsets, halvings)

    def offsets_at(self, t: float) -> torch.Tensor:
        """Sampling offsets (1, H, W, 2) at t."""
        self.check()
        return splatted_offsets(self.displacement(t))[None]

    def _grouped(self, offsets: torch.Tensor, halvings: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Moving pixels by how often they are sampled: their numbers (M,), and where they look (1, N, M, 2)."""
        way = (offsets[1:] - offsets[:-1]).norm(dim=-1).sum(0)
        wanted = way.clamp(min=4).log2().ceil().clamp(max=halvings)
        places = exposure.grid(offsets, offsets.shape[1:3]).flatten(1, 2)
        groups = []
        for power in range(2, halvings + 1):
            numbers = (self.moves & (wanted == power)).flatten().nonzero()[:, 0]
            for some in numbers.split(_SAMPLES_AT_ONCE >> power) if len(numbers) else ():
                groups.append((some, places[:: 2 ** (halvings - power), some][None].contiguous()))
        return groups

    def forward(self, layer: torch.Tensor) -> torch.Tensor:
        blurred = layer.clone()
        for numbers, places in self.groups:
            self.check()
            samples = functional.grid_sample(layer, places, _MODE, "border", align_corners=True)
            blurred.flatten(2)[..., numbers] = samples.mean(2)
        return blurred

    def adjoint(self, photo: torch.Tensor) -> torch.Tensor:
        total = torch.where(self.moves, 0.0, photo)
        for numbers, places in self.groups:
            self.check()
            count = places.shape[1]
            moved = (photo.flatten(2)[..., numbers] / count)[:, :, None].expand(-1, -1, count, -1).contiguous()
            total += torch.ops.aten.grid_sampler_2d_backward(
                moved, photo, places, _MODE_NUMBER, 1, True, [True, False]
            )[0]
        return total

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
    """`picture` (1, C, H, W) under a Gaussian of `sigma` px, border replicated; a wide one on a coarser grid."""
    if sigma > _WIDE:
        half = functional.avg_pool2d(picture, 2, ceil_mode=True, count_include_pad=False)
        return functional.interpolate(softened(half, sigma / 2), size=picture.shape[-2:], mode="bilinear")
    radius = max(1, math.ceil(3 * sigma))
    bell = (-torch.arange(-radius, radius + 1, device=picture.device).square() / (2 * sigma * sigma)).exp().to(picture)
    bell = (bell / bell.sum()).expand(picture.shape[1], 1, 1, -1)
    channels = picture.shape[1]
    wide = functional.pad(picture, (radius, radius, radius, radius), mode="replicate")
    return functional.conv2d(functional.conv2d(wide, bell, groups=channels), bell.transpose(2, 3), groups=channels)

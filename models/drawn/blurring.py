"""Linear operators that blur one layer of a photo along its motion, and their adjoints.

All take and return (1, C, H, W). A layer's blur is the mean over the exposure of the layer moved to each instant.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch.nn import functional

from models.drawn.scale import enlarged
from models.drawn.splatting import splatted_offsets

STILL = 0.05
"""Px under which a pixel counts as still."""
_WIDE = 6.0
"""Px of a Gaussian's sigma beyond which a convolution takes gigabytes."""
_SAMPLES_AT_ONCE = 1 << 18
"""Bounds what one step of building a dense blur takes."""
_SAMPLES = 33
"""Most samples of one pixel; with tiles of some 800 px and 40 bytes a sample, a dense blur takes about a gigabyte."""
_FEWEST_KNOTS, _MOST_KNOTS, _KNOT_EVERY = 5, 17, 2.0
"""Instants between which a pixel goes straight on: about one for so many px of the longest way."""
_CRISP = 0.75
"""What makes bilinear samples as crisp as the cubic ones of `at`: times f (1 - f) at a fraction f of a px, so much of
the second difference is taken off."""

Displacement = Callable[[float], torch.Tensor]


class Blur(Protocol):
    """One layer's motion as an operator."""

    def forward(self, layer: torch.Tensor) -> torch.Tensor:
        """What the layer leaves on the photo."""
        ...

    def adjoint(self, photo: torch.Tensor) -> torch.Tensor:
        """The transpose of `forward`."""
        ...

    def offsets(self, t: float, scale: int = 1) -> torch.Tensor | None:
        """Where the layer, `scale` times larger than what is blurred, is to be sampled at t: (1, H, W, 2) px of it.

        None where it stands still.
        """
        ...


class Still:
    """A layer that does not move."""

    def forward(self, layer: torch.Tensor) -> torch.Tensor:
        return layer

    def adjoint(self, photo: torch.Tensor) -> torch.Tensor:
        return photo

    def offsets(self, t: float, scale: int = 1) -> None:
        return None


class Shift:
    """A layer that moves as one, (x, y) px at each t: a convolution, done by Fourier transform.

    The canvas wraps around, so its outermost pixels, as far as the motion reaches, mean nothing.
    """

    def __init__(self, displacement: Displacement, samples: int, size: tuple[int, int], device: torch.device) -> None:
        self.displacement, self.canvas = displacement, size
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

    def offsets(self, t: float, scale: int = 1) -> torch.Tensor:
        offset = -scale * self.displacement(t).to(self.transfer.device)
        return offset.expand(1, *(scale * length for length in self.canvas), 2)


class Field:
    """A layer whose pixels each move on their own: (H, W, 2) px at each t.

    A sparse matrix: a pixel is the mean of samples about a px apart along its way, each bilinear between the corners
    of a cell, and what this softens on the average is put back. What stands still passes through.
    """

    def __init__(self, displacement: Displacement, check: Callable[[], None]) -> None:
        self.displacement = displacement
        self.check = check
        last = self._knots() - 1
        knots = torch.cat([self.offsets_at(n / last) for n in range(last + 1)])
        self.size = knots.shape[1:3]
        self.corners = (0, 1, self.size[1], self.size[1] + 1)
        self.moves = knots.norm(dim=-1).amax(0) > STILL
        pixels, cells, weights, self.softness = self._samples(knots * self.moves[..., None])
        number = self.moves.numel()
        self.by_pixel = _Sums(cells, torch.bincount(pixels, minlength=number), weights)
        order = cells.argsort()
        counts = torch.bincount(cells, minlength=number - self.corners[-1])
        self.by_cell = _Sums(pixels[order], counts, weights[:, order])

    def _knots(self) -> int:
        """Instants at which the way is looked up, an odd number, so that the middle is among them."""
        way = sum(float(self.displacement(t).norm(dim=-1).amax()) for t in (0.0, 1.0))
        half = math.ceil(way / _KNOT_EVERY / 2)
        return min(max(2 * half + 1, _FEWEST_KNOTS), _MOST_KNOTS)

    def offsets_at(self, t: float) -> torch.Tensor:
        """Sampling offsets (1, H, W, 2) at t."""
        self.check()
        return splatted_offsets(self.displacement(t))[None]

    def _samples(self, knots: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Of every sample, by pixel: the pixel (S,), the cell (S,), and the corners' weights (4, S); and how much
        second difference in x and y (2, H, W) each pixel's mean is to lose."""
        way = (knots[1:] - knots[:-1]).abs().amax(-1).sum(0)
        counts = (way.ceil().long() + 1).clamp(max=_SAMPLES)
        parts, rows = [], max(1, _SAMPLES_AT_ONCE // int(counts.sum(1).amax()))
        for top in range(0, self.size[0], rows):
            self.check()
            parts.append(_taps(knots[:, top : top + rows], counts[top : top + rows], top, self.size))
        pixels, cells, weights, softness = zip(*parts, strict=True)
        return torch.cat(pixels), torch.cat(cells), torch.cat(weights, 1), torch.cat(softness, 1)

    def forward(self, layer: torch.Tensor) -> torch.Tensor:
        rows = layer[0].flatten(1).T.contiguous()
        total = torch.zeros_like(rows)
        for n, corner in enumerate(self.corners):
            self.check()
            total += self.by_pixel(rows[corner:], n)
        blurred = total.T.reshape(layer.shape)
        across, down = self.softness
        return blurred - across * _second_difference(blurred, -1) - down * _second_difference(blurred, -2)

    def adjoint(self, photo: torch.Tensor) -> torch.Tensor:
        across, down = self.softness
        photo = photo - _second_difference(across * photo, -1) - _second_difference(down * photo, -2)
        rows = photo[0].flatten(1).T.contiguous()
        total = torch.zeros_like(rows)
        for n, corner in enumerate(self.corners):
            self.check()
            sums = self.by_cell(rows, n)
            total[corner : corner + len(sums)] += sums
        return total.T.reshape(photo.shape)

    def offsets(self, t: float, scale: int = 1) -> torch.Tensor:
        return enlarged(scale * self.offsets_at(t).permute(0, 3, 1, 2), scale).permute(0, 2, 3, 1)


class _Sums:
    """Weighted sums of rows: `counts` (M,) rows of `places` (S,) go into each, with one of the `weights` (4, S)."""

    def __init__(self, places: torch.Tensor, counts: torch.Tensor, weights: torch.Tensor) -> None:
        self.places, self.weights = places, weights
        self.starts = functional.pad(counts.cumsum(0), (1, 0)).to(places)

    def __call__(self, rows: torch.Tensor, n: int) -> torch.Tensor:
        """Sums (M, C) of `rows` (L, C) with the n-th weights."""
        return functional.embedding_bag(
            self.places, rows, self.starts, mode="sum", per_sample_weights=self.weights[n], include_last_offset=True
        )


def _second_difference(picture: torch.Tensor, dim: int) -> torch.Tensor:
    """(..., H, W) along an axis; the border goes on, so that the operator is its own transpose."""
    return functional.pad(picture.diff(dim=dim), (1, 1, 0, 0) if dim == -1 else (0, 0, 1, 1)).diff(dim=dim)


def _taps(knots: torch.Tensor, counts: torch.Tensor, top: int, size: torch.Size) -> tuple[torch.Tensor, ...]:
    """`Field._samples` for some rows from `top` on in a picture of `size`.

    `knots` (N, h, W, 2) are offsets at even times and `counts` (h, W) how often each pixel is sampled in between.
    """
    height, width = size
    last = len(knots) - 1
    many = counts.flatten()
    pixel = torch.arange(len(many), device=many.device).repeat_interleave(many)
    nth = torch.arange(len(pixel), device=many.device) - (many.cumsum(0) - many)[pixel]
    place = nth * (last / (many - 1).clamp(min=1))[pixel]
    before = place.long().clamp(max=last - 1)
    ways = knots.permute(1, 2, 0, 3).reshape(-1, 2)
    start = pixel * (last + 1) + before
    offsets = torch.lerp(ways[start], ways[start + 1], (place - before)[:, None])
    x = (pixel % width + offsets[:, 0]).clamp(0, width - 1)
    y = (pixel // width + top + offsets[:, 1]).clamp(0, height - 1)
    left, up = x.int().clamp(max=width - 2), y.int().clamp(max=height - 2)
    x, y = x - left, y - up
    weights = torch.stack(((1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y)) / many[pixel]
    softness = torch.zeros(2, len(many), device=many.device)
    softness.index_add_(1, pixel, torch.stack((x * (1 - x), y * (1 - y))) * _CRISP)
    return (pixel + top * width).int(), up * width + left, weights, (softness / many).view(2, *counts.shape)


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

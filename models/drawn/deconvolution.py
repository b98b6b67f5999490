"""The sharp middle instant of every layer: Richardson-Lucy with total variation, all layers at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from models.drawn.background import uncovered
from models.drawn.blurring import Blur, softened

_FAINT = 1e-3
_HALF_SEEN, _WELL_SEEN = 0.5, 0.95
_DARK = 2e-3
"""Light added to both sides of the comparison, so that noise in the dark does not explode."""
_GATE = (1.4, 2.4)
"""Residual over detail: below the first the motion explains the photo, above the second it does not."""


@dataclass
class Layer:
    """One layer in linear light on a canvas.

    blur      how it moves.
    matte     (1, 1, H, W), 0 to 1: where it is at mid-exposure.
    share     (1, 1, H, W): how much of the exposure it covers each pixel, from 0 to 1, all else left out.
    visible   (1, 1, H, W): how much of the exposure nothing in front covers the pixel.
    content   (1, 3, H, W): the middle instant, deconvolved.
    plain     (1, 3, H, W): what stands in for it where the motion is in doubt.
    """

    blur: Blur
    matte: torch.Tensor
    share: torch.Tensor
    visible: torch.Tensor
    content: torch.Tensor
    plain: torch.Tensor


def stacked(photo: torch.Tensor, sure: torch.Tensor, parts: list[tuple[Blur, torch.Tensor]]) -> list[Layer]:
    """Layers, back to front, of a photo (1, 3, H, W) whose pixels count as `sure` (1, 1, H, W) says.

    `parts` are blurs and mattes. Each layer starts as the photo; where others cover it most of the time it starts
    as what is around.
    """
    visible, layers = torch.ones_like(sure), []
    for blur, matte in reversed(parts):
        share = blur.forward(matte).clamp(0, 1)
        share = torch.where(share < _FAINT, 0.0, share)
        start = photo
        if float(visible.amin()) < 1 - _FAINT:
            start = uncovered(photo, visible)
        layers.append(Layer(blur, matte, share, visible, start, start))
        visible = visible * (1 - share)
    return layers[::-1]


def reblurred(layers: list[Layer]) -> torch.Tensor:
    """The photo that the layers leave behind, (1, 3, H, W)."""
    total = torch.zeros_like(layers[0].content)
    for layer in layers:
        total += layer.visible * layer.blur.forward(layer.matte * layer.content)
    return total.clamp(min=0)


def deconvolve(
    photo: torch.Tensor,
    sure: torch.Tensor,
    layers: list[Layer],
    iterations: int,
    smoothness: float,
    on_iteration: Callable[[int], None],
) -> None:
    """Sharpen the layers' content in place until they leave the photo behind.

    Pixels that are not `sure` (outside the photo, saturated) explain nothing; what only they could tell stays as it
    was. A pixel that a layer hardly ever shows stays too.
    """
    told = [layer.matte * layer.blur.adjoint(sure * layer.visible) for layer in layers]
    heed = [_seen(layer.blur.adjoint(layer.visible)) for layer in layers]
    for iteration in range(iterations):
        on_iteration(iteration)
        ratio = sure * ((photo + _DARK) / (reblurred(layers) + _DARK))
        for layer, enough, share in zip(layers, told, heed, strict=True):
            gain = layer.matte * layer.blur.adjoint(layer.visible * ratio) / enough.clamp(min=_FAINT)
            gain = torch.where(enough > 10 * _FAINT, gain.clamp(0.2, 5), 1.0) ** share
            layer.content = (layer.content * gain / (1 - smoothness * curvature(layer.content))).clamp(0, 4)


def _seen(visible: torch.Tensor) -> torch.Tensor:
    """How far a pixel that is visible for this share of the exposure speaks for itself, 0 to 1.

    What is seen for less than half of it would take all that the things in front leave unexplained: bright and dark
    lines along their outlines. It is better taken from around.
    """
    return ((visible - _HALF_SEEN) / (_WELL_SEEN - _HALF_SEEN)).clamp(0, 1)


def curvature(picture: torch.Tensor) -> torch.Tensor:
    """Divergence of the normalised gradient, colour channels taken together: what descends total variation."""
    right = torch.zeros_like(picture)
    down = torch.zeros_like(picture)
    right[..., :-1] = picture[..., 1:] - picture[..., :-1]
    down[..., :-1, :] = picture[..., 1:, :] - picture[..., :-1, :]
    length = (right.square() + down.square()).sum(1, keepdim=True).add(1e-6).sqrt()
    right, down = right / length, down / length
    divergence = right + down
    divergence[..., 1:] -= right[..., :-1]
    divergence[..., 1:, :] -= down[..., :-1, :]
    return divergence


def trust(photo: torch.Tensor, sure: torch.Tensor, layers: list[Layer], radius: float) -> torch.Tensor:
    """Where the motion explains the photo, (1, 1, H, W) from 0 to 1.

    What the layers fail to give back is compared, over some `radius` px, with the photo's own fine detail: a wrong
    motion leaves more behind than there is.
    """
    left = (sure * (photo - reblurred(layers))).square().mean(1, keepdim=True)
    detail = (sure * (photo - softened(photo, 2.0))).square().mean(1, keepdim=True)
    ratio = softened(left, radius) / (softened(detail, radius) + 1e-6)
    return ((_GATE[1] - ratio) / (_GATE[1] - _GATE[0])).clamp(0, 1)

"""One piece of a photo, taken apart into layers, sharpened, and put together again at any time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from torch.nn import functional

from models import exposure
from models.drawn.blurring import Blur, Displacement, Field, Shift, Still, softened
from models.drawn.deconvolution import Layer, deconvolve, reblurred, stacked, trust
from models.drawn.layers import SOFTNESS, Moving, window_of, window_places
from models.drawn.scale import enlarged, in_squares, pooled
from models.drawn.tiles import Tile

_BLOWN = 0.985
_ALL_OF_IT = 0.999
_FAITH = 0.75
"""How much of the sharpening is kept along dense motion, which is measured or estimated and never quite right: on
known exposures this loses less to wrong detail than it gives up of right detail. An arrow is followed all the way."""
_BAND = 256
"""Rows of the photo that are composed in one go."""


@dataclass(frozen=True)
class Settings:
    """What the user may set; see `models.drawn.options`.

    sharpness  the share of the sharpened in every frame, 0 to 1, on the photo's curve; the rest is the photo moved.
    """

    sharpness: float
    iterations: int
    smoothness: float


class Restoration:
    """The layers of the photo's `tile`, on a canvas with a margin as wide as the motion reaches.

    `things` and the layers' blurs are in px of the canvas's copy, `scale` times smaller, on which it is sharpened;
    pictures that come out have the photo's size. Raises whatever `check` raises, which is called in every step of every
    iteration.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        areas: np.ndarray,
        things: tuple[Moving, ...],
        tile: Tile,
        margin: int,
        scale: int,
        device: torch.device,
        check: Callable[[], None],
        start: np.ndarray | None = None,
    ) -> None:
        self.device, self.check, self.tile, self.scale = device, check, tile, scale
        self.window = tile.canvas(margin, scale)
        self.size = areas.shape
        canvas = window_of(pixels, self.window)
        self.photo = self.start = exposure.from_pixels(canvas, device)
        self.areas = window_of(areas, self.window)
        self.things = tuple(thing for thing in things if not thing.number or (self.areas == thing.number).any())
        self.sure = self._sure(canvas)
        self.layers: list[Layer] = []
        if not self.still:
            self.copy = pooled(self.photo, scale)
            self.mattes = [self._matte(thing) for thing in self.things]
            parts = [
                (self._blur(one), pooled(matte, scale)) for one, matte in zip(self.things, self.mattes, strict=True)
            ]
            self.layers = stacked(self.copy, self.sure, parts)
            if start is not None:
                self._begin(exposure.from_pixels(window_of(start, self.window), device))

    def _begin(self, start: torch.Tensor) -> None:
        """Have every layer begin with this picture of the middle instant, on the canvas, instead of the photo."""
        self.start, copy = start, pooled(start, self.scale)
        for layer in self.layers:
            layer.content = layer.plain = copy

    @property
    def still(self) -> bool:
        return all(thing.still for thing in self.things)

    def _sure(self, canvas: np.ndarray) -> torch.Tensor:
        """Where the copy tells the truth: in the photo, away from the copy's wrapping rim, and not blown out."""
        blown = canvas.max(2) >= _BLOWN * np.iinfo(canvas.dtype).max
        height, width = (length // self.scale for length in blown.shape)
        blown = blown.reshape(height, self.scale, width, self.scale).mean((1, 3)) > 0.5
        y0, x0 = self.window[0] // self.scale, self.window[1] // self.scale
        rim = math.ceil(max(thing.reach for thing in self.things)) + 1
        inside = np.zeros(blown.shape, bool)
        inside[max(rim, -y0) : self.size[0] // self.scale - y0, max(rim, -x0) : self.size[1] // self.scale - x0] = True
        inside[height - rim :] = inside[:, width - rim :] = False
        return torch.from_numpy((inside & ~blown).astype(np.float32)).to(self.device)[None, None]

    def _matte(self, thing: Moving) -> torch.Tensor:
        self.check()
        if not thing.number:
            return torch.ones_like(self.photo[:, :1])
        inside = torch.from_numpy((self.areas == thing.number).astype(np.float32)).to(self.device)
        return softened(inside[None, None], SOFTNESS)

    def _blur(self, thing: Moving) -> Blur:
        self.check()
        if thing.still:
            return Still()
        if thing.motion is not None:
            return Field(self._dense(thing), self.check)
        samples = min(max(2 * math.ceil(thing.path) + 1, 9), 513)
        height, width = self.sure.shape[-2:]
        return Shift(self._rigid(thing), samples, (height, width), self.device)

    def _dense(self, thing: Moving) -> Displacement:
        motion, device = thing.motion, self.device
        assert motion is not None
        around = window_places(motion.offsets.shape[1:3], self.size, self.window, self.scale)
        places, near = torch.from_numpy(around).to(device), self._near(thing)

        def displacement(t: float) -> torch.Tensor:  # does not know `self`: no circle keeps a tile's gigabyte alive
            field = torch.from_numpy(motion.trajectories_at(t)).to(device).permute(2, 0, 1)[None]
            return exposure.sampled(field, places[None])[0].permute(1, 2, 0) * near

        return displacement

    def _near(self, thing: Moving) -> torch.Tensor:
        """Where a thing is, softness of its outline and all, (h, w, 1) of the copy: elsewhere its motion costs only."""
        if not thing.number:
            return torch.ones(1, 1, 1, device=self.device)
        room = math.ceil(4 * SOFTNESS)
        inside = torch.from_numpy((self.areas == thing.number).astype(np.float32)).to(self.device)[None, None]
        wide = functional.max_pool2d(inside, 2 * room + 1, 1, room)
        return functional.max_pool2d(wide, self.scale)[0, 0, :, :, None]

    def _rigid(self, thing: Moving) -> Displacement:
        arrow = thing.arrow
        assert arrow is not None
        return lambda t: torch.from_numpy(arrow.displacement(t).astype(np.float32))

    def sharpen(self, settings: Settings, on_iteration: Callable[[int], None]) -> torch.Tensor:
        """Deconvolve; returns where the motion explained the photo, (1, 1, H, W) from 0 to 1."""
        deconvolve(self.copy, self.sure, self.layers, settings.iterations, settings.smoothness, on_iteration)
        path = max(thing.path for thing in self.things)
        trusted = trust(self.copy, self.sure, self.layers, 4 + path / 4)
        for thing, layer in zip(self.things, self.layers, strict=True):
            faith = trusted * ((layer.visible - 0.2) / 0.6).clamp(0, 1) * (1 if thing.motion is None else _FAITH)
            layer.content = torch.lerp(layer.plain, layer.content, faith)
            if thing.still:
                layer.content = torch.where(layer.visible >= _ALL_OF_IT, self.copy, layer.content)
        return self.crop(enlarged(trusted, self.scale))

    @cached_property
    def contents(self) -> list[torch.Tensor]:
        """Every layer's content at the photo's size, (1, 3, H, W), as it is when first asked for."""
        return [self._full_size(layer, layer.content) for layer in self.layers]

    @cached_property
    def plains(self) -> list[torch.Tensor]:
        """The same before sharpening."""
        return [self._full_size(layer, layer.plain) for layer in self.layers]

    def _full_size(self, layer: Layer, content: torch.Tensor) -> torch.Tensor:
        """The photo, or what stands in for it, with what sharpening the copy has gained: the photo keeps its detail."""
        self.check()
        if self.scale == 1:
            return content
        drawn = in_squares((layer.plain != pooled(self.start, self.scale)).any(1, keepdim=True), self.scale)
        plain = torch.where(drawn, enlarged(layer.plain, self.scale), self.start)
        return (plain + enlarged(content - layer.plain, self.scale)).clamp(min=0)

    def instant(self, t: float, sharpness: float = 1.0) -> Iterator[torch.Tensor]:
        """The tile at t in bands from top to bottom, so that cancelling is heard: (1, 3, n, w), 0 to 1 on the sRGB
        curve, with so much of the sharpened in it, 0 to 1."""
        offsets = [layer.blur.offsets(t, self.scale) for layer in self.layers]
        for top in range(self.tile.y0, self.tile.y1, _BAND):
            self.check()
            rows = top, min(top + _BAND, self.tile.y1)
            band = self._composed(self.contents if sharpness else self.plains, offsets, rows)
            yield band if sharpness in (0, 1) else self._composed(self.plains, offsets, rows).lerp(band, sharpness)

    def _composed(
        self, contents: list[torch.Tensor], offsets: list[torch.Tensor | None], rows: tuple[int, int]
    ) -> torch.Tensor:
        """Layers over each other, sampled at `offsets`, in some rows of the tile, on the sRGB curve."""
        top, bottom = (y - self.window[0] for y in rows)
        left, right = (x - self.window[1] for x in (self.tile.x0, self.tile.x1))
        at = partial(_part, window=(top, left, bottom, right))
        picture = at(contents[0], offsets[0])
        for content, matte, places in zip(contents[1:], self.mattes[1:], offsets[1:], strict=True):
            picture = torch.lerp(picture, at(content, places), at(matte, places).clamp(0, 1))
        return exposure.linear_to_srgb(picture.clamp(0, 1))

    def reblurred(self) -> torch.Tensor:
        """The tile as the layers leave it on the photo, (1, 3, h, w); detail finer than the copy's is the photo's."""
        again = reblurred(self.layers)
        return self.crop(again if self.scale == 1 else self.photo + enlarged(again - self.copy, self.scale))

    def touched(self) -> np.ndarray:
        """Where anything ever moves, bool (h, w); everything else is the photo's own pixels."""
        touched = torch.zeros_like(self.sure, dtype=torch.bool)
        for thing, layer in zip(self.things, self.layers, strict=True):
            if thing.still:
                touched &= layer.matte < _ALL_OF_IT
            elif isinstance(layer.blur, Field):
                touched |= layer.blur.moves
            else:
                touched |= layer.share > 0
        return self.crop(in_squares(touched, self.scale))[0, 0].cpu().numpy()

    def crop(self, picture: torch.Tensor) -> torch.Tensor:
        """The tile out of its canvas."""
        top, left = self.tile.y0 - self.window[0], self.tile.x0 - self.window[1]
        height, width = self.tile.y1 - self.tile.y0, self.tile.x1 - self.tile.x0
        return picture[..., top : top + height, left : left + width]


def _part(picture: torch.Tensor, offsets: torch.Tensor | None, window: tuple[int, int, int, int]) -> torch.Tensor:
    """A picture (1, C, H, W) at p + offsets (1, H, W, 2), cubic sampling, for the p in the window y0, x0, y1, x1."""
    y0, x0, y1, x1 = window
    if offsets is None:
        return picture[..., y0:y1, x0:x1]
    start = offsets.new_tensor((x0, y0))
    return exposure.sampled(picture, offsets[:, y0:y1, x0:x1] + start, cubic=True)

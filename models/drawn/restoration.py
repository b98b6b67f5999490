"""One piece of a photo, taken apart into layers, sharpened, and put together again at any time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from models import exposure
from models.drawn.blurring import Blur, Displacement, Field, Shift, Still, softened
from models.drawn.deconvolution import Layer, deconvolve, reblurred, stacked, trust
from models.drawn.layers import SOFTNESS, Moving, window_of, window_places
from models.drawn.tiles import Tile

_BLOWN = 0.985
_ALL_OF_IT = 0.999
_FAITH = 0.75
"""How much of the sharpening is kept along dense motion, which is measured or estimated and never quite right: on
known exposures this loses less to wrong detail than it gives up of right detail. An arrow is followed all the way."""


@dataclass(frozen=True)
class Settings:
    """What the user may set; see `models.drawn.options`."""

    sharpen: bool
    iterations: int
    smoothness: float


class Restoration:
    """The layers of the photo's `tile`, on a canvas with a margin as wide as the motion reaches.

    Raises whatever `check` raises, which is called in every step of every iteration.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        areas: np.ndarray,
        things: tuple[Moving, ...],
        tile: Tile,
        margin: int,
        device: torch.device,
        check: Callable[[], None],
    ) -> None:
        self.device, self.check, self.margin = device, check, margin
        self.window = tile.canvas(margin)
        self.size = areas.shape
        canvas = window_of(pixels, self.window)
        self.photo = exposure.from_pixels(canvas, device)
        self.areas = window_of(areas, self.window)
        self.things = tuple(thing for thing in things if not thing.number or (self.areas == thing.number).any())
        self.sure = self._sure(canvas)
        self.layers: list[Layer] = []
        if not self.still:
            self.layers = stacked(self.photo, self.sure, [(self._blur(one), self._matte(one)) for one in self.things])

    @property
    def still(self) -> bool:
        return all(thing.still for thing in self.things)

    def _sure(self, canvas: np.ndarray) -> torch.Tensor:
        """Where pixels tell the truth: in the photo, away from the canvas's wrapping rim, and not blown out."""
        blown = canvas.max(2) >= _BLOWN * np.iinfo(canvas.dtype).max
        y0, x0, y1, x1 = self.window
        rim = math.ceil(max(thing.reach() for thing in self.things)) + 1
        inside = np.zeros(blown.shape, bool)
        inside[max(rim, -y0) : min(y1, self.size[0]) - y0, max(rim, -x0) : min(x1, self.size[1]) - x0] = True
        inside[blown.shape[0] - rim :] = inside[:, blown.shape[1] - rim :] = False
        return torch.from_numpy((inside & ~blown).astype(np.float32)).to(self.device)[None, None]

    def _matte(self, thing: Moving) -> torch.Tensor:
        if not thing.number:
            return torch.ones_like(self.sure)
        inside = torch.from_numpy((self.areas == thing.number).astype(np.float32)).to(self.device)
        return softened(inside[None, None], SOFTNESS)

    def _blur(self, thing: Moving) -> Blur:
        if thing.still:
            return Still()
        if thing.motion is not None:
            return Field(self._dense(thing), self.check)
        samples = min(max(2 * math.ceil(thing.path()) + 1, 9), 513)
        return Shift(self._rigid(thing), samples, self.areas.shape, self.device)

    def _dense(self, thing: Moving) -> Displacement:
        motion = thing.motion
        assert motion is not None

        places = torch.from_numpy(window_places(motion.offsets.shape[1:3], self.size, self.window)).to(self.device)

        def displacement(t: float) -> torch.Tensor:
            field = torch.from_numpy(motion.trajectories_at(t)).to(self.device).permute(2, 0, 1)[None]
            return exposure.sampled(field, places[None])[0].permute(1, 2, 0).contiguous()

        return displacement

    def _rigid(self, thing: Moving) -> Displacement:
        arrow = thing.arrow
        assert arrow is not None
        return lambda t: torch.from_numpy(arrow.displacement(t).astype(np.float32))

    def sharpen(self, settings: Settings, on_iteration: Callable[[int], None]) -> torch.Tensor:
        """Deconvolve; returns where the motion explained the photo, (1, 1, H, W) from 0 to 1."""
        deconvolve(self.photo, self.sure, self.layers, settings.iterations, settings.smoothness, on_iteration)
        path = max(thing.path() for thing in self.things)
        trusted = trust(self.photo, self.sure, self.layers, 4 + path / 4)
        for thing, layer in zip(self.things, self.layers, strict=True):
            faith = trusted * ((layer.visible - 0.2) / 0.6).clamp(0, 1) * (1 if thing.motion is None else _FAITH)
            layer.content = torch.lerp(layer.plain, layer.content, faith)
            if thing.still:
                layer.content = torch.where(layer.visible >= _ALL_OF_IT, self.photo, layer.content)
        return self.crop(trusted)

    def instant(self, t: float) -> torch.Tensor:
        """The tile at t, (1, 3, h, w) linear light."""
        self.check()
        picture = self.layers[0].blur.at(t, self.layers[0].content)
        for layer in self.layers[1:]:
            matte = layer.blur.at(t, layer.matte).clamp(0, 1)
            picture = torch.lerp(picture, layer.blur.at(t, layer.content), matte)
        return self.crop(picture)

    def reblurred(self) -> torch.Tensor:
        """The tile as the layers leave it on the photo, (1, 3, h, w)."""
        return self.crop(reblurred(self.layers))

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
        return self.crop(touched)[0, 0].cpu().numpy()

    def crop(self, picture: torch.Tensor) -> torch.Tensor:
        """The tile out of its canvas."""
        m = self.margin
        return picture[..., m : picture.shape[-2] - m, m : picture.shape[-1] - m]

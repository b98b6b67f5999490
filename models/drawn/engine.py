"""The engine "As drawn": layers from the guidance, sharpened along their motion, composed at every time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from models import exposure
from models.catalog import checked
from models.devices import run_on
from models.drawn.layers import Moving, extent, motion_of, scene, shrunk
from models.drawn.restoration import Restoration, Settings
from models.drawn.scale import working_scale
from models.drawn.tiles import OVERLAP, Tile, tiles
from models.guidance import Guidance
from models.motion import instants, moments
from models.recovery import Cancelled, Inputs, Progress, Recovery, check_frames

_SIDE, _DENSE_SIDE, _LARGEST_SIDE = 1024, 640, 2048
"""Px of a tile as it is worked on; a dense motion keeps dozens of fields for each. Px of a tile of the photo."""
_DOUBTFUL = 0.25
_ROOM = OVERLAP + 8
"""Px around all that moves: a tile's soft start, and the softness of outlines."""


def run(
    inputs: Inputs,
    options: Mapping[str, object],
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> Recovery:
    """Frames of the motion that the guidance says.

    With `limit` everything, vectors too, is in px of the smaller copy. Raises ValueError with one sentence where
    nothing is said to move or sizes do not fit, and Cancelled.
    """
    return along(inputs, options, 1.0, on_progress, is_cancelled)


def along(
    inputs: Inputs,
    options: Mapping[str, object],
    sharpness: float,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
    start: np.ndarray | None = None,
) -> Recovery:
    """`run`, but so much of the sharpened in every frame, above 0 to 1; the rest is the photo merely moved.

    start  where the middle instant is known roughly, (H, W, 3) like the photo: sharpening begins with it, and where the
           motion explains too little it stays. For a motion of every pixel, without regions and `limit`.
    """
    began = time.perf_counter()
    values = checked("drawn", options)
    if inputs.guidance.areas.shape != inputs.pixels.shape[:2]:
        raise ValueError("the guidance has another size than the photo")
    pixels, guidance = _limited(inputs, int(values["limit"]))
    times = instants(int(values["frames"]))
    check_frames(len(times), pixels)
    sharpness = sharpness if values["sharpen"] else 0.0
    settings = Settings(sharpness, int(values["iterations"]), float(values["smoothness"]))

    def work(device: torch.device) -> _Job:
        job = _Job(pixels, guidance, times, settings, device, on_progress, is_cancelled, start)
        with torch.no_grad():
            job.run()
        return job

    job, device, notes = run_on(inputs.device, work)
    motion = motion_of(guidance, moments(times))
    return Recovery(
        frames=job.frames,
        times=times,
        motion=motion,
        engine="drawn",
        options=values,
        device=device.type,
        seconds=time.perf_counter() - began,
        notes=(*notes, *job.tally.notes(settings)),
        scores=job.tally.scores() | {"moved": float(np.hypot(*np.moveaxis(motion.flow(), -1, 0)).mean())},
    )


def _limited(inputs: Inputs, limit: int) -> tuple[np.ndarray, Guidance]:
    """Photo and guidance, at most `limit` px a side; 0 for as large as they are."""
    height, width = inputs.pixels.shape[:2]
    if not 0 < limit < max(height, width):
        return inputs.pixels, inputs.guidance
    import cv2

    scale = limit / max(height, width)
    height, width = max(1, round(height * scale)), max(1, round(width * scale))
    small = cv2.resize(np.ascontiguousarray(inputs.pixels), (width, height), interpolation=cv2.INTER_AREA)
    return small, shrunk(inputs.guidance, height, width)


@dataclass
class _Tally:
    """Sums over tiles, from which the scores come."""

    values: int = 0
    left: float = 0.0
    before: float = 0.0
    after: float = 0.0
    moving: int = 0
    doubtful: int = 0

    def scores(self) -> dict[str, float]:
        """`reblur` in dB, and `sharpness`: fine detail where things move, over the photo's."""
        error = max(self.left / max(self.values, 1), 1e-10)
        return {"reblur": -10 * math.log10(error), "sharpness": math.sqrt(self.after / max(self.before, 1e-12))}

    def notes(self, settings: Settings) -> tuple[str, ...]:
        share = self.doubtful / max(self.moving, 1)
        if not settings.sharpness or share < _DOUBTFUL:
            return ()
        return (f"The drawn motion does not explain {share:.0%} of what moves; there the photo is moved as it is.",)


@dataclass
class _Job:
    """One run on one device: tile by tile, into `frames`."""

    pixels: np.ndarray
    guidance: Guidance
    times: np.ndarray
    settings: Settings
    device: torch.device
    on_progress: Callable[[Progress], None]
    is_cancelled: Callable[[], bool]
    start: np.ndarray | None = None
    tally: _Tally = field(default_factory=_Tally)

    def run(self) -> None:
        self.frames = np.repeat(self.pixels[None], len(self.times), 0)
        things = scene(self.guidance)
        reach, scale = max(thing.reach for thing in things), working_scale(things)
        dense = any(thing.motion is not None for thing in things)
        side = min((_DENSE_SIDE if dense else _SIDE) * scale, _LARGEST_SIDE)
        plan = list(tiles(extent(things, self.guidance.areas, math.ceil(reach) + _ROOM), side))
        margin = math.ceil(reach) + 4 * scale if len(plan) == 1 else math.ceil(2 * reach) + OVERLAP
        things = tuple(thing.scaled(1 / scale) for thing in things)
        for n, tile in enumerate(plan):
            self.done, self.share = n / len(plan), 1 / len(plan)
            self._tile(tile, things, margin, scale)
        self.on_progress(Progress(1.0, "Done"))

    def check(self) -> None:
        if self.is_cancelled():
            raise Cancelled

    def tell(self, fraction: float, step: str, preview: np.ndarray | None = None) -> None:
        self.check()
        self.on_progress(Progress(self.done + self.share * fraction, step, preview))

    def _tile(self, tile: Tile, things: tuple[Moving, ...], margin: int, scale: int) -> None:
        self.tell(0.0, "Taking the photo apart")
        photo = self.pixels[tile.y0 : tile.y1, tile.x0 : tile.x1]
        piece = Restoration(
            self.pixels, self.guidance.areas, things, tile, margin, scale, self.device, self.check, self.start
        )
        if piece.still:
            return
        touched = piece.touched()
        if self.settings.sharpness:
            rounds = self.settings.iterations
            trusted = piece.sharpen(self.settings, lambda n: self.tell(0.1 + 0.6 * n / rounds, "Sharpening"))
            self.tally.doubtful += int((trusted[0, 0].cpu().numpy() < 0.5)[touched].sum())
        for n, t in enumerate(self.times):
            self.tell(0.7 + 0.3 * n / len(self.times), "Moving")
            bands = piece.instant(float(t), self.settings.sharpness)
            frame = np.concatenate([exposure.as_pixels(band, photo.dtype)[0] for band in bands])
            tile.put(self.frames[n], np.where(touched[..., None], frame, photo))
        self._measure(piece, photo, touched)

    def _measure(self, piece: Restoration, photo: np.ndarray, touched: np.ndarray) -> None:
        given = photo.astype(np.float32) / np.iinfo(photo.dtype).max
        again = exposure.linear_to_srgb(piece.reblurred().clamp(0, 1))[0].permute(1, 2, 0).cpu().numpy()
        middle = torch.cat([*piece.instant(0.5)], -2)
        self.tally.values += int(touched.size) * 3
        self.tally.left += float(np.square(again - given)[touched].sum())
        self.tally.moving += int(touched.sum())
        self.tally.before += float(_detail(given)[touched].sum())
        self.tally.after += float(_detail(middle[0].permute(1, 2, 0).cpu().numpy())[touched].sum())


def _detail(picture: np.ndarray) -> np.ndarray:
    """Squared second differences, (h, w)."""
    grey = np.pad(picture.mean(2), 1, mode="edge")
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return np.square(around - 4 * grey[1:-1, 1:-1])

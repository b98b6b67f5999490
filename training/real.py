"""Real exposures as material: crops of them, with the motion that DIS measures between frames.

A pseudo truth, but of what the rendered world has too little of: people, cloth, skin, small motion beside large.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from training.exposures import Exposure, read_exposures
from training.recipes import Batch
from training.world.hints import coded

SCALES = (1.0, 0.75, 0.5)
SPARED = 0.25
"""The share of a crop that may be left out along a side."""
TURNED, RESIZED = math.radians(50), (0.65, 1.15)
"""How far exposures are turned at most, radians, and between which scales."""


def real_material(
    folder: Path,
    classes: tuple[str, ...],
    size: int,
    made: Callable[[Batch], Batch],
    cell: int | None = None,
    turns: int = 0,
) -> tuple[Batch, tuple[str, ...]]:
    """Crops of `size` px of the exposures in `folder` whose clip has one of the licence classes, as the material that
    `made` makes of photos, frames, motion, guidance and where it is firm; and the exposures' names. The classes stand
    in the folder's `index.csv`, or in `clips/index.csv` two folders up. Of each exposure crops at one scale are taken,
    by turns; where `cell` is given, px a side of what material is on, it is made of whole exposures and then cut, and
    of each exposure so many `turns` besides: a piece around something that moves, turned by any angle and scaled."""
    index = folder / "index.csv"
    if not index.is_file():
        index = folder.parent.parent / "clips" / "index.csv"
    with index.open(newline="") as lines:
        allowed = {row["clip"] for row in csv.DictReader(lines) if row["class"] in classes}
    parts, names = [], []
    for one in read_exposures(folder):
        if one.name.rsplit("_", 1)[0] not in allowed:
            continue
        scales = [scale for scale in SCALES if scale * min(one.photo.shape[:2]) >= size]
        if scales and cell:
            height, width = (length // cell * cell for length in one.photo.shape[:2])
            parts.append(_cut(made(_crops(one, 1.0, (height, width))), size // cell, width // cell))
            wide = size * 4 // 3 // cell * cell
            for turn in range(turns):
                piece = _turned(one, (size, wide), np.random.default_rng((turn, len(names))))
                parts.append(_cut(made(piece), size // cell, wide // cell))
        elif scales:
            parts.append(made(_crops(one, scales[len(names) % len(scales)], (size, size))))
        names.append(one.name)
    if not parts:
        raise ValueError(f"{folder} holds no exposures of class {'/'.join(classes)}")
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}, tuple(names)


def mixed(batch: Batch, real: Batch, share: float, seed: int) -> Batch:
    """`batch` with a share of its exposures replaced by real ones, drawn by `seed`."""
    count = round(share * len(batch["photo"]))
    drawn = torch.randint(len(real["photo"]), (count,), generator=torch.Generator().manual_seed(seed))
    return {key: torch.cat((value[count:], real[key][drawn].to(value))) for key, value in batch.items()}


def _cut(whole: Batch, size: int, wide: int) -> Batch:
    """Square pieces, `size` cells a side, that cover nearly all of the material of whole exposures, `wide` cells
    broad; some of it may be finer than cells."""
    pieces: dict[str, list[torch.Tensor]] = {key: [] for key in whole}
    for key, value in whole.items():
        finer = value.shape[-1] // wide
        for y in _starts(value.shape[-2] // finer, size):
            for x in _starts(wide, size):
                rows, columns = (slice(finer * first, finer * (first + size)) for first in (y, x))
                pieces[key].append(value[..., rows, columns])
    return {key: torch.cat(parts) for key, parts in pieces.items()}


def _crops(one: Exposure, scale: float, size: tuple[int, int]) -> Batch:
    """All crops of an exposure at one scale, of a height and width, overlapping a little where its sides ask for it."""
    photo = _scaled(one.photo, scale)
    ends = [_scaled(field, scale) * np.float32(scale) for field in _ends(one.frames)]
    whole = _stacked(photo, [_scaled(frame, scale) for frame in one.frames], ends)
    (height, width), (tall, wide) = whole.shape[1:], size
    places = [(y, x) for y in _starts(height, tall) for x in _starts(width, wide)]
    return _told(torch.stack([whole[:, y : y + tall, x : x + wide] for y, x in places]))


def _turned(one: Exposure, size: tuple[int, int], dice: np.random.Generator) -> Batch:
    """One crop, of a height and width, of an exposure turned and scaled; what lies outside it is not firm."""
    ends = _ends(one.frames)
    tall, wide = size
    length = np.linalg.norm(ends[3] - ends[2], axis=2).ravel()
    y, x = divmod(int(dice.choice(np.flatnonzero(length >= np.quantile(length, 0.9)))), one.photo.shape[1])
    scale = math.exp(dice.uniform(*np.log(RESIZED)))
    angle = dice.uniform(-TURNED, TURNED)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    place = np.array([[cos, -sin, wide / 2 - cos * x + sin * y], [sin, cos, tall / 2 - sin * x - cos * y]], np.float32)

    def warped(picture: np.ndarray) -> np.ndarray:
        fine = cv2.GaussianBlur(picture, (0, 0), 0.35 / scale) if scale < 1 else picture
        return cv2.warpAffine(fine, place, (wide, tall), None, cv2.INTER_CUBIC, cv2.BORDER_REFLECT_101)

    turned = [cv2.warpAffine(field, place, (wide, tall)) @ place[:, :2].T for field in ends]
    there = cv2.warpAffine(np.ones(one.photo.shape[:2], np.float32), place, (wide, tall)) > 1 - 1e-3
    batch = _told(_stacked(warped(one.photo), [warped(frame) for frame in one.frames], turned)[None])
    firm = 1 - F.max_pool2d(1 - torch.from_numpy(there).float()[None, None], 2)
    return batch | {"firm": firm > 0}


def _stacked(photo: np.ndarray, frames: list[np.ndarray], ends: list[np.ndarray]) -> torch.Tensor:
    """A photo, four fields and frames, float32 (11 + 3 N, H, W)."""
    pictures = np.concatenate((photo, *frames), 2).astype(np.float32) / 255
    whole = np.concatenate((pictures[..., :3], *ends, pictures[..., 3:]), 2)
    return torch.from_numpy(whole).permute(2, 0, 1)


def _told(crops: torch.Tensor) -> Batch:
    """What was `_stacked`, (B, 11 + 3 N, H, W), with all quadrants of its motion told."""
    motion = crops[:, 3:11].unflatten(1, (4, 2))
    every = torch.ones(len(crops), dtype=torch.bool)
    height, width = crops.shape[-2:]
    return {
        "photo": crops[:, :3],
        "frames": crops[:, 11:].unflatten(1, (-1, 3)),
        "motion": F.avg_pool2d(motion.flatten(0, 1), 2).unflatten(0, motion.shape[:2]),
        "guidance": coded(motion[:, 3] - motion[:, 2], every, ~every),
        "firm": torch.ones(len(crops), 1, height // 2, width // 2, dtype=torch.bool),
    }


def _ends(frames: np.ndarray) -> list[np.ndarray]:
    """Offsets at start and end, trajectories at start and end, (H, W, 2) px each."""
    first, middle, last = (cv2.cvtColor(frames[n], cv2.COLOR_RGB2GRAY) for n in (0, len(frames) // 2, -1))
    pairs = ((first, middle), (last, middle), (middle, first), (middle, last))
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return [dis.calc(one, other, None) for one, other in pairs]  # type: ignore[call-overload]


def _scaled(picture: np.ndarray, scale: float) -> np.ndarray:
    height, width = (round(length * scale) for length in picture.shape[:2])
    return picture if scale == 1 else cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _starts(length: int, size: int) -> list[int]:
    """Where crops begin along a side: as many as cover nearly all of it, the one that is alone in the middle."""
    count, rest = max(1, math.ceil(length / size - SPARED)), length - size
    return [round(start) for start in np.linspace(0, rest, count)] if count > 1 else [rest // 2]

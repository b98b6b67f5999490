"""Real exposures as material: crops of them, with the motion that DIS measures between frames.

A pseudo truth, but of what the rendered world has too little of: people, cloth, skin, small motion beside large.
"""

from __future__ import annotations

import csv
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


def real_material(
    folder: Path, classes: tuple[str, ...], size: int, made: Callable[[Batch], Batch]
) -> tuple[Batch, tuple[str, ...]]:
    """Crops of `size` px of the exposures in `folder` whose clip has one of the licence classes, as the material that
    `made` makes of photos, frames, motion, guidance and where it is firm; and the exposures' names. The classes stand
    in the folder's `index.csv`, or in `clips/index.csv` two folders up. Of each exposure crops at one scale are taken,
    by turns."""
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
        if scales:
            parts.append(made(_crops(one, scales[len(names) % len(scales)], size)))
        names.append(one.name)
    if not parts:
        raise ValueError(f"{folder} holds no exposures of class {'/'.join(classes)}")
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}, tuple(names)


def mixed(batch: Batch, real: Batch, share: float, seed: int) -> Batch:
    """`batch` with a share of its exposures replaced by real ones, drawn by `seed`."""
    count = round(share * len(batch["photo"]))
    drawn = torch.randint(len(real["photo"]), (count,), generator=torch.Generator().manual_seed(seed))
    return {key: torch.cat((value[count:], real[key][drawn].to(value))) for key, value in batch.items()}


def _crops(one: Exposure, scale: float, size: int) -> Batch:
    """All crops of an exposure at one scale, overlapping a little where its sides ask for it."""
    photo = _scaled(one.photo, scale).astype(np.float32) / 255
    ends = np.concatenate([_scaled(field, scale) * np.float32(scale) for field in _ends(one.frames)], 2)
    frames = np.concatenate([_scaled(frame, scale) for frame in one.frames], 2).astype(np.float32) / 255
    whole = torch.from_numpy(np.concatenate((photo, ends, frames), 2)).permute(2, 0, 1)
    height, width = whole.shape[1:]
    places = [(y, x) for y in _starts(height, size) for x in _starts(width, size)]
    crops = torch.stack([whole[:, y : y + size, x : x + size] for y, x in places])
    motion = crops[:, 3:11].unflatten(1, (4, 2))
    every = torch.ones(len(crops), dtype=torch.bool)
    return {
        "photo": crops[:, :3],
        "frames": crops[:, 11:].unflatten(1, (-1, 3)),
        "motion": F.avg_pool2d(motion.flatten(0, 1), 2).unflatten(0, motion.shape[:2]),
        "guidance": coded(motion[:, 3] - motion[:, 2], every, ~every),
        "firm": torch.ones(len(crops), 1, size // 2, size // 2, dtype=torch.bool),
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
    count, rest = max(1, round(length / size)), length - size
    return [round(start) for start in np.linspace(0, rest, count)] if count > 1 else [rest // 2]

"""The photos that the world is made of, held as one uint8 tensor on the device that renders."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

SUFFIXES = (".jpg", ".jpeg", ".png")
SHAPE = 512


@dataclass(frozen=True)
class Photos:
    """Textures to render from.

    pixels    uint8 (P, S, S, 3), sRGB curve.
    cutouts   uint8 (C, S', S', 4), sRGB curve with straight alpha; C may be 0.
    names     what went in, for the card of the weights.
    classes   the licence classes that went in, such as ("A",).
    """

    pixels: torch.Tensor
    cutouts: torch.Tensor
    names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def to(self, device: torch.device | str) -> Photos:
        return Photos(self.pixels.to(device), self.cutouts.to(device), self.names, self.classes)


def load_photos(
    folder: Path, split: str = "train", classes: tuple[str, ...] = ("A",), limit: int | None = None, side: int = SHAPE
) -> Photos:
    """Read the photos of one split.

    `folder` holds `index.csv` (columns split, file, class) and a folder a split; without an index every picture in
    `folder` is taken and the class is unknown ("?"). Cut-outs are class B and come only when B is asked for.
    Raises ValueError with one sentence when nothing is found.
    """
    files, found = _chosen(folder, split, classes)
    files = files[:limit]
    if not files:
        raise ValueError(f"{folder} holds no photos of split {split} and class {'/'.join(classes)}")
    squares = [square for file in files for square in _squares(_read(file, cv2.IMREAD_COLOR), side)]
    cutouts = np.zeros((0, side // 2, side // 2, 4), np.uint8)
    stamps = sorted((folder / "cutouts").glob("*.png")) if "B" in classes else []
    if stamps:
        cutouts = np.stack([_stamp(_read(file, cv2.IMREAD_UNCHANGED), side // 2) for file in stamps])
    names = tuple(file.name for file in (*files, *stamps))
    return Photos(torch.from_numpy(np.stack(squares)), torch.from_numpy(cutouts), names, found)


def _chosen(folder: Path, split: str, classes: tuple[str, ...]) -> tuple[list[Path], tuple[str, ...]]:
    index = folder / "index.csv"
    if not index.is_file():
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES), ("?",)
    with index.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == split and row["class"] in classes]
    return [folder / split / row["file"] for row in rows], tuple(sorted({row["class"] for row in rows}))


def _read(path: Path, flags: int) -> np.ndarray:
    picture = cv2.imread(str(path), flags)
    if picture is None:
        raise ValueError(f"{path.name} cannot be read as a picture")
    return picture


def _squares(picture: np.ndarray, side: int) -> list[np.ndarray]:
    """One square for a photo near square, two (both ends) for a long one; RGB."""
    height, width = picture.shape[:2]
    short = min(height, width)
    starts = [0] if max(height, width) < 1.15 * short else [0, max(height, width) - short]
    crops = [picture[:, s : s + short] if width >= height else picture[s : s + short] for s in starts]
    way = cv2.INTER_AREA if short > side else cv2.INTER_CUBIC
    return [cv2.cvtColor(cv2.resize(crop, (side, side), interpolation=way), cv2.COLOR_BGR2RGB) for crop in crops]


def _stamp(picture: np.ndarray, side: int) -> np.ndarray:
    """A cut-out centred in a square with a transparent margin, RGBA."""
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGRA)
    elif picture.shape[2] == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA)
    scale = 0.94 * side / max(picture.shape[:2])
    size = [max(1, round(length * scale)) for length in picture.shape[1::-1]]
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    square = np.zeros((side, side, 4), np.uint8)
    top, left = (side - picture.shape[0]) // 2, (side - picture.shape[1]) // 2
    square[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return cv2.cvtColor(square, cv2.COLOR_BGRA2RGBA)

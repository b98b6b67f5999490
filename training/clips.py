"""Real exposures out of clips: `python -m training.clips --clips DIR --out DIR`.

Every clip that no benchmark uses is cut into windows; the frames of a window, averaged in linear light with the gaps
between them filled along their optical flow, are a photo, and seven of them its true instants. What comes out is a
folder an exposure, as `training.exposures` reads them, and `index.csv` with each clip's licence class. Most cameras
stood still; with `--camera` every exposure is there twice, the second time as if its camera had been panned, turned or
zoomed as well.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch

from models.exposure import linear_to_srgb, srgb_to_linear
from models.guidance import quantise, write_labels

FRAMES = 7
STEPS = (1, 2, 3)
"""Frames of the clip from one instant to the next, one exposure after the other."""
APART = 7
"""So many of these steps lie between the beginnings of two exposures."""
LONGEST_SIDE = 448
LEAST, MOST = 2.0, 60.0
"""Px that one pixel in 20 moves at least, and one in 100 at most, over an exposure that is kept."""
MOVING = 1.0
QUALITY = 92
_FILLED = 8
"""Pictures a gap between two frames is filled to."""
PANNED, ZOOMED, TURNED = (1.0, 30.0), (0.003, 0.08), (0.2, 4.0)
"""How far a camera is panned, px, zoomed, in logarithms, and turned, degrees, over an exposure, where it is."""


@dataclass(frozen=True)
class Camera:
    """A camera's steady motion over an exposure: `pan` px (right, down), `zoom` in logarithms, `turn` in radians."""

    pan: tuple[float, float]
    zoom: float
    turn: float

    @classmethod
    def drawn(cls, dice: np.random.Generator) -> Camera:
        """One that pans, zooms or turns, or more of it at once; small motion is as frequent as large."""
        does = dice.random(3) < (0.7, 0.5, 0.3)
        if not does.any():
            does[dice.integers(3)] = True
        far, zoom, turn = (np.exp(dice.uniform(*np.log(span))) for span in (PANNED, ZOOMED, np.radians(TURNED)))
        far, zoom, turn = (does * (far, zoom, turn) * (1, *dice.choice((-1, 1), 2))).tolist()
        angle = dice.uniform(0, 2 * np.pi)
        return cls((far * np.cos(angle), far * np.sin(angle)), zoom, turn)

    def filmed(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Evenly spaced pictures (H, W, 3) as this camera films them, enlarged so that no border comes into view."""
        height, width = pictures[0].shape[:2]
        reach = np.hypot(*self.pan) + (abs(self.zoom) + abs(self.turn)) * np.hypot(width, height) / 2
        enlarged = 1 + reach / min(width, height)
        taken = []
        for n, picture in enumerate(pictures):
            t = n / max(len(pictures) - 1, 1) - 0.5
            scale = enlarged * np.exp(t * self.zoom)
            place = cv2.getRotationMatrix2D((width / 2, height / 2), np.degrees(t * self.turn), scale)
            place[:, 2] += t * np.array(self.pan)
            taken.append(cv2.warpAffine(picture, place, (width, height), None, cv2.INTER_CUBIC))
        return taken


def exposures(
    clip: Path, steps: Sequence[int] = STEPS, apart: int = APART, camera: bool = False
) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """All exposures of a clip that move enough and not too much: where they begin and how far apart their instants are,
    the photo (H, W, 3), the frames (7, H, W, 3), uint8, and the flow (H, W, 2) px; where asked for with a motion of the
    camera added."""
    pictures = list(_read(clip))
    for step in steps:
        span = (FRAMES - 1) * step
        for first in range(0, len(pictures) - span, apart * step):
            window = pictures[first : first + span + 1]
            if camera:
                window = Camera.drawn(np.random.default_rng((first, step))).filmed(window)
            frames = np.stack(window[::step])
            flow = _displacement(frames)
            length = np.hypot(flow[..., 0], flow[..., 1])
            if np.quantile(length, 0.95) >= LEAST and np.quantile(length, 0.99) <= MOST:
                yield f"{first:04d}x{step}{'c' * camera}", averaged(window), frames, flow


def averaged(frames: list[np.ndarray]) -> np.ndarray:
    """The photo of an exposure from the first to the last of these instants (H, W, 3) uint8."""
    total, count = _linear(frames[-1]).copy(), 1
    for one, other in pairwise(frames):
        there, back = _flow(one, other), _flow(other, one)
        first, last = _linear(one), _linear(other)
        for step in range(_FILLED):
            t = step / _FILLED
            total += (1 - t) * _moved(first, -t * there) + t * _moved(last, (t - 1) * back)
            count += 1
    mean = linear_to_srgb(torch.from_numpy(total / count).clamp(0, 1)).numpy()
    return np.rint(mean * 255).astype(np.uint8)


def _linear(picture: np.ndarray) -> np.ndarray:
    return srgb_to_linear(torch.from_numpy(picture.astype(np.float32) / 255)).numpy()


def _flow(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    first, second = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (one, other))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return search.calc(first, second, None)  # pyright: ignore[reportCallIssue, reportArgumentType]


def _moved(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x, y = columns + places[..., 0], rows + places[..., 1]
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _read(clip: Path) -> Iterator[np.ndarray]:
    """The frames of a video, (H, W, 3) uint8, at most `LONGEST_SIDE` px a side."""
    video = cv2.VideoCapture(str(clip))
    try:
        while True:
            there, frame = video.read()
            if not there:
                return
            scale = min(1.0, LONGEST_SIDE / max(frame.shape[:2]))
            size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
            yield cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    finally:
        video.release()


def _displacement(frames: np.ndarray) -> np.ndarray:
    """From the first to the last instant, seen from the middle one."""
    middle = len(frames) // 2
    return _flow(frames[middle], frames[-1]) - _flow(frames[middle], frames[0])


def write(folder: Path, photo: np.ndarray, frames: np.ndarray, flow: np.ndarray) -> None:
    """One exposure as a folder."""
    folder.mkdir(parents=True)
    for name, picture in (("blurry", photo), *((f"frame_{n:03d}", frame) for n, frame in enumerate(frames))):
        there = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / f"{name}.jpg"), there, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    np.savez_compressed(folder / "flow.npz", flow=flow.astype(np.float16))
    write_labels(folder / "guidance.png", quantise(flow, MOVING))


def trainable(clips: Path) -> Iterator[tuple[str, str, Path]]:
    """Name, licence class and file of every clip in `clips` that no exposure beside it, in `exposures/benchmark`, is
    made from."""
    kept_back = clips.parent / "exposures" / "benchmark"
    held = {one.name.rsplit("_", 1)[0] for one in kept_back.iterdir() if one.is_dir()} if kept_back.is_dir() else set()
    with (clips / "index.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            path = clips / row["clip"] / row["file"]
            if row["clip"] not in held and path.is_file():
                yield row["clip"], row["class"], path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.clips", description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="folder with index.csv and a folder a clip")
    parser.add_argument("--classes", default="A", help="licence classes, such as AB (default A)")
    parser.add_argument(
        "--steps", type=int, nargs="+", default=STEPS, help="frames of the clip from one instant to the next"
    )
    parser.add_argument(
        "--apart", type=int, default=APART, help=f"steps from one exposure to the next (default {APART})"
    )
    parser.add_argument("--camera", action="store_true", help="every exposure a second time, with the camera moved too")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True)
    with (chosen.out / "index.csv").open("w", newline="") as file:
        index = csv.writer(file)
        index.writerow(("clip", "class"))
        for clip, licence, path in trainable(chosen.clips):
            if licence not in chosen.classes:
                continue
            index.writerow((clip, licence))
            count = 0
            for camera in (False, True)[: 1 + chosen.camera]:
                for name, photo, frames, flow in exposures(path, chosen.steps, chosen.apart, camera):
                    write(chosen.out / f"{clip}_{name}", photo, frames, flow)
                    count += 1
            print(f"{clip}: {count}")


if __name__ == "__main__":
    main()

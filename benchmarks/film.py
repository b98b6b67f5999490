"""Whole blurred videos made longer and smoother: `python -m benchmarks.film --clips CLIPS NAME ...`.

A blurred video is made from the middle part of a sharp clip: of every PERIOD frames the first OPEN + 1 are averaged in
linear light, the gaps between them filled by flow-guided interpolation. The clip's frames from the beginning of the
first exposure to the end of the last are the true instants. Four films are held against them:

repeated      every blurred frame stands until halfway to the next.
interpolated  the blurred frames taken for sharp ones at the middle of their exposures; on the way from one to the next
              both are moved along the flow between them (DIS) and blended.
deblurred     the same with every frame deblurred before: the middle instant of what `app.film` recovers.
film          `app.film`: every exposure taken apart along the motion that its neighbours show, the gaps interpolated.

PSNR in dB and SSIM are means over the instants. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from app.film import beside, pictures, told
from app.playback import frame_at
from app.video import read_frames, read_video
from benchmarks.scores import bootstrap, psnr, ssim
from models import catalog
from models.from_video import between
from models.guidance import Guidance
from models.motion import instants
from models.recovery import Inputs, Recovery
from training.clips import averaged


@dataclass(frozen=True, eq=False)
class Clip:
    """A blurred video (F, H, W, 3) and its true instants (N, H, W, 3), uint8.

    Exposure k begins with the true instant `period * k` and ends `open` instants later.
    """

    name: str
    blurred: np.ndarray
    truth: np.ndarray
    period: int
    open: int


@dataclass(frozen=True)
class Row:
    """How near one film of a clip is to the truth."""

    clip: str
    way: str
    psnr: float
    ssim: float


def blurred(truth: np.ndarray, name: str, period: int, open: int) -> Clip:
    """The blurred video of true instants (N, H, W, 3)."""
    starts = range(0, len(truth) - open, period)
    exposures = [averaged(list(truth[start : start + open + 1])) for start in starts]
    return Clip(name, np.stack(exposures), truth[: starts[-1] + open + 1], period, open)


def middle_part(path: Path, count: int, side: int) -> np.ndarray:
    """So many frames from the middle of a video, `side` px at the longest. Raises ValueError where it is too short."""
    video = read_video(path)
    if video.frames < count:
        raise ValueError(f"{path.name} has {video.frames} frames, {count} are needed")
    first = (video.frames - count) // 2
    scale = min(1.0, side / max(video.height, video.width))
    size = round(video.width * scale), round(video.height * scale)
    frames = read_frames(video, range(first, first + count))
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for _, frame in frames])


def repeated(clip: Clip) -> np.ndarray:
    return clip.blurred[np.rint(_places(clip)).astype(int)]


def interpolated(clip: Clip) -> np.ndarray:
    return _interpolated(clip.blurred, _places(clip))


def deblurred(clip: Clip) -> np.ndarray:
    exposures = beside(clip.blurred)
    recoveries = [_recover(one.frame, told(one, clip.open / clip.period), 3) for one in exposures]
    return _interpolated(np.stack([recovery.frames[1] for recovery in recoveries]), _places(clip))


def film(clip: Clip) -> np.ndarray:
    return np.stack(list(pictures(beside(clip.blurred), clip.period, clip.open / clip.period, _recover)))


WAYS: Mapping[str, Callable[[Clip], np.ndarray]] = {
    "repeated": repeated,
    "interpolated": interpolated,
    "deblurred": deblurred,
    "film": film,
}


def _places(clip: Clip) -> np.ndarray:
    """Where each instant stands among the middles of the exposures, which count 0, 1, 2 ...; held at both ends."""
    places = (np.arange(len(clip.truth)) - clip.open / 2) / clip.period
    return np.clip(places, 0, len(clip.blurred) - 1)


def _interpolated(frames: np.ndarray, places: np.ndarray) -> np.ndarray:
    pairs = [Recovery(np.stack(two), instants(2), between(*two), "") for two in pairwise(frames)]
    numbers = np.minimum(places.astype(int), len(pairs) - 1)
    return np.stack([frame_at(pairs[number], place - number) for number, place in zip(numbers, places, strict=True)])


def _recover(frame: np.ndarray, guidance: Guidance, count: int) -> Recovery:
    run = catalog.load("drawn")
    return run(Inputs(frame, guidance, "cpu"), {"frames": count}, lambda progress: None, lambda: False)


def scored(clip: Clip, way: str) -> Row:
    frames = WAYS[way](clip)
    values = [psnr(one, other) for one, other in zip(frames, clip.truth, strict=True)]
    return Row(clip.name, way, float(np.mean(values)), ssim(frames, clip.truth))


def summary(rows: list[Row]) -> dict[str, object]:
    """Means over clips with their 95 % intervals, and of the film's gain in dB over each other way."""
    ways: dict[str, object] = {}
    films = {row.clip: row for row in rows if row.way == "film"}
    for way in dict.fromkeys(row.way for row in rows):
        some = [row for row in rows if row.way == way]
        measured = {"psnr": [row.psnr for row in some], "ssim": [row.ssim for row in some]}
        if films and way != "film":
            measured["film_gains"] = [films[row.clip].psnr - row.psnr for row in some]
            measured["film_gains_ssim"] = [films[row.clip].ssim - row.ssim for row in some]
        ways[way] = {
            name: [round(value, 4) for value in (np.mean(one), *bootstrap(one))] for name, one in measured.items()
        }
    return {"clips": len({row.clip for row in rows}), "ways": ways}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.film", description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME", help="which clips")
    parser.add_argument("--clips", type=Path, required=True, help="folder of the clips")
    parser.add_argument("--exposures", type=int, default=5, help="frames of each blurred video")
    parser.add_argument("--period", type=int, default=8, help="frames of the clip from one exposure to the next")
    parser.add_argument("--open", type=int, default=6, help="frames of the clip from the first to the last instant")
    parser.add_argument("--side", type=int, default=448, help="px of the longest side")
    chosen = parser.parse_args()
    rows = []
    for name in chosen.names:
        folder = chosen.clips / name
        file = folder / json.loads((folder / "meta.json").read_text())["file"]
        count = chosen.period * (chosen.exposures - 1) + chosen.open + 1
        clip = blurred(middle_part(file, count, chosen.side), name, chosen.period, chosen.open)
        for way in WAYS:
            rows.append(scored(clip, way))
            print(f"{name:26s} {way:13s} {rows[-1].psnr:6.2f} dB  SSIM {rows[-1].ssim:.4f}", flush=True)
    print(json.dumps(summary(rows)))


if __name__ == "__main__":
    main()

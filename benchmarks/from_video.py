"""Guidance from the frames beside a blurred one: `python -m benchmarks.from_video --data EXPOSURES --clips CLIPS`.

The neighbours of every exposure are photos made as it was, from its clip: averaged in linear light, the gaps between
frames filled by flow-guided interpolation. They end a frame before it begins and begin a frame after it ends; an
exposure whose clip has too few frames for that is left out. Each engine runs with guidance from the neighbours and
with true guidance: `drawn` told the motion of every pixel, `drawn` told arrows, `trajectory` told quadrants. The last
line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.video import read_frames, read_video
from benchmarks.scores import bootstrap, psnr
from benchmarks.truth import FRAMES, Exposure, read_exposures
from models import catalog
from models.from_video import Seen, seen
from models.guidance import Guidance, quantise
from models.motion import Motion
from models.recovery import Inputs
from training.clips import averaged

GOAL = 1.5
"""dB that guidance from video may lie below true guidance; the paper's lies 1.42 below."""
_MOVING = 1.0
NO_LENGTH = 16.0
"""px of an arrow whose length means nothing."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The photos (H, W, 3) before and after an exposure, and its share of the time from one to the next."""

    before: np.ndarray
    after: np.ndarray
    shutter: float


@dataclass(frozen=True)
class Row:
    """One exposure under one way to tell: PSNR in dB of the frames with guidance from video, with true guidance."""

    name: str
    clip: str
    way: str
    floor: float
    video: float
    true: float

    @property
    def below(self) -> float:
        return self.true - self.video


def _dense(motion: Motion) -> Guidance:
    return Guidance(np.zeros(motion.trajectories.shape[1:3], np.uint8), motion=motion)


WAYS: Mapping[str, tuple[str, Mapping[str, object], Callable[[Seen], Guidance]]] = {
    "motion": ("drawn", {}, lambda found: _dense(Motion.from_flow(found.full(), FRAMES))),
    "arrows": ("drawn", {}, Seen.guidance),
    "quadrants": (
        "trajectory",
        {"told": "quadrants"},
        lambda found: Guidance.from_labels(found.labels(), NO_LENGTH),
    ),
}
"""How an engine is told what was seen: the engine, its options, the guidance."""


def neighbours(clip: Path, first: int, step: int, size: tuple[int, int]) -> Neighbours | None:
    """The neighbours of the exposure from frame `first` over six times `step` frames; None where the clip has too few.

    `size` is (width, height) px.
    """
    video = read_video(clip)
    span = (FRAMES - 1) * step
    period = span + 1
    if first < period or first + span + period >= video.frames:
        return None
    photos = []
    for start in (first - period, first + period):
        frames = read_frames(video, range(start, start + span + 1))
        photos.append(averaged([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for _, frame in frames]))
    return Neighbours(photos[0], photos[1], span / period)


def directions(flow: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """On pixels that truly move 1 px or more: the share whose quadrant is right, and of those that point to the right
    half of the plane; and the end-point error in px beside that of zero motion."""
    moving = np.linalg.norm(truth, axis=-1) >= _MOVING
    if not moving.any():
        return {}
    right = quantise(flow, 1e-3) == quantise(truth, _MOVING)
    half = np.sum(flow * truth, axis=-1) > 0
    errors = np.linalg.norm(flow - truth, axis=-1)
    return {
        "quadrant": float(right[moving].mean()),
        "half": float(half[moving].mean()),
        "error": float(errors[moving].mean()),
        "zero": float(np.linalg.norm(truth, axis=-1)[moving].mean()),
    }


def scored(one: Exposure, clip: str, found: Seen, way: str, device: str) -> Row:
    """An engine's frames with both kinds of guidance, against the true ones."""
    engine, options, told = WAYS[way]
    run = catalog.load(engine)

    def score(guidance: Guidance) -> float:
        if not guidance.says_motion():
            return psnr(one.repeated, one.frames)
        inputs = Inputs(one.photo, guidance, device)
        recovery = run(inputs, {"frames": FRAMES, **options}, lambda progress: None, lambda: False)
        return psnr(recovery.frames, one.frames)

    truth = Seen(one.flow, np.ones(one.flow.shape[:2], np.float32), one.photo.shape[:2])
    return Row(one.name, clip, way, psnr(one.repeated, one.frames), score(told(found)), score(told(truth)))


def summary(rows: list[Row], facts: list[dict[str, float]], left_out: int) -> dict[str, object]:
    """Means per way to tell, how far below true guidance with its 95 % interval over clips, and whether that is met."""
    ways: dict[str, object] = {}
    for way in dict.fromkeys(row.way for row in rows):
        some = [row for row in rows if row.way == way]
        below = [row.below for row in some]
        interval = bootstrap(below, [row.clip for row in some])
        ways[way] = {
            **{name: _mean([getattr(row, name) for row in some]) for name in ("floor", "video", "true")},
            "below": _mean(below),
            "interval": [round(bound, 3) for bound in interval],
            "met": float(np.mean(below)) <= GOAL,
        }
    found = {name: _mean([one[name] for one in facts]) for name in ("quadrant", "half", "error", "zero")}
    return {"exposures": len(facts), "left_out": left_out, "directions": found, "ways": ways}


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 3)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.from_video", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of exposures with an index.json")
    parser.add_argument("--clips", type=Path, required=True, help="folder of the clips they were made from")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--device", default="auto")
    chosen = parser.parse_args()
    places = {entry["name"]: entry for entry in json.loads((chosen.data / "index.json").read_text())}
    rows, facts, left_out = [], [], 0
    for one in read_exposures(chosen.data):
        entry = places[one.name]
        clip = chosen.clips / entry["clip"]
        beside = None
        file = clip / json.loads((clip / "meta.json").read_text())["file"]
        if file.is_file():
            beside = neighbours(file, entry["first"], entry["step"], tuple(entry["size"]))
        if beside is None:
            left_out += 1
            continue
        found = seen(beside.before, one.photo, beside.after, beside.shutter)
        facts.append(directions(found.full(), one.flow))
        said = " ".join(f"{name} {value:.2f}" for name, value in facts[-1].items())
        print(f"{one.name:30s} {said}", flush=True)
        for way in chosen.ways:
            row = scored(one, entry["clip"], found, way, chosen.device)
            rows.append(row)
            print(
                f"{'':10s}{way:10s} floor {row.floor:6.2f} from video {row.video:6.2f} true {row.true:6.2f} "
                f"below {row.below:5.2f}",
                flush=True,
            )
    print(f"{left_out} exposures were left out: their clips have too few frames before or after, or are no videos.")
    print(json.dumps(summary(rows, facts, left_out)))


if __name__ == "__main__":
    main()

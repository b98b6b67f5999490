"""Feature points of an exposure, found against true: `python -m benchmarks.tracking --data FOLDER`.

Corners of the true middle frame are tracked through the seven true frames, outward from the middle, and kept where
tracking back leads home again (Exposure Trajectory Recovery, fig. 9). Against these tracks stand, for an engine that is
told the true quadrants and for `drawn`, which is told the true motion: the recovery's own trajectories at the corners,
and the same corners tracked through the recovered frames. Beside them that nothing moves, and the one straight motion
that fits best. Only corners that truly move count. `--sheet` draws the tracks. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.guided import told
from benchmarks.scores import bootstrap
from benchmarks.truth import FRAMES, Exposure, read_exposures, true_motion
from models import catalog
from models.guidance import Guidance
from models.motion import Motion, instants
from models.recovery import Inputs, Recovery

POINTS, APART = 200, 8.0
HOME, MOVING, NEAR = 0.5, 2.0, 2.0
"""Px that a true track may be off after the way back, that it must go at least, and within which a place is right."""
FEWEST = 5
"""Moving corners without which an exposure says nothing."""
MIDDLE = FRAMES // 2
_LOOK = {"winSize": (21, 21), "maxLevel": 3, "criteria": (3, 40, 0.01)}
_ENLARGED, _ROWS, _BITS = 2, 6, 4
_TRUE, _FOUND, _FRAMES = (60, 220, 60), (255, 60, 200), (255, 170, 0)


@dataclass(frozen=True)
class Score:
    """How far places (P, 7, 2) are from the true ones at the six times beside the middle, px: the mean and the median
    over corners and times, the mean at the first and the last instant, and the share of places within 2 px."""

    mean: float
    median: float
    ends: float
    near: float


def corners(frame: np.ndarray) -> np.ndarray:
    """Places worth tracking in a frame (H, W, 3), float32 (P, 2) px."""
    found = cv2.goodFeaturesToTrack(_grey(frame), POINTS, 0.01, APART)
    return np.zeros((0, 2), np.float32) if found is None else found[:, 0]


def tracked(frames: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where points (P, 2) of the middle one of seven frames are in each, float32 (P, 7, 2), from frame to frame by
    pyramidal Lucas-Kanade; and whether each came home to where it started, bool (P,). One that is lost stays."""
    greys = [_grey(frame) for frame in frames]
    places = np.repeat(points[:, None], FRAMES, 1)
    home = np.ones(len(points), bool)
    for step, last in ((-1, -1), (1, FRAMES)):
        for n in range(MIDDLE + step, last, step):
            before = places[:, n - step]
            places[:, n], there = _looked(greys[n - step], greys[n], before)
            back, again = _looked(greys[n], greys[n - step], places[:, n])
            home &= there & again & (np.linalg.norm(back - before, axis=-1) <= HOME)
    return places, home


def _looked(first: np.ndarray, second: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where points of one picture are in another, and whether they were found."""
    if not len(points):
        return points, np.zeros(0, bool)
    points = np.ascontiguousarray(points)
    found, there, _ = cv2.calcOpticalFlowPyrLK(first, second, points, points.copy(), **_LOOK)
    there = there[:, 0] > 0
    return np.where(there[:, None], found, points), there


def true_tracks(one: Exposure) -> np.ndarray:
    """The tracks (P, 7, 2) of the exposure's corners that move and come home."""
    places, home = tracked(one.frames, corners(one.frames[MIDDLE]))
    return places[home & (np.linalg.norm(places[:, -1] - places[:, 0], axis=-1) >= MOVING)]


def followed(motion: Motion, points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where a motion leads points (P, 2) px of a photo of `size` (H, W), float32 (P, 7, 2)."""
    height, width = motion.trajectories.shape[1:3]
    places = (points + 0.5) * np.array([width / size[1], height / size[0]], np.float32) - 0.5
    x, y = places[None, :, 0], places[None, :, 1]
    fields = (motion.trajectories_at(float(t)) for t in instants(FRAMES))
    ways = [cv2.remap(one, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0] for one in fields]
    return points[:, None] + np.stack(ways, 1)


def straight(true: np.ndarray) -> np.ndarray:
    """The one straight, even motion that fits the tracks (P, 7, 2) best."""
    along = (instants(FRAMES) - 0.5)[:, None]
    return true[:, MIDDLE : MIDDLE + 1] + along * np.median(true[:, -1] - true[:, 0], axis=0)


def scored(found: np.ndarray, true: np.ndarray) -> Score:
    away = np.delete(np.linalg.norm(found - true, axis=-1), MIDDLE, axis=1)
    ends = float(away[:, [0, -1]].mean())
    return Score(float(away.mean()), float(np.median(away)), ends, float((away <= NEAR).mean()))


def recovered(engine: str, guidance: Guidance, one: Exposure, device: str) -> Recovery:
    options = {"frames": FRAMES} | ({} if engine == "drawn" else {"told": "quadrants"})
    return catalog.load(engine)(Inputs(one.photo, guidance, device), options, lambda _: None, lambda: False)


def contenders(engine: str, one: Exposure, true: np.ndarray, device: str) -> dict[str, np.ndarray]:
    """The places (P, 7, 2) at which everyone sees the points that truly take these tracks."""
    points, size = true[:, MIDDLE], one.photo.shape[:2]
    places = {"nothing moves": np.repeat(points[:, None], FRAMES, 1), "best straight": straight(true)}
    known = Guidance(np.zeros(size, np.uint8), motion=true_motion(one, "offsets"))
    for name, guidance in ((engine, told(one, "true")), ("drawn", known)):
        recovery = recovered(name, guidance, one, device)
        if recovery.motion is not None:
            places[f"{name}, trajectories"] = followed(recovery.motion, points, size)
        places[f"{name}, frames tracked"] = tracked(recovery.frames, points)[0]
    return places


def summary(scores: list[dict[str, Score]], clips: list[str]) -> dict[str, object]:
    """Means over exposures, with the 95 % interval of the mean distance."""
    said = {}
    for name in scores[0]:
        mine = [one[name] for one in scores]
        numbers = {key: round(float(np.mean([vars(one)[key] for one in mine])), 3) for key in vars(mine[0])}
        interval = [round(bound, 3) for bound in bootstrap([one.mean for one in mine], clips)]
        said[name] = {**numbers, "interval": interval}
    return said


def drawing(one: Exposure, true: np.ndarray, trajectories: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """The photo twice as large with the tracks: true ones green, trajectories pink, tracked through the recovered
    frames orange; a dot where each begins."""
    picture = cv2.resize(one.photo, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC)
    picture = (picture * 0.6).astype(np.uint8)
    for tracks, colour in ((true, _TRUE), (frames, _FRAMES), (trajectories, _FOUND)):
        lines = [np.round((track + 0.5) * _ENLARGED * 2**_BITS).astype(np.int32) for track in tracks]
        cv2.polylines(picture, lines, False, colour, 1, cv2.LINE_AA, _BITS)
        for line in lines:
            cv2.circle(picture, tuple(int(place) for place in line[0]), 2 << _BITS, colour, -1, cv2.LINE_AA, _BITS)
    return picture


def sheet(pictures: list[np.ndarray], path: Path) -> None:
    """Two drawings a row, all as wide as the first."""
    width = pictures[0].shape[1]
    same = [cv2.resize(one, (width, round(width * one.shape[0] / one.shape[1]))) for one in pictures]
    height = max(one.shape[0] for one in same)
    same = [np.pad(one, ((0, height - one.shape[0]), (0, 0), (0, 0))) for one in same]
    same += [np.zeros_like(same[0])] * (len(same) % 2)
    rows = [np.hstack(same[n : n + 2]) for n in range(0, len(same), 2)]
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


def _grey(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tracking", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of exposures with their true frames")
    parser.add_argument("--engine", default="trajectory", choices=[engine.name for engine in catalog.ENGINES[1:]])
    parser.add_argument("--limit", type=int, help="only so many exposures")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--sheet", type=Path, help="the tracks of the exposures that move most, drawn")
    chosen = parser.parse_args()
    scores, clips, pictures, count = [], [], [], 0
    for one in read_exposures(chosen.data, chosen.limit):
        true = true_tracks(one)
        if len(true) < FEWEST:
            print(f"{one.name:30s} {len(true):4d} corners move: left out", flush=True)
            continue
        places = contenders(chosen.engine, one, true, chosen.device)
        scores.append({name: scored(found, true) for name, found in places.items()})
        clips.append(one.clip)
        count += len(true)
        found = [places[f"{chosen.engine}, {kind}"] for kind in ("trajectories", "frames tracked")]
        pictures.append((scores[-1]["nothing moves"].mean, drawing(one, true, *found)))
        said = "  ".join(f"{name} {score.mean:5.2f}" for name, score in scores[-1].items())
        print(f"{one.name:30s} {len(true):4d} corners  {said}", flush=True)
    if not scores:
        raise SystemExit("in none of these exposures do enough corners move")
    if chosen.sheet:
        most = sorted(pictures, key=lambda pair: -pair[0])[:_ROWS]
        sheet([picture for _, picture in most], chosen.sheet)
    print(json.dumps({"exposures": len(scores), "corners": count, "engines": summary(scores, clips)}))


if __name__ == "__main__":
    main()

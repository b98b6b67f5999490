"""Rough arrows refined: `python -m benchmarks.refinement --data FOLDER`.

The true flow of every exposure is turned into a camera's arrow and regions with arrows; these are made too long or too
short and turned, by fixed seeds, and refined. Said are the end-point errors of what arrows say, px over all that they
say something of: of the rough arrows, the refined ones with how their places differ, and the true ones (the best
constants); and the gain in PSNR of the frames that the engine `drawn` makes of them, where an arrow changed. Exposures
in which nearly everything moves, the camera's, stand apart. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.scores import psnr
from benchmarks.truth import FRAMES, Exposure, read_exposures
from models import catalog
from models.guidance import Guidance
from models.motion import Arrow
from models.recovery import Inputs
from models.trajectory.refinement import refine
from training.world.hints import in_arrows

STRETCHES, DEGREES = (0.7, 1.4), 20.0
MOVING, CAMERA_SHARE = 1.0, 0.9
"""Px; and the share of a picture that moves so far where the camera did."""
CAMERA_GOAL, OBJECTS_GOAL, WORST_DB, SECONDS = 0.5, 0.15, 0.1, 20.0


@dataclass(frozen=True)
class Row:
    """One exposure, one draw of rough arrows: end-point errors in px, the frames' gain in dB, seconds of refining."""

    name: str
    camera: bool
    rough: float
    refined: float
    best: float
    changed: bool
    gain: float
    seconds: float


def roughened(guidance: Guidance, seed: int) -> Guidance:
    """Every arrow too long or too short, and turned to one side or the other."""
    dice = np.random.default_rng(seed)

    def rough(arrow: Arrow) -> Arrow:
        turn = DEGREES * dice.choice((-1, 1))
        return replace(arrow, degrees=(arrow.degrees + turn) % 360, length=arrow.length * dice.choice(STRETCHES))

    regions = tuple(replace(one, arrow=one.arrow and rough(one.arrow)) for one in guidance.regions)
    return replace(guidance, regions=regions, camera=guidance.camera and rough(guidance.camera))


def error(guidance: Guidance, one: Exposure) -> float:
    """Mean end-point error where the guidance says something, px."""
    flow = guidance.flow()
    off = (flow - one.flow)[np.isfinite(flow[..., 0])]
    return float(np.hypot(off[:, 0], off[:, 1]).mean()) if len(off) else 0.0


def scored(one: Exposure, seed: int | None, frames: bool, device: str) -> Row:
    """With this draw of rough arrows; None: with the true ones, which refining as wholes can only spoil."""
    true = in_arrows(one.flow)
    rough = true if seed is None else roughened(true, seed)
    start = time.perf_counter()
    refined = refine(Inputs(one.photo, rough, device), lambda _: None, lambda: False)
    seconds = time.perf_counter() - start
    changed = (refined.camera, refined.regions) != (rough.camera, rough.regions)
    gain = _frames_db(one, refined, device) - _frames_db(one, rough, device) if frames and changed else 0.0
    whole = bool((np.hypot(one.flow[..., 0], one.flow[..., 1]) > MOVING).mean() > CAMERA_SHARE)
    before, after, best = (error(told, one) for told in (rough, refined, true))
    return Row(one.name, whole, before, after, best, changed, gain, seconds)


def _frames_db(one: Exposure, told: Guidance, device: str) -> float:
    inputs = Inputs(one.photo, told, device)
    recovery = catalog.load("drawn")(inputs, {"frames": FRAMES}, lambda _: None, lambda: False)
    return psnr(recovery.frames, one.frames)


def summary(rows: list[Row]) -> dict[str, object]:
    """Means over camera and object exposures, and whether the goals are met."""
    said: dict[str, object] = {}
    less = {}
    for name, mine in (
        ("camera", [row for row in rows if row.camera]),
        ("objects", [row for row in rows if not row.camera]),
    ):
        if mine:
            means = {
                key: _mean([getattr(row, key) for row in mine])
                for key in ("rough", "refined", "best", "changed", "gain")
            }
            less[name] = round(1 - means["refined"] / max(means["rough"], 1e-9), 3)
            said[name] = {"rows": len(mine), **means, "less": less[name]}
    worst = min(row.gain for row in rows)
    slowest = max(row.seconds for row in rows)
    goals = {
        "camera": less.get("camera", 0) >= CAMERA_GOAL,
        "objects": less.get("objects", 0) >= OBJECTS_GOAL,
        "no photo worse": worst >= -WORST_DB,
        "seconds": slowest <= SECONDS,
    }
    return {**said, "worst_db": round(worst, 3), "slowest": round(slowest, 2), "goals": goals}


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 3)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.refinement", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of exposures with their true frames")
    parser.add_argument("--seeds", type=int, default=2, help="draws of rough arrows for each exposure")
    parser.add_argument("--exact", action="store_true", help="begin with the true arrows: what refining spoils or adds")
    parser.add_argument("--no-frames", action="store_true", help="only the arrows")
    parser.add_argument("--limit", type=int, help="only so many exposures")
    parser.add_argument("--device", default="auto")
    chosen = parser.parse_args()
    rows = []
    for one in read_exposures(chosen.data, chosen.limit):
        for seed in [None] if chosen.exact else range(chosen.seeds):
            row = scored(one, seed, not chosen.no_frames, chosen.device)
            rows.append(row)
            print(
                f"{row.name:30s} {'camera' if row.camera else 'objects':8s} rough {row.rough:6.2f} "
                f"refined {row.refined:6.2f} best {row.best:6.2f} px   {row.gain:+6.2f} dB   {row.seconds:5.2f} s",
                flush=True,
            )
    print(json.dumps({"seeds": 0 if chosen.exact else chosen.seeds, **summary(rows)}))


if __name__ == "__main__":
    main()

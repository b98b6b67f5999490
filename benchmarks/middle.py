"""The sharp middle instant alone, by one way and another: `python -m benchmarks.middle --data FOLDER`.

Every exposure's middle frame is recovered by deconvolution along the motion that the network finds, by the restoration
network, by both one after the other, and by the mean of the first two; beside them stand the photo as it is and
deconvolution along the true motion, which nobody knows. What `deblur` takes (`models.catalog.SHARPEST`) was the best on
the training part of the exposures. `--checkpoints` adds training runs of the recipe `deblurring`, each told what it
learned with. `--pairs FOLDER` takes blurred photos with a sharp partner in place of exposures: nothing is known of
their motion, and the partner may stand a few px beside the middle instant, so every picture is scored where it fits
best. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.contenders import Sharpener, sharpener
from benchmarks.guided import MODES, told
from benchmarks.scores import bootstrap, psnr, ssim
from benchmarks.truth import FRAMES, picture, read_exposures, true_motion
from models import catalog
from models.guidance import Guidance
from models.motion import Motion
from models.recovery import Inputs, Recovery
from training.sheets import write_sheet

PHOTO, DECONVOLUTION, NETWORK, BOTH, MEAN = "photo", "deconvolution", "network", "both", "mean"
KNOWN = "true motion"
ENGINES: dict[str, tuple[str, Mapping[str, object]]] = {
    DECONVOLUTION: ("trajectory", {}),
    NETWORK: ("decomposition", {"by": "network"}),
    BOTH: ("decomposition", {"by": "both"}),
}
NOTHING = Motion.from_flow(np.zeros((1, 1, 2), np.float32))
SLACK = 8
"""How many px the partner of a pair may stand beside the middle instant."""


@dataclass(frozen=True, eq=False)
class Case:
    """A blurred photo and its sharp instant, (H, W, 3) uint8, what is told of it, and its true motion where known.

    slack  how many px the sharp instant may stand beside the middle one.
    """

    name: str
    photo: np.ndarray
    sharp: np.ndarray
    guidance: Guidance
    motion: Motion | None = None
    slack: int = 0


@dataclass(frozen=True)
class Row:
    """One exposure: PSNR in dB and SSIM of every contender's middle frame."""

    name: str
    clip: str
    psnr: dict[str, float]
    ssim: dict[str, float]


def exposures(folder: Path, mode: str, limit: int | None = None) -> list[Case]:
    """Exposures told their guidance in this mode."""
    return [
        Case(one.name, one.photo, one.frames[FRAMES // 2], told(one, mode), true_motion(one, "offsets"))
        for one in read_exposures(folder, limit)
    ]


def pairs(folder: Path, limit: int | None = None) -> list[Case]:
    """Every folder with a blurry.png and a sharp.png in it, by name. Raises ValueError where there is none."""
    places = sorted(sharp.parent for sharp in folder.glob("*/sharp.png"))[:limit]
    if not places:
        raise ValueError(f"{folder} has no folder with a sharp.png in it")
    cases = []
    for place in places:
        photo = picture(place / "blurry.png")
        nothing = Guidance.empty(*photo.shape[:2])
        cases.append(Case(place.name, photo, picture(place / "sharp.png"), nothing, slack=SLACK))
    return cases


def middles(one: Case, sharpeners: Mapping[str, Sharpener], device: str) -> dict[str, np.ndarray]:
    """Everyone's middle frame (H, W, 3); of those who must know the true motion only where it is known."""
    inputs = Inputs(one.photo, one.guidance, device)
    recoveries = {
        name: _recovered(engine, inputs, {"told": "quadrants", **options})
        for name, (engine, options) in ENGINES.items()
    }
    found = {PHOTO: one.photo} | {name: recovery.frames[0] for name, recovery in recoveries.items()}
    found[MEAN] = np.rint((found[DECONVOLUTION].astype(np.float32) + found[NETWORK]) / 2).astype(np.uint8)
    if one.motion is not None:
        knowing = Guidance(np.zeros(one.photo.shape[:2], np.uint8), motion=one.motion)
        found[KNOWN] = _recovered("drawn", Inputs(one.photo, knowing, device), {}).frames[0]
    motions = {"found": recoveries[DECONVOLUTION].motion, "true": one.motion, "nothing": NOTHING}
    for name, sharpen in sharpeners.items():
        motion = motions[sharpen.recipe.told]
        if motion is not None:
            found[name] = sharpen(one.photo, _ends(motion, *one.photo.shape[:2]))
    return found


def _recovered(engine: str, inputs: Inputs, options: Mapping[str, object]) -> Recovery:
    return catalog.load(engine)(inputs, {"frames": 1, **options}, lambda _: None, lambda: False)


def _ends(motion: Motion, height: int, width: int) -> np.ndarray:
    """Offsets at start and end, (2, height, width, 2) px."""
    whole = motion.resized(height, width)
    return np.stack((whole.offsets_at(0), whole.offsets_at(1)))


def scored(one: Case, found: Mapping[str, np.ndarray]) -> Row:
    fitted = {name: fitting(picture, one.sharp, one.slack) for name, picture in found.items()}
    return Row(
        one.name,
        one.name.rpartition("_")[0],
        {name: psnr(picture, truth) for name, (picture, truth) in fitted.items()},
        {name: ssim(picture[None], truth[None]) for name, (picture, truth) in fitted.items()},
    )


def fitting(picture: np.ndarray, truth: np.ndarray, slack: int) -> tuple[np.ndarray, np.ndarray]:
    """The middle of a picture (H, W, 3), `slack` px from every border, and what it is nearest to in the true one, by
    whole px."""
    if not slack:
        return picture, truth
    height, width = truth.shape[:2]
    core = picture[slack:-slack, slack:-slack].astype(np.float32)
    errors = cv2.matchTemplate(truth.astype(np.float32), core, cv2.TM_SQDIFF)
    row, column = np.unravel_index(int(errors.argmin()), errors.shape)
    return picture[slack:-slack, slack:-slack], truth[row:, column:][: height - 2 * slack, : width - 2 * slack]


def summary(rows: list[Row]) -> dict[str, object]:
    """Means, gains over the photo and how far the best one is ahead, each with its 95 % interval; and who is best of
    those that do not know the true motion."""
    best = max((name for name in rows[0].psnr if name != KNOWN), key=lambda name: _mean(rows, name))
    said = {}
    for name in rows[0].psnr:
        gain, ahead = _over(rows, name, PHOTO), _over(rows, best, name)
        better = sum(row.psnr[name] > row.psnr[PHOTO] for row in rows)
        similarity = round(float(np.mean([row.ssim[name] for row in rows])), 4)
        said[name] = {"psnr": round(_mean(rows, name), 3), "ssim": similarity, **gain, "better": better}
        said[name] |= {"best_is_ahead": ahead["gain"], "ahead_interval": ahead["interval"]}
    return {"exposures": len(rows), "best": best, "middles": said}


def _mean(rows: list[Row], name: str) -> float:
    return float(np.mean([row.psnr[name] for row in rows]))


def _over(rows: list[Row], name: str, other: str) -> dict[str, object]:
    gains = [row.psnr[name] - row.psnr[other] for row in rows]
    low, high = bootstrap(gains, [row.clip for row in rows])
    return {"gain": round(float(np.mean(gains)), 3), "interval": [round(low, 3), round(high, 3)]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.middle", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="folder of exposures with their true frames")
    source.add_argument("--pairs", type=Path, help="folder of blurred photos with a sharp partner instead")
    parser.add_argument(
        "--mode", default="true", choices=MODES, help="what is told of exposures (default: true quadrants)"
    )
    parser.add_argument("--checkpoints", type=Path, nargs="+", default=[], metavar="DIR", help="runs of `deblurring`")
    parser.add_argument("--limit", type=int, help="only so many exposures or pairs")
    parser.add_argument("--sheet", type=Path, help="a PNG of everyone's middle frames beside the true ones")
    parser.add_argument("--device", default="auto")
    chosen = parser.parse_args()
    sharpeners = {str(folder): sharpener(folder, chosen.device) for folder in chosen.checkpoints}
    cases = pairs(chosen.pairs, chosen.limit) if chosen.pairs else exposures(chosen.data, chosen.mode, chosen.limit)
    rows, lines = [], []
    for one in cases:
        found = middles(one, sharpeners, chosen.device)
        rows.append(scored(one, found))
        lines.append([*found.values(), one.sharp])
        numbers = "  ".join(f"{name} {value:6.2f}" for name, value in rows[-1].psnr.items())
        print(f"{one.name:30s} {numbers}", flush=True)
    if chosen.sheet:
        write_sheet(chosen.sheet, lines)
    print(json.dumps({"mode": "none" if chosen.pairs else chosen.mode, **summary(rows)}))


if __name__ == "__main__":
    main()

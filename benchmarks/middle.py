"""The sharp middle instant alone, by one way and another: `python -m benchmarks.middle --data FOLDER`.

Every exposure's middle frame is recovered by deconvolution along the motion that the network finds, by the restoration
network, by both one after the other, and by the mean of the first two; beside them stand the photo as it is and
deconvolution along the true motion, which nobody knows. What `deblur` takes (`models.catalog.SHARPEST`) was the best on
the training part of the exposures. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.exposures import given_motion
from benchmarks.guided import MODES, told
from benchmarks.scores import bootstrap, psnr, ssim
from benchmarks.truth import FRAMES, Exposure, read_exposures
from models import catalog
from models.recovery import Inputs

PHOTO, DECONVOLUTION, NETWORK, BOTH, MEAN = "photo", "deconvolution", "network", "both", "mean"
KNOWN = "true motion"
ENGINES: dict[str, tuple[str, Mapping[str, object]]] = {
    DECONVOLUTION: ("trajectory", {}),
    NETWORK: ("decomposition", {"by": "network"}),
    BOTH: ("decomposition", {"by": "both"}),
}


@dataclass(frozen=True)
class Row:
    """One exposure: PSNR in dB and SSIM of every contender's middle frame."""

    name: str
    clip: str
    psnr: dict[str, float]
    ssim: dict[str, float]


def middles(one: Exposure, mode: str, device: str) -> dict[str, np.ndarray]:
    """Everyone's middle frame (H, W, 3) of an exposure, told its guidance in this mode."""
    inputs = Inputs(one.photo, told(one, mode), device)
    found = {PHOTO: one.photo}
    for name, (engine, options) in ENGINES.items():
        said = {"frames": 1, "told": "quadrants", **options}
        found[name] = catalog.load(engine)(inputs, said, lambda _: None, lambda: False).frames[0]
    mean = (found[DECONVOLUTION].astype(np.float32) + found[NETWORK]) / 2
    found[MEAN] = np.rint(mean).astype(np.uint8)
    found[KNOWN] = given_motion("drawn", "offsets", {"frames": 1}, device)(one)[0]
    return found


def scored(one: Exposure, found: Mapping[str, np.ndarray]) -> Row:
    truth = one.frames[FRAMES // 2]
    return Row(
        one.name,
        one.clip,
        {name: psnr(picture, truth) for name, picture in found.items()},
        {name: ssim(picture[None], truth[None]) for name, picture in found.items()},
    )


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
    parser.add_argument("--data", type=Path, required=True, help="folder of exposures with their true frames")
    parser.add_argument("--mode", default="true", choices=MODES, help="what is told (default: true quadrants)")
    parser.add_argument("--limit", type=int, help="only so many exposures")
    parser.add_argument("--device", default="auto")
    chosen = parser.parse_args()
    rows = []
    for one in read_exposures(chosen.data, chosen.limit):
        rows.append(scored(one, middles(one, chosen.mode, chosen.device)))
        numbers = "  ".join(f"{name} {value:6.2f}" for name, value in rows[-1].psnr.items())
        print(f"{one.name:30s} {numbers}", flush=True)
    print(json.dumps({"mode": chosen.mode, **summary(rows)}))


if __name__ == "__main__":
    main()

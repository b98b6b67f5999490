"""Recovered frames against true ones: `python -m benchmarks.exposures --data FOLDER`.

For every exposure PSNR (pooled over seven frames) and SSIM beside the floor (the photo repeated), the photo warped by
the true motion, and the oracle (the true middle instant warped by the true start and end offsets), as the share of
the gap between floor and oracle that is closed. The frames' own average against the photo stands next to that of the
true frames; above that there is no credit. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.scores import bootstrap, psnr, share_closed, ssim
from benchmarks.truth import FRAMES, MOTIONS, Exposure, own_average, read_exposures, true_motion, warped
from models import catalog
from models.guidance import Guidance
from models.recovery import Inputs

Contender = Callable[[Exposure], np.ndarray]
"""Finds the seven frames (7, H, W, 3) uint8 of an exposure, in forward order."""


@dataclass(frozen=True)
class Result:
    """What one contender reached on one exposure."""

    name: str
    clip: str
    floor: float
    warped: float
    oracle: float
    psnr: float
    ssim: float
    floor_ssim: float
    average: float
    true_average: float
    seconds: float

    @property
    def gain(self) -> float:
        return self.psnr - self.floor

    @property
    def share(self) -> float:
        return share_closed(self.psnr, self.floor, self.oracle)


def given_motion(engine: str, kind: str, options: Mapping[str, object], device: str) -> Contender:
    """An engine that is told the true motion of every pixel."""
    run = catalog.load(engine)

    def frames(one: Exposure) -> np.ndarray:
        guidance = Guidance(np.zeros(one.photo.shape[:2], np.uint8), motion=true_motion(one, kind))
        inputs = Inputs(one.photo, guidance, device)
        return run(inputs, {"frames": FRAMES, **options}, lambda progress: None, lambda: False).frames

    return frames


def scored(one: Exposure, contender: Contender, kind: str) -> tuple[Result, np.ndarray]:
    """A contender's scores and its frames on one exposure."""
    start = time.perf_counter()
    frames = contender(one)
    seconds = time.perf_counter() - start
    told, path = true_motion(one, kind), true_motion(one, "offsets")
    result = Result(
        name=one.name,
        clip=one.clip,
        floor=psnr(one.repeated, one.frames),
        warped=psnr(warped(one.photo, told), one.frames),
        oracle=psnr(warped(one.frames[FRAMES // 2], path), one.frames),
        psnr=psnr(frames, one.frames),
        ssim=ssim(frames, one.frames),
        floor_ssim=ssim(one.repeated, one.frames),
        average=own_average(frames, one.photo),
        true_average=own_average(one.frames, one.photo),
        seconds=seconds,
    )
    return result, frames


def summary(results: list[Result]) -> dict[str, object]:
    """Means over exposures, the gain and the share with their 95 % intervals."""
    numbers = [name for name, value in asdict(results[0]).items() if isinstance(value, float)]
    means: dict[str, object] = {name: _mean([getattr(result, name) for result in results]) for name in numbers}
    clips = [result.clip for result in results]
    third = sorted(results, key=lambda result: result.floor)[: max(1, len(results) // 3)]
    return {
        "exposures": len(results),
        **means,
        "gain": _mean([result.gain for result in results]),
        "gain_interval": [round(bound, 3) for bound in bootstrap([result.gain for result in results], clips)],
        "share": _mean([result.share for result in results]),
        "share_interval": [round(bound, 3) for bound in bootstrap([result.share for result in results], clips)],
        "hardest_third": {
            name: _mean([getattr(result, name) for result in third]) for name in ("floor", "psnr", "oracle")
        },
    }


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 3)


def sheet(rows: list[tuple[Exposure, np.ndarray]], path: Path, width: int = 300) -> None:
    """A contact sheet: photo; true first and recovered first frame; the middle ones; the last ones."""
    pictures = []
    for one, frames in rows:
        row = [one.photo]
        for n in (0, FRAMES // 2, FRAMES - 1):
            row += [one.frames[n], frames[n]]
        height = round(width * one.photo.shape[0] / one.photo.shape[1])
        pictures.append(np.hstack([cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA) for part in row]))
    cv2.imwrite(str(path), np.vstack(pictures)[..., ::-1])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exposures", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of exposures with their true frames")
    parser.add_argument("--engine", default="drawn", choices=[engine.name for engine in catalog.ENGINES])
    parser.add_argument("--motion", default="offsets", choices=MOTIONS, help="which true motion the engine is told")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=JSON", help="an option of the engine")
    parser.add_argument("--limit", type=int, help="only so many exposures")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--sheet", type=Path, default=Path("exposures.png"), help="contact sheet")
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    options = {name: json.loads(value) for name, value in (pair.split("=", 1) for pair in arguments.set)}
    contender = given_motion(arguments.engine, arguments.motion, options, arguments.device)
    rows, results = [], []
    print(f"{'exposure':30s} {'floor':>6s} {'warped':>6s} {'PSNR':>6s} {'oracle':>6s} {'SSIM':>6s} {'share':>6s}")
    for one in read_exposures(arguments.data, arguments.limit):
        result, frames = scored(one, contender, arguments.motion)
        rows.append((one, frames))
        results.append(result)
        print(
            f"{one.name:30s} {result.floor:6.2f} {result.warped:6.2f} {result.psnr:6.2f} {result.oracle:6.2f} "
            f"{result.ssim:6.3f} {result.share:6.2f}",
            flush=True,
        )
    sheet(rows, arguments.sheet)
    print(json.dumps({"engine": arguments.engine, "motion": arguments.motion, **summary(results)}))


if __name__ == "__main__":
    main()

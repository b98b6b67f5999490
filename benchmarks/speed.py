"""What every engine costs: `python -m benchmarks.speed`.

Multiply-adds, CPU seconds on one thread and peak memory, each engine in a process of its own, at 640 x 360 and
960 x 540, with `--large` also on 24 megapixels. The photo is made up; what matters is its size and how much of it
moves: here all of it, along one arrow; for engines that take dense motion once more with a motion per pixel, and for
those that find lengths themselves told the arrow's quadrant alone. Beside them stand the multiply-adds of the published
decomposer, which is told quadrants too, and how many times fewer each engine takes. For engines that can flip arrows in
a recovery, what that costs, beside the recovery: a disc moves across the rest. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from models import catalog
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion
from models.recovery import Inputs

SIZES = {"640x360": (360, 640), "960x540": (540, 960), "6000x4000": (4000, 6000)}
ARROW, DENSE, QUADRANTS = "arrow", "dense", "quadrants"
AIM = 30
"""How many times fewer multiply-adds than the published decomposer's an engine is to take at 960 x 540."""
_SHARE = 0.025
"""How much of the photo's width everything moves."""


def made_up(height: int, width: int) -> np.ndarray:
    """A photo (H, W, 3) uint8 with structure at every scale."""
    x = np.arange(width, dtype=np.float32)[:, None]
    channels = np.arange(3, dtype=np.float32)
    scales = (3, 17, 90)
    across = [np.sin(x / scale + channels) for scale in scales]
    photo = np.empty((height, width, 3), np.uint8)
    for y in range(height):  # row by row: the peak memory that is measured is to be the engine's
        row = sum(wave * np.cos(y / scale) for wave, scale in zip(across, scales, strict=True))
        photo[y] = np.clip(128 + 35 * np.asarray(row), 0, 255)
    return photo


def told(kind: str, height: int, width: int) -> Guidance:
    """Guidance for the whole photo: one arrow, or a motion that differs from pixel to pixel."""
    areas = np.zeros((height, width), np.uint8)
    if kind != DENSE:
        return Guidance(areas, camera=Arrow(20, _SHARE * width))
    y, x = np.mgrid[:45, :80].astype(np.float32)
    flow = _SHARE * width * np.stack([0.6 + x / 200, y / 120], -1)
    return Guidance(areas, motion=Motion.from_flow(flow))


def kinds(engine: catalog.Engine) -> tuple[str, ...]:
    """What an engine is told, one run each."""
    if engine.asks == "motion":
        return ARROW, DENSE
    return (ARROW, QUADRANTS) if any(option.name == "told" for option in catalog.options(engine.name)) else (ARROW,)


def measured(engine: str, kind: str, size: str, counts: bool) -> dict[str, float]:
    """Runs an engine in this process. Returns `cpu_seconds`, `seconds`, `peak_mb` and, asked for, `multiply_adds`."""
    import torch

    torch.set_num_threads(1)
    height, width = SIZES[size]
    run, inputs = catalog.load(engine), Inputs(made_up(height, width), told(kind, height, width), "cpu")
    options = {"told": QUADRANTS} if kind == QUADRANTS else {}
    cpu, wall = time.process_time(), time.perf_counter()
    run(inputs, options, lambda progress: None, lambda: False)
    result = {
        "cpu_seconds": time.process_time() - cpu,
        "seconds": time.perf_counter() - wall,
        "peak_mb": peak_megabytes(),
    }
    if counts:
        result["multiply_adds"] = multiply_adds(lambda: run(inputs, options, lambda progress: None, lambda: False))
    return result


def published(size: str) -> float:
    """Multiply-adds of the published decomposer for seven frames, counted without computing anything."""
    import torch

    from models.decomposition.published import PublishedDecomposer

    with torch.device("meta"):
        network, photo = PublishedDecomposer().eval(), torch.empty(1, 3, *SIZES[size])
        return multiply_adds(lambda: network(photo, photo[:, :2]))


def flipped(engine: str, size: str) -> dict[str, float]:
    """Recovers in this process, then flips one of two arrows. Returns the CPU seconds of both."""
    import torch

    torch.set_num_threads(1)
    height, width = SIZES[size]
    photo, said = made_up(height, width), disc(height, width)
    back = replace(said, regions=said.reversed().regions)
    run, flip = catalog.load(engine), catalog.load_flip(engine)
    start = time.process_time()
    before = run(Inputs(photo, said, "cpu"), {}, lambda progress: None, lambda: False)
    recovered = time.process_time()
    flip(Inputs(photo, back, "cpu"), before, said, lambda progress: None, lambda: False)
    return {"cpu_seconds": recovered - start, "flip_cpu_seconds": time.process_time() - recovered}


def disc(height: int, width: int) -> Guidance:
    """A disc, half as wide as the photo is high, that moves across the rest."""
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(y - height / 2, x - width / 2) < height / 4
    return Guidance(inside.astype(np.uint8), (Region(1, "disc", Arrow(20, _SHARE * width)),), Arrow(110, 8))


def peak_megabytes() -> float:
    """The most memory this process ever held."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def multiply_adds(work: Callable[[], object]) -> float:
    """Multiply-adds of convolutions, matrix products, Fourier transforms (5/2 n log2 n floating-point operations for
    real n), grid sampling (4 or 16 taps a value) and the weighted sums of a dense blur; everything else is left out."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    def fourier(shape: tuple[int, ...], *rest: object, out_shape: object = None, **more: object) -> int:
        last = rest[-1] if rest and isinstance(rest[-1], int) and rest[-1] > 1 else shape[-1]
        return round(2.5 * math.prod(shape[:-1]) * last * math.log2(max(shape[-2] * last, 2)))

    def sampling(picture: tuple[int, ...], grid: tuple[int, ...], mode: int, *rest: object, **more: object) -> int:
        return 2 * picture[1] * math.prod(grid[:-1]) * (16 if mode == 2 else 4)

    def unsampling(
        gradient: object, picture: tuple[int, ...], grid: tuple[int, ...], mode: int, *rest: object, **more: object
    ) -> int:
        return sampling(picture, grid, mode)

    def gathering(rows: tuple[int, ...], places: tuple[int, ...], *rest: object, **more: object) -> int:
        return 2 * math.prod(places) * rows[-1]

    aten = torch.ops.aten
    mapping = {
        aten._embedding_bag: gathering,
        aten._embedding_bag_forward_only: gathering,
        aten._fft_r2c: fourier,
        aten._fft_c2r: fourier,
        aten._fft_c2c: fourier,
        aten.grid_sampler_2d: sampling,
        aten.grid_sampler_2d_backward: unsampling,
    }
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        work()
    return counter.get_total_flops() / 2


def in_a_child(engine: str, kind: str, size: str, counts: bool) -> dict[str, float]:
    """`measured`, or for the kind "flip" `flipped`, in a process of its own. Raises RuntimeError with its last words
    where it fails."""
    command = [sys.executable, "-m", "benchmarks.speed", "--child", engine, kind, size, str(int(counts))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=Path(__file__).parents[1], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--engine", action="append", choices=[engine.name for engine in catalog.ENGINES])
    parser.add_argument("--large", action="store_true", help="a photo of 24 megapixels too")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        engine, kind, size, counts = arguments.child
        print(json.dumps(flipped(engine, size) if kind == "flip" else measured(engine, kind, size, counts == "1")))
        return
    sizes = list(SIZES)[: 3 if arguments.large else 2]
    print(f"{'engine':16s} {'told':9s} {'size':>10s} {'GMAC':>8s} {'fewer':>6s} {'CPU s':>8s} {'peak MB':>8s}")
    references = {size: published(size) for size in sizes if counted(size)}
    for size, number in references.items():
        print(f"{'published':16s} {QUADRANTS:9s} {size:>10s} {number / 1e9:8.1f}")
    rows = []
    for engine in catalog.ENGINES:
        if (arguments.engine and engine.name not in arguments.engine) or engine.missing_weights():
            continue
        for size in sizes:
            rows += [costs(engine.name, kind, size, references.get(size)) for kind in kinds(engine)]
    said = {"published": references, "aim": AIM, "engines": rows, "flips": flips(arguments.engine or [])}
    print(json.dumps(said))


def counted(size: str) -> bool:
    """Whether multiply-adds are counted at this size."""
    return size != "6000x4000"


def costs(engine: str, kind: str, size: str, reference: float | None) -> dict[str, float | str]:
    """One line of the table, printed; `fewer` says how many times fewer multiply-adds than the reference's it takes."""
    row: dict[str, float | str] = {"engine": engine, "told": kind, "size": size}
    numbers = in_a_child(engine, kind, size, counted(size))
    shown = f"{'':15s}"
    if reference:
        numbers["fewer"] = reference / numbers["multiply_adds"]
        shown = f"{numbers['multiply_adds'] / 1e9:8.1f} {numbers['fewer']:6.1f}"
    print(
        f"{engine:16s} {kind:9s} {size:>10s} {shown} {numbers['cpu_seconds']:8.2f} {numbers['peak_mb']:8.0f}",
        flush=True,
    )
    return row | numbers


def flips(names: list[str]) -> list[dict[str, float | str]]:
    """What it costs to flip one arrow, for these engines or all that can."""
    rows: list[dict[str, float | str]] = []
    for engine in catalog.ENGINES:
        if not engine.flip or engine.missing_weights() or (names and engine.name not in names):
            continue
        for size in list(SIZES)[:2]:
            row = in_a_child(engine.name, "flip", size, counts=False)
            first, flip = row["cpu_seconds"], row["flip_cpu_seconds"]
            print(f"{engine.name:16s} {size:>10s}: {first:.2f} CPU s, an arrow flipped {flip:.2f}, {flip / first:.0%}")
            rows.append({"engine": engine.name, "size": size, **row})
    return rows


if __name__ == "__main__":
    main()

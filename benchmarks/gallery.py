"""Real blurred photos, laid out to be looked at: `python -m benchmarks.gallery --photos DIR --sheet OUT.png`.

There is no ground truth, so nothing is scored: the sheet shows photo, first, middle and last frame of each, and the
last line counts what ran. The whole picture moves along the axis in which the photo has the least detail, which is
where a shake smears it; the length is a guess, the same for all.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from app.jobs import Recover
from app.photo import read_photo
from app.reel import eight_bits
from models.guidance import Guidance
from models.motion import Arrow
from models.recovery import Inputs, Recovery

_SUFFIXES = {".jpg", ".jpeg", ".png"}


def weakest_axis(pixels: np.ndarray) -> float:
    """The axis, in degrees from 0 to 180 (90 is up), along which a photo (H, W, 3) changes least.

    The eigenvector of the smaller eigenvalue of the structure tensor, summed over the photo without its darkest and
    brightest pixels.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey *= 255 / np.iinfo(pixels.dtype).max
    inside = ((grey > 8) & (grey < 247)).astype(np.float32)
    x, y = cv2.Sobel(grey, cv2.CV_32F, 1, 0) * inside, cv2.Sobel(grey, cv2.CV_32F, 0, 1) * inside
    tensor = np.array([[(x * x).sum(), (x * y).sum()], [(x * y).sum(), (y * y).sum()]], np.float64)
    along = np.linalg.eigh(tensor)[1][:, 0]
    return float(np.degrees(np.arctan2(-along[1], along[0])) % 180)


def recovered(path: Path, length: float, engine: str) -> tuple[np.ndarray, Recovery]:
    """A photo (H, W, 3) and what the engine makes of it when all of it moves `length` px along its weakest axis."""
    pixels = read_photo(path).pixels
    camera = Arrow(weakest_axis(pixels), length)
    guidance = Guidance(np.zeros(pixels.shape[:2], np.uint8), camera=camera)
    job = Recover(Inputs(pixels, guidance), engine, {"frames": 3})
    return pixels, job.run(lambda progress: None, lambda: False)


def row(titles: Sequence[str], pictures: Sequence[np.ndarray], height: int = 300) -> np.ndarray:
    """One line of a sheet: pictures of one shape but for their scale, beside one another, the first of them with
    titles; (height, W, 3) uint8 RGB."""
    width = round(pictures[0].shape[1] * height / pictures[0].shape[0])
    shown = [cv2.resize(eight_bits(one), (width, height), interpolation=cv2.INTER_AREA) for one in pictures]
    line = np.ascontiguousarray(np.concatenate(shown, 1))
    line[-26:, : width * len(titles)] //= 3  # an outline would not lie round the letters: its own are wider
    for number, title in enumerate(titles):
        place, white = (number * width + 6, height - 8), (255, 255, 255)
        cv2.putText(line, title, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, white, 1, cv2.LINE_AA)
    return line


def write_sheet(path: Path, rows: list[np.ndarray]) -> None:
    """All rows under one another, padded to the widest."""
    widest = max(line.shape[1] for line in rows)
    padded = [np.pad(line, ((0, 4), (0, widest - line.shape[1]), (0, 0))) for line in rows]
    cv2.imwrite(str(path), cv2.cvtColor(np.concatenate(padded), cv2.COLOR_RGB2BGR))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--sheet", type=Path, required=True, help="a PNG; further sheets get -2, -3, ... in the name")
    parser.add_argument("--length", type=float, default=14, help="px over the exposure")
    parser.add_argument("--engine", default="drawn")
    parser.add_argument("--rows", type=int, default=8, help="photos on one sheet")
    parser.add_argument("--limit", type=int, help="only the first so many photos")
    arguments = parser.parse_args()

    photos = sorted(path for path in arguments.photos.iterdir() if path.suffix.lower() in _SUFFIXES)
    rows, failed, started, sheets = [], [], time.perf_counter(), 0
    for path in photos[: arguments.limit]:
        try:
            photo, recovery = recovered(path, arguments.length, arguments.engine)
            rows.append(row([path.stem], (photo, *recovery.frames)))
            print(path.name, file=sys.stderr)
        except ValueError as error:
            failed.append(path.name)
            print(f"{path.name}: {error}", file=sys.stderr)
        if len(rows) == arguments.rows or (rows and path == photos[: arguments.limit][-1]):
            sheets += 1
            suffix = f"-{sheets}" if sheets > 1 else ""
            write_sheet(arguments.sheet.with_stem(arguments.sheet.stem + suffix), rows)
            rows = []
    ran = len(photos[: arguments.limit]) - len(failed)
    seconds = round(time.perf_counter() - started, 1)
    print(json.dumps({"ran": ran, "failed": failed, "sheets": sheets, "seconds": seconds}))


if __name__ == "__main__":
    main()

"""Real blurred photos painted by hand: `python -m benchmarks.painted --photos DIR --guidance DIR --sheet OUT.png`.

There is no ground truth, so nothing is scored. For every guidance PNG in the one folder, the photo of the same name in
the other is recovered, told quadrants and nothing else. The sheet shows photo, guidance, first, middle and last frame,
and how the first and the last differ; the last line says how far the painted parts were found to move.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from app.guidance_files import usual_strength
from app.guidance_picture import guidance_picture
from app.jobs import ReadGuidance, Recover
from app.photo import read_photo
from app.reel import eight_bits
from benchmarks.gallery import row, write_sheet
from models import catalog
from models.guidance import STATIC, UNKNOWN, Guidance
from models.motion import resized_field
from models.recovery import Inputs, Progress, Recovery

GUIDANCE = Path(__file__).parent / "guidance"
_SUFFIXES = (".jpg", ".jpeg", ".png")


def _silent(_progress: Progress) -> None:
    """Nobody listens."""


def pairs(photos: Path, guidance: Path) -> list[tuple[Path, Path]]:
    """Every guidance PNG after its photo, by name. Raises ValueError where a photo is missing."""
    found = []
    for labels in sorted(guidance.glob("*.png")):
        photo = next((one for suffix in _SUFFIXES if (one := photos / f"{labels.stem}{suffix}").is_file()), None)
        if photo is None:
            raise ValueError(f"{photos} has no photo {labels.stem}")
        found.append((photo, labels))
    return found


def recovered(photo: Path, labels: Path, engine: str) -> tuple[np.ndarray, Guidance, Recovery]:
    """A photo (H, W, 3), what is painted on it, and what the engine makes of both.

    An engine that cannot be told quadrants alone takes the usual length along their diagonals.
    """
    pixels = read_photo(photo).pixels
    height, width = pixels.shape[:2]
    guidance = ReadGuidance(str(labels), height, width, usual_strength(height, width)).run(_silent, lambda: False)
    options: dict[str, bool | int | float | str] = {"frames": 3}
    if any(option.name == "told" for option in catalog.options(engine)):
        options["told"] = "quadrants"
    recovery = Recover(Inputs(pixels, guidance), engine, options).run(_silent, lambda: False)
    return pixels, guidance, recovery


def difference(recovery: Recovery) -> np.ndarray:
    """How the first and the last frame differ, uint8 (H, W, 3), black where they do not."""
    first, last = (eight_bits(recovery.frames[place]).astype(np.int16) for place in (0, -1))
    return np.abs(last - first).astype(np.uint8)


def moved(guidance: Guidance, recovery: Recovery) -> float:
    """px from first to last instant that half of the pixels painted as moving exceed; 0 where nothing is said."""
    labels = guidance.labels()
    moving = (labels != STATIC) & (labels != UNKNOWN)
    if recovery.motion is None or not moving.any():
        return 0.0
    flow = resized_field(recovery.motion.flow(), *labels.shape)
    return float(np.median(np.hypot(flow[..., 0], flow[..., 1])[moving]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--guidance", type=Path, default=GUIDANCE, help="label PNGs (default: the bundled ones)")
    parser.add_argument("--sheet", type=Path, required=True, help="a PNG")
    parser.add_argument("-e", "--engine", default="trajectory", help="(default: %(default)s)")
    parser.add_argument("--height", type=int, default=300, help="px of a row (default: %(default)s)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only the photos of these names")
    arguments = parser.parse_args()

    rows, lengths = [], {}
    for photo, labels in pairs(arguments.photos, arguments.guidance):
        if arguments.only and photo.stem not in arguments.only:
            continue
        print(photo.name, file=sys.stderr)
        pixels, guidance, recovery = recovered(photo, labels, arguments.engine)
        shown = (pixels, guidance_picture(pixels, guidance), *recovery.frames, difference(recovery))
        rows.append(row([photo.stem], shown, arguments.height))
        lengths[photo.stem] = round(moved(guidance, recovery), 1)
    write_sheet(arguments.sheet, rows)
    print(json.dumps({"engine": arguments.engine, "moved": lengths}))


if __name__ == "__main__":
    main()

"""How well frames average back to the photo they are said to come from."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.photo import read_photo
from models.recovery import Cancelled, Progress

_FLOW_SIDE = 1024
"""Flow is found on pictures of at most this size."""


def reblur(
    frames: Sequence[str],
    photo: str,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, float]:
    """Scores of picture files, in time order, against a photo's file; one picture at a time is held.

    Returns `reblur` (dB), `moved` (px) and `sharpness` as told in `app.jobs.Reblur`. Raises ValueError where one
    cannot be read or has another size, and Cancelled.
    """
    exposure: Any = importlib.import_module("models.exposure")
    truth = read_photo(photo).pixels
    total, kept = 0.0, {}
    for number, path in enumerate(frames):
        on_progress(Progress(number / len(frames), "averaging"))
        if is_cancelled():
            raise Cancelled
        pixels = _fitting(path, truth)
        if number in (0, len(frames) // 2, len(frames) - 1):
            kept[number] = pixels
        total = total + exposure.from_pixels(pixels) / len(frames)
    score = exposure.psnr(_curved(total, exposure), _curved(exposure.from_pixels(truth), exposure))
    middle = kept[len(frames) // 2]
    return {
        "reblur": round(float(score), 3),
        "moved": round(_moved(kept[0], kept[len(frames) - 1]), 3),
        "sharpness": round(_detail(middle) / max(_detail(truth), 1e-9), 3),
        "frames": float(len(frames)),
    }


def frame_files(folder: str | Path) -> list[str]:
    """The pictures `frame_*` of a folder in time order. Raises ValueError where there are none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder of frames")
    found = sorted(str(path) for path in folder.glob("frame_*") if path.is_file())
    if not found:
        raise ValueError(f"{folder} holds no frames: expected frame_000.png and so on")
    return found


def _fitting(path: str, photo: np.ndarray) -> np.ndarray:
    pixels = read_photo(path).pixels
    if pixels.shape != photo.shape:
        sizes = [f"{picture.shape[1]} x {picture.shape[0]}" for picture in (pixels, photo)]
        raise ValueError(f"{Path(path).name} has {sizes[0]} px, the photo {sizes[1]}")
    return pixels


def _moved(first: np.ndarray, last: np.ndarray) -> float:
    """Mean length of the flow between two pictures, px."""
    import cv2

    scale = min(1.0, _FLOW_SIDE / max(first.shape[:2]))
    size = max(16, round(first.shape[1] * scale)), max(16, round(first.shape[0] * scale))
    before, after = (
        cv2.resize(_grey(one), size, interpolation=cv2.INTER_AREA).astype(np.uint8) for one in (first, last)
    )
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = engine.calc(before, after, np.zeros((*before.shape, 2), np.float32))
    return float(np.hypot(flow[..., 0], flow[..., 1]).mean() / scale)


def _curved(linear: Any, exposure: Any) -> Any:
    return exposure.linear_to_srgb(linear.clamp(0, 1))


def _detail(picture: np.ndarray) -> float:
    """Root mean square of the second differences."""
    import cv2

    return float(np.sqrt(np.square(cv2.Laplacian(_grey(picture), cv2.CV_32F)).mean()))


def _grey(picture: np.ndarray) -> np.ndarray:
    """float32 (H, W), 0 to 255."""
    return picture.mean(2, dtype=np.float32) * (255 / np.iinfo(picture.dtype).max)

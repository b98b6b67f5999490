"""A small video of a textured picture that moves evenly, written by the tests themselves."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

HEIGHT, WIDTH, SPEED = 96, 128, 6
"""px a frame, to the right."""


def blurred(number: int, shutter: float = 0.5, speed: float = SPEED) -> np.ndarray:
    """Frame `number` of a picture that moves `speed` px a frame to the right, its shutter open for a share of that."""
    dice = np.random.default_rng(3)
    coarse = dice.integers(0, 256, (HEIGHT // 4, 3 * WIDTH // 4, 3)).astype(np.uint8)
    texture = cv2.resize(coarse, (3 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    starts = WIDTH - speed * (number + shutter * np.linspace(-0.5, 0.5, 9))
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    views = [cv2.remap(texture, columns + np.float32(x), rows, cv2.INTER_LINEAR).astype(float) for x in starts]
    return np.rint(np.mean(views, axis=0)).astype(np.uint8)


def write_video(path: Path, frames: list[np.ndarray], group: int = 4) -> Path:
    """Frames as an H.264 video without loss to speak of, a key frame every `group`."""
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=Fraction(25), options={"crf": "4", "g": str(group), "bf": "2"})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv444p"
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def moving_video(path: Path, count: int = 9) -> Path:
    return write_video(path, [blurred(number) for number in range(count)])

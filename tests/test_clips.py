"""Real exposures out of clips."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from training import clips
from training.exposures import read_exposures


def painted_clip(path: Path, frames: int = 14, step: int = 2) -> None:
    """A texture that moves `step` px to the right from frame to frame."""
    noise = np.random.default_rng(0).random((30, 60, 3)).astype(np.float32)
    texture = (cv2.resize(noise, (240, 120), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255).astype(np.uint8)
    path.parent.mkdir(parents=True)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (160, 120))
    for n in range(frames):
        video.write(np.ascontiguousarray(texture[:, 60 - step * n : 220 - step * n]))
    video.release()


def painted(folder: Path) -> Path:
    for name in ("walk", "held"):
        painted_clip(folder / "clips" / name / "clip.avi")
    (folder / "clips" / "index.csv").write_text("clip,file,class\nwalk,clip.avi,A\nheld,clip.avi,A\nlost,x.avi,A\n")
    (folder / "exposures" / "benchmark" / "held_0003").mkdir(parents=True)
    return folder / "clips"


def test_no_clip_of_the_benchmark_is_trained_on(tmp_path: Path) -> None:
    assert [name for name, _, _ in clips.trainable(painted(tmp_path))] == ["walk"]


def test_a_clip_becomes_exposures_with_their_frames_and_flow(tmp_path: Path) -> None:
    folder = painted(tmp_path)
    for name, photo, frames, flow in clips.exposures(folder / "walk" / "clip.avi"):
        clips.write(tmp_path / "out" / f"walk_{name}", photo, frames, flow)
    first, *others = read_exposures(tmp_path / "out")
    assert first.name == "walk_0000x1"
    assert {one.name for one in others} == {"walk_0000x2", "walk_0007x1"}
    assert first.frames.shape == (7, 120, 160, 3)
    assert abs(float(np.median(first.flow[..., 0])) - 12) < 1
    assert abs(float(np.median(first.flow[..., 1]))) < 0.5
    assert (
        np.abs(np.diff(first.photo.astype(int), axis=1)).mean()
        < 0.8 * np.abs(np.diff(first.frames[3].astype(int), axis=1)).mean()
    )
    assert np.median(first.labels) in (1, 4)


def test_what_hardly_moves_is_left_out(tmp_path: Path) -> None:
    painted_clip(tmp_path / "still" / "clip.avi", step=0)
    assert not list(clips.exposures(tmp_path / "still" / "clip.avi"))


def test_exposures_are_as_far_apart_and_as_long_as_asked_for(tmp_path: Path) -> None:
    clip = painted(tmp_path) / "walk" / "clip.avi"
    assert [name for name, *_ in clips.exposures(clip, (2,), 1)] == ["0000x2"]
    assert [name for name, *_ in clips.exposures(clip, (1,), 3)] == ["0000x1", "0003x1", "0006x1"]


def test_a_camera_can_be_moved_over_a_clip(tmp_path: Path) -> None:
    painted_clip(tmp_path / "still" / "clip.avi", step=0)
    moved = list(clips.exposures(tmp_path / "still" / "clip.avi", (1,), 1, camera=True))
    assert len(moved) >= 3
    for name, _, frames, flow in moved:
        camera = clips.Camera.drawn(np.random.default_rng((int(name[:4]), 1)))
        rows, columns = np.mgrid[:120, :160]
        x, y = columns - 80, rows - 60
        true = np.stack(
            (camera.pan[0] + camera.zoom * x + camera.turn * y, camera.pan[1] + camera.zoom * y - camera.turn * x), -1
        )
        inner = np.s_[30:90, 40:120]
        off = np.hypot(*np.moveaxis((flow - true)[inner], -1, 0))
        assert np.median(off) < 0.15 * np.hypot(*np.moveaxis(true[inner], -1, 0)).mean() + 0.5
        assert frames.min() > 0 or (frames == 0).mean() < 0.05

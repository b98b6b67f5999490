"""Tracks of feature points are the true ones where the motion is known, and are scored as what they are."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks import tracking
from benchmarks.tracking import FRAMES, MIDDLE, corners, followed, scored, straight, tracked, true_tracks
from benchmarks.truth import Exposure
from models.motion import Motion

WAY = np.array([12.0, -6.0], np.float32)


def exposure(way: np.ndarray = WAY) -> Exposure:
    """A texture that moves `way` px over seven frames, as a whole."""
    coarse = np.random.default_rng(0).random((20, 24, 3)).astype(np.float32)
    texture = cv2.resize(coarse, (240, 200), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    frames = []
    for s in np.linspace(-0.5, 0.5, FRAMES):
        x, y = 40 - s * way
        there = np.array([[1, 0, x], [0, 1, y]], np.float32)
        frames.append(cv2.warpAffine(texture, there, (160, 120), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP))
    stack = (np.stack(frames) * 255).round().astype(np.uint8)
    flow = np.broadcast_to(way, (120, 160, 2)).astype(np.float32)
    labels = np.full((120, 160), 1, np.uint8)
    return Exposure("moving_0000", stack.mean(0).round().astype(np.uint8), stack, flow, labels)


def test_true_tracks_go_the_true_way_at_even_speed() -> None:
    true = true_tracks(exposure())
    assert len(true) > 10
    expected = true[:, MIDDLE : MIDDLE + 1] + np.linspace(-0.5, 0.5, FRAMES)[:, None] * WAY
    assert np.abs(true - expected).mean() < 0.05
    assert scored(straight(true), true).mean < 0.2


def test_what_stands_still_or_does_not_come_home_is_no_track() -> None:
    assert not len(true_tracks(exposure(np.zeros(2, np.float32))))
    one = exposure()
    frames = one.frames.copy()
    frames[-1] = np.random.default_rng(1).integers(0, 256, frames[-1].shape)
    points = corners(frames[MIDDLE])
    assert tracked(frames, points)[1].mean() < 0.2 < tracked(one.frames, points)[1].mean()


@pytest.mark.parametrize("grid", [(120, 160), (60, 80)])
def test_a_motion_is_followed_from_where_its_points_are(grid: tuple[int, int]) -> None:
    slopes = np.zeros((*grid, 2), np.float32)
    slopes[..., 0] = np.linspace(0, 16, grid[1])
    points = np.array([[0, 5], [159, 100], [79.5, 60]], np.float32)
    places = followed(Motion.from_flow(slopes), points, (120, 160))
    went = places[:, -1] - places[:, 0]
    assert went[:, 0] == pytest.approx([0, 16, 8], abs=0.1)
    assert np.all(went[:, 1] == 0)
    assert places[:, MIDDLE] == pytest.approx(points)


def test_scores_tell_how_far_off_places_are() -> None:
    true = straight(np.random.default_rng(0).random((4, FRAMES, 2)).astype(np.float32))
    away = true.copy()
    away[:, 0] += (3, 4)
    score = scored(away, true)
    assert (score.mean, score.median, score.ends, score.near) == pytest.approx((5 / 6, 0, 2.5, 5 / 6), abs=1e-5)


def test_the_command_ranks_who_knows_above_who_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tracking, "read_exposures", lambda folder, limit: [exposure()])
    monkeypatch.setattr(sys, "argv", ["tracking", "--data", "here", "--sheet", str(tmp_path / "sheet.png")])
    tracking.main()
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    means = {name: one["mean"] for name, one in said["engines"].items()}
    assert means["drawn, trajectories"] < 1 < 3 < means["nothing moves"]
    assert means["drawn, frames tracked"] < 1
    assert means["trajectory, trajectories"] < means["nothing moves"]
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (640, 240)

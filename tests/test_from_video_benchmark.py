"""The neighbours that the benchmark makes lie outside of the exposure, and its figures say what they should."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny_video import HEIGHT, WIDTH, blurred, write_video

from benchmarks import from_video
from benchmarks.from_video import Row, directions, neighbours, scored, summary
from benchmarks.truth import Exposure
from models.from_video import Seen
from models.motion import instants
from models.recovery import Recovery
from training.clips import averaged


def test_the_average_of_even_motion_is_its_blur():
    views = [blurred(number, 0.0, 2) for number in range(4)]
    made, straight = averaged(views).astype(int), blurred(1, 0.0, 3).astype(int)
    assert np.array_equal(averaged([views[0]] * 3), views[0])
    assert np.abs(np.diff(made, axis=1)).mean() < 0.8 * np.abs(np.diff(straight, axis=1)).mean()
    steps = [np.abs(made - np.roll(straight, shift, 1))[:, 20:-20].mean() for shift in (-8, 0, 8)]
    assert np.argmin(steps) == 1


def test_neighbours_hold_no_instant_of_the_exposure(tmp_path):
    grey = [np.full((HEIGHT, WIDTH, 3), 200 if 7 <= number <= 13 else 50, np.uint8) for number in range(21)]
    clip = write_video(tmp_path / "clip.mp4", grey)
    found = neighbours(clip, 7, 1, (WIDTH, HEIGHT))
    assert found is not None
    assert found.shutter == pytest.approx(6 / 7)
    for photo in (found.before, found.after):
        assert np.abs(photo.astype(int) - 50).max() <= 3


@pytest.mark.parametrize("first", [6, 8])
def test_too_few_frames_on_a_side_leave_an_exposure_out(tmp_path, first):
    clip = write_video(tmp_path / "clip.mp4", [blurred(number) for number in range(21)])
    assert neighbours(clip, 7, 1, (WIDTH, HEIGHT)) is not None
    assert neighbours(clip, first, 1, (WIDTH, HEIGHT)) is None


def test_directions_count_moving_pixels_only():
    truth = np.zeros((4, 4, 2), np.float32)
    truth[:2] = (5, -5)
    flow = truth.copy()
    flow[0, :2] = (-5, 5)
    flow[0, 2:] = (9, 1)
    found = directions(flow, truth)
    assert found["quadrant"] == 0.5
    assert found["half"] == 0.75
    assert found["zero"] == pytest.approx(50**0.5)
    assert directions(flow, 0 * truth) == {}


def test_guidance_from_video_is_held_against_the_truth(monkeypatch):
    frames = np.stack([blurred(number, 0.0, 1) for number in range(7)])
    one = Exposure("clip_0001", frames[3], frames, np.full((HEIGHT, WIDTH, 2), (6, 1), np.float32), np.zeros((1, 1)))

    def obedient(inputs, options, on_progress, is_cancelled):
        forward = np.nanmean(inputs.guidance.flow()[..., 0]) > 0
        return Recovery(frames if forward else frames[::-1], instants(7), None, "obedient")

    monkeypatch.setattr(from_video.catalog, "load", lambda name: obedient)
    right = Seen(one.flow, np.ones((HEIGHT, WIDTH)), (HEIGHT, WIDTH))
    wrong = Seen(-one.flow, right.trust, right.size)
    for way in from_video.WAYS:
        assert scored(one, "clip", right, way, "cpu").below == pytest.approx(0)
        assert scored(one, "clip", wrong, way, "cpu").below > 3


def test_the_summary_draws_whole_clips_and_names_what_is_missed():
    rows = [
        Row(f"{clip}_{n}", clip, "motion", 20.0, video, 24.0)
        for clip, video in (("a", 21.0), ("b", 23))
        for n in (1, 2)
    ]
    facts = [{"quadrant": 0.5, "half": 0.75, "error": 2.0, "zero": 4.0}]
    said = summary(rows, facts, 3)
    json.dumps(said)
    way = said["ways"]["motion"]  # type: ignore[index]
    assert (way["below"], way["met"], said["left_out"]) == (2.0, False, 3)
    assert way["interval"] == [1.0, 3.0]

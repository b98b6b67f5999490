"""The videos that the benchmark makes are blurred as it says, and every film stands in step with the truth."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny_video import HEIGHT, WIDTH, write_video
from tiny_video import blurred as moving

from benchmarks import film
from benchmarks.film import WAYS, Clip, Row, blurred, middle_part, scored, summary


@pytest.fixture(scope="module")
def clip() -> Clip:
    return blurred(np.stack([moving(number, 0.0, 2) for number in range(11)]), "clip", 4, 2)


def test_exposures_begin_with_every_period(clip):
    assert clip.blurred.shape == (3, HEIGHT, WIDTH, 3)
    assert len(clip.truth) == 11
    inner = slice(8, -8), slice(24, -24)
    even = [moving(number, 2.0, 2).astype(int)[inner] for number in range(11)]
    for number, exposure in enumerate(clip.blurred):
        assert np.argmin([np.abs(exposure[inner] - one).mean() for one in even]) == 4 * number + 1


def test_instants_after_the_last_exposure_are_left_out():
    truth = np.stack([moving(number, 0.0, 2) for number in range(9)])
    assert len(blurred(truth, "clip", 4, 2).truth) == 7


@pytest.mark.parametrize("way", list(WAYS))
def test_every_way_shows_each_true_instant(clip, way):
    shown = WAYS[way](clip)
    assert shown.shape == clip.truth.shape
    inner = slice(8, -8), slice(24, -24)
    for number in (1, 5, 9):
        errors = [np.abs(shown[number][inner].astype(int) - one[inner]).mean() for one in clip.truth]
        assert np.argmin(errors) == number


def test_taking_apart_an_even_motion_pays(clip):
    scores = {way: scored(clip, way).psnr for way in WAYS}
    assert scores["film"] > scores["interpolated"] > scores["repeated"]


def test_the_middle_of_a_video_is_taken(tmp_path):
    grey = [np.full((HEIGHT, WIDTH, 3), 20 * number, np.uint8) for number in range(9)]
    path = write_video(tmp_path / "clip.mp4", grey)
    found = middle_part(path, 3, WIDTH // 2)
    assert found.shape == (3, HEIGHT // 2, WIDTH // 2, 3)
    assert np.abs(found.mean((1, 2, 3)) - (60, 80, 100)).max() < 2
    with pytest.raises(ValueError, match="has 9 frames, 10 are needed"):
        middle_part(path, 10, WIDTH)


def test_the_summary_says_what_the_film_gains():
    said = summary([Row(clip, way, psnr, 0.5) for clip in "ab" for way, psnr in (("repeated", 20.0), ("film", 23.0))])
    json.dumps(said)
    assert said["clips"] == 2
    assert said["ways"]["repeated"]["film_gains"] == [3.0, 3.0, 3.0]  # type: ignore[index]
    assert "film_gains" not in said["ways"]["film"]  # type: ignore[index]


def test_what_is_measured_comes_out(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "clip"
    folder.mkdir()
    write_video(folder / "clip.mp4", [moving(number, 0.0, 2) for number in range(9)])
    (folder / "meta.json").write_text(json.dumps({"file": "clip.mp4"}))
    arguments = ["film", "clip", "--clips", str(tmp_path), "--exposures", "2", "--period", "4", "--open", "2"]
    monkeypatch.setattr("sys.argv", arguments)
    film.main()
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(said["ways"]) == set(WAYS)

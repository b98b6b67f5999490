"""The frozen test sets are the same each time and score what ships."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import torch
from tiny_world import tiny_photos

from benchmarks import world
from training.__main__ import digest


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number, pixels in enumerate(tiny_photos(96).pixels):
        cv2.imwrite(str(tmp_path / f"{number}.png"), pixels.numpy())
    return tmp_path


def test_a_set_is_the_same_each_time_and_not_that_of_other_photos(photos: Path) -> None:
    cpu = torch.device("cpu")
    first, again = (world.exposures("motion", photos, 2, cpu) for _ in range(2))
    assert digest(first) == digest(again)
    assert digest(first) != world.SETS["motion"].sha256
    assert first["photo"].shape == (2, 3, 160, 160)


def test_scores_stand_beside_those_of_no_motion(photos: Path) -> None:
    cpu = torch.device("cpu")
    scores = world.scored("motion", world.exposures("motion", photos, 2, cpu), cpu)
    assert {"told_epe_moving", "untold_epe_moving", "zero_epe_moving", "constant_epe_moving"} <= scores.keys()
    assert scores["zero_epe_moving"] >= scores["zero_epe"] > 0
    assert all(value >= 0 for value in scores.values())


def test_the_area_network_is_scored_beside_no_answer(photos: Path) -> None:
    cpu = torch.device("cpu")
    scores = world.scored("areas", world.exposures("areas", photos, 4, cpu), cpu)
    assert 0 < scores["error"] < 2


def test_the_restoration_network_is_scored_beside_the_photo_merely_moved(photos: Path) -> None:
    cpu = torch.device("cpu")
    scores = world.scored("restoration", world.exposures("restoration", photos, 2, cpu), cpu)
    assert {"repeated", "moved", "network"} <= scores.keys()
    assert scores["minus_gain"] == pytest.approx(scores["repeated"] - scores["network"], abs=0.002)

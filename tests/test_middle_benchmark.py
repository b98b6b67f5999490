"""The benchmark of the middle instant: who is best is who comes nearest, and what knows the truth does not compete."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import middle
from benchmarks.middle import BOTH, KNOWN, NETWORK, PHOTO, Row, summary
from benchmarks.truth import Exposure
from models import catalog


def row(name: str, similarity: float, **scores: float) -> Row:
    named = {PHOTO: 0.0, NETWORK: 0.0, BOTH: 0.0, KNOWN: 40.0} | scores
    return Row(name, name, named, dict.fromkeys(named, similarity))


def test_the_best_is_who_is_nearest_on_the_mean_but_for_who_knows() -> None:
    rows = [row("a", 0.5, photo=30, network=30.5, both=31), row("b", 0.7, photo=20, network=20.5, both=19.9)]
    said = summary(rows)
    assert said["best"] == NETWORK
    numbers = said["middles"]
    assert isinstance(numbers, dict)
    assert numbers[NETWORK]["gain"] == 0.5
    assert numbers[BOTH] == {
        "psnr": 25.45, "ssim": 0.6, "gain": 0.45, "interval": [-0.1, 1.0], "better": 1,
        "best_is_ahead": 0.05, "ahead_interval": [-0.5, 0.6],
    }  # fmt: skip


def test_on_a_texture_that_slides_all_are_scored_and_who_knows_is_far_ahead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    coarse = np.random.default_rng(5).random((12, 20, 3)).astype(np.float32)
    texture = cv2.resize(coarse, (200, 96), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    frames = [texture[:, 20 - n : 148 - n] for n in range(13)]
    photo = np.mean([one**2.2 for one in frames], 0) ** (1 / 2.2)
    as_pixels = [(one * 255).round().astype(np.uint8) for one in (photo, *frames[::2])]
    flow = np.broadcast_to(np.array([12.0, -0.1], np.float32), (96, 128, 2))
    one = Exposure("slid_0000", as_pixels[0], np.stack(as_pixels[1:]), flow, np.full((96, 128), 1, np.uint8))
    monkeypatch.setattr(middle, "read_exposures", lambda folder, limit: [one])
    monkeypatch.setattr(sys, "argv", ["middle", "--data", str(Path("here"))])
    middle.main()
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    middles = said["middles"]
    assert set(middles) == {PHOTO, *middle.ENGINES, middle.MEAN, KNOWN}
    assert middles[PHOTO]["gain"] == 0
    assert middles[KNOWN]["gain"] > 3
    assert said["best"] != KNOWN


def test_what_deblur_takes_is_among_the_contenders() -> None:
    assert catalog.SHARPEST in middle.ENGINES.values()

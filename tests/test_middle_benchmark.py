"""The benchmark of the middle instant: who is best is who comes nearest, and what knows the truth does not compete."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks import middle
from benchmarks.middle import BOTH, KNOWN, NETWORK, PHOTO, Row, fitting, summary
from benchmarks.truth import Exposure
from models import catalog
from training.checkpoint import save_checkpoint
from training.recipes import changed, recipe


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


def slid() -> list[np.ndarray]:
    """A photo (96, 128, 3) of a texture that slides 12 px to the right, and its seven frames."""
    coarse = np.random.default_rng(5).random((12, 20, 3)).astype(np.float32)
    texture = cv2.resize(coarse, (200, 96), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    frames = [texture[:, 20 - n : 148 - n] for n in range(13)]
    photo = np.mean([one**2.2 for one in frames], 0) ** (1 / 2.2)
    return [(one * 255).round().astype(np.uint8) for one in (photo, *frames[::2])]


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    """Training runs of the recipe `deblurring`, told what is found, the truth and nothing."""
    folders = []
    for told in ("found", "true", "nothing"):
        one = changed(recipe("deblurring"), {"width": 4, "told": told})
        network = one.network()
        save_checkpoint(tmp_path / told, network, network, torch.optim.AdamW(network.parameters()), {})
        said = {"recipe": "deblurring", "settings": {"width": 4, "told": told}}
        (tmp_path / told / "run.json").write_text(json.dumps(said))
        folders.append(str(tmp_path / told))
    return folders


def test_on_a_texture_that_slides_all_are_scored_and_who_knows_is_far_ahead(
    runs: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    as_pixels = slid()
    flow = np.broadcast_to(np.array([12.0, -0.1], np.float32), (96, 128, 2))
    one = Exposure("slid_0000", as_pixels[0], np.stack(as_pixels[1:]), flow, np.full((96, 128), 1, np.uint8))
    monkeypatch.setattr(middle, "read_exposures", lambda folder, limit: [one])
    monkeypatch.setattr(sys, "argv", ["middle", "--data", "here", "--device", "cpu", "--checkpoints", *runs])
    middle.main()
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    middles = said["middles"]
    assert set(middles) == {PHOTO, *middle.ENGINES, middle.MEAN, KNOWN, *runs}
    assert middles[PHOTO]["gain"] == 0
    assert middles[KNOWN]["gain"] > 3
    assert said["best"] != KNOWN


def test_pairs_are_scored_where_they_fit_and_only_by_who_needs_not_know(
    runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, *frames = slid()
    place = tmp_path / "pairs" / "slid_1"
    place.mkdir(parents=True)
    for name, one in (("blurry", photo), ("sharp", frames[3])):
        cv2.imwrite(str(place / f"{name}.png"), one[..., ::-1])
    sheet = tmp_path / "sheet.png"
    command = f"middle --pairs {place.parent} --device cpu --sheet {sheet} --checkpoints {' '.join(runs)}"
    monkeypatch.setattr(sys, "argv", command.split())
    middle.main()
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(said["middles"]) == {PHOTO, *middle.ENGINES, middle.MEAN, runs[0], runs[2]}
    assert said["exposures"] == 1
    shown = cv2.imread(str(sheet))
    assert shown is not None
    assert shown.shape[1] > 7 * 128
    with pytest.raises(ValueError, match=r"has no folder with a sharp\.png"):
        middle.pairs(tmp_path / "pairs" / "slid_1")


def test_a_picture_that_stands_elsewhere_fits_there() -> None:
    truth = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    moved = np.roll(truth, (3, -5), (0, 1))
    there, fitted = fitting(moved, truth, 6)
    np.testing.assert_array_equal(there, fitted)
    assert there.shape == (28, 48, 3)
    assert all(one is other for one, other in zip(fitting(moved, truth, 0), (moved, truth), strict=True))
    too_far, other = fitting(moved, truth, 4)
    assert not np.array_equal(too_far, other)


def test_what_deblur_takes_is_among_the_contenders() -> None:
    assert catalog.SHARPEST in middle.ENGINES.values()

"""The BSD benchmark's scores, by hand on tiny cases, and its photos."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks import bsd, contenders
from benchmarks.bsd import end_point_error, motion_mse, pairs, reblurred, rightward, scored, summary
from benchmarks.contenders import Pair
from benchmarks.scores import psnr
from training.checkpoint import save_checkpoint
from training.recipes import changed, recipe


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photos with something in them."""
    place = tmp_path_factory.mktemp("photos")
    for number in range(2):
        noise = np.random.default_rng(number).random((24, 36, 3)).astype(np.float32)
        picture = cv2.resize(noise, (180, 120), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255
        cv2.imwrite(str(place / f"p{number}.png"), picture.astype(np.uint8))
    return place


@pytest.fixture(scope="module")
def one(folder: Path) -> Pair:
    return next(pairs(folder, "mild"))


def flow(x: float, y: float) -> np.ndarray:
    return np.broadcast_to(np.float32([x, y]), (64, 66, 2)).copy()


def test_the_motion_error_is_of_lengths_along_each_axis() -> None:
    assert motion_mse(flow(6, 2), flow(4, -3)) == pytest.approx((2**2 + 1**2) / 2)
    assert motion_mse(flow(-4, 3), flow(4, 3)) == 0
    assert motion_mse(flow(0, 0), flow(4, -3)) == pytest.approx(12.5)


def test_the_end_point_error_takes_the_better_direction_of_time() -> None:
    assert end_point_error(flow(-4, -3), flow(4, 3)) == 0
    assert end_point_error(flow(4, -3), flow(4, 3)) == 6
    assert end_point_error(flow(0, 0), flow(4, 3)) == 5
    half = flow(4, 3)
    half[:, 33:] *= -1
    assert end_point_error(half, flow(4, 3)) == 0


def test_the_border_is_left_out() -> None:
    wrong = flow(50, 50)
    wrong[30:-30, 30:-30] = (4, 3)
    assert motion_mse(wrong, flow(4, 3)) == 0
    wrong[30, 30] = (8, 3)
    assert motion_mse(wrong, flow(4, 3)) == pytest.approx(4**2 / 2 / (4 * 6))
    assert end_point_error(wrong, flow(4, 3)) == pytest.approx(4 / (4 * 6))


def test_a_sharp_photo_blurs_on_its_values_and_in_linear_light() -> None:
    # A white column that moves over three pixels leaves a third of its value, and a third of its light.
    sharp = np.zeros((8, 9, 3), np.uint8)
    sharp[:, 4] = 255
    offsets = np.zeros((3, 8, 9, 2), np.float32)
    offsets[0, ..., 0], offsets[2, ..., 0] = 1, -1
    values, light = reblurred(sharp, offsets)
    assert values[0, :, 0].tolist() == [0, 0, 0, 85, 85, 85, 0, 0, 0]
    assert light[0, :, 0].tolist() == [0, 0, 0, 156, 156, 156, 0, 0, 0]


def test_a_flow_is_shown_pointing_right() -> None:
    assert rightward(flow(-4, 3))[0, 0].tolist() == [4, -3]
    assert rightward(flow(4, -3))[0, 0].tolist() == [4, -3]


def test_the_photos_are_always_the_same_and_their_maps_differ(folder: Path) -> None:
    every, again = list(pairs(folder, "mild")), list(pairs(folder, "mild", limit=3))
    assert [pair.name for pair in every] == ["p0_1", "p1_1", "p0_2", "p1_2", "p0_3", "p1_3"]
    assert len(again) == 3
    for pair, same in zip(every, again, strict=False):
        np.testing.assert_array_equal(pair.photo, same.photo)
    assert len({float(pair.flow.sum()) for pair in every}) == 6
    assert all(np.abs(pair.flow).max() <= 17 for pair in every)
    assert all(pair.photo.shape == pair.sharp.shape == (*pair.flow.shape[:2], 3) for pair in every)


def test_the_truth_beats_a_constant_and_that_beats_nothing(one: Pair) -> None:
    names = {"nothing": contenders.nothing, "constant": contenders.constant, "truth": contenders.truth}
    rows = [scored(one, contender, name)[0] for name, contender in names.items()]
    found = summary(rows)
    assert found["truth"]["motion_mse"] == found["truth"]["end_point_error"] == 0
    assert found["nothing"]["motion_mse"] > found["constant"]["motion_mse"] > 0
    assert found["nothing"]["end_point_error"] > found["constant"]["end_point_error"] > 0
    for score in ("reblur_psnr", "linear_psnr", "reblur_ssim"):
        assert found["truth"][score] > found["nothing"][score]
    assert "deblur_psnr" not in found["truth"]


def test_the_sharp_photo_along_the_truth_beats_the_blurred_one(one: Pair) -> None:
    sharp, blurry = (scored(one, contender, "", deblur=True)[0] for contender in (contenders.truth, contenders.nothing))
    assert sharp.deblur_psnr is not None
    assert blurry.deblur_psnr is not None
    assert sharp.deblur_psnr > blurry.deblur_psnr + 1


def run_folder(folder: Path, name: str, **settings: object) -> Path:
    recipe_of_run = changed(recipe(name), settings)
    network = recipe_of_run.network()
    save_checkpoint(folder, network, network, torch.optim.AdamW(network.parameters()), {})
    (folder / "run.json").write_text(json.dumps({"recipe": name, "settings": settings}))
    return folder


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("exposure_trajectory", {"width": 4, "constraint": "zero", "offsets": 5}),
        ("motion", {"widths": [8, 8, 8, 8]}),
    ],
)
def test_checkpoints_are_contenders(tmp_path: Path, one: Pair, name: str, settings: dict[str, object]) -> None:
    found = contenders.checkpoint(run_folder(tmp_path, name, **settings), "cpu")(one)
    assert found.offsets.shape == (15, *one.flow.shape)
    assert np.isfinite(found.offsets).all()
    assert found.sharp is None


def test_a_deblurring_checkpoint_is_scored_by_its_own_sharp_photo(tmp_path: Path, one: Pair) -> None:
    contender = contenders.checkpoint(run_folder(tmp_path, "deblurring", width=4, told="true"), "cpu")
    row, found = scored(one, contender, "sharp")
    assert found.sharp is not None
    assert row.deblur_psnr == pytest.approx(psnr(found.sharp, one.sharp))
    assert row.motion_mse < 1e-6


def test_a_deblurring_checkpoint_is_told_what_it_learned_with(tmp_path: Path, one: Pair) -> None:
    found = {}
    for told in ("found", "true", "nothing"):
        folder = run_folder(tmp_path / told, "deblurring", width=4, told=told)
        found[told] = contenders.checkpoint(folder, "cpu")(one)
    assert not found["nothing"].offsets.any()
    np.testing.assert_allclose(found["true"].flow, one.flow, atol=1e-4)
    np.testing.assert_array_equal(found["found"].offsets, contenders.shipped("cpu")(one).offsets)


def test_a_checkpoint_that_finds_no_motion_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Restoration, which finds no motion"):
        contenders.checkpoint(run_folder(tmp_path, "restoration"))


def test_the_command_writes_table_sheet_and_json(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_folder(tmp_path / "run", "exposure_trajectory", width=4)
    monkeypatch.setattr(
        sys,
        "argv",
        f"bsd --photos {folder} --severity mild --limit 2 --device cpu --checkpoints {run} "
        f"--csv {tmp_path / 'all.csv'} --sheet {tmp_path / 'worst.png'}".split(),
    )
    bsd.main()
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["photos"] == 2
    assert list(said["contenders"]) == ["no motion", "best constant", "truth", "trajectory", str(run)]
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 1 + 2 * 5
    assert cv2.imread(str(tmp_path / "worst.png")) is not None


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no photos"):
        next(pairs(tmp_path, "mild"))

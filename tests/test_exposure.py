from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models import exposure
from models.devices import available, chosen, fast_precision, run_on


def picture(height: int = 12, width: int = 17, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def ramp(height: int = 12, width: int = 17) -> torch.Tensor:
    """3 x + 5 y in every channel: bilinear sampling of it is exact anywhere inside."""
    x, y = torch.meshgrid(torch.arange(width), torch.arange(height), indexing="xy")
    return (3 * x + 5 * y).double().expand(1, 3, height, width)


def moved(x: float, y: float, height: int = 12, width: int = 17) -> torch.Tensor:
    return torch.tensor([x, y], dtype=torch.float64).expand(1, height, width, 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_value_survives_linear_light(dtype: type) -> None:
    values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    pixels = np.repeat(values.reshape(-1, 256, 1), 3, axis=2)
    np.testing.assert_array_equal(exposure.to_pixels(exposure.from_pixels(pixels), dtype)[0], pixels)


@pytest.mark.parametrize(("srgb", "linear"), [(0.0, 0.0), (0.04045, 0.0031308), (0.5, 0.214041), (1.0, 1.0)])
def test_srgb_curve(srgb: float, linear: float) -> None:
    assert exposure.srgb_to_linear(torch.tensor(srgb)).item() == pytest.approx(linear, abs=1e-6)
    assert exposure.linear_to_srgb(torch.tensor(linear)).item() == pytest.approx(srgb, abs=1e-5)


def test_gradient_of_the_curves_is_their_derivative() -> None:
    values = torch.tensor([0.0, 0.02, 0.3, 0.9], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(exposure.srgb_to_linear, values)
    assert torch.autograd.gradcheck(exposure.linear_to_srgb, values)


@pytest.mark.parametrize("cubic", [False, True])
def test_zero_offsets_change_nothing(cubic: bool) -> None:
    torch.testing.assert_close(exposure.sampled(picture(), moved(0, 0), cubic), picture())


@pytest.mark.parametrize("cubic", [False, True])
def test_whole_offsets_shift(cubic: bool) -> None:
    shifted = exposure.sampled(picture(), moved(2, -1), cubic)
    torch.testing.assert_close(shifted[..., 2:-2, :-4], picture()[..., 1:-3, 2:-2])


@given(x=st.floats(-2, 2), y=st.floats(-2, 2))
@settings(max_examples=30, deadline=None)
def test_bilinear_sampling_of_a_ramp_is_exact(x: float, y: float) -> None:
    inside = (slice(None), slice(None), slice(3, -3), slice(3, -3))
    torch.testing.assert_close(exposure.sampled(ramp(), moved(x, y))[inside], (ramp() + 3 * x + 5 * y)[inside])


def test_gradient_to_the_offsets_is_the_slope() -> None:
    offsets = moved(0.3, 0.4).clone().requires_grad_()
    exposure.sampled(ramp(), offsets)[..., 3:-3, 3:-3].sum().backward()
    assert offsets.grad is not None
    slope = torch.tensor([9.0, 15.0], dtype=torch.float64).expand(6, 11, 2)
    torch.testing.assert_close(offsets.grad[0, 3:-3, 3:-3], slope)


def test_gradient_to_the_picture_is_the_weight() -> None:
    source = picture().requires_grad_()
    exposure.sampled(source, moved(0.25, 0))[0, 0, 5, 5].backward()
    assert source.grad is not None
    assert source.grad[0, 0, 5, 5].item() == pytest.approx(0.75)
    assert source.grad[0, 0, 5, 6].item() == pytest.approx(0.25)
    assert source.grad.sum().item() == pytest.approx(1)


def test_blur_of_a_point_is_its_path() -> None:
    point = torch.zeros(1, 1, 9, 15, dtype=torch.float64)
    point[0, 0, 4, 7] = 1
    offsets = torch.stack([moved(x, 0, 9, 15) for x in (-2.0, -1.0, 0.0, 1.0, 2.0)], 1)
    blurred = exposure.blurred(point, offsets)
    expected = torch.zeros_like(point)
    expected[0, 0, 4, 5:10] = 0.2
    torch.testing.assert_close(blurred, expected)


def test_the_photo_is_the_mean_of_the_instants() -> None:
    offsets = torch.stack([moved(x, -x / 2) for x in (-1.5, 0.0, 1.5)], 1)
    instants = exposure.frames(picture(), offsets)
    torch.testing.assert_close(exposure.average(instants), exposure.blurred(picture(), offsets))
    torch.testing.assert_close(instants[:, 1], picture())
    assert exposure.reblur_error(instants, exposure.blurred(picture(), offsets)).item() == pytest.approx(100)


def test_reversed_offsets_reverse_the_instants_and_keep_the_photo() -> None:
    offsets = torch.stack([moved(x, x * x / 3) for x in (-1.5, 0.0, 1.0)], 1)
    torch.testing.assert_close(exposure.frames(picture(), offsets.flip(1)), exposure.frames(picture(), offsets).flip(1))
    torch.testing.assert_close(exposure.blurred(picture(), offsets.flip(1)), exposure.blurred(picture(), offsets))


def test_blur_and_its_gradient_are_transposes() -> None:
    source, target = picture().requires_grad_(), picture(seed=1)
    offsets = torch.stack([moved(x, 0.3) for x in (-1.2, 0.0, 1.2)], 1)
    blurred = exposure.blurred(source, offsets, cubic=True)
    (adjoint,) = torch.autograd.grad(blurred, source, target)
    assert (blurred * target).sum().item() == pytest.approx((source * adjoint).sum().item())


def test_psnr_of_a_known_difference() -> None:
    assert exposure.psnr(torch.full((2, 2), 0.6), torch.full((2, 2), 0.5)).item() == pytest.approx(20, abs=1e-4)


@pytest.mark.parametrize("pixels", [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8)])
def test_pixels_of_another_kind_are_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected pixels"):
        exposure.from_pixels(pixels)


def test_offsets_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="expected offsets"):
        exposure.sampled(picture(), torch.zeros(12, 17, 2))
    with pytest.raises(ValueError, match="expected offsets"):
        exposure.blurred(picture(), torch.zeros(1, 12, 17, 2))


def test_the_processor_is_always_there() -> None:
    assert available()[-1] == "cpu"
    assert chosen("cpu") == (torch.device("cpu"), ())
    with pytest.raises(ValueError, match="no device called tpu"):
        chosen("tpu")


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_there_becomes_the_processor(name: str) -> None:
    if name in available():
        pytest.skip(f"{name} is here")
    device, notes = chosen(name)
    assert device.type == "cpu"
    assert name in notes[0]


def test_a_device_that_fails_on_the_way_becomes_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.devices.available", lambda: ("cuda", "cpu"))

    def work(device: torch.device) -> str:
        if device.type != "cpu":
            raise RuntimeError("out of memory")
        return "done"

    result, device, notes = run_on("auto", work)
    assert (result, device.type) == ("done", "cpu")
    assert "out of memory" in notes[0]


@pytest.mark.parametrize(
    ("has", "kind"), [({"avx2": True}, torch.float32), ({"avx512_bf16": True}, torch.bfloat16), ({}, torch.float32)]
)
def test_networks_compute_in_bfloat16_only_where_the_processor_can(
    monkeypatch: pytest.MonkeyPatch, has: dict[str, bool], kind: torch.dtype
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: has)
    with fast_precision(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == kind

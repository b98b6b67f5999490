"""How evenly a camera moved."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.exposure import blurred, to_pixels
from models.trajectory.estimation import Ends
from models.trajectory.pace import PACE, at_pace, paced

CPU = torch.device("cpu")
HEIGHT, WIDTH, WAY = 120, 160, 16.0


def pan(length: float = WAY, wide: int = WIDTH) -> Ends:
    """Even motion to the right of what lies left of `wide`."""
    half = torch.zeros(1, 2, HEIGHT, WIDTH)
    half[:, 0, :, :wide] = length / 2
    return Ends(torch.stack((half, -half, -half, half), 1))


def photographed(ends: Ends) -> np.ndarray:
    """A picture of bright boxes (HEIGHT, WIDTH, 3) exposed while it moves so."""
    dice = np.random.default_rng(1)
    sharp = np.full((HEIGHT, WIDTH), 0.1, np.float32)
    for _ in range(60):
        y, x = dice.integers(0, HEIGHT), dice.integers(0, WIDTH)
        sharp[y : y + dice.integers(4, 30), x : x + dice.integers(4, 30)] = dice.random()
    times = np.linspace(0, 1, 65)
    offsets = torch.from_numpy(ends.motion(times).offsets)[None]
    photo = blurred(torch.from_numpy(sharp)[None, None].expand(-1, 3, -1, -1), offsets)
    return to_pixels(photo + torch.randn(photo.shape, generator=torch.Generator().manual_seed(2)) * 0.004)[0]


def pace_of(ends: Ends) -> float:
    """The mean of start and end over half the way."""
    start, end = ends.fields[0, 2, 0, 60, 80], ends.fields[0, 3, 0, 60, 80]
    return float((start + end) / (end - start))


@pytest.mark.parametrize("pace", [0.25, -0.25])
def test_a_pan_that_speeds_up_or_slows_down_is_told_from_an_even_one(pace: float) -> None:
    found = paced(pan(), photographed(at_pace(pan(), pace)), CPU)
    assert pace_of(found) == pytest.approx(np.sign(pace) * PACE, abs=1e-5)
    way = found.fields[:, 3] - found.fields[:, 2]
    assert torch.allclose(way, pan().fields[:, 3] - pan().fields[:, 2], atol=1e-4)


def test_an_even_pan_stays_even() -> None:
    assert torch.equal(paced(pan(), photographed(pan()), CPU).fields, pan().fields)


def test_the_same_photo_played_backwards_goes_at_the_reversed_pace() -> None:
    photo = photographed(at_pace(pan(), 0.25))
    found, back = paced(pan(), photo, CPU), paced(pan().reversed(), photo, CPU)
    assert pace_of(found) > 0
    assert torch.equal(found.reversed().fields, back.fields)


@pytest.mark.parametrize("ends", [pan(3.0), pan(WAY, WIDTH // 3)])
def test_what_is_short_or_small_shows_no_pace(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.trajectory.pace._ratio", lambda *_: pytest.fail("looked at"))
    photo = np.zeros((HEIGHT * 3, WIDTH * 3, 3), np.uint8)
    assert paced(ends, photo, CPU) is ends


def test_a_photo_hardly_larger_than_its_border_shows_no_pace() -> None:
    ends = pan()
    assert paced(ends, np.zeros((9, 200, 3), np.uint8), CPU) is ends

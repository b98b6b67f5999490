"""Every place's motion adjusted by what is seen along it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from models.areas.proposals import CHANNELS as PROPOSAL
from models.areas.proposals import GUIDANCE, reversed_hints, turned_hints
from models.symmetry import WAYS, turned, turned_vectors
from models.trajectory.adjustment import (
    CHANNELS,
    LAGS,
    LEAST,
    MIRRORED,
    AdjustmentNetwork,
    adjusted,
    reached,
    seen,
)
from models.trajectory.cells import CELL
from models.trajectory.estimation import BELIEVED, KNOWN_WELL, SURE, seen_closely

SIDE, BLUR = 64, 9
RATIOS = slice(len(LAGS), 2 * len(LAGS))


def streaked(seed: int = 0) -> torch.Tensor:
    """A photo (1, 3, SIDE, SIDE) of noise that moved BLUR px to the right."""
    grey = torch.rand(1, 1, SIDE, SIDE + BLUR - 1, generator=torch.Generator().manual_seed(seed))
    return F.avg_pool2d(grey, (1, BLUR), 1).expand(-1, 3, -1, -1)


def rightward(length: float) -> torch.Tensor:
    way = torch.zeros(1, 2, SIDE, SIDE)
    way[:, 0] = length
    return way


def hints(x: float = 1.0, y: float = 1.0, length: float = 0.0, wide: int = SIDE) -> torch.Tensor:
    """A strip `wide` px broad told to move this way, and a length where one is given; the rest told to stand still, and
    nothing proposed."""
    out = torch.zeros(1, GUIDANCE + PROPOSAL, SIDE, SIDE)
    out[:, 2] = 1
    out[:, 0, :, :wide], out[:, 1, :, :wide] = x, y
    if length:
        out[:, 3], out[:, 4] = length, 1
    return out


def fields(length: float) -> torch.Tensor:
    """Even straight motion to the right, (1, 4, 2, SIDE, SIDE) px."""
    half = rightward(length / 2)
    return torch.stack((half, -half, -half, half), 1)


class Says(nn.Module):
    """Says that everything goes so many times as far, and aside by a tenth."""

    def __init__(self, times: float) -> None:
        super().__init__()
        self.times = times

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        assert seen.shape[1] == CHANNELS
        off = torch.zeros(len(seen), 2, *seen.shape[-2:])
        off[:, 0], off[:, 1] = math.log(self.times), 0.1
        return off


def test_along_the_motion_near_values_differ_less_than_across_it() -> None:
    along = seen(streaked(), rightward(BLUR), hints())[0, RATIOS].mean((1, 2))
    across = seen(streaked(), rightward(BLUR).flip(1), hints())[0, RATIOS].mean((1, 2))
    short, far = [lag < BLUR / 2 for lag in LAGS], [lag > 1.5 * BLUR for lag in LAGS]
    assert float(along[short].max()) < -0.2
    assert float(along[far].abs().max()) < 0.2
    assert torch.allclose(across, -along, atol=0.1)


@pytest.mark.parametrize("way", range(WAYS))
def test_the_cells_of_a_turned_picture_are_turned_cells(way: int) -> None:
    generator = torch.Generator().manual_seed(3)
    photo, told = streaked(3), torch.rand(1, GUIDANCE + PROPOSAL, SIDE, SIDE, generator=generator)
    moved = torch.rand(1, 2, SIDE, SIDE, generator=generator) + 2
    before = seen(photo, moved, told)
    after = seen(turned(photo, way), turned_vectors(moved, way), turned_hints(told, way))
    mirror = MIRRORED[:, None, None] if way.bit_count() % 2 else 1
    assert torch.allclose(after, turned(before, way) * mirror, atol=2e-3)


def test_played_backwards_the_same_is_seen() -> None:
    told = hints(1, -1)
    forward = seen(streaked(), rightward(5), told)
    assert torch.allclose(forward, seen(streaked(), -rightward(5), reversed_hints(told)), atol=1e-4)


def test_nothing_said_changes_nothing() -> None:
    way = torch.randn(2, 2, 8, 8) * 5
    assert torch.allclose(adjusted(way, torch.zeros(2, 2, 8, 8)), way, atol=1e-5)


def test_twice_as_long_and_aside_is_to_the_right_of_the_way() -> None:
    off = torch.tensor([2.0, 0.0]).log()[None, :, None, None].nan_to_num(neginf=0.0)
    assert adjusted(rightward(9)[..., :1, :1], off)[0, :, 0, 0].tolist() == pytest.approx([2 * (9 + LEAST) - LEAST, 0])
    aside = adjusted(torch.tensor([[[[0.0]], [[4.0]]]]), torch.tensor([[[[0.0]], [[0.5]]]]))
    assert aside[0, :, 0, 0].tolist() == pytest.approx([-0.5 * (4 + LEAST), 4])


def test_a_way_never_turns_back() -> None:
    off = torch.full((1, 2, SIDE, SIDE), -50.0)
    off[:, 1] = 0
    assert float(adjusted(rightward(3), off).norm(dim=1).max()) < 1e-5


def test_what_is_nothing_is_looked_along_as_told() -> None:
    way = reached(rightward(0), hints(-1, 1))
    assert torch.allclose(way.norm(dim=1), torch.tensor(LEAST), atol=1e-4)
    assert float(way[0, 0].max()) < 0 < float(way[0, 1].min())
    assert torch.equal(reached(rightward(4), hints(-1, 1)), rightward(4))


def test_every_place_is_adjusted_in_both_fields() -> None:
    found = seen_closely(Says(2), streaked(), fields(8), hints(wide=24))  # type: ignore[arg-type]
    way = found[:, 3] - found[:, 2]
    expected = [2**BELIEVED * (8 + LEAST) - LEAST, 0.1 * BELIEVED * (8 + LEAST)]
    assert way[0, :, 9, 9].tolist() == pytest.approx(expected, abs=1e-4)
    assert torch.allclose(found[:, 1] - found[:, 0], -way, atol=1e-4)
    assert torch.equal(found[..., 24:], fields(8)[..., 24:])


def test_what_fills_most_of_the_photo_is_called_shorter_but_not_longer() -> None:
    longer, shorter = (seen_closely(Says(times), streaked(), fields(8), hints()) for times in (2.0, 0.5))  # type: ignore[arg-type]
    assert float((longer[:, 3, 0] - longer[:, 2, 0] - 8).abs().max()) < 1e-4
    assert float((shorter[:, 3, 0] - shorter[:, 2, 0] - 8).max()) < -2


def test_a_picture_of_any_size_is_adjusted() -> None:
    odd = (..., slice(0, 61), slice(0, 43))
    found = seen_closely(Says(2), streaked()[odd], fields(8)[odd], hints()[odd])  # type: ignore[arg-type]
    assert found.shape == (1, 4, 2, 61, 43)
    assert torch.isfinite(found).all()


@pytest.mark.parametrize(
    ("told", "length"),
    [(hints(1, 0, 0.5), 8.0), (hints(0, 0), 0.0), (torch.zeros(1, GUIDANCE + PROPOSAL, SIDE, SIDE), 0.2)],
    ids=["told length", "told still", "untold and found still"],
)
def test_what_is_known_stands(told: torch.Tensor, length: float) -> None:
    assert torch.equal(seen_closely(Says(2), streaked(), fields(length), told), fields(length))  # type: ignore[arg-type]


def test_what_surely_moves_as_a_whole_keeps_to_that() -> None:
    told = hints(wide=24)
    told[:, GUIDANCE + 3] = 1
    told[:, GUIDANCE + 2, :32], told[:, GUIDANCE + 2, 32:] = KNOWN_WELL / 2, SURE * 2
    found = seen_closely(Says(2), streaked(), fields(8), told)  # type: ignore[arg-type]
    way = (found[:, 3] - found[:, 2])[0, 0, :, :24]
    assert float((way[:32] - 8).abs().max()) < 1e-4
    assert float(way[32:].min()) > 10


def test_flipped_guidance_is_adjusted_to_the_reverse() -> None:
    torch.manual_seed(1)
    network, told = AdjustmentNetwork((16, 16, 16)).eval(), hints(1, -1, wide=24)
    nn.init.normal_(network.head.weight, std=0.1)
    with torch.no_grad():
        forward = seen_closely(network, streaked(), fields(8), told)
        backward = seen_closely(network, streaked(), fields(8)[:, [1, 0, 3, 2]], reversed_hints(told))
    assert not torch.allclose(forward, fields(8), atol=0.1)
    assert torch.allclose(backward, forward[:, [1, 0, 3, 2]], atol=1e-2)


def test_cells_cover_the_photo() -> None:
    assert seen(streaked(), rightward(3), hints()).shape == (1, CHANNELS, SIDE // CELL, SIDE // CELL)

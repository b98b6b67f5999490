"""Every place's motion adjusted by what is seen around it."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from models.areas.proposals import CHANNELS as PROPOSAL
from models.areas.proposals import GUIDANCE, reversed_hints, turned_hints
from models.symmetry import WAYS, turned, turned_vectors
from models.trajectory.adjustment import (
    ANSWERS,
    CHANNELS,
    LAGS,
    LEANINGS,
    LEAST,
    OFF,
    OWN,
    SAID,
    VECTORS,
    AdjustmentNetwork,
    change,
    change_by,
    leanings_of,
    reached,
    reversed_seen,
    seen,
    turned_seen,
    vectors_of,
)
from models.trajectory.cells import CELL
from models.trajectory.estimation import KNOWN_WELL, SURE, adjustable, seen_closely

SIDE, BLUR = 64, 9
FIRST = 2 * (VECTORS + LEANINGS) + SAID
BEND = 2 + VECTORS
RATIOS = slice(FIRST + len(LAGS), FIRST + 2 * len(LAGS))


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
    """Says that everything goes farther by a share of what was found, and right by a share of its length, and bends
    down by a share of half of it."""

    def __init__(self, farther: float, right: float = 0.0, down: float = 0.0) -> None:
        super().__init__()
        self.farther, self.right, self.down = farther, right, down

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        assert seen.shape[1] == CHANNELS
        said = torch.zeros(len(seen), ANSWERS, *seen.shape[-2:])
        said[:, BEND + 1] = self.down
        said[:, 0] = self.right * vectors_of(seen)[:, 0, 0].sign()  # a network that knows which way time runs
        said[:, 2] = self.farther
        return said


def test_along_the_motion_near_values_differ_less_than_across_it() -> None:
    along = seen(streaked(), rightward(BLUR), hints())[0, RATIOS].mean((1, 2))
    across = seen(streaked(), rightward(BLUR).flip(1), hints())[0, RATIOS].mean((1, 2))
    short, far = [lag < BLUR / 2 for lag in LAGS], [lag > 1.5 * BLUR for lag in LAGS]
    assert float(along[short].max()) < -0.2
    assert float(along[far].abs().max()) < 0.2
    assert torch.allclose(across, -along, atol=0.1)


def strange() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A photo, motion and hints that are alike nowhere."""
    generator = torch.Generator().manual_seed(3)
    told = torch.rand(1, GUIDANCE + PROPOSAL, SIDE, SIDE, generator=generator) - 0.5
    told[:, 2] = 1  # where nothing is told what is proposed is turned to the right
    return streaked(3), torch.rand(1, 2, SIDE, SIDE, generator=generator) + 2, told


@pytest.mark.parametrize("way", range(WAYS))
def test_the_cells_of_a_turned_picture_are_turned_cells(way: int) -> None:
    photo, moved, told = strange()
    after = seen(turned(photo, way), turned_vectors(moved, way), turned_hints(told, way))
    assert torch.allclose(after, turned_seen(seen(photo, moved, told), way), atol=2e-3)


def test_played_backwards_vectors_are_reversed_and_all_else_is_the_same() -> None:
    photo, moved, told = strange()
    after = seen(photo, -moved, reversed_hints(told))
    assert torch.allclose(after, reversed_seen(seen(photo, moved, told)), atol=1e-3)
    assert torch.allclose(after[:, 2 * VECTORS :], seen(photo, moved, told)[:, 2 * VECTORS :], atol=1e-3)


def test_of_what_is_told_only_the_direction_is_seen() -> None:
    photo, moved, _ = strange()
    diagonal = 0.5**0.5, -(0.5**0.5)
    quadrant, same, other = (seen(photo, moved, hints(*one)) for one in ((1.0, -1.0), (*diagonal, 0.5), (0.6, -0.8)))
    assert torch.allclose(quadrant, same, atol=1e-6)
    assert torch.allclose(other[:, 2:4].norm(dim=1), quadrant[:, 2:4].norm(dim=1))
    assert not torch.allclose(other[:, 2:4], quadrant[:, 2:4], atol=0.05)


def test_nothing_said_changes_nothing() -> None:
    what = seen(*strange())
    for one in change(torch.zeros(1, ANSWERS, *what.shape[-2:]), what):
        assert float(one.abs().max()) == 0


def test_a_change_is_made_of_the_vectors_and_of_anything_else() -> None:
    what = seen(streaked(), rightward(9), hints(-1, 1))
    said = torch.zeros(1, ANSWERS, *what.shape[-2:])
    said[:, 1], said[:, 2], said[:, 3] = 0.5, 0.25, 0.1
    off, bend = change(said, what)
    expected = [0.25 * 9 - 0.1 * OFF, 0.5 * (9 + OFF) + 0.1 * OFF]
    assert off[0, :, 4, 4].tolist() == pytest.approx(expected, abs=1e-5)
    assert float(bend.abs().max()) == 0


def test_of_what_is_told_right_up_and_right_down_the_middle_is_told_right() -> None:
    told = hints(1, 1)
    told[:, 1, : SIDE // 2] = -1
    what = seen(streaked(), rightward(9).flip(1), told)
    said = torch.zeros(1, ANSWERS, *what.shape[-2:])
    said[:, 2 + OWN] = 1  # all of the difference from the direction told in the smallest square
    turned, _ = change(said, what)
    way = vectors_of(what)[:, 0] + turned
    border, inside = way[0, :, 3, 4].tolist(), way[0, :, 6, 4].tolist()  # three rows against two, and none
    assert border == pytest.approx([9 * 5 / 26**0.5, -9 / 26**0.5], abs=1e-3)
    assert inside == pytest.approx([9 / 2**0.5] * 2, abs=1e-3)


def left_by(pace: float) -> torch.Tensor:
    """A photo (1, 3, SIDE, SIDE) of a bright strip that went right, its speed growing by `pace` times the mean."""
    places = torch.arange(SIDE).float()
    grey = torch.zeros(SIDE)
    for s in torch.linspace(-1, 1, 201):
        at = 24 + 10 * (s + pace / 2 * s.square())
        grey += ((places - at).clamp(0, 1) - (places - at - 14).clamp(0, 1)) / 201
    return grey.expand(1, 3, SIDE, SIDE)


def test_traces_get_fainter_towards_where_it_was_faster() -> None:
    later, even, sooner = (leanings_of(seen(left_by(pace), rightward(20), hints())) for pace in (0.8, 0.0, -0.8))
    strip = (0, slice(LEANINGS // 2, None), 0, 4, slice(2, 6))  # over squares of cells
    assert float(later[strip].mean()) > 0.1
    assert float(sooner[strip].mean()) < -0.1
    assert abs(float(even[strip].mean())) < 0.02
    assert float(later[:, :, 1].abs().max()) < 1e-3


def test_a_bend_is_a_share_of_half_of_the_motion() -> None:
    what = seen(left_by(0.5), rightward(20), hints())
    said = torch.zeros(1, ANSWERS, *what.shape[-2:])
    said[:, BEND + 1], said[:, BEND + 2 + LEANINGS // 2] = 0.25, 2
    off, bend = change(said, what)
    leaning = leanings_of(what)[0, LEANINGS // 2, 0, 4, 4]
    assert bend[0, :, 4, 4].tolist() == pytest.approx([float(leaning) * (20 + OFF), 0.125 * (20 + OFF)], rel=1e-3)
    assert float(off.abs().max()) == 0


def test_what_the_network_says_of_both_directions_of_time_is_one_thing() -> None:
    torch.manual_seed(1)
    network, what = AdjustmentNetwork((16, 16, 16)).eval(), seen(*strange())
    nn.init.normal_(network.head.weight, std=0.1)
    with torch.no_grad():
        (off, bend), (reverse, same) = (change_by(network, one) for one in (what, reversed_seen(what)))
    assert min(float(off.abs().mean()), float(bend.abs().mean())) > 0.1
    assert torch.allclose(off, -reverse, atol=1e-5)
    assert torch.allclose(bend, same, atol=1e-5)


def test_what_is_nothing_is_looked_along_as_told() -> None:
    way = reached(rightward(0), hints(-1, 1))
    assert torch.allclose(way.norm(dim=1), torch.tensor(LEAST), atol=1e-4)
    assert float(way[0, 0].max()) < 0 < float(way[0, 1].min())
    assert torch.equal(reached(rightward(4), hints(-1, 1)), rightward(4))


def test_every_place_is_adjusted_in_both_fields() -> None:
    found = seen_closely(Says(0.5, 0.1), streaked(), fields(8), hints(wide=24))  # type: ignore[arg-type]
    way = found[:, 3] - found[:, 2]
    assert way[0, :, 9, 9].tolist() == pytest.approx([1.5 * 8 + 0.1 * (8 + OFF), 0], abs=1e-4)
    assert torch.allclose(found[:, 1] - found[:, 0], -way, atol=1e-4)
    assert torch.allclose(found[:, 0] + found[:, 1], torch.zeros(()), atol=1e-4)
    assert torch.equal(found[..., 24:], fields(8)[..., 24:])


def test_a_bend_moves_start_and_end_alike() -> None:
    found = seen_closely(Says(0.0, down=0.5), streaked(), fields(8), hints(wide=24))  # type: ignore[arg-type]
    trajectories = found[:, 2:] - fields(8)[:, 2:]
    for one in (*trajectories.unbind(1), *(fields(8)[:, :2] - found[:, :2]).unbind(1)):
        assert one[0, :, 9, 9].tolist() == pytest.approx([0, (8 + OFF) / 4], abs=1e-4)
        assert float(one[..., 24:].abs().max()) == 0


def test_a_told_direction_is_kept() -> None:
    told = hints(0.6, 0.8)
    found = seen_closely(Says(0.5), streaked(), fields(8), told)  # type: ignore[arg-type]
    off = (found - fields(8))[:, 3] - (found - fields(8))[:, 2]
    assert off[0, :, 9, 9].tolist() == pytest.approx([4 * 0.36, 4 * 0.48], abs=1e-4)


def test_a_picture_of_any_size_is_adjusted() -> None:
    odd = (..., slice(0, 61), slice(0, 43))
    found = seen_closely(Says(1.0), streaked()[odd], fields(8)[odd], hints()[odd])  # type: ignore[arg-type]
    assert found.shape == (1, 4, 2, 61, 43)
    assert torch.isfinite(found).all()


@pytest.mark.parametrize(
    ("told", "length"),
    [(hints(1, 0, 0.5), 8.0), (hints(0, 0), 0.0), (torch.zeros(1, GUIDANCE + PROPOSAL, SIDE, SIDE), 8.0)],
    ids=["told length", "told still", "untold"],
)
def test_what_is_known_stands(told: torch.Tensor, length: float) -> None:
    assert torch.equal(seen_closely(Says(1.0), streaked(), fields(length), told), fields(length))  # type: ignore[arg-type]


def test_what_surely_moves_as_a_whole_keeps_to_that() -> None:
    told = hints(wide=24)
    told[:, GUIDANCE + 3] = 1
    told[:, GUIDANCE + 2, :32], told[:, GUIDANCE + 2, 32:] = KNOWN_WELL / 2, SURE * 2
    found = seen_closely(Says(1.0), streaked(), fields(8), told)  # type: ignore[arg-type]
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


def test_what_is_half_sure_is_half_heeded() -> None:
    told = hints(wide=24)
    told[:, GUIDANCE + 3], told[:, GUIDANCE + 2] = 1, (KNOWN_WELL + SURE) / 2
    assert adjustable(told)[0, 0, 5, 5] == pytest.approx(0.5)
    assert float(adjustable(told)[..., 24:].max()) == 0


def test_cells_cover_the_photo() -> None:
    assert seen(streaked(), rightward(3), hints()).shape == (1, CHANNELS, SIDE // CELL, SIDE // CELL)

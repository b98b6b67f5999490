"""What moves as one is judged as one: the evidence, the hypotheses, and what is proposed."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch

from models.areas.agreement import ANGLES, CHANNELS, LAGS, distances, evidence, mirrored, swapped
from models.areas.fields import SPAN, as_told, doubts, fitted, spread
from models.areas.network import (
    LENGTHS,
    TURN,
    AreaNetwork,
    about,
    as_long_as,
    best_heading,
    expected,
    hypotheses,
    posterior,
    within,
)
from models.areas.proposals import FEW, LENGTH_UNIT, MIDDLES, areas, inside, proposed, reversed_hints, turned_hints
from models.symmetry import WAYS
from training.recipes.areas import nearness, quadrant


def panned(length: int, height: int = 160, width: int = 200, seed: int = 3) -> torch.Tensor:
    """A texture seen by a camera that pans `length` px to the right, (1, H, W) in 0 to 1."""
    dice = np.random.default_rng(seed)
    coarse = [dice.random((height // step, (width + 80) // step)).astype(np.float32) for step in (2, 4, 8)]
    texture = np.mean([cv2.resize(one, (width + 80, height)) for one in coarse], 0)
    blurred = np.mean([texture[:, 40 - n : 40 - n + width] for n in range(length + 1)], 0)
    return torch.from_numpy(blurred.astype(np.float32))[None]


def seen(picture: torch.Tensor) -> torch.Tensor:
    return evidence(picture, torch.ones_like(picture))


@pytest.mark.parametrize("length", [9, 14, 20, 30])
def test_the_trough_lies_at_the_paths_length(length: int) -> None:
    found = seen(panned(length))
    assert found.shape == (1, CHANNELS, LAGS, ANGLES)
    far = distances(found) > 4
    trough = float(distances(found)[far][int(found[0, 0, far, 0].argmin())])
    assert trough == pytest.approx(length, rel=0.2)


def test_evidence_turns_with_the_picture_and_is_blind_to_time() -> None:
    picture = panned(12)
    there = seen(picture)
    assert torch.allclose(there, seen(picture.flip(-1, -2)), atol=1e-3)
    assert torch.allclose(mirrored(there), seen(picture.flip(-1)), atol=1e-3)
    assert torch.allclose(swapped(there), seen(picture.transpose(-1, -2).contiguous()), atol=2e-2)


def test_an_area_knows_nothing_of_what_lies_beside_it() -> None:
    one, other = panned(12), panned(4, seed=5)
    beside = torch.cat((one[..., :100], other[..., 100:]), -1)
    area = torch.zeros_like(one)
    area[:, 2:-2, 2:98] = 1
    assert torch.allclose(evidence(one, area), evidence(beside, area), atol=1e-3)


def test_a_loud_part_does_not_drown_the_quiet_rest() -> None:
    loud, quiet = panned(0, seed=5), panned(12)
    mixed = torch.cat((quiet[..., :150], loud[..., 150:]), -1)
    at = int((distances(mixed) - 12).abs().argmin())
    alone, beside, other = (float(seen(one)[0, 0, at, 0]) for one in (quiet, mixed, loud))
    assert abs(other) < 0.2
    assert beside < 0.35 * alone < -0.5


def test_what_it_says_of_a_mirrored_picture_is_mirrored() -> None:
    torch.manual_seed(0)
    network, found, pixels = AreaNetwork(16, 1).eval(), seen(panned(9)), torch.tensor([32000.0])
    with torch.no_grad():
        plain = network.even_handed(found, pixels)
        for turn in (mirrored, swapped):
            assert torch.allclose(network.even_handed(turn(found), pixels), turn(plain), atol=1e-4)


def test_without_evidence_what_was_likely_before_stands() -> None:
    flat = torch.zeros(2, LENGTHS, ANGLES)
    angle, length = torch.tensor([0.5, 3.0]), torch.tensor([8.0, 20.0])
    prior = about(angle, torch.full((2,), 0.1)) + as_long_as(length, 0.1)
    found = posterior(flat, prior)
    assert torch.allclose(found.exp().sum((1, 2)), torch.ones(2))
    motion, doubt = expected(found)
    assert torch.allclose(motion.norm(dim=1), length, rtol=0.05)
    assert torch.allclose(torch.atan2(motion[:, 1], motion[:, 0]), angle, atol=0.05)
    assert bool((doubt < 0.25).all())
    assert float(expected(posterior(flat, within(angle, math.pi / 4)))[1].min()) > 0.5


def test_the_quadrant_told_decides_the_direction_in_time() -> None:
    logits = torch.full((2, LENGTHS, ANGLES), -20.0)
    logits[:, 10, 3] = 20
    middles = torch.tensor([math.pi / 4, math.pi / 4 - math.pi])
    there, back = expected(posterior(logits, within(middles, math.pi / 4)))[0]
    assert torch.allclose(there, -back, atol=1e-3)
    assert torch.allclose(torch.view_as_real(hypotheses(logits)[10, 3]), there, atol=1e-2)
    assert best_heading(logits)[0] == pytest.approx(3 * math.pi / ANGLES)
    assert best_heading(logits.roll(15, 2))[0] == pytest.approx(18 * math.pi / ANGLES - math.pi)


def test_the_truth_is_near_itself() -> None:
    true = torch.tensor([[5.0, 7.0], [-20.0, 3.0], [0.0, -9.0]])
    near = nearness(true)
    assert near.shape == (3, LENGTHS, TURN)
    assert torch.allclose(near.sum((1, 2)), torch.ones(3))
    assert torch.allclose(expected(near.log())[0][:2], true[:2], atol=1.5)
    assert bool((near[quadrant(true).isinf()] == 0).all())


def told(height: int = 40, width: int = 60) -> torch.Tensor:
    """The left third moves right and down, the middle is said to stand still, of the right third nothing is told."""
    guidance = torch.zeros(1, 5, height, width)
    guidance[:, 2, :, :40] = 1
    guidance[:, :2, :, :20] = 1
    return guidance


def test_areas_part_the_picture_by_what_is_told_of_it() -> None:
    parts = areas(told())[0]
    assert torch.equal(parts.sum(0), torch.tensor([1] * 20 + [0] * 20 + [1] * 20).expand(40, -1))
    assert parts[0, :, :20].all()
    assert parts[4, :, 40:].all()
    back = areas(told() * torch.tensor([-1, -1, 1, 1, 1])[:, None, None])[0]
    assert torch.equal(back[[3, 2, 1, 0]], parts[:4])
    for number, middle in enumerate(MIDDLES):
        heading = torch.tensor([math.cos(middle), math.sin(middle), 1, 0, 0])[None, :, None, None]
        assert areas(heading)[0, number, 0, 0]


def test_every_area_has_one_proposal_and_small_ones_have_none() -> None:
    torch.manual_seed(0)
    network, photo = AreaNetwork(16, 1).eval(), torch.rand(1, 3, 40, 60)
    guidance = told()
    found = proposed(network, photo, guidance)
    assert found.shape == (1, 8, 40, 60)
    assert float(found[:, :, :, 20:40].abs().max()) == 0
    assert torch.allclose(found[:, :4, :, :20], found[:, 4:, :, :20], atol=1e-5)
    for part in (found[..., :20], found[:, 4:, :, 40:]):
        assert float((part - part[..., :1, :1]).abs().max()) < 1e-5
    assert bool((found[0, :2, 0, 0] > 0).all())
    assert float(found[0, 0, :, 40:].mean()) >= 0
    guidance[:, :3, :, : 20 - FEW // 40 + 1] = torch.tensor([0.0, 0, 1])[:, None, None]
    assert float(proposed(network, photo, guidance)[..., :40].abs().max()) == 0
    small = proposed(network, photo[..., :8, :16], torch.zeros(1, 5, 8, 16))
    assert float(small.abs().max()) == 0


def test_windows_tell_parts_of_an_area_apart() -> None:
    class Slopes(AreaNetwork):
        """Answers with a length that grows with the share of slopes to the right."""

        def even_handed(self, evidence: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
            logits = evidence.new_full((len(evidence), LENGTHS, ANGLES), -20.0)
            steep = evidence[:, 2, 0, 0] > 0
            logits[torch.arange(len(evidence)), torch.where(steep, 20, 4), 6] = 20
            return logits

    across, down = torch.rand(1, 3, 1, 192).expand(-1, -1, 128, -1), torch.rand(1, 3, 128, 1).expand(-1, -1, -1, 192)
    photo, guidance = torch.cat((across[..., :96], down[..., 96:]), -1), torch.ones(1, 5, 128, 192)
    guidance[:, 3:] = 0
    found = proposed(Slopes(16, 1), photo, guidance)[0]
    assert float(found[0].diff(n=2, dim=-1).abs().max()) < 1e-4  # smooth, as it fills the picture
    assert float(found[4, :, :30].mean()) > 3 * float(found[4, :, -30:].mean())
    assert float(found[4].diff(dim=-1).abs().max()) < 0.1 * float(found[4].max())


def test_a_told_length_is_believed() -> None:
    torch.manual_seed(0)
    network, photo, guidance = AreaNetwork(16, 1).eval(), torch.rand(1, 3, 40, 60), torch.zeros(1, 5, 40, 60)
    guidance[:, 0], guidance[:, 2], guidance[:, 4] = 1, 1, 1
    for length in (6.0, 24.0):
        guidance[:, 3] = length / LENGTH_UNIT
        found = proposed(network, photo, guidance)[0, :2, 0, 0] * LENGTH_UNIT
        assert float(found.norm()) == pytest.approx(length, rel=0.3)
        assert abs(float(torch.atan2(found[1], found[0]))) < 0.2


@pytest.mark.parametrize("way", range(WAYS))
def test_hints_turn_with_the_picture_and_with_time(way: int) -> None:
    torch.manual_seed(0)
    hints = torch.cat((told(), torch.randn(1, 8, 40, 60)), 1)
    hints[:, [5, 9]] = hints[:, [5, 9]].abs()
    undone = {5: 6, 6: 5}.get(way, way)  # a quarter turn is undone by the other, everything else by itself
    assert torch.allclose(turned_hints(turned_hints(hints, way), undone), hints)
    back = reversed_hints(hints)
    assert torch.equal(
        back[..., :20], hints[..., :20] * torch.tensor([-1, -1, 1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1])[:, None, None]
    )
    assert torch.equal(back[..., 40:], hints[..., 40:])
    there = turned_hints(hints, way)
    assert float((there[:, 5:6] * (there[:, 2:3] == 0)).sum()) >= 0


def windows(field: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Posteriors of windows at `places` (N, 2) that see an affine field (3, 2), each a bell around its own motion."""
    motion = field[0] + places / SPAN @ field[1:]
    off = torch.cdist(motion, torch.view_as_real(hypotheses(motion).flatten())) / (0.1 * motion.norm(dim=1)[:, None])
    return (-off.square() / 2).log_softmax(1).view(len(places), LENGTHS, TURN)


def grid_of_windows() -> torch.Tensor:
    return torch.cartesian_prod(torch.arange(-150.0, 151, 60), torch.arange(-100.0, 101, 50))


def test_a_smooth_field_is_found_past_windows_that_are_wrong() -> None:
    torch.manual_seed(0)
    fields = torch.tensor([[[14.0, 6.0], [2.0, -3.0], [3.0, 2.0]], [[-9.0, 9.0], [0.0, 0.0], [0.0, 0.0]]])
    places = grid_of_windows()
    seen = torch.stack([windows(field, places) for field in fields])
    wrong = torch.randperm(len(places))[: len(places) // 4]
    seen[0, wrong] = windows(torch.tensor([[3.0, -30.0], [0, 0], [0, 0]]), places[wrong])
    owner = torch.arange(2).repeat_interleave(len(places))
    found = fitted(seen.flatten(0, 1), places.repeat(2, 1), owner, 2)
    assert torch.allclose(found[0], fields[0], atol=0.8)
    assert torch.allclose(found[1], fields[1], atol=0.4)


@pytest.mark.parametrize("field", [((1.0, 0.5), (9.0, 0.0), (0.0, 9.0)), ((0.5, 1.0), (0.0, 7.0), (-7.0, 0.0))])
@pytest.mark.parametrize("sense", [1, -1])
def test_a_zoom_and_a_turn_are_found_though_no_window_knows_the_direction_in_time(
    field: tuple[tuple[float, float], ...], sense: int
) -> None:
    places, true = grid_of_windows(), sense * torch.tensor(field)
    blind = torch.logaddexp(windows(true, places), windows(-true, places)) - math.log(2)
    owner = torch.zeros(len(places), dtype=torch.long)
    found = fitted(blind, places, owner, 1)[0]
    assert torch.allclose(found * (found * true).sum().sign(), true, atol=1)
    told = (true[0] + places / SPAN @ true[1:]).sign()
    assert torch.allclose(fitted(blind, places, owner, 1, told)[0], true, atol=1)
    assert float((as_told(places, told) * true).sum()) > 0


def test_what_is_told_across_the_axis_is_a_thing_unless_it_reaches_the_rim_or_is_tiny() -> None:
    motion = torch.tensor([10.0, 1.0])[:, None, None].expand(-1, 80, 120)
    told, moving = torch.ones(2, 80, 120), torch.ones(80, 120, dtype=torch.bool)
    told[1, 30:55, 40:70] = told[1, :20, :50] = told[1, 60:64, 100:104] = -1
    alone = torch.zeros(80, 120, dtype=torch.bool)
    alone[30:55, 40:70] = True
    assert torch.equal(inside(motion, told, moving), alone)


def test_doubt_tells_what_moves_from_what_says_nothing() -> None:
    places = grid_of_windows()
    fields = torch.tensor([[[14.0, 6.0], [2.0, -3.0], [3.0, 2.0]]]).expand(2, -1, -1)
    silent = torch.full((len(places), LENGTHS, TURN), -math.log(LENGTHS * TURN))
    owner = torch.arange(2).repeat_interleave(len(places))
    seen = torch.cat((windows(fields[0], places), silent))
    sure, unsure = doubts(seen, places.repeat(2, 1), owner, fields)
    assert float(sure) < 0.2
    assert float(unsure) > 0.7
    back = doubts(seen, places.repeat(2, 1), owner, -fields)
    assert torch.allclose(back, torch.stack((sure, unsure)), atol=1e-3)


def test_a_field_is_spread_over_every_pixel() -> None:
    field = torch.tensor([[[5.0, 1.0], [2.0, 0.0], [0.0, -4.0]]])
    there = spread(field, torch.tensor([[10.0, 4.0]]), 9, 21)
    assert there.shape == (1, 2, 9, 21)
    assert torch.allclose(there[0, :, 4, 10], field[0, 0])
    assert torch.allclose(there[0, :, 8, 20], field[0, 0] + 10 / SPAN * field[0, 1] + 4 / SPAN * field[0, 2])

"""A supposed motion put right by what is seen along it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from test_areas import panned
from tiny_world import tiny_world
from torch.nn import functional as F

from models.areas.correction import (
    AHEAD,
    ASIDE,
    CHANNELS,
    LENGTH,
    SIDE,
    Correction,
    CorrectionNetwork,
    agreement,
    seen,
)
from models.areas.fields import (
    APART,
    BEYOND_DOUBT,
    COEFFICIENTS,
    FIRST_LOOKS,
    LOOKS,
    POWERS,
    SPAN,
    _change,
    corrected,
    enlarged,
    likeliest,
    spread,
)
from models.areas.network import AreaNetwork
from models.areas.proposals import GUIDANCE, LENGTH_UNIT, SURE, areas, proposed
from models.exposure import sampled
from models.guidance import QUADRANTS, quantise
from models.loading import load_weights
from models.trajectory.engine import load_networks
from models.trajectory.estimation import estimate
from training.recipes import recipe, rendered
from training.recipes.correction import drawn
from training.world.dice import Dice

CPU = torch.device("cpu")
MIDDLE = torch.tensor([[[40.0, 30.0]]])


def spots(*places: tuple[float, float]) -> torch.Tensor:
    """A dark picture (1, 60, 80) with soft spots at places x, y px."""
    y, x = torch.meshgrid(torch.arange(60.0), torch.arange(80.0), indexing="ij")
    return torch.stack([(-((x - px) ** 2 + (y - py) ** 2) / 4).exp() for px, py in places]).sum(0)[None]


def brightest(window: torch.Tensor) -> tuple[float, float]:
    """Column and row of the middle of what is brightest in a window (SIDE, SIDE)."""
    row, column = torch.nonzero(window == window.max()).float().mean(0).tolist()
    return column, row


@pytest.mark.parametrize("motion", [(6.0, 0.0), (0.0, 9.0), (-5.0, 5.0), (3.0, 1.0)])
def test_the_end_of_a_motion_lies_a_fixed_way_to_the_right(motion: tuple[float, float]) -> None:
    picture = spots((40 + motion[0], 30 + motion[1]))
    window = seen(picture, torch.ones(1, 1, 60, 80), MIDDLE, torch.tensor([[motion]]))[0, 0, 0]
    column, row = brightest(window)
    assert column == pytest.approx((SIDE - 1) / 2 + LENGTH, abs=1)
    assert row == pytest.approx((SIDE - 1) / 2, abs=1)


def test_a_window_shows_its_mask_and_nothing_beyond_the_border() -> None:
    mask = torch.zeros(1, 1, 60, 80)
    mask[..., 40:] = 1
    window = seen(spots((40, 30)), mask, torch.tensor([[[60.0, 30.0]]]), torch.tensor([[[6.0, 0.0]]]))[0, 0]
    assert window.shape == (CHANNELS, SIDE, SIDE)
    assert bool((window[2, SIDE // 2, 24:60] == 1).all())
    assert float(window[2, :, -1].sum()) > 0
    far = seen(spots((40, 30)), mask * 0 + 1, torch.tensor([[[79.0, 30.0]]]), torch.tensor([[[12.0, 0.0]]]))[0, 0]
    assert float(far[..., SIDE // 2 + 2 :].abs().max()) == 0


@pytest.mark.parametrize("stretch", [0.75, 1.0, 1.25])
def test_slopes_disagree_most_where_the_true_motion_ends(stretch: float) -> None:
    picture, true = panned(20), 20 * stretch
    motion = torch.tensor([[[20 / stretch, 0.0]] * 4])
    places = torch.tensor([[[70.0, 60.0], [120.0, 60.0], [70.0, 100.0], [120.0, 100.0]]])
    windows = seen(picture, torch.ones_like(picture)[None], places, motion)[0]
    found = agreement(windows)
    assert found.shape == (4, 3, 2 * ASIDE + 1, AHEAD)
    along = found[:, 0, ASIDE, 5:].mean(0)
    assert int(along.argmin()) + 5 == pytest.approx(LENGTH * true / 20, abs=2)


def test_a_curved_window_shows_a_turn_as_straight_motion() -> None:
    """What stood a whole exposure further on around the centre lies `LENGTH` steps to the right, in every row."""
    centre, turn = torch.tensor([40.0, 30.0]), 0.5
    places = torch.tensor([[[40.0, 10.0]]])
    change = torch.tensor([[0.0, turn], [-turn, 0.0]])
    motion = (places[0] - centre) @ change
    for radius in (15.0, 20.0, 25.0):  # its place is 20 px from the centre, a step is 20 * turn / LENGTH
        angle = math.radians(-90) + turn
        x, y = (centre + radius * torch.tensor([math.cos(angle), math.sin(angle)])).tolist()
        picture, whole = spots((x, y)), torch.ones(1, 1, 60, 80)
        window = seen(picture, whole, places, motion[None], change[None, None])[0, 0, 0]
        column, row = brightest(window)
        assert column == pytest.approx((SIDE - 1) / 2 + LENGTH, abs=1)
        assert row == pytest.approx((SIDE - 1) / 2 + (20 - radius) / (20 * turn / LENGTH), abs=1)


def test_windows_of_a_zoom_follow_it_and_those_of_a_pan_do_not() -> None:
    factor = torch.tensor([[1.0], [-1.0], [1.5]])
    zoom, pan = (
        affine(field) for field in (((2.0, 0.0), (10.0, 0.0), (0.0, 10.0)), ((20.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
    )
    followed = _change(zoom, factor)
    assert torch.allclose(followed[0], torch.eye(2) / 10)
    assert torch.allclose(followed[1], -followed[0])
    assert not bool(followed[2].any())  # where it hardly moves
    assert not bool(_change(pan, factor).any())


def test_a_zoom_is_put_right_from_a_zoom_half_as_fast() -> None:
    network = load_weights(CorrectionNetwork(), "correction", CPU)
    grey, true = turning(field=((2.0, -1.0), (9.0, 0.0), (0.0, 9.0)))
    height, width = grey.shape
    centre, whole = torch.tensor([width / 2, height / 2]), torch.ones_like(grey)
    field, doubt = corrected(network, grey, whole, centre, true / 2)
    both = spread(torch.stack((field, true)), centre.expand(2, 2), height, width)
    assert float((both[0] - both[1]).norm(dim=0).mean()) < 0.1 * float(both[1].norm(dim=0).mean())
    assert doubt < SURE


@pytest.mark.parametrize(
    ("doubts", "lengths", "chosen"),
    [
        ((0.3, 0.2, 0.25), (5, 9, 12), 1),
        ((0.3, 0.25, 0.2), (5, 9, 40), 1),  # the third ends too far
        ((0.2, 0.3, 0.3), (40, 9, 12), 0),  # the first may
        ((0.1, 0.05, 0.05), (5, 9, 12), 0),  # beyond doubt, no other is tried
    ],
)
def test_of_several_beginnings_the_one_that_leaves_least_doubt_is_gone_on_with(
    doubts: tuple[float, ...], lengths: tuple[float, ...], chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = [affine(((length, 0.0), (0.0, 0.0), (0.0, 0.0))) for length in lengths]
    looked: list[int] = []

    def put_right(network: object, grey: object, mask: object, centre: object, field: torch.Tensor, looks: int):
        looked.append(looks)
        return field, doubts[[float(one[0, 0]) for one in begun].index(float(field[0, 0]))]

    monkeypatch.setattr("models.areas.fields.corrected", put_right)
    picture, centre = torch.zeros(200, 320), torch.tensor([160.0, 100.0])
    field, _ = likeliest(CorrectionNetwork(), picture, torch.ones_like(picture), centre, begun)
    assert torch.equal(field, begun[chosen])
    tried = 1 if doubts[0] < BEYOND_DOUBT else len(begun)
    assert looked == [FIRST_LOOKS] * tried + [LOOKS - FIRST_LOOKS]


def test_a_field_played_backwards_is_put_right_to_the_exact_reverse() -> None:
    network, (grey, true) = load_weights(CorrectionNetwork(), "correction", CPU), turning()
    centre, whole = torch.tensor([160.0, 120.0]), torch.ones_like(grey)
    forward, doubt = corrected(network, grey, whole, centre, true)
    backward, again = corrected(network, grey, whole, centre, -true)
    assert torch.allclose(forward, -backward, atol=1e-5)
    assert doubt == pytest.approx(again)


def test_a_correction_turns_and_stretches() -> None:
    said = Correction(torch.tensor([math.log(2)]), torch.tensor([math.pi / 2]), torch.ones(1, 2), torch.zeros(1))
    assert torch.allclose(said.of(torch.tensor([[3.0, 1.0]])), torch.tensor([[-2.0, 6.0]]), atol=1e-5)


class Knowing(torch.nn.Module):
    """Says what the true field asks for at the places that `corrected` looks at; every fifth window errs and is just
    as sure."""

    def __init__(self, field: torch.Tensor, centre: torch.Tensor, unsure: float = 0.05) -> None:
        super().__init__()
        self.field, self.centre, self.unsure = field, centre, unsure

    def forward(self, windows: torch.Tensor) -> Correction:
        return self.answer

    def told(self, places: torch.Tensor, supposed: torch.Tensor) -> None:
        x, y = ((places - self.centre) / SPAN).unbind(1)
        powers = zip(POWERS, self.field, strict=True)
        true = torch.stack([(x**i * y**j)[:, None] * part for (i, j), part in powers]).sum(0)
        ratio = torch.view_as_complex(true) / torch.view_as_complex(supposed.contiguous())
        ratio[::5] *= 2
        unsure = torch.full((len(places), 2), self.unsure)
        self.answer = Correction(ratio.abs().log(), ratio.angle(), unsure, torch.full((len(places),), 9.0))


def test_a_field_is_put_right_past_windows_that_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    centre = torch.tensor([160.0, 100.0])
    true = affine([[12.0, 4.0], [2.0, -1.0], [-1.0, 1.5]])
    true[6] = torch.tensor([0.2, -0.1])  # bends a little: 0.8 px at the sides
    network = Knowing(true, centre)

    def look(_: torch.Tensor, mask: torch.Tensor, places: torch.Tensor, supposed: torch.Tensor, *__: torch.Tensor):
        network.told(places[0], supposed[0])
        return torch.zeros(1, len(places[0]), CHANNELS, SIDE, SIDE)

    monkeypatch.setattr("models.areas.fields.seen", look)
    rough = torch.zeros(COEFFICIENTS, 2)
    rough[0] = torch.tensor([9.0, 6.0])
    field, doubt = corrected(network, torch.zeros(200, 320), torch.ones(200, 320), centre, rough)  # type: ignore[arg-type]
    errors = [spread((one - true)[None], centre[None], 200, 320).norm(dim=1) for one in (field, kept_affine(true))]
    assert float(errors[0].mean()) < 0.1
    assert float(errors[0].mean()) < float(errors[1].mean()) / 2
    assert doubt == pytest.approx(0.05)


def affine(rows: Sequence[Sequence[float]]) -> torch.Tensor:
    """A field with these first three coefficients."""
    return F.pad(torch.tensor(rows), (0, 0, 0, COEFFICIENTS - len(rows)))


def kept_affine(field: torch.Tensor) -> torch.Tensor:
    """Its first three coefficients alone."""
    return affine(field[:3].tolist())


def test_on_a_larger_picture_a_field_is_longer_and_changes_as_much() -> None:
    field, centre = torch.randn(COEFFICIENTS, 2), torch.tensor([[30.0, 20.0]])
    small = spread(field[None], centre, 50, 80)
    large = spread(enlarged(field, 2)[None], 2 * centre, 100, 160)
    assert torch.allclose(large[..., ::2, ::2], 2 * small, atol=1e-4)


def test_too_small_an_area_keeps_its_field_and_is_doubted() -> None:
    mask = torch.zeros(200, 320)
    mask[:APART, :APART] = 1
    field = torch.ones(COEFFICIENTS, 2)
    kept, doubt = corrected(CorrectionNetwork().eval(), torch.rand(200, 320), mask, torch.zeros(2), field)
    assert torch.equal(kept, field)
    assert doubt == math.inf


TURNING, ALONG_AN_AXIS = ((14.0, -5.0), (1.5, -2.0), (2.0, 1.5)), ((14.0, 0.1), (0.5, 1.5), (1.0, 0.3))
ZOOMING, ROLLING = ((1.0, 2.0), (11.0, 1.0), (-1.0, 11.0)), ((2.0, -1.0), (1.0, -11.0), (11.0, 1.0))


def turning(
    height: int = 240, width: int = 320, field: tuple[tuple[float, float], ...] = TURNING
) -> tuple[torch.Tensor, torch.Tensor]:
    """A texture blurred along an affine field, in grey (H, W), and the field about its centre."""
    texture = torch.from_numpy(np.asarray(panned(0, height, width, 5)))[None]
    whole = affine(field)
    way = spread(whole[None], torch.tensor([[width / 2, height / 2]]), height, width)[0].permute(1, 2, 0)
    instants = [sampled(texture, t * way[None]) for t in np.linspace(-0.5, 0.5, 41)]
    return torch.stack(instants).mean(0)[0, 0], whole


def test_the_shipped_network_puts_a_rough_field_right_and_doubts_a_still_one() -> None:
    network = load_weights(CorrectionNetwork(), "correction", CPU)
    grey, true = turning()
    height, width = grey.shape
    centre, whole = torch.tensor([width / 2, height / 2]), torch.ones_like(grey)
    rough = torch.zeros_like(true)
    rough[0] = torch.tensor([17.0, 2.0])  # too long by a sixth, turned by 26 degrees, and the same all over

    def off(field: torch.Tensor) -> float:
        both = spread(torch.stack((field, true)), centre.expand(2, 2), height, width)
        return float((both[0] - both[1]).norm(dim=0).mean())

    field, doubt = corrected(network, grey, whole, centre, rough)
    assert off(rough) > 6
    assert off(field) < 2
    still = torch.from_numpy(np.asarray(panned(0, height, width, 5)))[0]
    assert corrected(network, still, whole, centre, rough)[1] > 2 * doubt


@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize(("camera", "quadrants"), [(ALONG_AN_AXIS, 2), (ZOOMING, 4), (ROLLING, 4)])
def test_a_camera_that_is_told_in_several_quadrants_is_found_as_one(
    camera: tuple[tuple[float, float], ...], quadrants: int, sense: int
) -> None:
    grey, field = turning(field=camera)
    height, width = grey.shape
    true = sense * spread(field[None], torch.tensor([[width / 2, height / 2]]), height, width)
    told = torch.zeros(1, GUIDANCE, height, width)
    told[:, :2], told[:, 2] = true.sign(), 1
    against = torch.zeros(height, width, dtype=torch.bool)
    against[:60, :80] = True  # a thing that is told to move the other way
    told[:, :2, against] *= -1
    shares = areas(told).float().mean((2, 3))[0]
    assert int((shares > 0.1).sum()) == quadrants
    networks = load_weights(AreaNetwork(), "areas", CPU), load_weights(CorrectionNetwork(), "correction", CPU)

    def proposal(correction: CorrectionNetwork | None) -> torch.Tensor:
        return proposed(networks[0], grey.expand(1, 3, -1, -1), told, correction)[:, :2] * LENGTH_UNIT

    def off(found: torch.Tensor) -> float:
        return float((found - true).norm(dim=1)[0, ~against].mean())

    found = proposal(networks[1])
    assert off(found) < 0.5 * off(proposal(None))
    assert off(found) < 1.5
    assert float((found * true).sum(1)[0, against].max()) < 0


def test_arrows_that_tell_the_parts_of_a_zoom_tell_the_zoom_and_others_themselves() -> None:
    grey, field = turning(field=ZOOMING)
    height, width = grey.shape
    true = spread(field[None], torch.tensor([[width / 2, height / 2]]), height, width)[0].permute(1, 2, 0).numpy()
    labels, arrows = quantise(true), np.zeros_like(true)
    for quadrant in QUADRANTS:
        arrows[labels == quadrant] = true[labels == quadrant].mean(0)
    networks, photo = load_networks(CPU), grey.expand(1, 3, -1, -1)

    def off(drawn: np.ndarray) -> float:
        fields = estimate(networks, photo, drawn).fields
        way = F.interpolate(fields[:, 3] - fields[:, 2], size=grey.shape, mode="bilinear")[0].permute(1, 2, 0).numpy()
        return float(np.hypot(*np.moveaxis(way - true, -1, 0)).mean())

    rough = float(np.hypot(*np.moveaxis(arrows - true, -1, 0)).mean())
    right = off(arrows)
    assert right < 0.3 * rough
    assert off(2 * arrows) > 2 * right


def test_windows_are_drawn_where_the_telling_is_true() -> None:
    batch = rendered(tiny_world(64, (4.0, 12.0)), recipe("correction"), 8, 3)
    masks, places, true = drawn(batch, 6, Dice(1))
    assert masks.shape == (8, 6, 64, 64)
    x, y = places.long().unbind(-1)
    each = torch.arange(8)[:, None]
    assert bool((masks[each, torch.arange(6)[None], y, x] == 1).all())
    narrow = masks.flatten(2).mean(2) < 1
    assert bool(narrow.any())
    assert not bool((narrow & ~batch["sure"][each, 0, y, x]).any())
    assert torch.equal(true, batch["flow"].float().permute(0, 2, 3, 1)[each, y, x])

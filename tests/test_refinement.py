"""Arrows adjusted to a photo, and what is left alone."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch
from tiny_pan import panned, pixels

from app.jobs import Refine
from models.areas import refinement
from models.areas.network import LENGTHS, TURN, about, as_long_as
from models.areas.refinement import as_wholes, cautious
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion
from models.recovery import Cancelled, Inputs, Progress
from models.trajectory.refinement import differing, refine


def guidance(height: int, width: int, camera: Arrow) -> Guidance:
    return replace(Guidance.empty(height, width), camera=camera)


def refined(photo: np.ndarray, told: Guidance) -> Guidance:
    return refine(Inputs(photo, told, "cpu"), lambda _: None, lambda: False)


def whole(photo: np.ndarray, told: Guidance) -> Guidance:
    """Refined without looking at how places differ."""
    return as_wholes(Inputs(photo, told, "cpu"), lambda _: None, lambda: False)


@pytest.mark.parametrize(("stretch", "turn"), [(0.7, 20.0), (1.4, -20.0)])
def test_a_rough_stroke_over_a_long_pan_comes_nearer(stretch: float, turn: float) -> None:
    photo = pixels(panned(24, 240, 320, octaves=(2, 4, 8, 16, 32)))
    rough = Arrow(turn % 360, 24 * stretch, bend=0.1, ease_in=0.5)
    arrow = refined(photo, guidance(240, 320, rough)).camera
    assert arrow is not None
    before, after = (float(np.linalg.norm(one.vector() - (24, 0))) for one in (rough, arrow))
    assert after < 0.4 * before
    assert (arrow.bend, arrow.ease_in) == (0.1, 0.5)


def believed(length: float, degrees: float, spread: float) -> torch.Tensor:
    """Logarithms of how likely motions are, around one of `length` px and so many degrees clockwise of the right."""
    bells = as_long_as(torch.tensor([length]), spread) + about(
        torch.tensor([np.radians(degrees)]), torch.tensor([spread])
    )
    return bells.flatten(1).log_softmax(1).view(1, LENGTHS, TURN)


def test_an_arrow_is_made_longer_only_as_far_as_that_is_sure() -> None:
    drawn = torch.tensor([10.0, 0.0])
    longer, turned = cautious(believed(15, 20, 0.1), drawn)
    assert 1.25 < longer < 1.45
    assert turned == pytest.approx(np.radians(20), abs=0.02)
    assert cautious(believed(13, 0, 0.4), drawn)[0] == 1
    assert cautious(believed(7, 0, 0.4), drawn)[0] == pytest.approx(0.7, abs=0.05)


def thing_before_a_still_wall(length: int) -> tuple[np.ndarray, np.ndarray]:
    """A texture that moved to the right before one that stood, and where it was."""
    photo = pixels(panned(0, 200, 280, seed=5))
    areas = np.zeros((200, 280), np.uint8)
    areas[40:160, 60:200] = 1
    photo[areas == 1] = pixels(panned(length, 200, 280, octaves=(2, 4, 8, 16)))[areas == 1]
    return photo, areas


@pytest.mark.parametrize("turn", [20.0, -20.0])
def test_a_rough_stroke_over_a_thing_comes_nearer(turn: float) -> None:
    photo, areas = thing_before_a_still_wall(10)
    told = Guidance(areas, (Region(1, "thing", Arrow(turn % 360, 14, bend=0.1)),))
    arrow = refined(photo, told).regions[0].arrow
    assert arrow is not None
    assert np.linalg.norm(arrow.vector() - (10, 0)) < 0.8 * np.linalg.norm(Arrow(turn, 14).vector() - (10, 0))
    assert arrow.bend == 0.1


def test_places_of_a_thing_that_go_differently_far_are_told_apart() -> None:
    photo, areas = thing_before_a_still_wall(12)
    slow, _ = thing_before_a_still_wall(3)
    photo[:, :130] = slow[:, :130]
    rough = Guidance(areas, (Region(1, "thing", Arrow(0, 8)),))
    told = refined(photo, rough)
    arrow = told.regions[0].arrow
    assert arrow is not None
    assert arrow.shares is not None
    flow = told.flow()[..., 0]
    assert flow[60:140, 140:190].mean() > flow[60:140, 70:120].mean() + 3
    assert np.nanmean(flow) == pytest.approx(arrow.length, rel=0.05)
    kept = msgspec.json.decode(msgspec.json.encode(told.regions), type=tuple[Region, ...])
    assert kept == told.regions
    again = refined(photo, told)
    np.testing.assert_allclose(np.nan_to_num(again.flow()), np.nan_to_num(told.flow()), atol=3)


@pytest.mark.parametrize(("side", "left", "right"), [(16, 5, 15), (0, 7.5, 12.5)])
def test_places_go_the_shares_that_are_found_of_a_mean_in_between(side: int, left: float, right: float) -> None:
    area = np.zeros((64, 64), bool)
    area[side : 64 - side, side : 64 - side] = True
    found = np.full((64, 64), 4 + 0j, np.complex64)
    found[:, 32:] = 12
    found[~area] = 100  # what is outside does not count
    arrow = differing(Arrow(0, 12, bend=0.2), found, area)
    assert arrow.length == pytest.approx(10)  # half of what is drawn, half of what is found
    assert (arrow.degrees, arrow.bend) == (pytest.approx(0, abs=1e-6), 0.2)
    flow = Guidance(area.astype(np.uint8), (Region(1, "thing", arrow),)).flow()
    np.testing.assert_allclose(flow[32, [side + 4, 60 - side], 0], [left, right], atol=0.2)
    np.testing.assert_allclose(flow[area][:, 1], 0, atol=1e-5)


def test_what_is_hardly_found_does_not_tell_places_apart() -> None:
    area = np.ones((64, 64), bool)
    assert differing(Arrow(30, 12), np.full((64, 64), 2 + 0j, np.complex64), area) == Arrow(30, 12)


def test_a_turn_that_explains_the_photo_worse_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, areas = thing_before_a_still_wall(10)
    told = Guidance(areas, (Region(1, "thing", Arrow(0, 12)),))
    monkeypatch.setattr(refinement, "judged", lambda *_: (0.8, np.radians(60)))
    assert whole(photo, told).regions[0].arrow == Arrow(0, 12).scaled(0.8)
    told = Guidance(areas, (Region(1, "thing", Arrow(60, 12)),))
    arrow = whole(photo, told).regions[0].arrow
    assert arrow is not None
    assert arrow.degrees == pytest.approx(0, abs=1e-6)


def test_a_long_arrow_over_little_stands_as_a_whole() -> None:
    photo, areas = thing_before_a_still_wall(10)
    areas[:, 120:] = 0
    told = Guidance(areas, (Region(1, "thing", Arrow(20, 28)),))
    assert whole(photo, told) == told
    assert whole(photo, replace(told, regions=(Region(1, "thing", Arrow(20, 14)),))).regions[0].arrow != Arrow(20, 14)


def test_arrows_without_evidence_stand() -> None:
    photo = pixels(panned(24, 240, 320))
    areas = np.zeros((240, 320), np.uint8)
    areas[:20, :20], areas[100:, 100:] = 1, 2
    regions = (Region(1, "small", Arrow(0, 20)), Region(2, "short", Arrow(0, 1)), Region(3, "nothing", None))
    told = Guidance(areas, regions, Arrow(0, 0), Motion.from_flow(np.ones((240, 320, 2), np.float32)))
    with_arrows = refined(photo, told)
    assert with_arrows.regions == regions
    assert with_arrows.camera == Arrow(0, 0)
    assert with_arrows.motion is told.motion
    smooth = np.full((240, 320, 3), 120, np.uint8)
    assert refined(smooth, guidance(240, 320, Arrow(30, 20))).camera == Arrow(30, 20)


def test_nothing_drawn_is_an_error_and_a_cancel_stops_it() -> None:
    photo = pixels(panned(12))
    told = guidance(160, 200, Arrow(0, 12))
    with pytest.raises(ValueError, match="no arrow to refine"):
        refined(photo, Guidance.empty(*photo.shape[:2]))
    steps: list[Progress] = []
    with pytest.raises(Cancelled):
        refine(Inputs(photo, told, "cpu"), steps.append, lambda: True)
    assert steps[0].step == "Reading the photo"


def test_only_what_is_meant_is_refined() -> None:
    photo = pixels(panned(24, 240, 480, octaves=(2, 4, 8, 16, 32)))
    areas = np.zeros((240, 480), np.uint8)
    areas[:, 240:] = 7
    told = Guidance(areas, (Region(7, "right", Arrow(20, 30)),), Arrow(20, 30))
    region = refine(Inputs(photo, told, "cpu"), lambda _: None, lambda: False, only=(7,))
    assert region.camera == told.camera
    assert region.regions != told.regions
    camera = refine(Inputs(photo, told, "cpu"), lambda _: None, lambda: False, only=(0,))
    assert camera.camera != told.camera
    assert camera.regions == told.regions
    with pytest.raises(ValueError, match="no arrow to refine"):
        refine(Inputs(photo, told, "cpu"), lambda _: None, lambda: False, only=(3,))


def test_the_job_returns_what_changed_and_nothing_else() -> None:
    photo = pixels(panned(24, 240, 480, octaves=(2, 4, 8, 16, 32)))
    photo[:, 240:] = 120
    areas = np.zeros((240, 480), np.uint8)
    areas[:, 240:] = 7
    told = Guidance(areas, (Region(7, "smooth", Arrow(20, 30)),), Arrow(20, 30))
    found = Refine(Inputs(photo, told, "cpu")).run(lambda _: None, lambda: False)
    assert set(found) == {0}
    assert found[0] != Arrow(20, 30)
    assert Refine(Inputs(photo, told, "cpu"), (7,)).run(lambda _: None, lambda: False) == {}

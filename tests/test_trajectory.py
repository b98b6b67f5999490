"""The engine that finds the motion by itself, with the weights that are shipped."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from models import catalog, loading
from models.areas.proposals import LENGTH_UNIT
from models.guidance import Guidance, Region
from models.motion import Arrow
from models.recovery import Cancelled, Inputs, Progress, Recovery
from models.trajectory.engine import found, seen_at, suggest
from models.trajectory.estimation import _with_the_camera


def slid(length: int, height: int = 96, width: int = 128) -> np.ndarray:
    """A texture that slides `length` px to the right in the left half of the picture and stands still in the right."""
    dice = np.random.default_rng(3)
    coarse = dice.random((height // 4, (width + 40) // 4, 3)).astype(np.float32)
    texture = cv2.resize(coarse, (width + 40, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    instants = [texture[:, 20 - n : 20 - n + width] for n in range(length + 1)]
    blurred = np.mean([one**2.2 for one in instants], 0) ** (1 / 2.2)
    picture = np.where(np.arange(width)[None, :, None] < width // 2, blurred, texture[:, 20 : 20 + width])
    return (picture * 255).round().astype(np.uint8)


def left_half(arrow: Arrow, height: int = 96, width: int = 128) -> Guidance:
    areas = np.zeros((height, width), np.uint8)
    areas[:, : width // 2] = 1
    areas[:, width // 2 :] = 2
    return Guidance(areas, (Region(1, "moving", arrow), Region(2, "still", Arrow(0, 0))))


def recovered(guidance: Guidance, pixels: np.ndarray | None = None, **options: object) -> Recovery:
    pixels = slid(10) if pixels is None else pixels
    run = catalog.load("trajectory")
    return run(Inputs(pixels, guidance, "cpu"), {"frames": 3, **options}, lambda progress: None, lambda: False)


def test_the_way_told_is_the_way_found() -> None:
    right = recovered(left_half(Arrow(0, 10)), told="directions")
    assert right.motion is not None
    flow = right.motion.resized(96, 128).flow()
    moving, still = flow[20:-20, 16:48], flow[:, 80:]
    assert moving[..., 0].mean() > 1
    assert np.abs(moving[..., 1]).mean() < 0.5 * moving[..., 0].mean()
    assert np.abs(still).mean() < 0.2
    assert right.frames.shape == (3, 96, 128, 3)
    assert right.engine == "trajectory"


def test_flipped_guidance_gives_the_reverse() -> None:
    there, back = recovered(left_half(Arrow(0, 10))), recovered(left_half(Arrow(180, 10))).reversed()
    assert there.motion is not None
    assert back.motion is not None
    assert np.allclose(there.motion.trajectories, back.motion.trajectories, atol=1e-3)
    assert np.abs(there.frames.astype(int) - back.frames).mean() < 0.1


def test_what_stands_still_stays_untouched() -> None:
    pixels = slid(10)
    frames = recovered(left_half(Arrow(0, 10)), pixels).frames
    assert all(np.array_equal(frame[:, 100:], pixels[:, 100:]) for frame in frames)


def test_without_guidance_the_network_says_something_or_says_so() -> None:
    recovery = recovered(Guidance.empty(96, 128))
    assert recovery.motion is not None
    moved = np.hypot(*np.moveaxis(recovery.motion.flow(), -1, 0))
    assert moved.max() > 0.5 or any("Hardly any motion" in note for note in recovery.notes)


def test_the_network_suggests_guidance_or_stops_when_told_to() -> None:
    inputs, steps = Inputs(slid(10), Guidance.empty(96, 128), "cpu"), []
    for suggestion in catalog.load_suggest("trajectory")(inputs, 5, steps.append, lambda: False):
        assert suggestion.areas.shape == (96, 128)
        assert {region.number for region in suggestion.regions} == set(np.unique(suggestion.areas)) - {0}
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)
    with pytest.raises(Cancelled):
        suggest(inputs, 5, steps.append, lambda: True)
    with pytest.raises(ValueError, match="cannot suggest"):
        catalog.load_suggest("drawn")


def test_without_its_network_only_what_is_proposed_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    from models.trajectory import engine

    def zeroed(network: torch.nn.Module, name: str, device: torch.device) -> torch.nn.Module:
        for parameter in loading.load_weights(network, name, device).parameters():
            if name == "motion":
                parameter.zero_()
        return network

    monkeypatch.setattr(engine, "load_weights", zeroed)
    flow = recovered(left_half(Arrow(0, 10)), slid(10)).motion.resized(96, 128).flow()
    inside = flow[10:-10, 10:50]
    assert np.ptp(inside[..., 0]) < 0.05 * inside[..., 0].mean()
    assert np.abs(flow[:, 80:]).max() < 0.01


def test_sixteen_bits_and_plain_grey_keep_their_colour() -> None:
    grey = np.full((64, 80, 3), 30000, np.uint16)
    recovery = recovered(Guidance(np.zeros((64, 80), np.uint8), camera=Arrow(45, 8)), grey)
    assert recovery.frames.dtype == np.uint16
    assert np.abs(recovery.frames.astype(int) - 30000).max() < 300


def test_the_motion_of_a_large_photo_is_found_in_its_own_px() -> None:
    large = cv2.resize(slid(10), (1280, 960), interpolation=cv2.INTER_LINEAR)
    guidance = left_half(Arrow(0, 100), 960, 1280)
    ends = found(seen_at(Inputs(large, guidance), 0), "arrows", torch.device("cpu"))
    flow = ends.motion(np.linspace(0, 1, 3, dtype=np.float32)).resized(96, 128).flow()
    assert flow[20:-20, 16:48, 0].mean() > 10


def test_it_can_be_cancelled_and_refuses_wrong_guidance() -> None:
    steps: list[Progress] = []
    run = catalog.load("trajectory")
    with pytest.raises(Cancelled):
        run(Inputs(slid(4), left_half(Arrow(0, 4)), "cpu"), {"frames": 3}, steps.append, lambda: True)
    with pytest.raises(ValueError, match="another size"):
        run(Inputs(slid(4), Guidance.empty(8, 8), "cpu"), {"frames": 3}, steps.append, lambda: False)
    with pytest.raises(ValueError, match="told is one of"):
        recovered(left_half(Arrow(0, 4)), told="everything")


def test_untold_ways_that_nearly_follow_the_camera_follow_it() -> None:
    camera = torch.tensor([12.0, 2.0])
    ways = torch.tensor([[10.0, 1.0], [-10.0, -1.0], [1.0, -19.0], [10.0, 1.0], [10.0, 1.0]])
    fields = torch.stack((ways, -ways, -ways, ways), 1)[..., None, None] / 2
    doubt = torch.tensor([0.3, 0.3, 0.3, 0.84, 0.3])
    hints = torch.zeros(5, 13, 1, 1)
    hints[:, 5:7, 0, 0], hints[:, 7, 0, 0] = camera / LENGTH_UNIT, doubt
    hints[:4, 8] = 1
    found = _with_the_camera(fields, hints)
    way = (found[:, 3] - found[:, 2])[..., 0, 0]
    assert torch.allclose(way[0], camera, atol=0.5)
    assert torch.allclose(way[1], -camera, atol=0.5)
    assert torch.allclose(way[2:], ways[2:], atol=1e-2)
    assert torch.allclose(found[:, 1] - found[:, 0], found[:, 2] - found[:, 3])


def test_an_untold_zoom_goes_one_way_where_its_places_guess_two() -> None:
    true = torch.tensor([[-12.0, 1.0], [-6.0, 0.0], [6.0, 0.0], [12.0, -1.0]])
    guessed = true * torch.tensor([-1.0, -1.0, 1.0, 1.0])[:, None]  # all to the right
    fields = torch.stack((guessed, -guessed, -guessed, guessed), 1).permute(1, 2, 0)[None, :, :, None] / 2
    hints = torch.zeros(1, 13, 1, 4)
    hints[0, 5:7, 0], hints[:, 7], hints[:, 8] = true.T / LENGTH_UNIT, 0.05, 1
    found = _with_the_camera(fields, hints)
    way = (found[:, 3] - found[:, 2])[0, :, 0].T
    assert torch.allclose(way * (way * true).sum().sign(), true, atol=0.5)
    hints[:, 7] = 0.5  # and not where it may be something else
    found = _with_the_camera(fields, hints)
    assert bool((found[:, 3, 0] > found[:, 2, 0]).all())


def told_but_for(columns: int, height: int = 96, width: int = 128) -> Guidance:
    """To the right in the left half, still in the right one, and nothing in so many columns between them."""
    areas = left_half(Arrow(0, 10)).areas.copy()
    areas[:, width // 2 - columns // 2 : width // 2 + columns // 2] = 0
    return Guidance(areas, (Region(1, "moving", Arrow(0, 10)), Region(2, "still", Arrow(0, 0))))


def test_a_gap_in_what_is_told_does_as_what_is_next_to_it() -> None:
    flow = seen_at(Inputs(slid(10), told_but_for(16)), 0).flow
    assert flow is not None
    assert np.allclose(flow[:, :63], (10, 0))
    assert np.allclose(flow[:, 65:], 0)


def test_what_nothing_is_told_of_is_left_open_where_it_is_more_than_gaps() -> None:
    flow = seen_at(Inputs(slid(10), told_but_for(40)), 0).flow
    assert flow is not None
    assert np.isnan(flow[:, 44:84]).all()
    assert np.isfinite(flow[:, :44]).all()


def test_in_a_gap_things_go_the_way_that_is_told_around_it() -> None:
    pixels, areas = slid(10), left_half(Arrow(180, 10)).areas.copy()
    areas[30:60, 20:40] = 0
    told = Guidance(areas, (Region(1, "moving", Arrow(180, 10)), Region(2, "still", Arrow(0, 0))))
    ends = found(seen_at(Inputs(pixels, told), 0), "quadrants", torch.device("cpu"))
    flow = ends.motion(np.array([0.0, 0.5, 1.0])).resized(96, 128).flow()
    assert flow[34:56, 24:36, 0].max() < -5

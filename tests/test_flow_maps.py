"""The BSD blur benchmark's generator makes what its recipe describes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tiny_world import tiny_photos

from training.recipes import recipe, rendered
from training.world import FlowMaps, Mixture, World
from training.world.dice import Dice
from training.world.flow_maps import LANDSCAPE, SEVERITIES, Severity, flow_map, inside, line_blurred

BORDER = 30


def drawn(severity: str, capped: bool, count: int = 200) -> tuple[np.ndarray, float, float]:
    """Of maps of the published size: the longest component of each, and the motion error of predicting no motion and
    of the best constant for each, which are what re-simulations of the recipe are known by."""
    dice, longest, errors = Dice(7), [], []
    for _ in range(count):
        flow = flow_map(dice, SEVERITIES[severity], *LANDSCAPE, capped=capped).abs()
        longest.append(float(flow.max()))
        core = flow[:, BORDER:-BORDER, BORDER:-BORDER]
        errors.append((float(core.square().mean()), float(core.var((1, 2)).mean())))
    zero, constant = np.mean(errors, 0)
    return np.array(longest), zero, constant


@pytest.mark.parametrize(
    ("severity", "median", "most", "zero", "constant", "kept"),
    [("severe", 32, 46, 268, 18.9, 0.71), ("mild", 19, 27, 122, 4.4, 0.37)],
)
def test_maps_are_as_long_and_as_uneven_as_the_recipe_makes_them(
    severity: str, median: float, most: float, zero: float, constant: float, kept: float
) -> None:
    longest, of_zero, of_constant = drawn(severity, capped=False)
    assert np.median(longest) == pytest.approx(median, abs=1)
    assert np.percentile(longest, 95) == pytest.approx(most, abs=2)
    assert of_zero == pytest.approx(zero, rel=0.15)
    assert of_constant == pytest.approx(constant, rel=0.15)
    assert np.mean(longest <= SEVERITIES[severity].cap) == pytest.approx(kept, abs=0.06)


@pytest.mark.parametrize(("severity", "zero", "constant"), [("severe", 215, 13.3), ("mild", 59, 2.9)])
def test_capped_maps_stay_within_the_cap(severity: str, zero: float, constant: float) -> None:
    longest, of_zero, of_constant = drawn(severity, capped=True, count=100)
    assert longest.max() <= SEVERITIES[severity].cap
    assert of_zero == pytest.approx(zero, rel=0.15)
    assert of_constant == pytest.approx(constant, rel=0.15)


class Fixed(Dice):
    """Dice that always fall the same way."""

    def __init__(self, *values: float) -> None:
        super().__init__(0)
        self.values = values

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        return torch.tensor(self.values, dtype=torch.float32)


def test_the_formulas_of_the_recipe_with_v_turned_down() -> None:
    # tx ty ax ay spin zoom and the two shifts of the centre, all at their largest; px (20, 10) counted from 1.
    severity = Severity(8, 0.5, 0.05, 3, math.pi / 40, 99)
    flow = flow_map(Fixed(1, 1, 1, 1, 1, 1, 1, 1), severity, 12, 40)
    x, y = 20 - (40 / 2 + 3), (12 + 1 - 10) - (12 / 2 + 3)
    r, alpha = math.hypot(x, y), math.atan2(y, x)
    u = 8 * (1 - 0.5 / 2) + 0.5 * 8 * 20 / 40
    v = 8 * (1 - 0.5 / 2) + 0.5 * 8 * (12 + 1 - 10) / 12
    u += math.tan(math.pi / 40) * r * -math.cos(alpha) + 0.05 * r**1.5 * math.sin(alpha)
    v += math.tan(math.pi / 40) * r * math.sin(alpha) + 0.05 * r**1.5 * math.cos(alpha)
    assert flow[:, 9, 19].tolist() == [round(u), -round(v)]


def uniform(u: float, v: float, side: int = 15) -> torch.Tensor:
    return torch.tensor([float(u), float(v)])[None, :, None, None].expand(1, 2, side, side)


def kernel(u: float, v: float) -> np.ndarray:
    point = torch.zeros(1, 1, 15, 15)
    point[..., 7, 7] = 1
    return line_blurred(point, uniform(u, v))[0, 0].numpy()


def test_a_line_along_an_axis_is_as_long_as_the_flow() -> None:
    for row in (kernel(5, 0)[7], kernel(-5, 0)[7], kernel(0, 5)[:, 7]):
        np.testing.assert_allclose(row[4:11], [0, 0.2, 0.2, 0.2, 0.2, 0.2, 0], atol=1e-6)
    # An even length ends half a pixel into its last pixels.
    np.testing.assert_allclose(kernel(4, 0)[7, 4:11], [0, 0.125, 0.25, 0.25, 0.25, 0.125, 0], atol=1e-6)


@pytest.mark.parametrize("vector", [(4, 3), (-4, 3), (9, -2), (1, 6), (0, 0), (1, 0)])
def test_a_kernel_is_the_distance_to_its_line(vector: tuple[int, int]) -> None:
    u, v = vector
    length = math.hypot(u, v)
    half = max(0.0, (length - 1) / 2)
    expected = np.zeros((15, 15))
    for y in range(-7, 8):
        for x in range(-7, 8):
            along = (x * u + y * v) / length if length else 0.0
            nearest = min(max(along, -half), half)
            far = math.hypot(x - nearest * u / length, y - nearest * v / length) if length else math.hypot(x, y)
            expected[y + 7, x + 7] = max(0.0, 1 - far)
    np.testing.assert_allclose(kernel(u, v), expected / expected.sum(), atol=1e-5)


def test_every_pixel_follows_its_own_line_and_the_border_goes_on() -> None:
    picture = torch.rand(2, 3, 20, 24)
    flow = torch.zeros(2, 2, 20, 24)
    flow[0, 0] = 5
    blurred = line_blurred(picture, flow)
    assert torch.allclose(blurred[1], picture[1])
    assert torch.allclose(blurred[0, :, :, 10], picture[0, :, :, 8:13].mean(-1), atol=1e-6)
    assert torch.allclose(blurred[0, :, :, 0], (3 * picture[0, :, :, 0] + picture[0, :, :, 1:3].sum(-1)) / 5, atol=1e-6)


def test_the_crop_keeps_what_no_line_from_outside_is_needed_for() -> None:
    flow = torch.zeros(2, 40, 50)
    flow[0, 3, 4], flow[1, 5, 6] = -7, 5
    assert inside(flow) == (slice(2, 38), slice(3, 47))


def test_the_world_of_maps_says_the_truth_about_its_photos() -> None:
    world = FlowMaps(tiny_photos(96), 48, severity="mild")
    one, same, other = world.render(3, 5), world.render(3, 5), world.render(3, 6)
    assert torch.equal(one.photo, same.photo)
    assert not torch.equal(one.photo, other.photo)
    flow = one.offsets[:, 0] - one.offsets[:, -1]
    assert torch.equal(flow, flow.round())
    assert float((one.trajectories[:, -1] + one.offsets[:, -1]).abs().mean()) < 0.5
    dense = FlowMaps(tiny_photos(96), 48, severity="mild").render(3, 5, frames=7).frames.mean(1)
    assert float((dense - one.photo).abs().mean()) < 0.3 * float((one.frames[:, 3] - one.photo).abs().mean())


def test_a_mixture_renders_what_either_world_would() -> None:
    photos = tiny_photos(96)
    mixture = Mixture(photos, 48, uneven=0.9, severity="mild")
    worlds = (World(photos, 48, uneven=0.9), FlowMaps(photos, 48, severity="mild"))
    drawn = set()
    for seed in range(8):
        photo = mixture.render(1, seed, 2).photo
        same = [torch.equal(photo, world.render(1, seed, 2).photo) for world in worlds]
        assert sum(same) == 1
        drawn.add(same.index(True))
    assert drawn == {0, 1}


def test_photos_too_small_to_cut_from_are_refused() -> None:
    with pytest.raises(ValueError, match="photos of at least 70 px"):
        FlowMaps(tiny_photos(64), 32, severity="severe").render(1, 0)


def test_the_motion_recipe_learns_from_maps_too() -> None:
    one = recipe("motion")
    material = rendered(FlowMaps(tiny_photos(96), 32, severity="mild"), one, 2, 3)
    assert bool(material["firm"].any())

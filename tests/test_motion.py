from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.motion import (
    CONSTRAINTS,
    Arrow,
    Motion,
    Shares,
    constrained,
    instants,
    inverted,
    resized_field,
    sampled,
)

arrows = st.builds(
    Arrow,
    degrees=st.floats(0, 359),
    length=st.floats(0, 200),
    bend=st.floats(-1, 1),
    ease_in=st.floats(0, 1),
    ease_out=st.floats(0, 1),
)
times = st.floats(0, 1)


def fields(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 5, 6, 2))


def plane(t: float, turn: float = 0.1, zoom: float = 1.06, size: int = 61) -> tuple[np.ndarray, np.ndarray]:
    """Trajectories and offsets at t of a plane that turns and zooms about the middle of a square picture."""
    s = 2 * t - 1
    matrix = zoom**s * np.array([[np.cos(turn * s), np.sin(turn * s)], [-np.sin(turn * s), np.cos(turn * s)]])
    places = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1) - (size - 1) / 2
    return places @ matrix.T - places, places @ np.linalg.inv(matrix).T - places


def test_instants() -> None:
    np.testing.assert_allclose(instants(5), [0, 0.25, 0.5, 0.75, 1])
    assert instants(1) == [0.5]
    with pytest.raises(ValueError, match="at least one"):
        instants(0)


def test_linear_goes_from_the_first_field_to_its_opposite() -> None:
    d1 = fields(1)
    moved = constrained(d1, instants(5), "linear")
    np.testing.assert_allclose(moved, [d1[0], d1[0] / 2, d1[0] * 0, -d1[0] / 2, -d1[0]], atol=1e-12)


def test_bi_linear_reaches_each_end_on_its_own_line() -> None:
    d1, d2 = fields(2)
    moved = constrained(np.stack([d1, d2]), instants(5), "bi-linear")
    np.testing.assert_allclose(moved, [d1, d1 / 2, d1 * 0, d2 / 2, d2], atol=1e-12)


@given(t=times)
def test_quadratic_is_the_papers_parabola(t: float) -> None:
    d1, d2 = fields(2)
    s = 2 * t - 1
    (moved,) = constrained(np.stack([d1, d2]), np.array([t]), "quadratic")
    np.testing.assert_allclose(moved, (d1 + d2) / 2 * s * s + (d2 - d1) / 2 * s, atol=1e-9)


def test_zero_constrains_nothing() -> None:
    free = fields(4)
    np.testing.assert_allclose(constrained(free, instants(4), "zero"), free, atol=1e-6)
    (between,) = constrained(free, np.array([0.5]), "zero")
    np.testing.assert_allclose(between, (free[1] + free[2]) / 2)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_torch_agrees_with_numpy_and_has_a_gradient(constraint: str) -> None:
    count = {"linear": 1, "zero": 4}.get(constraint, 2)
    parameters = torch.tensor(fields(count), requires_grad=True)
    moved = constrained(parameters, instants(7), constraint)
    np.testing.assert_allclose(moved.detach().numpy(), constrained(fields(count), instants(7), constraint), atol=1e-9)
    moved[0].sum().backward()
    np.testing.assert_allclose(parameters.grad[0].numpy(), 1)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_reversed_parameters_reverse_the_motion(constraint: str) -> None:
    count = {"linear": 1, "zero": 4}.get(constraint, 2)
    backwards = -fields(1) if constraint == "linear" else fields(count)[::-1]
    forwards = constrained(fields(count), instants(7), constraint)
    np.testing.assert_allclose(constrained(backwards, instants(7), constraint), forwards[::-1], atol=1e-6)


@pytest.mark.parametrize(
    ("count", "constraint", "message"),
    [(1, "cubic", "expected a constraint"), (2, "linear", "expected 1"), (3, "quadratic", "expected 2")],
)
def test_a_constraint_says_what_it_wants(count: int, constraint: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        constrained(fields(count), instants(3), constraint)


@pytest.mark.parametrize("t", [0.0, 0.2, 0.7, 1.0])
def test_inversion_agrees_with_a_turning_zooming_plane_both_ways(t: float) -> None:
    trajectory, offset = plane(t)
    inside = (slice(10, -10), slice(10, -10))
    np.testing.assert_allclose(inverted(trajectory)[inside], offset[inside], atol=2e-3)
    np.testing.assert_allclose(inverted(offset)[inside], trajectory[inside], atol=2e-3)


@given(x=st.floats(-9, 9), y=st.floats(-9, 9))
@settings(max_examples=25, deadline=None)
def test_inversion_of_one_shift_is_its_opposite(x: float, y: float) -> None:
    field = np.broadcast_to(np.float32([x, y]), (2, 8, 9, 2))
    np.testing.assert_allclose(inverted(field), -field, rtol=1e-5, atol=1e-6)


def test_sampling_reads_at_p_plus_offset_and_repeats_the_border() -> None:
    picture = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    offsets = np.broadcast_to(np.float32([1, 0.5]), (3, 4, 2))
    read = sampled(picture, offsets)[..., 0]
    assert read[0, 0] == 3
    assert read[2, 3] == 11


def test_resizing_keeps_vectors_and_places() -> None:
    ramp = np.stack(np.meshgrid(np.arange(32, dtype=np.float32), np.arange(24, dtype=np.float32)), -1)
    small = resized_field(ramp, 12, 16)
    np.testing.assert_allclose(small[5, 5], [10.5, 10.5])
    assert resized_field(np.stack([ramp, ramp]), 12, 16).shape == (2, 12, 16, 2)


@pytest.mark.parametrize("t", [0.0, 0.3, 0.5, 1.0])
def test_motion_of_a_plane_between_its_times(t: float) -> None:
    motion = Motion.from_trajectories(np.stack([plane(float(s))[0] for s in instants(21)]), instants(21))
    trajectory, offset = plane(t)
    inside = (slice(10, -10), slice(10, -10))
    np.testing.assert_allclose(motion.trajectories_at(t)[inside], trajectory[inside], atol=0.02)
    np.testing.assert_allclose(motion.offsets_at(t)[inside], offset[inside], atol=0.02)


def test_flow_goes_from_first_to_last() -> None:
    flow = np.broadcast_to(np.float32([6, -2]), (5, 7, 2))
    motion = Motion.from_flow(flow)
    np.testing.assert_allclose(motion.flow(), flow)
    np.testing.assert_allclose(motion.trajectories_at(0), -flow / 2)
    np.testing.assert_allclose(motion.offsets_at(0), flow / 2)
    np.testing.assert_allclose(motion.resized(10, 14).flow(), np.broadcast_to(np.float32([6, -2]), (10, 14, 2)))


@pytest.mark.parametrize("t", [0.0, 0.4, 1.0])
def test_reverse_mirrors_motion(t: float) -> None:
    motion = Motion.from_offsets(fields(4).astype(np.float32) / 9, np.float32([0, 0.2, 0.6, 1]))
    back = motion.reversed()
    np.testing.assert_allclose(back.trajectories_at(t), motion.trajectories_at(1 - t), atol=1e-5)
    np.testing.assert_allclose(back.offsets_at(t), motion.offsets_at(1 - t), atol=1e-5)
    np.testing.assert_allclose(back.flow(), -motion.flow(), atol=1e-5)
    np.testing.assert_allclose(back.reversed().times, motion.times, atol=1e-6)


@pytest.mark.parametrize(
    ("when", "shape"), [([0, 0.5], (3, 4, 5, 2)), ([0, 0], (2, 4, 5, 2)), ([0, 2], (2, 4, 5, 2)), ([0], (1, 4, 5))]
)
def test_motion_refuses_what_does_not_fit(when: list[float], shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected|rise"):
        Motion(np.float32(when), np.zeros(shape, np.float32), np.zeros(shape, np.float32))


@given(arrow=arrows)
def test_an_arrow_goes_along_its_vector_and_stands_still_in_the_middle(arrow: Arrow) -> None:
    np.testing.assert_allclose(arrow.displacement(1) - arrow.displacement(0), arrow.vector(), atol=1e-6)
    np.testing.assert_allclose(arrow.displacement(0.5), 0, atol=1e-9)


@given(arrow=arrows, t=times)
def test_a_reversed_arrow_mirrors_time(arrow: Arrow, t: float) -> None:
    np.testing.assert_allclose(arrow.reversed().displacement(t), arrow.displacement(1 - t), atol=1e-6)


def test_90_degrees_is_up() -> None:
    np.testing.assert_allclose(Arrow(90, 10).vector(), [0, -10], atol=1e-9)
    assert Arrow.from_vector(0, -10) == Arrow(90, 10)


def test_bend_bulges_left_of_the_way() -> None:
    arrow = Arrow(0, 10, bend=0.5)
    middle = -arrow.displacement(0)
    np.testing.assert_allclose(middle, [5, -5], atol=1e-9)


@pytest.mark.parametrize(("asked", "got"), [(0.0, 0.0), (0.1, 0.1), (-0.2, -0.2), (0.25, 0.25), (0.6, 0.25)])
def test_at_a_pace_the_middle_instant_lies_off_the_middle_of_the_way(asked: float, got: float) -> None:
    arrow = Arrow(0, 10).at_pace(asked)
    (first, _), (last, _) = arrow.displacement(0.0), arrow.displacement(1.0)
    assert last - first == pytest.approx(10)
    assert (first + last) / 2 == pytest.approx(got * 5)


@pytest.mark.parametrize(("ease_in", "ease_out", "first", "last"), [(0, 0, 10, 10), (1, 0, 0, 10), (0, 1, 10, 0)])
def test_ease_sets_the_speed_at_the_ends(ease_in: float, ease_out: float, first: float, last: float) -> None:
    arrow = Arrow(0, 10, ease_in=ease_in, ease_out=ease_out)
    step = 1e-4
    assert (arrow.displacement(step) - arrow.displacement(0))[0] / step == pytest.approx(first, abs=0.02)
    assert (arrow.displacement(1) - arrow.displacement(1 - step))[0] / step == pytest.approx(last, abs=0.02)


def test_scaling_an_arrow_scales_its_way() -> None:
    arrow = Arrow(30, 10, 0.3, 0.2, 0.1)
    np.testing.assert_allclose(arrow.scaled(3).displacement(0.1), 3 * arrow.displacement(0.1))


def test_shares_lie_on_their_part_of_the_photo_and_go_on_beyond_it() -> None:
    shares = Shares.of(np.array([[1, 0.5j], [2, -1]], np.complex64), (0.25, 0.5, 0.75, 1.0))
    at = shares.at(4, 8)
    np.testing.assert_allclose(at[2], [1, 1, 1, 0.75 + 0.125j, 0.25 + 0.375j, 0.5j, 0.5j, 0.5j], atol=1e-6)
    np.testing.assert_allclose(at[3, [0, 7]], [2, -1], atol=1e-6)
    np.testing.assert_array_equal(at[0], at[2])


@given(arrow=arrows, t=times)
def test_places_go_their_shares_of_the_arrow_and_turn_stretch_and_run_backwards_with_it(arrow: Arrow, t: float) -> None:
    shares = Shares.of(np.array([[0, 1, 0.5, 1j]], np.complex64), (0, 0, 1, 1))
    uneven = replace(arrow, shares=shares)
    x, y = arrow.displacement(t)
    places = uneven.displacements(t, 1, 4)[0]
    np.testing.assert_allclose(places, [(0, 0), (x, y), (x / 2, y / 2), (-y, x)], atol=1e-3)
    np.testing.assert_array_equal(arrow.displacements(t, 1, 4), np.broadcast_to(np.float32((x, y)), (1, 4, 2)))
    np.testing.assert_allclose(uneven.scaled(2).displacements(t, 1, 4)[0], 2 * places, atol=1e-3)
    np.testing.assert_allclose(uneven.reversed().displacements(1 - t, 1, 4)[0], places, atol=1e-3)


def test_shares_beyond_four_times_the_arrow_are_bounded() -> None:
    shares = Shares.of(np.array([[100, -100j]], np.complex64), (0, 0, 1, 1))
    np.testing.assert_allclose(shares.at(1, 2)[0], [127 / 32, -127j / 32])


@pytest.mark.parametrize(
    ("window", "rows", "columns", "values"),
    [
        ((0, 0, 1, 1.5), 1, 1, b"ab"),
        ((0.5, 0, 0.5, 1), 1, 1, b"ab"),
        ((0, 0, np.nan, 1), 1, 1, b"ab"),
        ((0, 0, 1, 1), 0, 1, b""),
        ((0, 0, 1, 1), 1, 65, b"a" * 130),
        ((0, 0, 1, 1), 2, 2, b"abcdef"),
    ],
)
def test_impossible_shares_are_refused(
    window: tuple[float, float, float, float], rows: int, columns: int, values: bytes
) -> None:
    with pytest.raises(ValueError, match="shares"):
        Shares(window, rows, columns, values)


@pytest.mark.parametrize("wrong", [(np.nan, 1), (0, -1), (0, 1, 2), (0, 1, 0, 2), (0, 1, 0, 0, -1)])
def test_an_impossible_arrow_is_refused(wrong: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="arrow"):
        Arrow(*wrong)

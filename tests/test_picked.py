"""What is said of single picked pixels: their ways, speeds and kernels, and the tool that picks them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.export import export_picked
from app.picked import LARGEST_KERNEL, Trajectory, cropped, trajectory
from app.ui.canvas.events import Cancel, Move, Picks, Press, Refuse, Release, Scene
from app.ui.canvas.picking import MOST, PickTool, places
from models.guidance import Guidance
from models.motion import Arrow, Motion, instants

COUNT = 33


def along(arrow: Arrow, pixel: tuple[int, int] = (100, 80)) -> Trajectory:
    times = instants(COUNT)
    return Trajectory(pixel, times, arrow.displacement(times.astype(np.float64)) + pixel)


def test_a_straight_even_way() -> None:
    one = along(Arrow(0, 20))
    assert one.length() == pytest.approx(20)
    assert one.chord() == pytest.approx([20, 0])
    assert one.at(0.5) == pytest.approx([100, 80])
    assert one.at(np.array([0, 1])) == pytest.approx(np.array([[90, 80], [110, 80]]))
    assert one.speeds(np.linspace(0, 1, 5)) == pytest.approx(np.full(5, 20), rel=1e-4)


def test_a_bent_way_is_longer_than_its_chord_and_an_eased_one_starts_slowly() -> None:
    one = along(Arrow(90, 40, 0.5, ease_in=1.0))
    assert np.hypot(*one.chord()) == pytest.approx(40, rel=1e-4)
    assert one.length() > 50
    first, middle, _ = one.speeds(np.array([0, 0.5, 1]))
    assert first < 0.2 * middle


def test_the_pixels_own_place_of_a_coarser_grid_counts() -> None:
    flow = np.zeros((6, 8, 2), np.float32)
    flow[:, 4:, 0] = 10
    motion = Motion.from_flow(flow)
    assert trajectory(motion, (39, 30), (60, 80)).length() == 0
    moved = trajectory(motion, (40, 59), (60, 80))
    assert moved.length() == pytest.approx(10)
    assert moved.at(0.5) == pytest.approx([40, 59])


def test_a_kernel_is_where_the_exposure_was_spent() -> None:
    kernel = along(Arrow(0, 10)).kernel()
    middle = len(kernel) // 2
    assert kernel.sum() == pytest.approx(1)
    assert kernel[middle].sum() == pytest.approx(1)
    assert kernel[middle, middle - 4 : middle + 5] == pytest.approx(np.full(9, 0.1), abs=0.02)
    assert not kernel[middle, : middle - 6].any()
    slow_start = along(Arrow(0, 10, ease_in=1.0)).kernel()
    row = slow_start[len(slow_start) // 2]
    assert row[: len(row) // 2].max() > 1.5 * row[len(row) // 2 :].max()
    still = along(Arrow(0, 0)).kernel()
    assert still[len(still) // 2, len(still) // 2] == pytest.approx(1)


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 360), st.floats(0, 4000), st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_any_kernel_is_odd_sums_to_one_and_stays_small(degrees, length, bend, first, last) -> None:
    kernel = along(Arrow(degrees, length, bend, first, last)).kernel()
    assert kernel.shape[0] == kernel.shape[1] <= LARGEST_KERNEL
    assert kernel.shape[0] % 2 == 1
    assert kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1)


def test_a_cropped_kernel_keeps_all_that_is_bright() -> None:
    one = along(Arrow(30, 300, 0.4, ease_in=1.0)).kernel(63)
    assert one.shape == (63, 63)
    small = cropped(one)
    assert small.shape[0] == small.shape[1] < 63
    assert small.sum() == pytest.approx(1)
    assert not small[:2].any()
    assert not small[:, -2:].any()
    assert cropped(along(Arrow(0, 0)).kernel()).shape == (9, 9)


def test_a_single_instant_has_no_speed() -> None:
    one = Trajectory((3, 4), instants(1), np.array([[3.0, 4.0]]))
    assert one.length() == 0
    assert one.speeds(np.array([0.5])) == [0]
    assert one.kernel().sum() == pytest.approx(1)


def test_the_table_has_a_line_for_each_pixel_and_time(tmp_path: Path) -> None:
    export_picked([along(Arrow(0, 20)), along(Arrow(90, 10), (5, 6))], tmp_path / "picked.csv")
    with (tmp_path / "picked.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * COUNT
    first, last = rows[0], rows[-1]
    assert (first["point"], float(first["t"]), float(first["x"]), float(first["dx"])) == ("1", 0, 90, -10)
    assert (last["point"], float(last["t"]), float(last["y"]), float(last["dy"])) == ("2", 1, 1, -5)
    assert float(last["speed"]) == pytest.approx(10, abs=0.01)
    with pytest.raises(ValueError, match=r"are a \.csv"):
        export_picked([], tmp_path / "picked.npz")


# The tool


def scene(*picks: tuple[int, int], scale: float = 1.0) -> Scene:
    return Scene(Guidance(np.zeros((60, 80), np.uint8)), scale=scale, picks=picks)


def test_a_press_picks_the_pixel_and_a_drag_takes_it_along() -> None:
    tool = PickTool()
    assert tool.handle(Press(10.7, 20.2), scene((50, 50))) == [Picks(((50, 50), (10, 20)))]
    assert tool.busy
    assert tool.handle(Move(30.5, 900), scene((50, 50), (10, 20))) == [Picks(((50, 50), (30, 59)))]
    assert tool.handle(Release(30.5, 900), scene((50, 50), (30, 59))) == []
    assert not tool.busy


def test_a_click_lets_go_and_a_drag_moves_what_was_picked() -> None:
    tool = PickTool()
    assert tool.handle(Press(12, 21), scene((50, 50), (10, 20), (70, 5))) == []
    assert tool.handle(Release(12, 21), scene((50, 50), (10, 20), (70, 5))) == [Picks(((50, 50), (70, 5)))]
    tool.handle(Press(12, 21), scene((10, 20), (70, 5)))
    assert tool.handle(Move(13, 22), scene((10, 20), (70, 5))) == []
    assert tool.handle(Move(40.5, 30.5), scene((10, 20), (70, 5))) == [Picks(((40, 30), (70, 5)))]
    assert tool.handle(Cancel(), scene((40, 30), (70, 5))) == [Picks(((10, 20), (70, 5)))]
    assert tool.handle(Release(0, 0), scene()) == []


def test_zoomed_in_neighbours_are_told_apart() -> None:
    assert PickTool().handle(Press(12, 21), scene((10, 20), scale=16)) == [Picks(((10, 20), (12, 21)))]


def test_there_is_an_end_to_picking_and_nothing_outside() -> None:
    full = scene(*((8 * number, 0) for number in range(MOST)), scale=4)
    assert isinstance(PickTool().handle(Press(40.5, 50.5), full)[0], Refuse)
    assert PickTool().handle(Press(80.5, 10), scene()) == []


def test_kernels_find_room_beside_their_ways() -> None:
    (alone,) = places([(100, 100, 120, 110)], 800, 600, 76)
    assert alone == (132, 67)
    (right,) = places([(780, 300, 790, 300)], 800, 600, 76)
    assert right[0] + 76 < 780
    two = places([(100, 100, 120, 110), (150, 100, 170, 110)], 800, 600, 76)
    assert abs(two[0][0] - two[1][0]) >= 76 or abs(two[0][1] - two[1][1]) >= 76


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-900, 900), st.floats(-900, 900)), max_size=MOST))
def test_kernels_stay_in_sight(corners: list[tuple[float, float]]) -> None:
    for x, y in places([(x, y, x + 20, y + 5) for x, y in corners], 400, 300, 76):
        assert 0 <= x <= 400 - 76
        assert 0 <= y <= 300 - 76

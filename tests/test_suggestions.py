"""What a suggestion may say, and that several say different things."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from app.suggestions import FRAMES, SIDE, loops
from models.guidance import QUADRANTS, Guidance, Region, quantise
from models.motion import Arrow
from models.trajectory.estimation import Ends
from models.trajectory.moving import AXES, Moving
from models.trajectory.pace import at_pace
from models.trajectory.sharpness import too_sharp
from models.trajectory.suggestion import suggested, things
from models.variation import varied


def flow_of(*parts: tuple[slice, slice, tuple[float, float]]) -> np.ndarray:
    """A flow (80, 120, 2) with rectangles that move."""
    flow = np.zeros((80, 120, 2), np.float32)
    for rows, columns, vector in parts:
        flow[rows, columns] = vector
    return flow


def ends_of(flow: np.ndarray) -> Ends:
    half = torch.from_numpy(flow).permute(2, 0, 1) / 2
    return Ends(torch.stack((half, -half, -half, half))[None])


LEFT, RIGHT, ALL = slice(5, 45), slice(60, 110), slice(None)
TWO = flow_of((slice(10, 70), LEFT, (8, -1)), (slice(10, 50), RIGHT, (1, 6)))


def directions(guidance: Guidance) -> list[int]:
    return [round(one.arrow.degrees) % 360 for one in guidance.regions if one.arrow]


def test_a_thing_whose_halves_were_found_in_opposite_directions_is_one() -> None:
    flow = flow_of((slice(10, 70), LEFT, (8, 0)), (slice(30, 70), LEFT, (-8, 0)))
    (thing,) = things(flow)
    assert thing.where[15, 20]
    assert thing.where[60, 20]
    assert thing.arrow.length == pytest.approx(8)
    assert thing.arrow.degrees == pytest.approx(180)


def test_things_that_touch_and_move_along_other_lines_are_two() -> None:
    flow = flow_of((slice(0, 40), LEFT, (8, 0)), (slice(40, 80), LEFT, (0, 8)))
    assert len(things(flow)) == 2


def zoomed(pan: tuple[float, float] = (0, 0), turn: bool = False) -> np.ndarray:
    """The flow (80, 120, 2) of a camera that zooms in, or turns, and pans."""
    y, x = np.mgrid[:80, :120] - np.array([40, 60])[:, None, None]
    return (np.stack((-y, x) if turn else (x, y), -1) / 6 + pan).astype(np.float32)


@pytest.mark.parametrize("turn", [False, True])
def test_a_camera_that_zooms_or_turns_is_suggested_in_quadrants_that_turn_round_together(turn: bool) -> None:
    flow = zoomed(turn=turn)
    flow[10:30, 10:40] = (0, -14)
    first, second, *others = suggested(ends_of(flow), 80, 120, 5, moving=moving_at(BLURRED[0]))
    inside = (slice(2, 78), slice(50, 118))
    assert (first.labels() == quantise(flow))[inside].mean() > 0.9
    assert first.labels()[20, 25] in (1, 2)
    assert second.labels().tolist() == first.reversed().labels().tolist()
    assert [one.name for one in first.regions if one.name.startswith("camera")] == [f"camera {n}" for n in (1, 2, 3, 4)]
    assert others
    for guidance in others:  # the thing turns by itself, the camera as a whole
        same = guidance.labels()[inside] == first.labels()[inside]
        assert same.mean() > 0.9 or same.mean() < 0.1


def test_a_camera_that_hardly_zooms_is_one_thing() -> None:
    (thing,) = things(zoomed((40, 20)) / 3)
    assert thing.share > 0.9
    assert not thing.part


def test_the_first_is_as_found_the_second_its_reverse_then_single_things_turn() -> None:
    first, second, third, fourth = suggested(ends_of(TWO), 80, 120, 4)
    assert directions(first) == [7, 279] or directions(first) == [7, 281]
    assert second.labels().tolist() == first.reversed().labels().tolist()
    turned = [(a - b) % 360 for a, b in zip(directions(third), directions(first), strict=True)]
    assert turned == [180, 0]
    assert fourth.labels().tolist() == third.reversed().labels().tolist()


def test_suggestions_differ_and_come_again_with_the_same_seed() -> None:
    found = suggested(ends_of(TWO), 80, 120, 5, seed=3)
    assert len(found) == 5
    assert len({one.labels().tobytes() for one in found}) == 5
    again = suggested(ends_of(TWO), 80, 120, 5, seed=3)
    assert all(a.regions == b.regions and a.camera == b.camera for a, b in zip(found, again, strict=True))


def test_still_areas_are_said_to_stand_still() -> None:
    for guidance in suggested(ends_of(TWO), 80, 120, 4):
        assert not np.isin(guidance.labels()[:, 50:58], QUADRANTS).any()


def test_what_fills_the_photo_is_the_cameras() -> None:
    (guidance,) = suggested(ends_of(flow_of((ALL, ALL, (5, 5)))), 160, 240, 1)
    assert guidance.camera is not None
    assert guidance.camera.degrees == pytest.approx(315)
    assert not guidance.regions
    assert guidance.areas.shape == (160, 240)


def test_an_uneven_pan_is_suggested_uneven_and_its_reverse_the_other_way() -> None:
    pan = at_pace(ends_of(flow_of((ALL, ALL, (9, 0)))), 0.2)
    first, second = suggested(pan, 80, 120, 2)
    arrows = [one.camera for one in (first, second)]
    assert [(round(one.ease_in, 3), round(one.ease_out, 3)) for one in arrows if one] == [(0.8, 0.0), (0.0, 0.8)]
    assert np.allclose(first.bends(), 0.2, atol=1e-6)
    (even,) = suggested(at_pace(pan, 0.0), 80, 120, 1)
    assert even.bends() is None


def sharp_at(rows: slice, columns: slice) -> np.ndarray:
    sharp = np.zeros((40, 60), bool)  # a grid of its own, half as fine
    sharp[rows, columns] = True
    return sharp


def test_what_the_camera_follows_stands_still_in_the_third_and_its_reverse() -> None:
    pan = ends_of(flow_of((ALL, ALL, (9, 0))))
    found = suggested(pan, 80, 120, 5, sharp=sharp_at(slice(10, 25), slice(20, 32)))
    first, second, third, fourth, _ = found
    assert len(found) == 5
    assert not first.regions
    assert third.camera == first.camera
    assert fourth.camera == second.camera
    for guidance in (third, fourth):
        ((subject,), inside) = guidance.regions, guidance.labels()[22:48, 42:62]
        assert subject.arrow == Arrow(0, 0)
        assert subject.name == "subject"
        assert not np.isin(inside, QUADRANTS).any()
        assert np.isin(guidance.labels()[:, :35], QUADRANTS).all()


def test_gaps_in_what_the_camera_follows_are_filled() -> None:
    sharp = sharp_at(slice(10, 25), slice(20, 32))
    sharp[16:18, 22:30] = False
    third = suggested(ends_of(flow_of((ALL, ALL, (9, 0)))), 80, 120, 3, sharp=sharp)[2]
    assert not np.isin(third.labels()[22:48, 42:62], QUADRANTS).any()


@pytest.mark.parametrize(
    ("flow", "sharp"),
    [
        (TWO, sharp_at(slice(10, 25), slice(20, 32))),
        (flow_of((ALL, ALL, (9, 0))), sharp_at(slice(0, 2), slice(0, 2))),
        (flow_of((ALL, ALL, (9, 0))), sharp_at(slice(0, 40), slice(0, 55))),
    ],
    ids=["the camera stands still", "too small", "nearly everything"],
)
def test_else_nothing_is_followed(flow: np.ndarray, sharp: np.ndarray) -> None:
    plain, same = (suggested(ends_of(flow), 80, 120, 4, sharp=one) for one in (None, sharp))
    assert [one.regions for one in same] == [one.regions for one in plain]


def test_what_is_sharp_before_a_streaked_background_is_seen() -> None:
    length, rng = 15, np.random.default_rng(0)
    blocks = rng.random((12, 15), np.float32).repeat(8, 0).repeat(12, 1)[:, : 160 + length - 1]
    noise = torch.from_numpy(np.ascontiguousarray(blocks))[None, None]
    photo = F.avg_pool2d(noise, (1, length), 1)
    photo[..., 30:70, 60:100] = noise[..., 30:70, 60:100]
    way = torch.zeros(1, 2, 96, 160)
    way[:, 0] = length
    sharp = too_sharp(photo.expand(-1, 3, -1, -1), way)[0]
    assert float(sharp[34:66, 64:96].float().mean()) > 0.95
    assert float(sharp[:20].float().mean()) < 0.02
    assert not bool(too_sharp(photo.expand(-1, 3, -1, -1), 0 * way).any())
    assert not bool(too_sharp(torch.full((1, 3, 96, 160), 0.5), way).any())


def test_where_nothing_moves_nothing_is_suggested() -> None:
    assert suggested(ends_of(flow_of()), 80, 120, 5) == ()


def moving_at(*parts: tuple[slice, slice, int], sure: float = 0.9) -> Moving:
    """Rectangles on a grid (20, 30) that are likely to move by 12 px, each along the line of this number, `sure` so."""
    likely, lines = np.full((20, 30), 0.1, np.float32), np.full((AXES, 20, 30), 1 / AXES, np.float32)
    for rows, columns, line in parts:
        likely[rows, columns] = 0.9
        lines[:, rows, columns] = (1 - sure) / (AXES - 1)
        lines[line, rows, columns] = sure
    return Moving(likely, lines, np.full((20, 30), 12, np.float32))


BLURRED = (slice(4, 16), slice(3, 12), 2), (slice(6, 12), slice(18, 26), 0)


def test_where_nothing_was_found_to_move_what_is_blurred_is_suggested() -> None:
    found = suggested(ends_of(flow_of()), 80, 120, 5, moving=moving_at(*BLURRED))
    assert len(found) == 5
    assert len({one.labels().tobytes() for one in found}) == 5
    first, second, *_ = found
    assert directions(first) == [315, 0]  # the third line runs down to the right
    assert second.labels().tolist() == first.reversed().labels().tolist()
    assert [round(one.arrow.length) for one in first.regions if one.arrow] == [12, 12]
    moves = np.isin(first.labels(), QUADRANTS)
    assert moves[20:60, 16:44].all()
    assert not moves[:, :8].any()
    assert all(one.camera == Arrow(0, 0) for one in found)


def test_one_blurred_thing_goes_four_ways_and_the_camera_stands_still() -> None:
    found = suggested(ends_of(flow_of()), 80, 120, 5, moving=moving_at(BLURRED[0]))
    assert sorted(directions(one)[0] for one in found[:4]) == [45, 135, 225, 315]
    assert all(one.camera == Arrow(0, 0) for one in found)


def test_all_but_the_fifth_say_the_surest_parts_alone() -> None:
    moving = moving_at(BLURRED[0])
    moving.likely[4:16, 3:12] = 0.8
    moving.likely[8:12, 5:10] = 1.0
    first, *others, fifth = suggested(ends_of(flow_of()), 80, 120, 5, moving=moving)
    assert directions(fifth) == directions(first)
    assert all(np.array_equal(one.areas, first.areas) for one in others)
    inside, whole = (np.isin(one.labels(), QUADRANTS) for one in (first, fifth))
    assert not (inside & ~whole).any()
    assert 0.2 * whole.sum() < inside.sum() < 0.4 * whole.sum()
    assert inside[34:46, 22:38].all()
    assert len(suggested(ends_of(flow_of()), 80, 120, 4, moving=moving)) == 4


def test_what_hardly_seems_to_move_is_suggested_where_nothing_seems_to_do_so_more() -> None:
    faint = moving_at(*BLURRED)
    for likely, things_found in ((0.4, 2), (0.12, 0)):
        faint.likely[:] = np.where(faint.likely > 0.2, likely, 0.05)
        found = suggested(ends_of(flow_of()), 80, 120, 1, moving=faint)
        assert sum(len(one.regions) for one in found) == things_found
        faint.likely[faint.likely > 0.1] = 0.9


def test_what_is_blurred_moves_as_it_was_found_to_where_it_was() -> None:
    flow = flow_of((slice(16, 64), slice(12, 48), (0, 9)))
    (thing, other) = suggested(ends_of(flow), 80, 120, 1, moving=moving_at(*BLURRED))[0].regions
    assert thing.arrow is not None
    assert thing.arrow.degrees == pytest.approx(270)
    assert thing.arrow.length == pytest.approx(9, abs=0.5)
    assert other.arrow is not None
    assert round(other.arrow.degrees) % 360 == 0


def test_things_whose_lines_are_hardly_known_go_across_them_together() -> None:
    found = suggested(ends_of(flow_of()), 80, 120, 4, moving=moving_at(*BLURRED, sure=0.3))
    first, _, across, back = (directions(one) for one in found)
    assert [(a - b) % 360 for a, b in zip(across, first, strict=True)] == [90, 90]
    assert [(a - b) % 360 for a, b in zip(back, first, strict=True)] == [270, 270]


def test_a_camera_that_was_found_and_a_blurred_photo_as_a_whole_are_no_things() -> None:
    pan, whole = ends_of(flow_of((ALL, ALL, (9, 0)))), moving_at((slice(0, 20), slice(0, 28), 0))
    with_things, without = (suggested(pan, 80, 120, 1, moving=one)[0] for one in (moving_at(*BLURRED), None))
    assert with_things.labels().tolist() == without.labels().tolist()
    assert suggested(ends_of(flow_of()), 80, 120, 5, moving=whole) == ()


def test_what_is_much_like_another_keeps_its_things() -> None:
    guidance = suggested(ends_of(TWO), 80, 120, 1)[0]
    other = varied(guidance, 1)
    assert [one.name for one in other.regions] == [one.name for one in guidance.regions]
    assert other.regions != guidance.regions
    same = np.mean(other.areas == guidance.areas)
    assert 0.8 < same < 1
    assert other.regions == varied(guidance, 1).regions
    assert np.array_equal(other.areas, varied(guidance, 1).areas)


def test_a_loop_shows_even_a_short_motion() -> None:
    dice = np.random.default_rng(0).integers(0, 255, (12, 18, 3))
    pixels = np.kron(dice, np.ones((40, 40, 1))).astype(np.uint16) * 257
    guidance = Guidance(np.zeros((480, 720), np.uint8), (Region(1, "none of it", Arrow(0, 3)),), Arrow(0, 2))
    found = loops(pixels, (guidance, guidance.reversed()), lambda _: None, lambda: False)
    assert found.shape == (2, FRAMES, SIDE * 480 // 720, SIDE, 3)
    assert found.dtype == np.uint8
    assert np.abs(found[0, 0].astype(int) - found[0, -1]).mean() > 3

"""Arrows flipped in a recovery: what is kept, what is made anew, and that it is what recovering anew gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models import catalog
from models.decomposition import restoring
from models.decomposition.engine import part_of
from models.guidance import NO_REGION, Guidance, Region
from models.motion import Arrow, Motion
from models.recovery import Cancelled, Inputs, Progress, Recovery
from models.trajectory import flipping
from models.trajectory.flipping import flipped_motion, followed

SIZE = (96, 256)
ENGINES = ("trajectory", "decomposition")


def photo(dtype: type = np.uint8) -> np.ndarray:
    """A texture smeared 9 px to the right."""
    import cv2

    coarse = np.random.default_rng(8).random((SIZE[0] // 6, (SIZE[1] + 24) // 6, 3)).astype(np.float32)
    texture = cv2.resize(coarse, (SIZE[1] + 24, SIZE[0]), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    smeared = np.mean([texture[:, n : n + SIZE[1]] for n in range(10)], 0)
    return (smeared * np.iinfo(dtype).max).round().astype(dtype)


def guidance(left: Arrow, rest: Arrow | None = None) -> Guidance:
    """A region over the left quarter; the rest of the photo is the camera's."""
    areas = np.zeros(SIZE, np.uint8)
    areas[:, :64] = 1
    return Guidance(areas, (Region(1, "left", left),), rest)


def recovered(engine: str, said: Guidance, **options: object) -> Recovery:
    inputs = Inputs(photo(), said, "cpu")
    return catalog.load(engine)(inputs, {"frames": 3, **options}, lambda progress: None, lambda: False)


def flipped(
    before: Recovery, told: Guidance, wanted: Guidance, is_cancelled: Callable[[], bool] = lambda: False
) -> Recovery:
    steps: list[Progress] = []
    return catalog.load_flip(before.engine)(Inputs(photo(), wanted, "cpu"), before, told, steps.append, is_cancelled)


def test_guidance_knows_what_was_flipped() -> None:
    told = guidance(Arrow(30.1, 9, bend=0.2, ease_in=0.3), Arrow(77.7, 5))
    region = told.regions[0]
    flipped = replace(told, regions=(replace(region, name="renamed", arrow=region.arrow.reversed()),))
    assert flipped.flipped_since(told) == (1,)
    assert told.flipped_since(flipped) == (1,)
    assert told.reversed().flipped_since(told) == (NO_REGION, 1)
    assert told.reversed().reversed().flipped_since(told) == ()
    assert replace(told, camera=None).flipped_since(told) is None
    assert guidance(Arrow(30.1, 9.1, bend=0.2, ease_in=0.3), Arrow(77.7, 5)).flipped_since(told) is None
    assert replace(told, regions=()).flipped_since(told) is None
    areas = told.areas.copy()
    areas[0, 0] = 0
    assert replace(told, areas=areas).flipped_since(told) is None


def test_guidance_knows_that_measured_motion_was_flipped() -> None:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    motion = Motion.from_flow(np.stack([y / 9, x / 9], -1))
    told = replace(guidance(Arrow(0, 5)), motion=motion)
    assert replace(told, motion=motion.reversed()).flipped_since(told) == (NO_REGION,)
    assert replace(told).flipped_since(told) == ()
    assert replace(told, motion=None).flipped_since(told) is None
    assert replace(told, motion=motion.scaled(2)).flipped_since(told) is None


@pytest.mark.parametrize("engine", ENGINES)
def test_all_flipped_is_the_recovery_backwards(engine: str) -> None:
    told = guidance(Arrow(0, 9), Arrow(0, 0))
    before = recovered(engine, told)
    after = flipped(before, told, told.reversed())
    assert not np.array_equal(before.frames[0], before.frames[2])
    np.testing.assert_array_equal(after.frames, before.frames[::-1])
    np.testing.assert_array_equal(after.motion.trajectories, before.motion.trajectories[::-1])


@pytest.mark.parametrize("engine", ENGINES)
def test_one_thing_flipped_is_much_like_what_recovering_anew_gives(engine: str) -> None:
    """What is found of a thing depends somewhat on which way its neighbour is said to move."""
    told, wanted = guidance(Arrow(340, 9), Arrow(10, 9)), guidance(Arrow(160, 9), Arrow(10, 9))
    before, anew = recovered(engine, told), recovered(engine, wanted)
    after = flipped(before, told, wanted)
    flows = [one.motion.flow() for one in (after, anew)]
    assert np.abs(flows[0] - flows[1]).mean() < 0.2 * np.abs(flows[1]).mean()
    off, without = (np.abs(one.frames.astype(int) - anew.frames).mean() for one in (after, before))
    assert off < 0.5 * without
    np.testing.assert_array_equal(after.frames[:, :, 160:], before.frames[:, :, 160:])
    np.testing.assert_array_equal(after.frames[:, :, :4], before.frames[::-1, :, :4])
    again = flipped(after, wanted, told)
    assert np.abs(again.frames.astype(int) - before.frames).mean() < 0.25


@pytest.mark.parametrize("engine", ENGINES)
def test_only_what_is_near_is_made_anew_and_that_makes_no_difference(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, wanted = guidance(Arrow(340, 9), Arrow(10, 9)), guidance(Arrow(160, 9), Arrow(10, 9))
    before = recovered(engine, told)
    near = flipped(before, told, wanted)
    monkeypatch.setattr(flipping, "window_around", lambda mask, size, room: tuple(slice(0, length) for length in size))
    off = np.abs(flipped(before, told, wanted).frames.astype(int) - near.frames)
    assert off.mean() < 0.25
    assert (off > 2).mean() < 0.03  # the middle instant may be seen from the other end


def test_what_was_deconvolved_is_not_deconvolved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told, wanted = guidance(Arrow(340, 9), Arrow(10, 9)), guidance(Arrow(160, 9), Arrow(10, 9))
    before = recovered("decomposition", told)
    anew = flipped(replace(before, middle=None), told, wanted)

    def forbidden(*arguments: object, **more: object) -> np.ndarray:
        raise AssertionError("deconvolved")

    monkeypatch.setattr(restoring, "sharpened", forbidden)
    kept = flipped(before, told, wanted)
    off = np.abs(kept.frames.astype(int) - anew.frames)
    assert off.mean() < 0.25
    assert kept.middle is before.middle
    with pytest.raises(AssertionError, match="deconvolved"):
        flipped(replace(before, middle=None), told, wanted)


@pytest.mark.parametrize("scale", [1, 2, 2.5])
def test_a_part_of_a_coarser_picture_lies_where_it_belongs(scale: float) -> None:
    height, width = round(100 / scale), round(150 / scale)
    y, x = ((np.arange(count, dtype=np.float32) + 0.5) * scale for count in (height, width))
    picture = np.rint(np.stack(np.broadcast_arrays(y[:, None], x[None], 7), -1)).astype(np.uint8)
    part = part_of(picture, (slice(30, 80), slice(40, 127)), (100, 150))
    assert part.shape == (round(50 / scale), round(87 / scale), 3)
    rows, columns = part[:, 0, 0].astype(float), part[0, :, 1].astype(float)
    assert rows == pytest.approx(30 + (np.arange(len(rows)) + 0.5) * 50 / len(rows), abs=1.1)
    assert columns == pytest.approx(40 + (np.arange(len(columns)) + 0.5) * 87 / len(columns), abs=1.1)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_single_instant_stays_as_it_is_but_where_flipped_and_kept_meet(engine: str) -> None:
    told = guidance(Arrow(0, 9), Arrow(0, 9))
    before = recovered(engine, told, frames=1)
    after = flipped(before, told, guidance(Arrow(180, 9), Arrow(0, 9)))
    assert np.abs(after.frames.astype(int) - before.frames).mean() < 1  # seen from the other end of the exposure
    assert before.motion is not None
    assert after.motion is not None
    assert np.abs(after.motion.flow() - before.motion.flow()).max() > 5


@pytest.mark.parametrize("engine", ENGINES)
def test_a_flip_can_be_cancelled_and_refuses_what_is_no_flip(engine: str) -> None:
    told = guidance(Arrow(0, 9), Arrow(0, 9))
    before = recovered(engine, told)
    frames = before.frames.copy()
    with pytest.raises(Cancelled):
        flipped(before, told, guidance(Arrow(180, 9), Arrow(0, 9)), lambda: True)
    np.testing.assert_array_equal(before.frames, frames)
    with pytest.raises(ValueError, match="recover anew"):
        flipped(before, told, guidance(Arrow(180, 8), Arrow(0, 9)))
    small = replace(before, frames=before.frames[:, ::2, ::2])
    with pytest.raises(ValueError, match="recover anew"):
        flipped(small, told, told.reversed())
    with pytest.raises(ValueError, match="cannot flip"):
        catalog.load_flip("drawn")


def test_what_nothing_is_told_of_goes_along_with_the_one_thing_it_hangs_together_with() -> None:
    areas = np.zeros(SIZE, np.uint8)
    areas[20:40, 20:40], areas[60:80, 100:120] = 1, 2
    told = Guidance(areas, (Region(1, "a", Arrow(0, 9)), Region(2, "b", Arrow(0, 9))))
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[15:45, 15:45] = flow[55:85, 95:125] = flow[5:10, 200:210] = (9, 0)
    where = followed(told, (1,), Motion.from_flow(flow))
    assert where[15:45, 15:45].all()
    assert where.sum() == 30 * 30
    flow[40, 40:100] = flow[40:60, 100] = (9, 0)  # now they hang together
    assert (followed(told, (1,), Motion.from_flow(flow)) == (areas == 1)).all()


def test_motion_is_flipped_where_the_thing_stands_at_each_time() -> None:
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[30:60, 100:140] = (20, 0)
    motion = Motion.from_flow(flow, 5)
    where = flow[..., 0] > 0
    back = flipped_motion(motion, where, SIZE[1])
    np.testing.assert_array_equal(back.trajectories, motion.trajectories[::-1])
    np.testing.assert_array_equal(back.offsets, motion.offsets[::-1])

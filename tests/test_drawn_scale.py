from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models import catalog, exposure
from models.drawn import engine as drawn
from models.drawn.blurring import Field
from models.drawn.layers import Moving, motion_of, scene, window_places
from models.drawn.restoration import Restoration
from models.drawn.scale import enlarged, in_squares, pooled, working_scale
from models.drawn.tiles import Tile
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion, instants
from models.recovery import Inputs, Recovery

SIZE = (123, 202)
"""No multiple of any scale."""
LONG = Arrow(10, 70)
Told = Callable[[Arrow], Guidance]


def recovered(pixels: np.ndarray, guidance: Guidance, frames: int = 3) -> Recovery:
    return catalog.load("drawn")(Inputs(pixels, guidance, "cpu"), {"frames": frames}, lambda _: None, lambda: False)


def scenery(seed: int = 0) -> np.ndarray:
    """A sharp picture (H, W, 3) uint8 of blocks in many sizes."""
    generator = np.random.default_rng(seed)
    total = np.zeros((*SIZE, 3))
    for side in (4, 12, 40):
        blocks = generator.uniform(10, 80, (SIZE[0] // side + 1, SIZE[1] // side + 1, 3))
        total += np.kron(blocks, np.ones((side, side, 1)))[: SIZE[0], : SIZE[1]]
    return total.astype(np.uint8)


def smeared(picture: np.ndarray, arrow: Arrow) -> np.ndarray:
    """The picture as a camera that makes everything move along the arrow would take it."""
    ways = torch.from_numpy(-arrow.displacement(instants(141)).astype(np.float32))
    offsets = ways[None, :, None, None].expand(1, 141, *SIZE, 2)
    return exposure.to_pixels(exposure.blurred(exposure.from_pixels(picture), offsets))[0]


def camera(arrow: Arrow) -> Guidance:
    return Guidance(np.zeros(SIZE, np.uint8), camera=arrow)


def dense(arrow: Arrow, where: tuple[slice, slice] = (slice(None), slice(None))) -> Guidance:
    """The arrow's motion, pixel by pixel, in one part of the photo."""
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[where] = arrow.vector()
    return Guidance(np.zeros(SIZE, np.uint8), motion=Motion.from_flow(flow))


def error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(one.astype(float) - other.astype(float)))))


@pytest.mark.parametrize(("length", "scale"), [(0.5, 1), (40, 1), (41, 2), (100, 3), (199, 5)])
def test_the_scale_follows_the_blurs_length(length: float, scale: int) -> None:
    assert working_scale(scene(camera(Arrow(30, length)))) == scale
    assert working_scale(scene(dense(Arrow(30, length)))) == scale


def test_the_shortest_arrow_decides_but_no_pin() -> None:
    things = Moving(0, Arrow(0, 0)), Moving(1, Arrow(0, 90)), Moving(2, Arrow(0, 200))
    assert working_scale(things) == 3


def test_dense_motion_decides_before_arrows() -> None:
    motion = Motion.from_flow(np.full((4, 6, 2), 100, np.float32))
    assert working_scale((Moving(0, motion=motion), Moving(1, Arrow(0, 10)))) == 4


@given(top=st.integers(0, 500), left=st.integers(0, 500), margin=st.integers(0, 90), step=st.integers(1, 7))
def test_a_canvas_is_made_of_whole_squares_around_its_tile(top: int, left: int, margin: int, step: int) -> None:
    tile = Tile(top, left, top + 61, left + 83)
    y0, x0, y1, x1 = tile.canvas(margin, step)
    assert y0 % step == x0 % step == y1 % step == x1 % step == 0
    assert all(0 <= place - margin - edge < step for place, edge in ((top, y0), (left, x0)))
    assert all(0 <= edge - place - margin < step for place, edge in ((tile.y1, y1), (tile.x1, x1)))


def test_a_smaller_copy_lies_on_what_it_was_made_from() -> None:
    ramp = torch.arange(24.0).expand(1, 1, 12, 24)
    torch.testing.assert_close(enlarged(pooled(ramp, 3), 3)[..., 3:-3], ramp[..., 3:-3])
    squares = in_squares(pooled(ramp, 3), 3)
    torch.testing.assert_close(pooled(squares, 3), pooled(ramp, 3))


def test_a_field_is_read_in_the_middle_of_every_square() -> None:
    fine = window_places((123, 202), SIZE, (6, -9, 36, 21)) + np.mgrid[:30, :30][::-1].transpose(1, 2, 0)
    coarse = window_places((123, 202), SIZE, (6, -9, 36, 21), 3) + np.mgrid[:10, :10][::-1].transpose(1, 2, 0)
    np.testing.assert_allclose(coarse, fine.reshape(10, 3, 10, 3, 2).mean((1, 3)), atol=1e-4)


def test_a_coarse_dense_blur_moves_a_picture_of_full_size() -> None:
    picture = torch.rand(1, 3, 60, 90)
    blur = Field(lambda t: torch.tensor([4.0, -2.0]).expand(20, 30, 2) * (t - 0.5), lambda: None)
    moved = exposure.sampled(picture, blur.offsets(1.0, 3), cubic=True)
    torch.testing.assert_close(moved[..., 10:-10, 10:-10], picture[..., 13:-7, 4:-16], atol=1e-3, rtol=0)


@pytest.mark.parametrize("told", [camera, dense], ids=["arrow", "dense"])
def test_long_blur_comes_out_on_the_smaller_copy_as_it_does_at_full_size(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    sharp = scenery()
    photo = smeared(sharp, LONG)
    inside = (slice(8, -8), slice(40, -40))
    coarse = error(recovered(photo, told(LONG)).frames[1][inside], sharp[inside])
    monkeypatch.setattr("models.drawn.scale.LONGEST", 1000)
    fine = error(recovered(photo, told(LONG)).frames[1][inside], sharp[inside])
    assert coarse < 0.93 * error(photo[inside], sharp[inside])
    assert coarse < 1.03 * fine


def test_detail_across_the_motion_stays() -> None:
    """Lines a px wide along the motion are no blur; on the smaller copy they are grey."""
    lines = np.zeros((*SIZE, 3), np.uint8)
    lines[::2], lines[1::2] = 60, 190
    for frame in recovered(lines, camera(Arrow(0, 90))).frames:
        assert np.abs(frame[:, 50:-50].astype(int) - lines[:, 50:-50]).max() <= 4


def test_where_nothing_moves_the_photo_stays_bit_for_bit() -> None:
    photo = scenery()
    still = np.s_[:, :60]
    for frame in recovered(photo, dense(Arrow(0, 70), np.s_[30:90, 110:190])).frames:
        np.testing.assert_array_equal(frame[still], photo[still])
        assert error(frame[40:80, 120:180], photo[40:80, 120:180]) > 1


def test_a_pinned_region_stays_before_a_long_camera_motion() -> None:
    areas = np.zeros(SIZE, np.uint8)
    areas[40:80, 60:130] = 1
    photo = smeared(scenery(), LONG)
    result = recovered(photo, Guidance(areas, (Region(1, "pin", Arrow(0, 0)),), camera=LONG))
    for frame in result.frames:
        np.testing.assert_array_equal(frame[48:72, 68:122], photo[48:72, 68:122])


def test_a_region_moves_far_and_the_rest_stays_bit_for_bit() -> None:
    areas = np.zeros(SIZE, np.uint8)
    areas[40:80, 60:130] = 1
    photo = scenery()
    result = recovered(photo, Guidance(areas, (Region(1, "thing", Arrow(0, 60)),)))
    far = np.ones(SIZE, bool)
    far[30:90, 20:170] = False
    for frame in result.frames:
        np.testing.assert_array_equal(frame[far], photo[far])
    assert error(result.frames[0][45:75, 100:130], photo[45:75, 100:130]) > 1


@pytest.mark.parametrize("told", [camera, dense], ids=["arrow", "dense"])
def test_a_tile_is_let_go_of_at_once(told: Told) -> None:
    tile, guidance = Tile(0, 0, *SIZE), told(LONG)
    things = tuple(thing.scaled(0.5) for thing in scene(guidance))
    gc.disable()
    try:
        piece = Restoration(scenery(), guidance.areas, things, tile, 40, 2, torch.device("cpu"), lambda: None)
        assert piece.layers
        piece = weakref.ref(piece)
        assert piece() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("told", [camera, dense], ids=["arrow", "dense"])
def test_a_uniform_photo_stays_uniform_at_any_scale(told: Told) -> None:
    photo = np.full((*SIZE, 3), (120, 90, 200), np.uint8)
    assert np.abs(recovered(photo, told(Arrow(70, 85))).frames.astype(int) - photo).max() <= 2


@pytest.mark.parametrize("told", [camera, dense], ids=["arrow", "dense"])
def test_tiles_of_a_coarse_scale_leave_no_seam(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = smeared(scenery(), LONG)
    whole = recovered(photo, told(LONG), 2).frames
    monkeypatch.setattr("models.drawn.engine._LARGEST_SIDE", 75)
    tiled = recovered(photo, told(LONG), 2).frames
    assert np.abs(whole.astype(int) - tiled)[:, 40:-40, 40:-40].max() <= 6


@pytest.mark.parametrize("length", [12, 70])
def test_sharpening_goes_on_from_a_picture_of_the_middle_and_keeps_its_detail(length: int) -> None:
    arrow, sharp = Arrow(10, length), scenery()
    photo = smeared(sharp, arrow)
    guidance = Guidance(np.zeros(SIZE, np.uint8), motion=motion_of(camera(arrow), instants(9)))
    options = {"frames": 1, "iterations": 1}
    inputs = Inputs(photo, guidance, "cpu")
    begun, plain = (
        drawn.along(inputs, options, 1.0, lambda _: None, lambda: False, start).frames[0] for start in (sharp, None)
    )
    inner = (slice(10, -10), slice(40, -40))
    off, before = (np.abs(one[inner].astype(int) - sharp[inner]).mean() for one in (begun, plain))
    assert off < 0.25 * before

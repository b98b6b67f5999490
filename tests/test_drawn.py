from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models import catalog, exposure
from models.drawn.blurring import Blur, Field, Shift, Still, fast_length
from models.drawn.layers import extent, motion_of, scene
from models.drawn.splatting import filled, splatted_offsets
from models.drawn.tiles import Tile, tiles
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion, Shares, instants
from models.recovery import Cancelled, Inputs, Progress, Recovery

SIZE = (60, 80)


def scenery(height: int = SIZE[0], width: int = SIZE[1], seed: int = 0) -> np.ndarray:
    """A sharp picture (H, W, 3) uint8 with blocks and dots."""
    generator = np.random.default_rng(seed)
    blocks = generator.integers(40, 200, (height // 10 + 1, width // 10 + 1, 3))
    return np.kron(blocks, np.ones((10, 10, 1)))[:height, :width].astype(np.uint8)


def blurred(picture: np.ndarray, arrow: Arrow, samples: int = 61) -> np.ndarray:
    """The picture as a camera that makes everything move along the arrow would take it."""
    ways = torch.from_numpy(-arrow.displacement(instants(samples)).astype(np.float32))
    offsets = ways[None, :, None, None].expand(1, samples, *picture.shape[:2], 2)
    return exposure.to_pixels(exposure.blurred(exposure.from_pixels(picture), offsets), picture.dtype)[0]


def recovered(pixels: np.ndarray, guidance: Guidance, options: Mapping[str, object] | None = None) -> Recovery:
    return catalog.load("drawn")(Inputs(pixels, guidance, "cpu"), options or {}, lambda _: None, lambda: False)


def moving_block(arrow: Arrow) -> tuple[np.ndarray, Guidance, np.ndarray]:
    """A photo of a bright block moving before a still background, its guidance, and its sharp middle instant."""
    back, areas = scenery() // 2, np.zeros(SIZE, np.uint8)
    areas[20:40, 30:50] = 1
    linear = []
    for dx, dy in np.rint(arrow.displacement(instants(41))).astype(int):
        instant = back.copy()
        instant[20 + dy : 40 + dy, 30 + dx : 50 + dx] = 230
        linear.append(exposure.from_pixels(instant))
    middle = back.copy()
    middle[20:40, 30:50] = 230
    photo = exposure.to_pixels(torch.cat(linear).mean(0))
    return photo, Guidance(areas, (Region(1, "block", arrow),)), middle


def error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(one.astype(float) - other.astype(float)))))


def rigid(x: float, y: float) -> Shift:
    return Shift(lambda t: torch.tensor([x, y]) * (t - 0.5), 21, SIZE, torch.device("cpu"))


def dense(x: float, y: float) -> Field:
    return Field(lambda t: (torch.tensor([x, y]) * (t - 0.5)).expand(*SIZE, 2), lambda: None)


@pytest.mark.parametrize("blur", [Still(), rigid(7.3, -3.1), dense(4.2, 5)], ids=["still", "rigid", "dense"])
def test_forward_and_adjoint_are_transposes(blur: Blur) -> None:
    one, other = torch.rand(1, 3, *SIZE), torch.rand(1, 3, *SIZE)
    forth = (blur.forward(one).double() * other).sum().item()
    back = (one.double() * blur.adjoint(other)).sum().item()
    assert forth == pytest.approx(back, rel=1e-4)


@given(seed=st.integers(0, 1000), strength=st.floats(0, 9))
@settings(max_examples=20, deadline=None)
def test_a_dense_blur_and_its_adjoint_are_transposes_to_float_precision(seed: int, strength: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    ends = strength * torch.randn(2, 12, 15, 2, generator=generator)
    blur = Field(lambda t: ends[0] * (t - 0.5) + ends[1] * (t - 0.5) ** 2, lambda: None)
    one, other = torch.rand(2, 1, 3, 12, 15, generator=generator).unbind()
    forth = (blur.forward(one).double() * other).sum().item()
    assert (one.double() * blur.adjoint(other)).sum().item() == pytest.approx(forth, rel=1e-5)


def test_a_dense_blur_is_the_mean_of_its_instants() -> None:
    y, x = torch.meshgrid(torch.arange(60.0), torch.arange(80.0), indexing="ij")
    picture = 0.5 + 0.2 * torch.stack((torch.sin(x / 2), torch.cos(y / 2), torch.sin((x + y) / 3)))[None]
    ends = torch.stack((torch.full_like(x, 5.5), y / 15 - 2 + x / 40), -1)
    blur = Field(lambda t: ends * (t - 0.5), lambda: None)
    mean = torch.cat([exposure.sampled(picture, blur.offsets(float(t)), cubic=True) for t in instants(7)]).mean(
        0, keepdim=True
    )
    torch.testing.assert_close(blur.forward(picture)[..., 8:-8, 8:-8], mean[..., 8:-8, 8:-8], atol=0.006, rtol=0)


def test_a_dense_blur_lets_what_stands_still_pass() -> None:
    trajectory = torch.zeros(*SIZE, 2)
    trajectory[20:40, 30:50, 0] = 8
    picture, blur = torch.rand(1, 3, *SIZE), Field(lambda t: trajectory * (t - 0.5), lambda: None)
    torch.testing.assert_close(blur.forward(picture)[..., ~blur.moves], picture[..., ~blur.moves], atol=0, rtol=0)
    assert 400 <= int(blur.moves.sum()) <= 20 * 40


def test_rigid_and_dense_blur_agree() -> None:
    picture = exposure.from_pixels(scenery())
    one, other = rigid(8, 4).forward(picture), dense(8, 4).forward(picture)
    torch.testing.assert_close(one[..., 8:-8, 8:-8], other[..., 8:-8, 8:-8], atol=0.05, rtol=0)


def test_a_rigid_blur_is_the_mean_of_its_instants() -> None:
    picture, blur = exposure.from_pixels(scenery()), rigid(6, 0)
    mean = torch.cat([exposure.sampled(picture, blur.offsets(float(t)), cubic=True) for t in instants(21)]).mean(
        0, keepdim=True
    )
    torch.testing.assert_close(blur.forward(picture)[..., 6:-6, 6:-6], mean[..., 6:-6, 6:-6], atol=0.03, rtol=0)


@given(length=st.integers(1, 3000))
def test_fast_lengths_are_even_and_long_enough(length: int) -> None:
    fast = fast_length(length)
    assert fast >= length
    assert fast % 2 == 0


@pytest.mark.parametrize("stretch", [0.5, 1.5, 3.0])
def test_a_thing_that_stretches_has_no_stripes(stretch: float) -> None:
    x = torch.arange(64.0) - 31.5
    trajectory = torch.zeros(20, 64, 2)
    trajectory[..., 0] = stretch * x
    expected = -stretch * x / (1 + stretch)
    torch.testing.assert_close(splatted_offsets(trajectory)[10, 4:-4, 0], expected[4:-4], atol=0.4, rtol=0)


@given(x=st.floats(-6, 6), y=st.floats(-6, 6))
@settings(max_examples=20, deadline=None)
def test_splatting_one_shift_is_its_opposite_everywhere(x: float, y: float) -> None:
    trajectory = torch.tensor([x, y]).expand(20, 24, 2)
    torch.testing.assert_close(splatted_offsets(trajectory), -trajectory, atol=1e-3, rtol=1e-3)


def test_the_faster_thing_is_in_front_and_uncovers_what_is_behind() -> None:
    trajectory = torch.zeros(20, 40, 2)
    trajectory[:, 10:20, 0] = 8
    offsets = splatted_offsets(trajectory)[10, :, 0]
    assert offsets[18:28].tolist() == pytest.approx([-8] * 10, abs=0.1)
    assert offsets[:10].abs().max().item() < 0.1
    assert offsets[30:].abs().max().item() < 0.1
    assert offsets[10:18].abs().max().item() < 2


def test_filling_keeps_what_is_known() -> None:
    picture = torch.full((1, 3, 16, 16), 0.4)
    picture[..., 5:9, 5:9] = 9
    weight = torch.ones(1, 1, 16, 16)
    weight[..., 5:9, 5:9] = 0
    torch.testing.assert_close(filled(picture, weight, weight == 1), torch.full((1, 3, 16, 16), 0.4))


@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
def test_tiles_cover_the_photo(height: int, width: int) -> None:
    covered = np.zeros((height, width), bool)
    for tile in tiles((0, 0, height, width), 1024):
        covered[tile.y0 : tile.y1, tile.x0 : tile.x1] = True
    assert covered.all()


def test_tiles_of_one_picture_put_it_together_again() -> None:
    picture, whole = scenery(300, 260), np.zeros((300, 260, 3), np.uint8)
    for tile in tiles((0, 0, 300, 260), 90):
        tile.put(whole, picture[tile.y0 : tile.y1, tile.x0 : tile.x1])
    np.testing.assert_array_equal(whole, picture)


def test_tiles_pass_over_into_each_other() -> None:
    whole = np.zeros((60, 200, 3), np.uint8)
    for n, tile in enumerate((Tile(0, 0, 60, 100), Tile(0, 76, 60, 200))):
        tile.put(whole, np.full((60, tile.x1 - tile.x0, 3), 100 + 25 * n, np.uint8))
    assert max(abs(int(b) - int(a)) for a, b in pairwise(whole[30, :, 0])) <= 1


def test_a_camera_arrow_takes_its_blur_out() -> None:
    sharp, arrow = scenery(), Arrow(20, 9)
    photo = blurred(sharp, arrow)
    result = recovered(photo, Guidance(np.zeros(SIZE, np.uint8), camera=arrow))
    inside = (slice(8, -8), slice(8, -8))
    assert error(result.frames[3][inside], sharp[inside]) < 0.75 * error(photo[inside], sharp[inside])
    assert result.scores["sharpness"] > 1.2
    assert result.scores["reblur"] > 35
    assert result.scores["moved"] == pytest.approx(9, abs=1e-3)


def test_dense_motion_takes_its_blur_out() -> None:
    sharp, arrow = scenery(), Arrow(-30, 8)
    photo = blurred(sharp, arrow)
    flow = np.broadcast_to(arrow.vector().astype(np.float32), (*SIZE, 2))
    result = recovered(photo, Guidance(np.zeros(SIZE, np.uint8), motion=Motion.from_flow(flow)))
    inside = (slice(8, -8), slice(8, -8))
    assert error(result.frames[3][inside], sharp[inside]) < 0.8 * error(photo[inside], sharp[inside])


def test_frames_move_along_the_arrow() -> None:
    photo, guidance, _ = moving_block(Arrow(0, 12))
    result = recovered(photo, guidance)
    bright = [(frame.mean(2) > 180).nonzero()[1].mean() for frame in result.frames]
    assert bright == sorted(bright)
    assert bright[-1] - bright[0] == pytest.approx(12, abs=3)


def test_a_moving_thing_becomes_sharp_and_the_rest_stays_bit_for_bit() -> None:
    photo, guidance, middle = moving_block(Arrow(0, 12))
    result = recovered(photo, guidance)
    near = (slice(18, 42), slice(20, 60))
    assert error(result.frames[3][near], middle[near]) < 0.85 * error(photo[near], middle[near])
    far = np.ones(SIZE, bool)
    far[12:48, 15:65] = False
    for frame in result.frames:
        np.testing.assert_array_equal(frame[far], photo[far])


def test_places_of_a_thing_that_go_their_shares_move_so_and_the_rest_stays_bit_for_bit() -> None:
    arrow = Arrow(0, 12, shares=Shares.of(np.array([[0, 1]], np.complex64), (0.375, 0, 0.625, 1)))
    photo, guidance, _ = moving_block(Arrow(0, 12))
    uneven = replace(guidance, regions=(Region(1, "block", arrow),))
    recovery = recovered(photo, uneven, {"frames": 3, "sharpen": False})
    alike = recovered(photo, guidance, {"frames": 3, "sharpen": False})
    motion = recovery.motion
    assert motion is not None
    np.testing.assert_allclose(motion.flow()[30, [30, 40, 49], 0], [0, 6.6, 12], atol=0.7)
    assert np.array_equal(motion.flow()[10], np.zeros_like(motion.flow()[10]))
    assert np.array_equal(recovery.frames[:, :10], np.repeat(photo[None, :10], 3, 0))
    left, right = (slice(31, 36), slice(50, 54))
    assert error(recovery.frames[2][22:38, left], photo[22:38, left]) < 2
    assert error(recovery.frames[2][22:38, right], alike.frames[2][22:38, right]) < 12
    assert error(recovery.frames[2][22:38, right], photo[22:38, right]) > 20


def test_what_a_moving_thing_uncovers_looks_like_what_is_around_it() -> None:
    x = np.linspace(120, 200, 96)
    background = np.repeat(np.broadcast_to(x, (64, 96))[..., None], 3, 2).astype(np.uint8)
    arrow = Arrow(0, 10)
    inside = np.zeros((64, 96), np.uint8)
    inside[20:44, 34:62] = 1
    instants_ = [
        np.where(np.roll(inside, shift, 1)[..., None] > 0, (200, 20, 40), background) for shift in range(-5, 6)
    ]
    light = exposure.average(torch.cat([exposure.from_pixels(one.astype(np.uint8)) for one in instants_])[None])
    frames = recovered(exposure.to_pixels(light)[0], Guidance(inside, (Region(1, "block", arrow),))).frames
    for frame, strip in ((frames[0], np.s_[24:40, 58:64]), (frames[-1], np.s_[24:40, 32:38])):
        assert np.abs(frame[strip].astype(int) - background[strip]).max() <= 14


def test_a_pinned_region_stays_before_a_moving_camera() -> None:
    areas = np.zeros(SIZE, np.uint8)
    areas[20:40, 30:50] = 1
    photo = blurred(scenery(), Arrow(0, 10))
    result = recovered(photo, Guidance(areas, (Region(1, "pin", Arrow(0, 0)),), camera=Arrow(0, 10)))
    for frame in result.frames:
        np.testing.assert_array_equal(frame[27:33, 37:43], photo[27:33, 37:43])
    assert error(result.frames[0][:12], photo[:12]) > 1


def test_reverse_guidance_gives_the_reverse() -> None:
    photo, guidance, _ = moving_block(Arrow(20, 10, 0.2, 0.5))
    forth, back = recovered(photo, guidance), recovered(photo, guidance.reversed()).reversed()
    assert np.abs(forth.frames.astype(int) - back.frames).max() <= 1
    assert forth.motion is not None
    assert back.motion is not None
    np.testing.assert_allclose(forth.motion.trajectories, back.motion.trajectories, atol=1e-4)


def test_colours_and_light_stay() -> None:
    photo = blurred(scenery(), Arrow(0, 10))
    result = recovered(photo, Guidance(np.zeros(SIZE, np.uint8), camera=Arrow(0, 10)))
    before, after = (exposure.from_pixels(one).mean((0, 2, 3)) for one in (photo, result.frames[3]))
    torch.testing.assert_close(after, before, rtol=0.01, atol=0.001)


def test_a_uniform_photo_stays_uniform() -> None:
    photo = np.full((*SIZE, 3), 120, np.uint8)
    result = recovered(photo, Guidance(np.zeros(SIZE, np.uint8), camera=Arrow(70, 15)))
    assert np.abs(result.frames.astype(int) - photo).max() <= 1


def test_blown_out_light_does_not_ring() -> None:
    photo = np.full((*SIZE, 3), 90, np.uint8)
    photo[25:35, 30:50] = 255
    frame = recovered(photo, Guidance(np.zeros(SIZE, np.uint8), camera=Arrow(0, 12))).frames[3]
    assert frame[:20].min() >= 85
    assert frame[:20].max() <= 95


def test_sixteen_bits_stay_sixteen_bits() -> None:
    photo, guidance, _ = moving_block(Arrow(0, 8))
    deep = photo.astype(np.uint16) * 257 + 3
    frames = recovered(deep, guidance, {"frames": 3}).frames
    assert frames.dtype == np.uint16
    assert np.unique(frames % 257).size > 20
    np.testing.assert_array_equal(frames[:, :5], np.broadcast_to(deep[:5], (3, 5, SIZE[1], 3)))


def test_without_sharpening_the_photo_is_moved() -> None:
    photo = blurred(scenery(), Arrow(0, 8))
    guidance = Guidance(np.zeros(SIZE, np.uint8), camera=Arrow(0, 8))
    result = recovered(photo, guidance, {"frames": 3, "sharpen": False})
    np.testing.assert_array_equal(result.frames[1], photo)
    np.testing.assert_array_equal(result.frames[2][:, 8:-8], photo[:, 4:-12])


def test_tiles_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = blurred(scenery(150, 180), Arrow(30, 8))
    guidance = Guidance(np.zeros((150, 180), np.uint8), camera=Arrow(30, 8))
    whole = recovered(photo, guidance, {"frames": 2}).frames
    monkeypatch.setattr("models.drawn.engine._SIDE", 80)
    tiled = recovered(photo, guidance, {"frames": 2}).frames
    assert np.abs(whole.astype(int) - tiled)[:, 12:-12, 12:-12].max() <= 4


def test_limit_gives_a_smaller_preview_of_the_same_motion() -> None:
    photo, guidance, _ = moving_block(Arrow(0, 12))
    result = recovered(photo, guidance, {"limit": 40, "frames": 3})
    assert result.frames.shape == (3, 30, 40, 3)
    assert result.motion is not None
    np.testing.assert_allclose(result.motion.flow()[15, 20], [6, 0], atol=1e-4)


@pytest.mark.parametrize(("frames", "times"), [(1, 9), (2, 9), (7, 7), (12, 9)])
def test_motion_stands_at_the_frames_times_or_where_they_are_too_few_or_many_at_nine(frames: int, times: int) -> None:
    photo, guidance, _ = moving_block(Arrow(0, 6))
    result = recovered(photo, guidance, {"frames": frames, "sharpen": False})
    assert len(result.frames) == frames
    assert result.motion is not None
    assert len(result.motion.times) == times


def test_motion_of_regions_offsets_follow_the_thing_and_trajectories_stay_with_it() -> None:
    _, guidance, _ = moving_block(Arrow(0, 12))
    motion = motion_of(guidance, instants(3))
    np.testing.assert_allclose(motion.trajectories[2][30, 40], [6, 0], atol=1e-5)
    np.testing.assert_allclose(motion.offsets[2][30, 53], [-6, 0], atol=1e-5)
    np.testing.assert_allclose(motion.offsets[2][30, 31], 0)
    np.testing.assert_allclose(motion.trajectories[2][30, 53], 0)


def test_motion_of_a_large_photo_stands_on_a_coarser_grid() -> None:
    motion = motion_of(Guidance(np.zeros((600, 2048), np.uint8), camera=Arrow(0, 40)), instants(3))
    assert motion.offsets.shape == (3, 300, 1024, 2)
    np.testing.assert_allclose(motion.flow()[0, 0], [40, 0], atol=1e-4)


def test_only_what_moves_is_worked_on() -> None:
    areas = np.zeros((200, 300), np.uint8)
    areas[50:60, 100:120], areas[190:, :] = 1, 2
    regions = (Region(1, "block", Arrow(0, 8)), Region(2, "floor", Arrow(0, 0)))
    assert extent(scene(Guidance(areas, regions)), areas, 10) == (40, 90, 70, 130)
    assert extent(scene(Guidance(areas, regions)), areas, 80) == (0, 20, 140, 200)
    assert extent(scene(Guidance(areas, regions, camera=Arrow(0, 5))), areas, 10) == (0, 0, 200, 300)


def test_layers_stand_back_to_front() -> None:
    areas = np.zeros((4, 4), np.uint8)
    regions = (Region(2, "far", Arrow(0, 3)), Region(1, "unsaid"), Region(3, "near", Arrow(0, 0)))
    assert [thing.number for thing in scene(Guidance(areas, regions))] == [0, 2, 3]


@pytest.mark.parametrize(
    "guidance",
    [Guidance.empty(*SIZE), Guidance(np.ones(SIZE, np.uint8), (Region(1, "pin", Arrow(0, 0)),))],
    ids=["nothing", "pins"],
)
def test_no_motion_is_refused(guidance: Guidance) -> None:
    with pytest.raises(ValueError, match="nothing is said to move"):
        recovered(scenery(), guidance)


def test_guidance_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="another size"):
        recovered(scenery(), Guidance(np.zeros((9, 9), np.uint8), camera=Arrow(0, 5)))


@pytest.mark.parametrize("options", [{"frames": 0}, {"iterations": 99}, {"colour": 1}])
def test_impossible_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"lies between|no option"):
        recovered(scenery(), Guidance(np.zeros(SIZE, np.uint8), camera=Arrow(0, 5)), options)


def test_more_frames_than_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.recovery.LARGEST", 100_000)
    with pytest.raises(ValueError, match="at most 6"):
        recovered(scenery(), Guidance(np.zeros(SIZE, np.uint8), camera=Arrow(0, 5)))


@pytest.mark.parametrize("after", [0, 5, 20])
def test_cancel_is_heard_in_every_step(after: int) -> None:
    asked = iter(range(1000))
    photo, guidance, _ = moving_block(Arrow(0, 6))
    with pytest.raises(Cancelled):
        catalog.load("drawn")(Inputs(photo, guidance, "cpu"), {}, lambda _: None, lambda: next(asked) >= after)


def test_progress_rises_to_one() -> None:
    told: list[Progress] = []
    photo, guidance, _ = moving_block(Arrow(0, 6))
    catalog.load("drawn")(Inputs(photo, guidance, "cpu"), {}, told.append, lambda: False)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1

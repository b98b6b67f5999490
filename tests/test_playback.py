from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.playback import Playback, displacements, frame_at, screen_copy
from models.motion import Motion, instants
from models.recovery import Recovery

HEIGHT, WIDTH = 48, 64


def texture(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A smooth picture known at every place, so that moving it has an exact answer."""
    return np.stack([np.sin(x / 5) + np.cos(y / 7), np.cos(x / 9), np.sin((x + y) / 6)], -1) * 50 + 120


def moving(
    count: int = 3, vector: tuple[float, float] = (12, -6), dtype: type = np.uint8, coarser: int = 1
) -> Recovery:
    """A texture that moves evenly by `vector` px over the exposure, with its true motion."""
    times = instants(count)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    frames = np.stack([texture(x - (t - 0.5) * vector[0], y - (t - 0.5) * vector[1]) for t in times])
    scale = 257 if dtype is np.uint16 else 1
    flow = np.tile(np.float32(vector), (HEIGHT // coarser, WIDTH // coarser, 1))
    return Recovery(np.rint(frames * scale).astype(dtype), times, Motion.from_flow(flow), "drawn")


def true_instant(t: float, vector: tuple[float, float] = (12, -6)) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    return texture(x - (t - 0.5) * vector[0], y - (t - 0.5) * vector[1])


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_frame_is_exact_at_its_own_time(index: int) -> None:
    recovery = moving()
    assert np.array_equal(frame_at(recovery, float(recovery.times[index])), recovery.frames[index])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("coarser", [1, 4])
@pytest.mark.parametrize("t", [0.1, 0.25, 0.6, 0.9])
def test_between_frames_things_stand_where_they_were(t: float, coarser: int, dtype: type) -> None:
    frame = frame_at(moving(dtype=dtype, coarser=coarser), t)
    assert frame.dtype == dtype
    shown = frame / (257 if dtype is np.uint16 else 1)
    inner = np.s_[8:-8, 8:-8]
    assert np.abs(shown[inner] - true_instant(t)[inner]).max() < 2


def test_without_motion_neighbours_are_blended() -> None:
    frames = np.stack([np.full((20, 20, 3), value, np.uint8) for value in (0, 200)])
    recovery = Recovery(frames, np.float32([0, 1]), None, "drawn")
    assert np.all(frame_at(recovery, 0.25) == 50)


def test_beyond_the_frames_the_outer_one_is_held() -> None:
    recovery = moving()
    inner = Recovery(recovery.frames, np.float32([0.2, 0.5, 0.8]), recovery.motion, "drawn")
    assert np.array_equal(frame_at(inner, 0), inner.frames[0])
    assert np.array_equal(frame_at(inner, 1), inner.frames[2])


@given(st.floats(0, 1))
def test_playing_backwards_shows_the_mirrored_moment(t: float) -> None:
    recovery = moving()
    forward, backward = frame_at(recovery, t), frame_at(recovery.reversed(), 1 - t)
    assert np.abs(forward.astype(int) - backward).max() <= 1


def test_a_single_frame_is_shown_at_all_times() -> None:
    recovery = Recovery(np.zeros((1, 20, 20, 3), np.uint8), instants(1), None, "drawn")
    assert frame_at(recovery, 0.1).shape == (20, 20, 3)


@given(st.floats(0, 1), st.integers(0, 3))
def test_nothing_moves_to_its_own_time(t: float, seed: int) -> None:
    rough = np.random.default_rng(seed).normal(size=(3, 8, 9, 2)).astype(np.float32)
    motion = Motion(instants(3), rough, rough[::-1])
    assert not np.any(displacements(motion, t, (t, 1.0), (8, 9))[0])


def test_frames_of_a_mapped_file_are_read_in_place(tmp_path) -> None:
    recovery = moving()
    np.save(tmp_path / "frames.npy", recovery.frames)
    mapped = np.load(tmp_path / "frames.npy", mmap_mode="r", allow_pickle=False)
    same = Recovery(mapped, recovery.times, recovery.motion, "drawn")
    assert np.array_equal(frame_at(same, 0.3), frame_at(recovery, 0.3))


def test_a_screen_copy_fits_and_keeps_its_motion() -> None:
    recovery = moving(dtype=np.uint16)
    copy = screen_copy(recovery, 32, 32)
    assert copy.frames.shape == (3, 24, 32, 3)
    assert copy.frames.dtype == np.uint8
    assert copy.motion is not None
    assert np.allclose(copy.motion.flow(), (6, -3), atol=0.01)
    small = true_instant(0.3).reshape(24, 2, 32, 2, 3).mean((1, 3))
    assert np.abs(frame_at(copy, 0.3)[5:-5, 5:-5] - small[5:-5, 5:-5]).max() < 2


def test_a_screen_copy_never_enlarges() -> None:
    assert screen_copy(moving(), 4000, 4000).frames.shape == (3, HEIGHT, WIDTH, 3)


def test_a_screen_copy_of_very_many_frames_gets_smaller(monkeypatch) -> None:
    monkeypatch.setattr("app.playback.SCREEN_BYTES", 3 * 24 * 32 * 3)
    assert screen_copy(moving(), 4000, 4000).frames.nbytes <= 3 * 24 * 32 * 3


def test_playing_goes_by_seconds_and_speed() -> None:
    playback = Playback(speed=0.5)
    assert playback.advance(1) == 0
    playback.play()
    assert playback.advance(0.5) == 0.25


def test_once_stops_at_the_end_and_starts_over() -> None:
    playback = Playback(mode="once", start=0.2, end=0.8)
    playback.play()
    assert playback.advance(5) == pytest.approx(0.8)
    assert not playback.playing
    playback.play()
    assert playback.advance(0.1) == pytest.approx(0.3)


def test_loop_jumps_back() -> None:
    playback = Playback(mode="loop", start=0.2, end=0.8)
    playback.play()
    assert playback.advance(0.7) == pytest.approx(0.3)


def test_ping_pong_turns_round_at_both_ends() -> None:
    playback = Playback(start=0.2, end=0.8)
    playback.play()
    seen = [playback.advance(0.4) for _ in range(4)]
    assert seen == pytest.approx([0.6, 0.6, 0.2, 0.6])


@given(
    st.sampled_from(["once", "loop", "ping-pong"]),
    st.lists(st.floats(0, 1000), max_size=8),
    st.floats(0, 1),
    st.floats(0.1, 4),
)
def test_playing_never_leaves_its_range(mode, gaps, position, speed) -> None:
    playback = Playback(position, mode=mode, speed=speed, start=0.25, end=0.75)
    playback.play()
    for gap in gaps:
        assert 0.25 <= playback.advance(gap) <= 0.75


@given(st.lists(st.floats(0, 3), min_size=1, max_size=6))
def test_many_small_steps_are_one_large_one(gaps: list[float]) -> None:
    steps, leap = Playback(), Playback()
    steps.play(), leap.play()
    for gap in gaps:
        steps.advance(gap)
    assert steps.position == pytest.approx(leap.advance(sum(gaps)), abs=1e-6)


@pytest.mark.parametrize(("start", "end"), [(0.5, 0.5), (0.6, 0.4), (-0.1, 1), (0, 1.1)])
def test_an_empty_range_is_refused(start: float, end: float) -> None:
    with pytest.raises(ValueError, match="in < out"):
        Playback().set_range(start, end)

from __future__ import annotations

import gc
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app import exchange
from app.exchange import Exchange
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion, instants
from models.recovery import Inputs, Recovery


@pytest.fixture
def ends(tmp_path: Path) -> tuple[Exchange, Exchange]:
    return Exchange(tmp_path, "here"), Exchange(tmp_path, "there")


def recovery() -> Recovery:
    frames = np.random.default_rng(0).integers(0, 255, (3, 20, 30, 3), np.uint8)
    motion = Motion.from_flow(np.ones((20, 30, 2), np.float32))
    return Recovery(frames, instants(3), motion, "drawn", {"frames": 3, "fine": True}, notes=("said",), scores={"a": 1})


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_recovery_arrives_as_it_was(ends: tuple[Exchange, Exchange]) -> None:
    sent = recovery()
    got = ends[1].decode(ends[0].encode(sent), Recovery)
    assert np.array_equal(got.frames, sent.frames)
    assert got.motion is not None
    assert sent.motion is not None
    assert np.array_equal(got.motion.offsets, sent.motion.offsets)
    assert (got.options, got.notes, got.scores) == (sent.options, sent.notes, sent.scores)
    assert not got.frames.flags.writeable


def test_guidance_arrives_as_it_was(ends: tuple[Exchange, Exchange]) -> None:
    sent = Guidance(np.eye(40, dtype=np.uint8), (Region(1, "hand", Arrow(90, 12, 0.5)), Region(2, "pin")), Arrow(0, 3))
    inputs = Inputs(np.zeros((40, 40, 3), np.uint16), sent, seed=4)
    got = ends[1].decode(ends[0].encode(inputs), Inputs)
    assert np.array_equal(got.guidance.areas, sent.areas)
    assert (got.guidance.regions, got.guidance.camera, got.seed) == (sent.regions, sent.camera, 4)


@given(arrays.arrays(st.sampled_from([np.uint8, np.uint16, np.float32]), arrays.array_shapes(max_dims=3, max_side=12)))
def test_any_array_arrives_as_it_was(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray) -> None:
    end = Exchange(tmp_path_factory.mktemp("exchange"), "here")
    got = end.decode(end.encode(array), np.ndarray)
    assert got.dtype == array.dtype
    assert np.array_equal(got, array, equal_nan=array.dtype.kind == "f")


def test_a_given_file_goes_with_its_array(ends: tuple[Exchange, Exchange]) -> None:
    got = ends[1].decode(ends[0].encode(recovery()), Recovery)
    assert files(ends[0].root)
    del got
    gc.collect()
    assert not files(ends[0].root)


def test_a_mapped_array_is_lent_and_stays(ends: tuple[Exchange, Exchange]) -> None:
    mine = ends[0].decode(ends[1].encode(np.zeros((50, 50), np.uint8)), np.ndarray)
    before = files(ends[0].root)
    lent = ends[1].decode(ends[0].encode(mine), np.ndarray)
    assert files(ends[0].root) == before
    del lent
    gc.collect()
    assert files(ends[0].root) == before
    assert not np.any(mine)


def test_a_part_of_a_mapped_array_is_written_anew(ends: tuple[Exchange, Exchange]) -> None:
    mine = ends[0].decode(ends[1].encode(np.arange(5000)), np.ndarray)
    assert np.array_equal(ends[1].decode(ends[0].encode(mine[::-1]), np.ndarray), np.arange(5000)[::-1])
    assert np.array_equal(ends[1].decode(ends[0].encode(mine[2500:]), np.ndarray), np.arange(2500, 5000))


def test_what_a_side_left_is_removed_but_for_what_is_read(ends: tuple[Exchange, Exchange]) -> None:
    kept = ends[1].decode(ends[0].encode(np.zeros(5000)), np.ndarray)
    ends[0].encode(np.ones(5000))
    ends[1].forget("here")
    assert len(files(ends[0].root)) == 1
    assert len(kept) == 5000


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b'{"file": "../../etc/passwd", "lent": true}',
        b'{"file": "here/nothing.npy", "lent": false}',
        b'{"data": "AAAA", "dtype": "<f4", "shape": [7]}',
        b'{"data": "AAAA", "dtype": "|O", "shape": [1]}',
        b'{"data": "!", "dtype": "<f4", "shape": [1]}',
        b'{"data": 1, "dtype": 1, "shape": 1}',
        b"3",
        b"null",
    ],
)
def test_anything_else_is_refused(ends: tuple[Exchange, Exchange], line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own sentence
        ends[0].decode(line, np.ndarray)


def test_a_pickle_is_not_read(ends: tuple[Exchange, Exchange]) -> None:
    np.save(ends[0].folder / "bad.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="object"):
        ends[0].decode(b'{"file": "here/bad.npy", "lent": true}', np.ndarray)


def test_the_private_folder_is_private_and_stale_ones_go(tmp_path: Path) -> None:
    mine = exchange.private_folder()
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    stale = mine.parent / f"exchange-{int(ended.stdout)}-abc"
    stale.mkdir()
    (stale / "left.npy").touch()
    exchange.sweep()
    assert not stale.exists()
    assert mine.exists()
    if os.name == "posix":
        assert stat.S_IMODE(mine.stat().st_mode) == 0o700


def test_a_lent_array_goes_backwards_without_being_written_again(tmp_path: Path) -> None:
    one, other = Exchange(tmp_path, "one"), Exchange(tmp_path, "other")
    frames = np.arange(4000, dtype=np.uint16).reshape(4, 1000)
    np.save(one.folder / "frames.npy", frames)
    mapped = np.load(one.folder / "frames.npy", mmap_mode="r")
    files = list(one.folder.iterdir())
    again = other.decode(one.encode(mapped[::-1]), np.ndarray)
    assert np.array_equal(again, frames[::-1])
    assert list(one.folder.iterdir()) == files

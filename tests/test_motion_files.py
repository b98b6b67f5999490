from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.motion_files import motion_arrays, read_flo, read_motion, write_flo, write_npz
from models.motion import Motion

FLOW = np.random.default_rng(1).normal(scale=3, size=(6, 9, 2)).astype(np.float32)


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_flow_comes_back(tmp_path: Path) -> None:
    write_flo(tmp_path / "a.flo", FLOW)
    assert np.array_equal(read_flo(tmp_path / "a.flo"), FLOW)
    assert np.allclose(read_motion(tmp_path / "a.flo").flow(), FLOW, atol=1e-5)


def test_motion_comes_back(tmp_path: Path) -> None:
    motion = Motion.from_flow(FLOW)
    write_npz(tmp_path / "a.npz", motion_arrays(motion))
    read = read_motion(tmp_path / "a.npz")
    for name in ("times", "offsets", "trajectories"):
        assert np.array_equal(getattr(read, name), getattr(motion, name))


def test_half_of_the_motion_is_enough(tmp_path: Path) -> None:
    flow = np.full((6, 9, 2), 2.0)
    motion = Motion.from_flow(flow)
    for arrays in (
        {"flow": flow},
        {"offsets": motion.offsets, "times": motion.times},
        {"trajectories": motion.trajectories, "times": motion.times},
    ):
        (tmp_path / "a.npz").write_bytes(npz(**arrays))
        assert np.allclose(read_motion(tmp_path / "a.npz").flow(), 2)


def test_unknown_flow_stands_still(tmp_path: Path) -> None:
    flow = FLOW.copy()
    flow[0, 0] = 1e10
    write_flo(tmp_path / "a.flo", flow)
    read = read_flo(tmp_path / "a.flo")
    assert not read[0, 0].any()
    assert np.array_equal(read[1:], FLOW[1:])


def bomb() -> bytes:
    """An array whose header promises a terabyte."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("flow.npy", "w") as entry:
        header = {"descr": "<f4", "fortran_order": False, "shape": (400_000, 400_000, 2)}
        np.lib.format.write_array_header_1_0(entry, header)
        entry.write(bytes(1000))
    return file.getvalue()


HALF = np.array([0.5], np.float32)
REFUSED = {
    "empty.flo": b"",
    "text.flo": b"no flow at all",
    "cut.flo": b"PIEH" + struct.pack("<ii", 9, 6) + bytes(100),
    "huge.flo": b"PIEH" + struct.pack("<ii", 1 << 30, 1 << 30),
    "negative.flo": b"PIEH" + struct.pack("<ii", -9, -6) + bytes(432),
    "nan.flo": b"PIEH" + struct.pack("<ii", 1, 1) + struct.pack("<ff", float("nan"), 0),
    "empty.npz": b"",
    "text.npz": b"no zip",
    "other.npz": npz(pictures=FLOW),
    "object.npz": npz(flow=np.array([[{}]], object)),
    "shape.npz": npz(flow=FLOW[0]),
    "scalar.npz": npz(flow=np.float32(1)),
    "nan.npz": npz(flow=FLOW * np.nan),
    "far.npz": npz(flow=FLOW * 1e9),
    "times.npz": npz(offsets=FLOW[None], times=np.array([2], np.float32)),
    "count.npz": npz(offsets=FLOW[None], times=np.array([0, 1], np.float32)),
    "grids.npz": npz(offsets=FLOW[None], trajectories=FLOW[None, 1:], times=HALF),
    "untimed.npz": npz(offsets=FLOW[None]),
    "words.npz": npz(flow=np.array([["a"]])),
    "bomb.npz": bomb(),
    "motion.txt": b"",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_motion_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(REFUSED[name])
    with pytest.raises(ValueError, match=name.replace(".", r"\.")) as caught:
        read_motion(tmp_path / name)
    assert "\n" not in str(caught.value)


@given(
    st.sampled_from([npz(flow=FLOW), npz(**motion_arrays(Motion.from_flow(FLOW)))]),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 7)), max_size=6),
    st.integers(0, 1 << 14),
)
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_never_raises_anything_but_one_sentence(
    tmp_path: Path, whole: bytes, flips: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(whole)
    for place, bit in flips:
        data[place % len(data)] ^= 1 << bit
    (tmp_path / "a.npz").write_bytes(data[: cut % len(data)] if cut % 2 else data)
    sentence = "a.npz"
    try:
        read_motion(tmp_path / "a.npz")
    except ValueError as error:
        sentence = str(error)
    assert sentence.startswith("a.npz")

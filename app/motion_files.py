"""Motion as files: Middlebury `.flo`, and `.npz` with a flow, offsets or trajectories.

Files may come from anywhere: sizes are checked before memory is taken, pickles are never read, values are finite.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from app.photo import MAX_PIXELS, read_file
from app.store import MAX_MOTION, checked_motion, checked_times
from models.motion import Motion, resized_field
from models.recovery import Cancelled, Progress

MAX_BYTES = 8 << 30
FARTHEST = 100_000.0
"""px; what moves farther, or is no number, is no motion of a photo. Middlebury marks unknown flow with 1e9 and more."""

_FLO = b"PIEH"


def read_motion(path: str | Path) -> Motion:
    """The motion in a `.flo` or `.npz` file. Raises ValueError with one sentence."""
    path = Path(path)
    if path.suffix.lower() == ".flo":
        return Motion.from_flow(read_flo(path))
    if path.suffix.lower() != ".npz":
        raise ValueError(f"{path.name} is no motion: expected .flo or .npz")
    try:
        return _motion_of(read_npz(read_file(path, MAX_BYTES)))
    except ValueError as error:
        raise ValueError(f"{path.name} holds no motion that can be read: {error}") from error


def read_flo(path: str | Path) -> np.ndarray:
    """Flow float32 (H, W, 2) px, x right, y down. Unknown flow (Middlebury's 1e9) becomes 0."""
    path = Path(path)
    data = read_file(path, 12 + 8 * MAX_PIXELS)
    if len(data) < 12 or data[:4] != _FLO:
        raise ValueError(f"{path.name} is no .flo file")
    width, height = struct.unpack("<ii", data[4:12])
    if min(width, height) < 1 or width * height > MAX_PIXELS or len(data) != 12 + 8 * width * height:
        raise ValueError(f"{path.name} is damaged: {width} x {height} px do not fit its {len(data)} bytes")
    flow = np.frombuffer(data, "<f4", offset=12).reshape(height, width, 2).astype(np.float32)
    if np.isnan(flow).any():
        raise ValueError(f"{path.name} is damaged: it holds flow that is no number")
    return np.where((np.abs(flow) > FARTHEST).any(-1, keepdims=True), np.float32(0), flow)


def write_flo(path: str | Path, flow: np.ndarray) -> None:
    """Write flow (H, W, 2) as Middlebury `.flo`. Overwrites; callers who need it atomic write beside and rename."""
    height, width = flow.shape[:2]
    with Path(path).open("wb") as file:
        file.write(_FLO + struct.pack("<ii", width, height))
        file.write(np.ascontiguousarray(flow, "<f4").data)


def write_npz(path: str | Path | io.BytesIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as `.npz`, packed quickly rather than tightly."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)


def motion_arrays(motion: Motion) -> dict[str, np.ndarray]:
    """What an `.npz` of trajectories holds: offsets and trajectories (N, H, W, 2), times (N,), all float32."""
    return {name: np.asarray(getattr(motion, name), np.float32) for name in ("offsets", "trajectories", "times")}


def write_motion(
    path: str | Path,
    motion: Motion,
    size: tuple[int, int],
    on_progress: Callable[[Progress], None] = lambda progress: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Write a motion as `.npz` on the grid `size` (H, W), one instant at a time so that it needs little memory."""
    count, done = len(motion.times), 0
    header = {"descr": "<f4", "fortran_order": False, "shape": (count, *size, 2)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("offsets", "trajectories"):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array_header_1_0(file, header)
                for field in getattr(motion, name):
                    if is_cancelled():
                        raise Cancelled
                    file.write(np.ascontiguousarray(resized_field(field, *size), "<f4").data)
                    done += 1
                    on_progress(Progress(done / (2 * count), name))
        with archive.open("times.npy", "w") as file:
            np.lib.format.write_array(file, np.asarray(motion.times, np.float32), allow_pickle=False)


def read_npz(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of numbers among offsets, trajectories, times and flow in an `.npz`. Raises ValueError."""
    found = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in ("offsets", "trajectories", "times", "flow"):
                if f"{name}.npy" in archive.namelist():
                    found[name] = _array(archive, f"{name}.npy")
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise ValueError("it is damaged or no .npz file") from error
    return found


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """One array, whose header is believed only as far as the size of what follows."""
    size = archive.getinfo(name).file_size
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{name} has an unknown version")
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        length = int(np.prod([int(side) for side in shape], dtype=object)) * dtype.itemsize
        if dtype.kind not in "fiu" or any(side < 0 for side in shape) or not 0 < length <= min(size, MAX_MOTION):
            raise ValueError(f"{name} holds {dtype} {shape}")
    with archive.open(name) as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
    array = np.ascontiguousarray(array, np.float32)
    if not (np.abs(array) <= FARTHEST).all():
        raise ValueError(f"{name} holds values that are no motion")
    return array


def _motion_of(arrays: Mapping[str, np.ndarray]) -> Motion:
    if "flow" in arrays:
        flow = arrays["flow"]
        if flow.ndim != 3 or flow.shape[2] != 2:
            raise ValueError(f"expected a flow of shape (H, W, 2), got {flow.shape}")
        return Motion.from_flow(flow)
    given = [arrays[name] for name in ("offsets", "trajectories") if name in arrays]
    if not given or "times" not in arrays:
        raise ValueError("expected flow, or times with offsets or trajectories")
    times = checked_times(arrays["times"])
    if len(given) == 2:
        return checked_motion(times, *given)
    checked_motion(times, given[0], given[0])
    return Motion.from_offsets(given[0], times) if "offsets" in arrays else Motion.from_trajectories(given[0], times)

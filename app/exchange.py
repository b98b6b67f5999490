"""How values cross between two processes: as JSON, their arrays in files of one private folder, memory-mapped.

An array that already is such a file is *lent*: only its name crosses. Any other is written once and *given*: its
file goes when the reader drops the array. Shared memory would die with SIGBUS where /dev/shm is small.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import weakref
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import msgspec
import numpy as np

T = TypeVar("T")

_INLINE = 1024
"""Arrays of at most so many bytes travel in the JSON itself."""


class _Inline(msgspec.Struct, forbid_unknown_fields=True):
    dtype: str
    shape: tuple[int, ...]
    data: bytes


class _InFile(msgspec.Struct, forbid_unknown_fields=True):
    file: str
    lent: bool
    backwards: bool = False


class Exchange:
    """One side's end: writes arrays into `root/name`, reads those of all sides under `root`."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root.resolve()
        self.folder = self.root / name
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._written = 0
        self._read: set[Path] = set()

    def encode(self, value: object) -> bytes:
        """JSON of structs and dataclasses, without line ends. Raises OSError where an array cannot be written."""
        return msgspec.json.encode(value, enc_hook=self._sent)

    def decode(self, data: bytes | msgspec.Raw, kind: type[T]) -> T:
        """The value again, its arrays read-only. Raises ValueError with one sentence on anything unexpected."""
        return msgspec.json.decode(data, type=kind, dec_hook=self._received)

    def forget(self, name: str) -> None:
        """Remove what a side that ended has left, but for what is in use here."""
        for path in (self.root / name).glob("*"):
            if path not in self._read:
                _remove(path)

    def close(self) -> None:
        """Remove this side's folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _sent(self, value: object) -> object:
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, Path):
            return str(value)
        if not isinstance(value, np.ndarray):
            raise NotImplementedError(f"{type(value).__name__} cannot be sent")
        if value.nbytes <= _INLINE:
            return _Inline(value.dtype.str, value.shape, value.tobytes())
        for backwards in (False, True):
            path = self._file_of(value[::-1] if backwards else value)
            if path is not None:
                return _InFile(str(path.relative_to(self.root)), lent=True, backwards=backwards)
        self._written += 1
        path = self.folder / f"{os.getpid()}-{self._written}.npy"
        np.save(path, value, allow_pickle=False)
        return _InFile(str(path.relative_to(self.root)), lent=False)

    def _file_of(self, array: np.ndarray) -> Path | None:
        """The file under the root that holds just this array, if there is one."""
        if not isinstance(array, np.memmap) or array.filename is None or not array.flags.c_contiguous:
            return None
        path = Path(array.filename)
        whole = path.suffix == ".npy" and path.is_relative_to(self.root) and path.is_file()
        return path if whole and array.offset + array.nbytes == path.stat().st_size else None

    def _received(self, kind: type, value: Any) -> object:
        if kind is object:
            return value
        if kind is Path:
            return Path(value)
        if kind is not np.ndarray:
            raise NotImplementedError(f"{kind.__name__} cannot be received")
        if "data" in value:
            small = msgspec.convert({**value, "data": base64.b64decode(value["data"])}, _Inline)
            return np.frombuffer(small.data, np.dtype(small.dtype)).reshape(small.shape)
        return self._mapped(msgspec.convert(value, _InFile))

    def _mapped(self, sent: _InFile) -> np.ndarray:
        path = (self.root / sent.file).resolve()
        if not path.is_relative_to(self.root):
            raise ValueError("an array lies outside the private folder")
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except OSError as error:
            raise ValueError(f"an array is missing: {error}") from error
        if not sent.lent:
            self._read.add(path)
            weakref.finalize(array, self._dropped, path)
        return array[::-1] if sent.backwards else array

    def _dropped(self, path: Path) -> None:
        self._read.discard(path)
        _remove(path)


def private_folder() -> Path:
    """A new folder that only this user can read, named after this process; `sweep` knows when it is stale."""
    root = _cache()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(mkdtemp(prefix=f"exchange-{os.getpid()}-", dir=root))


def sweep() -> None:
    """Remove the private folders of processes that are gone."""
    import psutil

    for folder in _cache().glob("exchange-*-*"):
        pid = folder.name.split("-")[1]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _cache() -> Path:
    import platformdirs

    return Path(os.environ.get("UNSHUTTER_CACHE") or platformdirs.user_cache_path("unshutter"))


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # Windows keeps a mapped file; the whole folder goes later
        path.unlink(missing_ok=True)

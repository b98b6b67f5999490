"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

_PART = ".part"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a path beside `path` to write a file to, which then takes its place.

    Whatever goes wrong, the old file stays and nothing is left beside it. What the system refuses becomes a
    ValueError with one sentence.
    """
    with _beside(path) as folder:
        new = folder / path.name
        yield new
        _sync(new)
        os.replace(new, path)
        _sync(path.parent)


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Gives an empty folder beside `path`, which then takes its place. Raises ValueError where `path` is not empty."""
    with _beside(path) as folder:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise ValueError(f"{path.name} exists already and is not an empty folder")
        new = folder / path.name
        new.mkdir()
        yield new
        for file in new.iterdir():
            _sync(file)
        if path.exists():
            path.rmdir()
        os.replace(new, path)
        _sync(path.parent)


def remove_parts(path: Path) -> None:
    """Remove what a process that was ended by force has left beside `path` of a file that it wrote there."""
    for folder in path.parent.glob(f"{glob.escape(_prefix(path))}*{_PART}"):
        shutil.rmtree(folder, ignore_errors=True)


def sentence(error: OSError, name: str) -> str:
    """What the system refused, in words for the user."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{name} was not written: the disk is full"
    return f"{name} was not written: {(error.strerror or str(error)).lower()}"


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    try:
        if not path.parent.is_dir():
            raise ValueError(f"{path.name} was not written: there is no folder {path.parent}")
        folder = Path(mkdtemp(prefix=_prefix(path), suffix=_PART, dir=path.parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise ValueError(sentence(error, path.name)) from error


def _prefix(path: Path) -> str:
    return f".{path.name[:40]}-"


def _sync(path: Path) -> None:
    """Have the disk keep what was written; folders cannot be synced everywhere."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

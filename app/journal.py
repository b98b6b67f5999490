"""An append-only file of edits, so that what was done since the last save outlives a crash.

One line a record: the CRC-32 of its JSON in hex, a space, the JSON. A record is handed to the system at once, which
survives the death of this process; a thread has the disk keep it soon after, which survives the loss of power.
"""

from __future__ import annotations

import contextlib
import os
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.atomic import sentence
from app.edits import Edit

MAX_BYTES = 2 << 30
_SYNC_SECONDS = 0.5


class Begun(msgspec.Struct, frozen=True, tag="begun", forbid_unknown_fields=True):
    """First record. The edits that follow start from the project file of this stamp, or from the bare photo.

    given  how many of them were there before the user did anything, such as a sample's own guidance.
    """

    stamp: str = ""
    photo: str = ""
    version: int = 1
    given: int = 0


class Done(msgspec.Struct, frozen=True, tag="done", forbid_unknown_fields=True):
    edit: Edit
    joins: bool = False


class Saving(msgspec.Struct, frozen=True, tag="saving", forbid_unknown_fields=True):
    """All above is in the project file once that has this stamp."""

    stamp: str


Record = Begun | Done | Saving


@dataclass(frozen=True)
class Found:
    """What was read from a journal.

    records  the whole ones up to the first damage, with the place after each.
    good     how many bytes they take; torn: something follows that is no record.
    damaged  what follows is more than one line torn by a crash.
    """

    records: tuple[tuple[Record, int], ...]
    good: int
    damaged: bool


class Journal:
    """A journal being written. `trouble` is a sentence while records cannot be written; they are kept and retried."""

    def __init__(self, path: Path, begun: Begun | None = None, rest: bytes = b"") -> None:
        """Begin a new journal with `begun` and the lines `rest`; without `begun` go on with the one at `path`.

        Raises ValueError with one sentence where that cannot be.
        """
        self.path = path
        self.trouble = ""
        self._pending = bytearray()
        self._dirty = threading.Condition()
        self._unsynced = self._closed = False
        try:
            if begun is not None:
                _begin(path, line(begun) + rest)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise ValueError(sentence(error, path.name)) from error
        self._size = os.fstat(self._file).st_size
        self._syncing = threading.Thread(target=self._sync, name="journal", daemon=True)
        self._syncing.start()

    def write(self, record: Record) -> int:
        """Add a record. Returns the place after it."""
        self._pending += line(record)
        try:
            written = os.write(self._file, self._pending)
            if written < len(self._pending):
                os.ftruncate(self._file, self._size)
                raise OSError(28, "No space left on device")
        except OSError as error:
            self.trouble = sentence(error, self.path.name)
            return self._size + len(self._pending)
        self._size += written
        self._pending.clear()
        self.trouble = ""
        with self._dirty:
            self._unsynced = True
            self._dirty.notify()
        return self._size

    def done(self, edit: Edit, joins: bool) -> None:
        self.write(Done(edit, joins))

    def after(self, place: int) -> bytes:
        """The lines after a place that `write` returned."""
        written = b""
        if place < self._size:
            with self.path.open("rb") as file:
                file.seek(place)
                written = file.read()
        return written + bytes(self._pending[max(place - self._size, 0) :])

    def close(self, remove: bool = False) -> None:
        with self._dirty:
            already, self._closed = self._closed, True
            self._dirty.notify()
        self._syncing.join()
        if not already:
            with contextlib.suppress(OSError):
                os.fsync(self._file)
            os.close(self._file)
        if remove:
            self.path.unlink(missing_ok=True)

    def _sync(self) -> None:
        while True:
            with self._dirty:
                self._dirty.wait_for(lambda: self._unsynced or self._closed)
                if self._closed:
                    return
                self._unsynced = False
            with contextlib.suppress(OSError):
                os.fsync(self._file)
            with self._dirty:
                self._dirty.wait_for(lambda: self._closed, _SYNC_SECONDS)


def line(record: Record) -> bytes:
    data = msgspec.json.encode(record)
    return b"%08x %s\n" % (zlib.crc32(data), data)


def read_journal(path: Path) -> Found:
    """The whole records of a journal. Raises ValueError with one sentence where there is not even a first."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"{path.name} is too large")
        with path.open("rb") as file:
            records, good = [], 0
            for text in file:
                record = _record(text)
                if record is None or isinstance(record, Begun) != (not records):
                    break
                good += len(text)
                records.append((record, good))
            else:
                text = b""
            damaged = bool(text) and (text.endswith(b"\n") or bool(file.read(1)))
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from error
    if not records or records[0][0].version != 1:
        raise ValueError(f"{path.name} is no journal, or of a newer Unshutter")
    return Found(tuple(records), good, damaged)


def _record(text: bytes) -> Record | None:
    """The record in a line; None where it is torn or damaged."""
    try:
        if not text.endswith(b"\n") or int(text[:8], 16) != zlib.crc32(text[9:-1]):
            return None
        return msgspec.json.decode(text[9:-1], type=Record)
    except (ValueError, msgspec.DecodeError, RecursionError):
        return None


def _begin(path: Path, data: bytes) -> None:
    """Put a new journal in the place of the old one."""
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)

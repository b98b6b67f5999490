"""A document while it is open: locked against a second window, its edits journalled, its crash recovered from.

    with Session.open(path) as session: ...
    session = Session.new(photo)

The window reads and writes project files in another process: it gives `open` the contents that were read there, and
saves by `begin_save`, `write_project` over there, `end_save`.

State folder: `locks/` with one lock and one note of its owner per open project, `unsaved/` with one folder per
document that was never saved: the original photo and the journal.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from app.atomic import replacing, sentence
from app.document import Document
from app.journal import Begun, Done, Found, Journal, Saving, line, read_journal
from app.photo import MAX_BYTES, Photo, decode_photo, read_file
from app.project import SUFFIX, read_project, read_stamp, write_project
from app.store import Contents
from models.guidance import Guidance


def state_folder() -> Path:
    """Where what must outlive this process is kept."""
    import platformdirs

    return Path(os.environ.get("UNSHUTTER_STATE") or platformdirs.user_state_path("unshutter"))


class Owner(msgspec.Struct):
    """Who has a project open."""

    pid: int
    path: str


class Lock:
    """Keeps a project for one window, by its place on disk. Raises ValueError where another has it.

    The note beside the lock, of who has it, outlives a crash: from it `recoverable` knows what was open.
    """

    def __init__(self, path: Path) -> None:
        from filelock import FileLock, Timeout

        locks = _made(state_folder() / "locks")
        self.note = locks / f"{_key(path)}.json"
        self._lock = FileLock(locks / f"{_key(path)}.lock", timeout=0)
        try:
            self._lock.acquire()
            self.note.write_bytes(msgspec.json.encode(Owner(os.getpid(), str(path.absolute()))))
        except Timeout as error:
            raise ValueError(f"{path.name} is open in another window{_who(self.note)}") from error
        except OSError as error:
            raise ValueError(sentence(error, self.note.name)) from error

    def release(self, leave_note: bool = False) -> None:
        if not leave_note:
            self.note.unlink(missing_ok=True)
        self._lock.release()


@dataclass(frozen=True)
class Recoverable:
    """Work that a crash left: a project with edits that were not saved, or a document that never was.

    path  what `Session.open` or, where `unsaved`, `Session.recover` takes. `name` for people, `when` in Unix seconds.
    """

    path: Path
    name: str
    when: float
    unsaved: bool


class Session:
    """One open document. `notes`: sentences for the user about what opening it took.

    trouble   a sentence while edits cannot be journalled, else "".
    """

    def __init__(self, document: Document, journal: Journal, lock: Lock, folder: Path | None = None) -> None:
        self.document = document
        self.notes: tuple[str, ...] = ()
        self._journal, self._lock, self._folder = journal, lock, folder
        self._copying: threading.Thread | None = None
        self._saving: _Save | None = None
        document.journal = journal.done

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def trouble(self) -> str:
        return self._journal.trouble

    @classmethod
    def new(cls, photo: Photo, guidance: Guidance | None = None) -> Session:
        """A photo that was just opened. Its original is copied in the background, for the case of a crash."""
        document = Document(photo, guidance)
        given = _leading_to(photo, guidance) if guidance is not None else []
        folder = state_folder() / "unsaved" / uuid.uuid4().hex
        lock = Lock(folder)
        try:
            begun = Begun(photo=photo.name, given=len(given))
            journal = Journal(_made(folder) / "journal", begun, b"".join(line(done) for done in given))
        except ValueError:
            lock.release()
            raise
        session = cls(document, journal, lock, folder)
        session._copying = threading.Thread(target=_copy, args=(photo.data, folder / "original"), name="photo copy")
        session._copying.start()
        return session

    @classmethod
    def open(cls, path: str | Path, contents: Contents | None = None) -> Session:
        """A project, with the edits that a crash kept from being saved. Raises ValueError with one sentence."""
        path = Path(path)
        lock = Lock(path)
        try:
            if contents is None:
                contents = read_project(path)
            elif read_stamp(path) != contents.stamp:
                raise ValueError(f"{path.name} has changed while it was being opened; open it again")
            document = Document(contents.photo, contents.guidance, contents.recoveries, path)
            journal, notes = _resumed(journal_path(path), contents.stamp, document)
        except BaseException:
            lock.release()
            raise
        session = cls(document, journal, lock)
        session.notes = (*contents.photo.notes, *notes)
        return session

    @classmethod
    def recover(cls, folder: Path, photo: Photo | None = None) -> Session:
        """A document that was never saved, from what `recoverable` lists. Raises ValueError with one sentence."""
        lock = Lock(folder)
        try:
            document = Document(photo or read_unsaved(folder))
            document.mark_unsaved()
            journal, notes = _resumed(folder / "journal", "", document)
        except BaseException:
            lock.release()
            raise
        session = cls(document, journal, lock, folder)
        session.notes = notes
        return session

    def begin_save(self, path: str | Path | None = None) -> Contents:
        """What is to be written to `path` (None: where it was), as it is now; editing may go on meanwhile.

        Raises ValueError where there is no path or another window has it open.
        """
        target = Path(path) if path is not None else self.document.path
        if target is None:
            raise ValueError("this document has no file yet")
        if target.suffix.lower() != SUFFIX:
            raise ValueError(f"a project's name ends in {SUFFIX}")
        self.cancel_save()
        document, stamp = self.document, uuid.uuid4().hex
        elsewhere = document.path is None or os.path.realpath(target) != os.path.realpath(document.path)
        lock = Lock(target) if elsewhere else None
        place = self._journal.write(Saving(stamp))
        self._saving = _Save(target, stamp, document.state, place, lock)
        guidance = document.guidance
        areas = Guidance(guidance.areas.copy(), guidance.regions, guidance.camera, guidance.motion)
        return Contents(document.photo, areas, document.recoveries, stamp)

    def end_save(self) -> None:
        """What `begin_save` gave is on the disk now."""
        save, self._saving = self._saving, None
        if save is None:
            raise ValueError("nothing is being saved")
        old = self._journal
        rest = old.after(save.place)
        old.close()
        try:
            self._journal = Journal(journal_path(save.path), Begun(save.stamp), rest)
        except ValueError:  # the old one knows of this save too
            self._journal, old = Journal(old.path), Journal(old.path)
            old.close()
        self.document.journal = self._journal.done
        if save.lock is not None:
            self._leave(old)
            self._lock = save.lock
        self.document.path = save.path
        self.document.mark_saved(save.state)

    def cancel_save(self) -> None:
        """What `begin_save` gave was not written."""
        save, self._saving = self._saving, None
        if save is not None and save.lock is not None:
            save.lock.release()

    def save(self, path: str | Path | None = None) -> None:
        """Save here and now. Raises ValueError with one sentence; the old file is untouched then."""
        contents = self.begin_save(path)
        assert self._saving is not None
        try:
            write_project(self._saving.path, contents)
        except BaseException:
            self.cancel_save()
            raise
        self.end_save()

    def close(self, discard: bool = False) -> None:
        """End. Edits that were not saved stay in the journal and come back, unless they are discarded."""
        self.cancel_save()
        self.document.journal = None
        keep = not discard and self.document.modified
        self._journal.close(remove=not keep)
        if keep:
            self._join()
            self._lock.release()
        else:
            self._leave(self._journal)

    def _leave(self, journal: Journal) -> None:
        """Give up the place of the document so far, and what was kept there for a crash."""
        self._join()
        self._lock.release()
        journal.path.unlink(missing_ok=True)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _join(self) -> None:
        if self._copying is not None:
            self._copying.join()


@dataclass(frozen=True)
class _Save:
    path: Path
    stamp: str
    state: int
    place: int
    lock: Lock | None


def recoverable() -> list[Recoverable]:
    """What crashes have left, newest first. Photos that were only looked at are cleared away."""
    found = []
    for folder in (state_folder() / "unsaved").glob("*"):
        with contextlib.suppress(ValueError, OSError):
            records = read_journal(folder / "journal").records
            begun = records[0][0] if records else None
            if not isinstance(begun, Begun) or not (folder / "original").is_file() or _is_open(folder):
                continue
            left = Recoverable(folder, begun.photo, (folder / "journal").stat().st_mtime, True)
            if len(records) > 1 + begun.given:
                found.append(left)
            else:
                discard(left)
    for note in (state_folder() / "locks").glob("*.json"):
        with contextlib.suppress(ValueError, OSError, msgspec.MsgspecError):
            path = Path(msgspec.json.decode(note.read_bytes(), type=Owner).path)
            journal = journal_path(path)
            if path.is_file() and not _is_open(path) and len(read_journal(journal).records) > 1:
                found.append(Recoverable(path, path.name, journal.stat().st_mtime, False))
    return sorted(found, key=lambda one: -one.when)


def discard(left: Recoverable) -> None:
    """Throw away what a crash left, for good; a project file itself stays. Raises ValueError where it is open."""
    lock = Lock(left.path)
    if left.unsaved:
        shutil.rmtree(left.path, ignore_errors=True)
    else:
        journal_path(left.path).unlink(missing_ok=True)
    lock.release()


def read_unsaved(folder: Path) -> Photo:
    """The photo of a document that was never saved."""
    begun = read_journal(folder / "journal").records[0][0]
    name = begun.photo if isinstance(begun, Begun) else ""
    return decode_photo(read_file(folder / "original", MAX_BYTES), name)


def journal_path(path: Path) -> Path:
    """Where the edits of a project are journalled: beside it, or in the state folder where that cannot be written."""
    if os.access(path.parent, os.W_OK):
        return path.with_name(path.name + ".journal")
    return _made(state_folder() / "journals") / f"{_key(path)}.journal"


def _leading_to(photo: Photo, guidance: Guidance) -> list[Done]:
    """The edits that make this guidance out of none."""
    edits: list[Done] = []
    begin = Document(photo)
    begin.journal = lambda edit, joins: edits.append(Done(edit, joins))
    begin.set_guidance(guidance, "Open")
    return edits


def _resumed(path: Path, stamp: str, document: Document) -> tuple[Journal, tuple[str, ...]]:
    """The journal at `path`, its edits done again where they belong to the file of this stamp; a new one otherwise."""
    if not path.exists():
        return Journal(path, Begun(stamp)), ()
    try:
        found = read_journal(path)
        edits = _edits_since(found, stamp)
        lost = found.damaged
    except ValueError:
        edits, lost, found = [], True, None
    count = 0
    for count, done in enumerate(edits, 1):
        try:
            document.apply(done.edit, done.joins)
        except ValueError:
            lost, found, count = True, None, count - 1
            break
    notes = [f"{_amount(count)} that {'was' if count == 1 else 'were'} not saved came back."] if count else []
    if lost:
        aside = _set_aside(path)
        notes.append(f"Some edits could not be read and are kept in {aside.name}.")
    if found is None:
        begun = Begun(stamp, "" if stamp else document.photo.name)
        return Journal(path, begun, b"".join(line(done) for done in edits[:count])), tuple(notes)
    os.truncate(path, found.good)
    return Journal(path), tuple(notes)


def _edits_since(found: Found, stamp: str) -> list[Done]:
    """The edits after the last record that names this stamp. Raises ValueError where none does."""
    records = [record for record, _ in found.records]
    places = [place for place, record in enumerate(records) if getattr(record, "stamp", None) == stamp]
    if not places:
        raise ValueError("the journal belongs to another file")
    return [record for record in records[places[-1] + 1 :] if isinstance(record, Done)]


def _set_aside(path: Path) -> Path:
    """Copy a journal to a name of its own; nothing that could be edits is thrown away unasked."""
    aside = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}-{number}")
    shutil.copy2(path, aside)
    return aside


def _amount(count: int) -> str:
    return "One edit" if count == 1 else f"{count} edits"


def _is_open(path: Path) -> bool:
    """Whether a living window has it; leaves the note of who had it."""
    try:
        note = state_folder() / "locks" / f"{_key(path)}.json"
        before = note.read_bytes() if note.is_file() else None
        lock = Lock(path)
    except ValueError:
        return True
    if before is not None:
        lock.note.write_bytes(before)
    lock.release(leave_note=before is not None)
    return False


def _key(path: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:32]


def _who(owner: Path) -> str:
    try:
        return f" (process {msgspec.json.decode(owner.read_bytes(), type=Owner).pid})"
    except (OSError, msgspec.MsgspecError):
        return ""


def _copy(data: np.ndarray, path: Path) -> None:
    with contextlib.suppress(ValueError), replacing(path) as new:
        data.tofile(new)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(sentence(error, folder.name)) from error
    return folder

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_photo import encoded

from app import journal as journal_module
from app.document import Document
from app.journal import Begun, Done, Journal, Saving, line, read_journal
from app.photo import Photo, decode_photo
from app.project import write_project
from app.session import Session, discard, journal_path, recoverable, state_folder
from app.store import Contents
from models.guidance import Guidance, Region
from models.motion import Arrow


def photo() -> Photo:
    return decode_photo(encoded("PNG"), "holiday.png")


def state(document: Document) -> tuple:
    guidance = document.guidance
    return guidance.areas.tobytes(), guidance.regions, guidance.camera


def edited(session: Session) -> tuple:
    """A few edits of every kind. Returns the state afterwards."""
    document = session.document
    number = document.add_region(arrow=Arrow(45, 10))
    document.paint((2, 3, 12, 13), number)
    document.paint((4, 3, 14, 13), number, joins=True)
    document.set_camera(Arrow(90, 5))
    document.undo()
    document.rename(number, f"hand {len(document.guidance.regions)}")
    return state(document)


def crash(session: Session) -> None:
    """What the death of the process leaves: the lock free, its note, the journal, the copy of the photo."""
    session._join()
    session._journal.close()
    session._lock._lock.release()


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_save_close_and_open(tmp_path: Path) -> None:
    session = Session.new(photo())
    wanted = edited(session)
    assert session.document.modified
    session.save(tmp_path / "a.unshutter")
    assert not session.document.modified
    assert session.document.path == tmp_path / "a.unshutter"
    session.close()
    assert "a.unshutter" in names(tmp_path)
    assert not journal_path(tmp_path / "a.unshutter").exists()
    with Session.open(tmp_path / "a.unshutter") as again:
        assert state(again.document) == wanted
        assert not again.notes
        assert not again.document.can_undo
    assert not recoverable()
    assert not names(state_folder() / "unsaved")


def test_unsaved_work_comes_back_after_a_crash() -> None:
    session = Session.new(photo(), Guidance(np.full((24, 32), 1, np.uint8), (Region(1, "all"),)))
    wanted = edited(session)
    assert not recoverable()
    crash(session)
    (left,) = recoverable()
    assert (left.name, left.unsaved) == ("holiday.png", True)
    with Session.recover(left.path) as again:
        assert state(again.document) == wanted
        assert again.document.modified
        assert again.document.can_undo
        assert "came back" in again.notes[0]
        assert np.array_equal(again.document.photo.pixels, photo().pixels)
        assert not recoverable()
        again.close(discard=True)
    assert not recoverable()


def test_edits_after_the_last_save_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.unshutter"
    session = Session.new(photo())
    edited(session)
    session.save(path)
    wanted = edited(session)
    crash(session)
    (left,) = recoverable()
    assert (left.path, left.unsaved) == (path, False)
    for _ in range(3):  # a crash right after recovering loses nothing either
        again = Session.open(path)
        assert state(again.document) == wanted
        crash(again)
    discard(left)
    with Session.open(path) as clean:
        assert not clean.document.modified


def test_closing_without_saving_or_discarding_keeps_the_edits(tmp_path: Path) -> None:
    path = tmp_path / "a.unshutter"
    with Session.new(photo()) as session:
        session.save(path)
        wanted = edited(session)
    with Session.open(path) as session:
        assert state(session.document) == wanted
        session.close(discard=True)
    with Session.open(path) as session:
        assert not session.document.guidance.regions


def test_edits_while_saving_are_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.unshutter"
    for crashes_before_end in (False, True):
        session = Session.new(photo()) if not path.exists() else Session.open(path)
        edited(session)
        contents = session.begin_save(path)
        saved, wanted = state(session.document), edited(session)
        write_project(path, contents)
        if not crashes_before_end:
            session.end_save()
            assert session.document.modified
        crash(session)
        again = Session.open(path)
        assert state(again.document) == wanted
        while again.document.can_undo:
            again.document.undo()
        assert state(again.document) == saved
        again.close()


def test_a_save_that_fails_leaves_document_and_journal(tmp_path: Path) -> None:
    session = Session.new(photo())
    wanted = edited(session)
    with pytest.raises(ValueError, match="there is no folder"):
        session.save(tmp_path / "none" / "a.unshutter")
    with pytest.raises(ValueError, match="ends in"):
        session.save(tmp_path / "a.png")
    assert session.document.modified
    assert session.document.path is None
    crash(session)
    with Session.recover(recoverable()[0].path) as again:
        assert state(again.document) == wanted
        again.close(discard=True)


def test_a_project_opens_in_one_window_only(tmp_path: Path) -> None:
    path = tmp_path / "a.unshutter"
    with Session.new(photo()) as first, Session.new(photo()) as other:
        first.save(path)
        with pytest.raises(ValueError, match=rf"another window \(process {os.getpid()}\)"):
            Session.open(path)
        (tmp_path / "link.unshutter").symlink_to(path)
        with pytest.raises(ValueError, match="another window"):
            other.save(tmp_path / "link.unshutter")
        first.save(tmp_path / "b.unshutter")
        Session.open(path).close()


def test_a_journal_of_another_file_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.unshutter"
    session = Session.new(photo())
    session.save(path)
    edited(session)
    crash(session)
    old = journal_path(path).read_bytes()
    write_project(path, Contents(photo(), Guidance.empty(24, 32), (), "other"))
    with Session.open(path) as again:
        assert not again.document.guidance.regions
        assert "are kept in a.unshutter.journal." in again.notes[0]
    (aside,) = tmp_path.glob("a.unshutter.journal.2*")
    assert aside.read_bytes() == old


def test_a_torn_last_line_is_dropped_and_writing_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.unshutter"
    session = Session.new(photo())
    session.save(path)
    edited(session)
    crash(session)
    os.truncate(journal_path(path), journal_path(path).stat().st_size - 7)
    session = Session.open(path)
    assert session.document.guidance.regions[0].name == "region 1"
    assert len(session.notes) == 1
    session.document.rename(1, "foot")
    crash(session)
    with Session.open(path) as again:
        assert again.document.guidance.regions[0].name == "foot"


def test_a_journal_damaged_within_gives_what_comes_before_and_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.unshutter"
    session = Session.new(photo())
    session.save(path)
    edited(session)
    crash(session)
    lines = journal_path(path).read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"Paint", b"Point")
    journal_path(path).write_bytes(b"".join(lines))
    with Session.open(path) as again:
        assert again.document.guidance.regions[0].name == "region 1"
        assert not again.document.guidance.areas.any()
        assert "could not be read" in again.notes[1]
    assert next(tmp_path.glob("a.unshutter.journal.2*")).read_bytes() == b"".join(lines)


def test_a_stroke_that_does_not_fit_ends_the_replay(tmp_path: Path) -> None:
    path = tmp_path / "a.unshutter"
    write_project(path, Contents(photo(), Guidance.empty(24, 32), (), "stamp"))
    big = Document(Photo(np.zeros((99, 99, 3), np.uint8), "", np.zeros(1, np.uint8)))
    edits: list = []
    big.journal = lambda edit, joins: edits.append(Done(edit, joins))
    big.add_region()
    big.paint((50, 50, 90, 90), 1)
    big.add_region()
    records = [Begun("stamp"), *edits]
    journal_path(path).write_bytes(b"".join(line(record) for record in records))
    with Session.open(path) as session:
        assert len(session.document.guidance.regions) == 1
        assert "One edit that was not saved came back." in session.notes
        assert "could not be read" in session.notes[1]


def test_a_full_disk_is_told_and_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.unshutter"
    session = Session.new(photo())
    session.save(path)
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "write", lambda file, data: write(file, bytes(data)[:20]))
        edited(session)
        assert session.trouble == "a.unshutter.journal was not written: the disk is full"
    wanted = edited(session)
    assert session.trouble == ""
    crash(session)
    with Session.open(path) as again:
        assert state(again.document) == wanted


def test_contents_read_before_a_change_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.unshutter"
    contents = Contents(photo(), Guidance.empty(24, 32), (), "one")
    write_project(path, contents)
    with Session.open(path, contents) as session:
        assert session.document.photo is contents.photo
    write_project(path, Contents(photo(), Guidance.empty(24, 32), (), "two"))
    with pytest.raises(ValueError, match="open it again"):
        Session.open(path, contents)


def test_after_gives_what_was_written_since(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", Begun("a"))
    place = journal.write(Saving("b"))
    assert journal.after(place) == b""
    journal.write(Saving("c"))
    assert journal.after(place) == line(Saving("c"))
    journal.close()
    assert [record for record, _ in read_journal(tmp_path / "journal").records] == [
        Begun("a"),
        Saving("b"),
        Saving("c"),
    ]


@given(st.binary(max_size=200), st.integers(0, 400))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_journal_or_one_sentence(tmp_path: Path, rest: bytes, keep: int) -> None:
    path = tmp_path / "journal"
    whole = line(Begun("a")) + line(Saving("b"))
    path.write_bytes((whole + rest)[: keep + len(rest)])
    sentence, found = "", None
    try:
        found = read_journal(path)
    except ValueError as error:
        sentence = str(error)
    if found is None:
        assert sentence.startswith("journal ")
    else:
        assert found.records[0][0] == Begun("a")
        assert found.good <= path.stat().st_size


def test_a_sample_that_nobody_touched_is_not_offered_after_a_crash_and_leaves_nothing() -> None:
    session = Session.new(photo(), Guidance(np.full((24, 32), 1, np.uint8), (Region(1, "all"),), Arrow(0, 4)))
    crash(session)
    assert recoverable() == []
    assert names(state_folder() / "unsaved") == []


def test_one_edit_of_a_sample_is_offered_after_a_crash() -> None:
    session = Session.new(photo(), Guidance(np.full((24, 32), 1, np.uint8), (Region(1, "all"),), Arrow(0, 4)))
    session.document.set_camera(Arrow(90, 4))
    wanted = state(session.document)
    crash(session)
    (left,) = recoverable()
    with Session.recover(left.path) as again:
        assert state(again.document) == wanted
        again.close(discard=True)

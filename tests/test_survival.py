"""Edit, be killed at a random moment, start again, a hundred times in a row."""

from __future__ import annotations

import os
import random
import signal
import struct
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest

from app.document import Document
from app.edits import AnyEdit
from app.photo import decode_photo
from app.session import Session, recoverable
from models.motion import Arrow

ROUNDS = 100
SEED = 7
OPENED, EDITED, SAVED = 1, 2, 3
_ENTRY = struct.Struct("<BId")


@dataclass(frozen=True)
class Entry:
    """What an editing process says: what it did, the state it led to and when."""

    what: int
    state: int
    when: float


def digest(document: Document) -> int:
    guidance = document.guidance
    words = msgspec.json.encode((guidance.regions, guidance.camera))
    return zlib.crc32(words, zlib.crc32(guidance.areas.tobytes()))


def photo_bytes() -> bytes:
    import cv2

    return cv2.imencode(".png", np.zeros((48, 64, 3), np.uint8))[1].tobytes()


def start(path: Path) -> Session:
    """As the window starts: the project if there is one, else what a crash left, else a new document."""
    if path.exists():
        return Session.open(path)
    left = recoverable()
    return Session.recover(left[0].path) if left else Session.new(decode_photo(photo_bytes(), "photo.png"))


def edit_for_ever(path: Path, seed: int, pipe: int) -> None:
    """Edits, saves now and then, and says so: an edit's state goes into the pipe before the edit is journalled."""
    session, chance = start(path), random.Random(seed)
    document, journal = session.document, session._journal

    def say(what: int) -> None:
        os.write(pipe, _ENTRY.pack(what, digest(document), time.monotonic()))

    def journalled(edit: AnyEdit, joins: bool) -> None:
        say(EDITED)
        session._journal.done(edit, joins)

    say(OPENED)
    while True:
        document.journal = journalled
        one_edit(document, chance)
        if chance.random() < 0.1:
            session.save(path)
            say(SAVED)
        assert journal.trouble == ""
        time.sleep(chance.random() * 0.004)


def one_edit(document: Document, chance: random.Random) -> None:
    numbers = [region.number for region in document.guidance.regions]
    deed = chance.choice(["stroke", "stroke", "stroke", "add", "remove", "arrow", "camera", "undo", "redo"])
    if deed == "stroke":
        x, y = chance.randrange(50), chance.randrange(40)
        for piece in range(chance.randrange(1, 6)):
            number = chance.choice([0, *numbers])
            document.paint((x + piece, y, x + piece + 6, y + 6), number, "Stroke", joins=piece > 0)
    elif deed == "add" and len(numbers) < 9:
        document.add_region()
    elif deed == "remove" and numbers:
        document.remove_region(chance.choice(numbers))
    elif deed == "arrow" and numbers:
        document.set_arrow(chance.choice(numbers), Arrow(chance.random() * 359, chance.random() * 50))
    elif deed == "camera":
        document.set_camera(Arrow(chance.random() * 359, 5.0))
    elif deed == "undo":
        document.undo()
    elif deed == "redo":
        document.redo()


def killed_round(path: Path, seed: int, patience: float) -> tuple[list[Entry], float]:
    """One process that edits until it is killed. Returns what it said, and when it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            edit_for_ever(path, seed, writing)
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(patience)
    os.kill(child, signal.SIGKILL)
    killed = time.monotonic()
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    whole = said[: len(said) // _ENTRY.size * _ENTRY.size]
    return [Entry(*entry) for entry in _ENTRY.iter_unpack(whole)], killed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_hundred_kills_lose_nothing_saved_and_at_most_two_seconds_of_edits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decode_photo(photo_bytes(), "warm.png")
    path, chance = tmp_path / "a.unshutter", random.Random(SEED)
    before: list[Entry] = []
    killed, longest, edits, saves, lost = 0.0, 0.0, 0, 0, 0
    for number in range(ROUNDS + 1):
        entries, killed_now = killed_round(path, number, 0.1 + chance.random() * 0.3)
        if not entries:  # killed before it had opened: the state is still that of the round before
            continue
        opened = entries[0]
        assert opened.what == OPENED
        if before:
            last_save = max((place for place, entry in enumerate(before) if entry.what != EDITED), default=0)
            kept = max((place for place, entry in enumerate(before) if entry.state == opened.state), default=-1)
            assert kept >= last_save, f"round {number}: something saved is lost"
            missing = before[kept + 1 :]
            if missing:
                lost += len(missing)
                longest = max(longest, killed - missing[0].when)
                assert killed - missing[0].when <= 2, f"round {number}: more than two seconds are lost"
        edits += sum(entry.what == EDITED for entry in entries)
        saves += sum(entry.what == SAVED for entry in entries)
        before, killed = entries, killed_now
    assert edits > ROUNDS
    assert saves > ROUNDS / 10
    last = start(path)  # what the last kill may have cut off goes with the next save
    last.save(path)
    last.close()
    assert not list(tmp_path.glob("*.journal.*"))
    with capsys.disabled():
        told = (
            f"{ROUNDS} kills, {edits} edits, {saves} saves: {lost} edits lost, none older than {longest * 1000:.1f} ms"
        )
        print(told, file=sys.stderr)

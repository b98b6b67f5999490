from __future__ import annotations

import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import atomic, project
from app.photo import decode_photo
from app.project import read_project, read_stamp, write_project
from app.store import Contents
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion, Shares
from models.recovery import Cancelled, Recovery

HEIGHT, WIDTH = 20, 30


def contents(depth: type = np.uint16, recoveries: int = 1, stamp: str = "stamp") -> Contents:
    random = np.random.default_rng(recoveries)
    white = np.iinfo(depth).max
    pixels = random.integers(0, white, (HEIGHT, WIDTH, 3), depth, endpoint=True)
    photo = decode_photo(cv2.imencode(".png", pixels)[1].tobytes(), "holiday.png")
    motion = Motion.from_flow(random.normal(size=(5, 7, 2)))
    areas = random.integers(0, 3, (HEIGHT, WIDTH), np.uint8)
    shares = Shares.of(random.normal(size=(3, 4)) * (1 + 2j), (0.25, 0, 0.5, 1))
    arrow = Arrow(45, 20.5, 0.5, shares=shares)
    guidance = Guidance(areas, (Region(2, "Rad"), Region(1, "hand", arrow, (3.5, 4.25))), Arrow(10, 3), motion)
    return Contents(photo, guidance, tuple(_recovery(random, depth, motion) for _ in range(recoveries)), stamp)


def _recovery(random: np.random.Generator, depth: type, motion: Motion) -> Recovery:
    frames = random.integers(0, np.iinfo(depth).max, (2, HEIGHT, WIDTH, 3), depth)
    options = {"frames": 7, "sharpen": True, "strength": 0.5, "way": "a"}
    scores = {"reblur": float("inf"), "sharper": 1.5}
    times = np.array([0.25, 1], np.float32)
    return Recovery(frames, times, motion, "drawn", options, "cpu", 2.5, ("A note.",), scores)


def same_motion(one: Motion | None, other: Motion | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("times", "offsets", "trajectories")
    )


def assert_same(one: Contents, other: Contents) -> None:
    for name in ("pixels", "data"):
        assert np.array_equal(getattr(one.photo, name), getattr(other.photo, name))
    for name in ("name", "profile", "exif", "notes"):
        assert getattr(one.photo, name) == getattr(other.photo, name)
    assert np.array_equal(one.guidance.areas, other.guidance.areas)
    assert (one.guidance.regions, one.guidance.camera) == (other.guidance.regions, other.guidance.camera)
    assert same_motion(one.guidance.motion, other.guidance.motion)
    assert len(one.recoveries) == len(other.recoveries)
    for ours, theirs in zip(one.recoveries, other.recoveries, strict=True):
        assert ours.frames.dtype == theirs.frames.dtype
        assert np.array_equal(ours.frames, theirs.frames)
        assert np.array_equal(ours.times, theirs.times)
        assert same_motion(ours.motion, theirs.motion)
        for name in ("engine", "options", "device", "seconds", "notes", "scores"):
            assert getattr(ours, name) == getattr(theirs, name)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_save_and_open_gives_back_the_same(tmp_path: Path, depth: type) -> None:
    wanted = contents(depth, 2)
    write_project(tmp_path / "a.unshutter", wanted)
    read = read_project(tmp_path / "a.unshutter")
    assert_same(read, wanted)
    assert read.stamp == read_stamp(tmp_path / "a.unshutter") == "stamp"
    assert os.listdir(tmp_path) == ["a.unshutter"]


def test_the_zip_is_what_it_says(tmp_path: Path) -> None:
    write_project(tmp_path / "a.unshutter", contents())
    with zipfile.ZipFile(tmp_path / "a.unshutter") as archive:
        assert archive.read("photo") == contents().photo.data.tobytes()
        words = json.loads(archive.read("project.json"))
        areas = cv2.imdecode(np.frombuffer(archive.read("guidance/areas.png"), np.uint8), cv2.IMREAD_UNCHANGED)
    assert (words["format"], words["version"]) == ("unshutter", 3)
    assert np.array_equal(areas, contents().guidance.areas)


def test_recoveries_that_stand_in_the_old_file_are_not_packed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = contents(recoveries=2)
    write_project(tmp_path / "a.unshutter", wanted)
    packed = []
    monkeypatch.setattr(project, "_write_recovery", lambda *job: packed.append(job))
    turned = Contents(wanted.photo, wanted.guidance, wanted.recoveries[::-1], "later")
    write_project(tmp_path / "a.unshutter", turned)
    assert not packed
    assert_same(read_project(tmp_path / "a.unshutter"), turned)


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.unshutter"
    write_project(path, contents())
    before = path.read_bytes()

    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "_sync", full)
        with pytest.raises(ValueError, match=r"^a\.unshutter was not written: the disk is full$"):
            write_project(path, contents(recoveries=2))
    with pytest.raises(Cancelled):
        write_project(path, contents(recoveries=3), is_cancelled=lambda: True)
    with pytest.raises(ValueError, match="there is no folder"):
        write_project(tmp_path / "none" / "a.unshutter", contents())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.unshutter"]


def test_progress_rises_to_one(tmp_path: Path) -> None:
    steps: list[float] = []
    write_project(tmp_path / "a.unshutter", contents(recoveries=3), lambda progress: steps.append(progress.fraction))
    assert steps == sorted(steps)
    assert steps[-1] == 1


Entries = dict[str, bytes]


def spoilt(path: Path, change: Callable[[Entries], object], pack: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w", pack) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def word(key: str, value: object) -> Callable[[Entries], object]:
    def change(entries: Entries) -> None:
        words = json.loads(entries["project.json"])
        words[key] = value
        entries["project.json"] = json.dumps(words).encode()

    return change


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def flood(width: int, height: int) -> bytes:
    """A PNG whose header promises far more than the photo's size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_a_project_of_before_arrows_had_places_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.unshutter"
    write_project(path, contents())

    def aged(entries: Entries) -> None:
        words = json.loads(entries["project.json"])
        words["version"] = 1
        for region in words["guidance"]["regions"]:
            del region["at"]
        entries["project.json"] = json.dumps(words).encode()

    spoilt(path, aged)
    read, wanted = read_project(path).guidance, contents().guidance
    assert read.regions == tuple(replace(region, at=None) for region in wanted.regions)
    write_project(path, replace(contents(), guidance=read))
    assert read_project(path).guidance.regions == read.regions


FRAME = "recoveries/000/frame_001.png"
SHARES = {"window": [0, 0, 1, 1], "rows": 1, "columns": 1, "values": "ICA="}
DAMAGES: list[Callable[[Entries], object]] = [
    word("format", "other"),
    word("version", 0),
    word("version", project.VERSION + 1),
    word("version", "1"),
    word("stamp", ""),
    word("photo", "../holiday.png"),
    word("photo", ""),
    word("more", 1),
    word("guidance", {"regions": [{"number": 0, "name": "a"}]}),
    word("guidance", {"camera": {"degrees": 0, "length": 1, "bend": 2}}),
    word("guidance", {"camera": {"degrees": 0, "length": 1, "shares": SHARES | {"rows": 9}}}),
    word("guidance", {"camera": {"degrees": 0, "length": 1, "shares": SHARES | {"values": "?"}}}),
    word("recoveries", [{"digest": "", "words": {"engine": "a", "times": [0.5, 0.25]}}]),
    word("recoveries", [{"digest": "", "words": {"engine": "a", "times": []}}]),
    lambda entries: entries.update({"project.json": b"{"}),
    lambda entries: entries.update({"project.json": b"[" * 100_000}),
    lambda entries: entries.pop("project.json"),
    lambda entries: entries.pop("photo"),
    lambda entries: entries.update({"photo": b"no photo"}),
    lambda entries: entries.update({"guidance/areas.png": png(np.zeros((3, 3), np.uint8))}),
    lambda entries: entries.update({"guidance/areas.png": flood(60_000, 60_000)}),
    lambda entries: entries.update({FRAME: png(np.zeros((HEIGHT, WIDTH, 3), np.uint8))}),
    lambda entries: entries.pop(FRAME),
    lambda entries: entries.update({FRAME: entries[FRAME][:-40]}),
    lambda entries: entries.update({"recoveries/000/motion.npz": b"no motion"}),
    lambda entries: entries.update({"recoveries/000/motion.npz": entries["guidance/areas.png"]}),
    lambda entries: entries.update({"../outside": b""}),
    lambda entries: entries.update({"/etc/outside": b""}),
    lambda entries: entries.update({"C:/outside": b""}),
    lambda entries: entries.update({"a\\outside": b""}),
    lambda entries: entries.update({f"{number}": b"" for number in range(project.MAX_ENTRIES + 1)}),
]


@pytest.mark.parametrize("change", DAMAGES)
def test_a_damaged_project_is_one_sentence(tmp_path: Path, change: Callable[[Entries], object]) -> None:
    path = tmp_path / "a.unshutter"
    write_project(path, contents())
    spoilt(path, change)
    with pytest.raises(ValueError, match=r"^a\.unshutter ") as caught:
        read_project(path)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["a.unshutter"]


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.unshutter"
    write_project(path, contents())
    spoilt(path, lambda entries: entries.update({"project.json": bytes(project.MAX_WORDS + 1)}), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(ValueError, match=r"its project\.json is too large"):
        read_project(path)


def test_files_that_are_no_projects(tmp_path: Path) -> None:
    (tmp_path / "empty.unshutter").touch()
    (tmp_path / "text.unshutter").write_text("no project")
    write_project(tmp_path / "cut.unshutter", contents())
    os.truncate(tmp_path / "cut.unshutter", 500)
    expected = {"missing": "does not exist", "empty": "is empty", "text": "is no project", "cut": "cut short"}
    for name, sentence in expected.items():
        with pytest.raises(ValueError, match=rf"^{name}\.unshutter .*{sentence}"):
            read_project(tmp_path / f"{name}.unshutter")
    with pytest.raises(ValueError, match="is no file"):
        read_project(tmp_path)


def test_a_damaged_old_file_does_not_hinder_a_save(tmp_path: Path) -> None:
    path, wanted = tmp_path / "a.unshutter", contents()
    write_project(path, wanted)
    data = bytearray(path.read_bytes())
    data[len(data) // 4] ^= 1
    path.write_bytes(data)
    write_project(path, wanted)
    assert_same(read_project(path), wanted)


@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1, max_size=8), st.floats(0, 1)
)
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flipped_bits_never_raise_anything_but_one_sentence(
    tmp_path: Path, flips: list[tuple[float, int]], keep: float
) -> None:
    path = tmp_path / "a.unshutter"
    path.unlink(missing_ok=True)
    write_project(path, contents(np.uint8))
    data = bytearray(path.read_bytes())
    for place, bit in flips:
        data[int(place * len(data))] ^= 1 << bit
    path.write_bytes(data[: int(keep * len(data))] if keep < 0.3 else data)
    sentence = "a.unshutter"
    try:
        read_project(path)
    except ValueError as error:
        sentence = str(error)
    assert sentence.startswith("a.unshutter")
    assert "\n" not in sentence

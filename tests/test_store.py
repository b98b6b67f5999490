from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app import store
from app.photo import Photo
from app.store import Contents
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion
from models.recovery import Recovery

HEIGHT, WIDTH = 20, 30
random = np.random.default_rng(1)


def contents() -> Contents:
    pixels = random.integers(0, 65536, (HEIGHT, WIDTH, 3), np.uint16)
    motion = Motion.from_flow(random.normal(size=(5, 7, 2)))
    areas = random.integers(0, 3, (HEIGHT, WIDTH), np.uint8)
    guidance = Guidance(areas, (Region(2, "Rad"), Region(1, "hand", Arrow(45, 20.5, 0.5))), Arrow(10, 3), motion)
    frames = random.integers(0, 65536, (2, HEIGHT, WIDTH, 3), np.uint16)
    options = {"frames": 7, "sharpen": True, "strength": 0.5, "way": "a"}
    scores = {"reblur": float("inf"), "sharper": 1.5}
    recovery = Recovery(
        frames, np.array([0.25, 1], np.float32), motion, "drawn", options, "cpu", 2.5, ("A note.",), scores
    )
    return Contents(Photo(pixels, "a.png", b"bytes", b"icc", b"exif", ("n",)), guidance, (recovery,), "stamp")


def same_motion(one: Motion | None, other: Motion | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("times", "offsets", "trajectories")
    )


def assert_same(one: Contents, other: Contents) -> None:
    assert np.array_equal(one.photo.pixels, other.photo.pixels)
    assert one.photo.original() == other.photo.original()
    for name in ("name", "profile", "exif", "notes"):
        assert getattr(one.photo, name) == getattr(other.photo, name)
    assert np.array_equal(one.guidance.areas, other.guidance.areas)
    assert (one.guidance.regions, one.guidance.camera) == (other.guidance.regions, other.guidance.camera)
    assert same_motion(one.guidance.motion, other.guidance.motion)
    assert len(one.recoveries) == len(other.recoveries)
    for ours, theirs in zip(one.recoveries, other.recoveries, strict=True):
        assert np.array_equal(ours.frames, theirs.frames)
        assert np.array_equal(ours.times, theirs.times)
        assert same_motion(ours.motion, theirs.motion)
        for name in ("engine", "options", "device", "seconds", "notes", "scores"):
            assert getattr(ours, name) == getattr(theirs, name)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    wanted = contents()
    store.write_contents(tmp_path / "one", wanted)
    read = store.read_contents(tmp_path / "one")
    assert_same(read, wanted)
    assert read.stamp == "stamp"
    assert isinstance(read.photo.pixels, np.memmap)


def test_handing_on_links_whole_files_and_copies_views(tmp_path: Path) -> None:
    store.write_contents(tmp_path / "one", contents())
    read = store.read_contents(tmp_path / "one")
    store.write_contents(tmp_path / "two", read)
    names = ("recovery_000/frames.npy", "photo/pixels.npy", "photo/original")
    assert all(os.path.samefile(tmp_path / "one" / name, tmp_path / "two" / name) for name in names)
    backwards = read.recoveries[0].reversed()
    store.write_recovery(tmp_path / "three", backwards)
    assert np.array_equal(store.read_recovery(tmp_path / "three").frames, read.recoveries[0].frames[::-1])


def array(name: str, values: object) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / name, values)


def text(name: str, words: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(words) and None


def cut(name: str) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, 150)


@pytest.mark.parametrize(
    "spoil",
    [
        array("photo/pixels.npy", np.zeros((HEIGHT, WIDTH, 4), np.uint8)),
        array("photo/pixels.npy", np.zeros((HEIGHT, WIDTH, 3), np.float32)),
        array("photo/pixels.npy", np.zeros((3, 3, 3), np.uint8)),
        array("photo/pixels.npy", np.array([[{}]], object)),
        cut("photo/pixels.npy"),
        text("photo/pixels.npy", "no array"),
        text("photo/photo.json", '{"name": 7}'),
        text("photo/photo.json", "{"),
        lambda folder: (folder / "photo/original").unlink(),
        array("guidance/areas.npy", np.zeros((HEIGHT, WIDTH), np.int64)),
        text("guidance/guidance.json", '{"regions": [{"number": 1, "name": "a"}, {"number": 1, "name": "b"}]}'),
        text("guidance/guidance.json", '{"camera": {"degrees": 0, "length": -1}}'),
        array("recovery_000/frames.npy", np.zeros((3, HEIGHT, WIDTH, 3), np.uint8)),
        array("recovery_000/times.npy", np.array([0, 0], np.float32)),
        array("recovery_000/offsets.npy", np.zeros((3, 5, 7, 3), np.float32)),
        text("recovery_000/recovery.json", '{"engine": "drawn", "times": [0.5, 0.25]}'),
        text("recovery_000/recovery.json", '{"engine": "drawn", "times": [0, 1], "scores": {"reblur": "much"}}'),
        text("contents.json", '{"stamp": "a", "recoveries": 1000000}'),
        text("contents.json", '{"stamp": "a", "recoveries": 2}'),
    ],
)
def test_damage_is_one_sentence(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    store.write_contents(tmp_path, contents())
    spoil(tmp_path)
    with pytest.raises(ValueError, match=r"\w") as caught:
        store.read_contents(tmp_path)
    assert "\n" not in str(caught.value)

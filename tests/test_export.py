from __future__ import annotations

import functools
import os
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageSequence

from app import atomic
from app.export import Options, export_guidance, export_recovery, schedule
from app.motion_files import read_flo, read_motion
from app.photo import read_photo
from app.playback import frame_at
from models.guidance import Guidance, Region, read_labels
from models.motion import Arrow, Motion, instants
from models.recovery import Cancelled, Recovery

HEIGHT, WIDTH = 33, 49
SPEED = 12.0


def recovery(depth: type = np.uint8, motion: bool = True) -> Recovery:
    """A soft-edged bar that moves `SPEED` px to the right over a smooth background."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    frames = []
    for t in instants(5):
        bar = np.clip(5 - np.abs(x - 18 - SPEED * t), 0, 1)
        frames.append(np.stack([40 + 180 * bar, 60 + y, 200 - 2 * x], -1))
    pixels = np.array(frames) * (257 if depth is np.uint16 else 1)
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0] = SPEED
    return Recovery(pixels.astype(depth), instants(5), Motion.from_flow(flow) if motion else None, "drawn")


def bar_place(picture: np.ndarray) -> float:
    """Where the bar stands, in px."""
    weight = np.clip(picture[..., 0].astype(float).mean(axis=0) - 60, 0, None)
    return float((weight * np.arange(len(weight))).sum() / weight.sum())


def seconds_and_pictures(path: Path) -> tuple[list[float], list[np.ndarray]]:
    pictures, seconds = [], []
    with Image.open(path) as image:
        for number in range(image.n_frames):
            image.seek(number)
            pictures.append(np.array(image.convert("RGB")))
            seconds.append(image.info["duration"] / 1000)
    return seconds, pictures


@functools.cache  # it bears the time of its making
def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def wide_profile() -> bytes:
    """sRGB's profile with the places of red and green swapped: converting from it swaps the channels."""
    profile = bytearray(srgb_profile())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be")).replace(b"sRGB", b"wide")


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_animations_show_the_right_pictures_for_the_right_time(tmp_path: Path, suffix: str, depth: type) -> None:
    given, path = recovery(depth), tmp_path / f"a{suffix}"
    export_recovery(given, path, Options(frames=7, fps=10, mode="ping-pong", hold=0.5, quality=100))
    seconds, pictures = seconds_and_pictures(path)
    wanted = [0.6, *[0.1] * 5, 0.6, *[0.1] * 5]
    assert seconds == pytest.approx(wanted)
    times = [*np.linspace(0, 1, 7), *np.linspace(0, 1, 7)[-2:0:-1]]
    for t, picture in zip(times, pictures, strict=True):
        exact = frame_at(given, float(t)) / (257 if depth is np.uint16 else 1)
        assert picture.shape == (HEIGHT, WIDTH, 3)
        assert np.abs(picture - exact).mean() < (1 if suffix == ".png" else 8)
        assert bar_place(picture) == pytest.approx(bar_place(exact), abs=0.5)
    with Image.open(path) as image:
        assert image.info["loop"] == 0


def test_an_mp4_has_even_sides_and_a_steady_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    export_recovery(recovery(), path, Options(frames=9, fps=24, mode="reverse", hold=0.25, quality=100))
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(stream)]
        assert (stream.width, stream.height, stream.average_rate) == (48, 32, 24)
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    assert len(frames) == 7 + 7 + 7
    places = [bar_place(frame) for frame in frames]
    assert places[0] - places[-1] == pytest.approx(SPEED, abs=0.7)
    assert np.abs(frames[0].astype(int) - recovery().frames[-1][:32, :48]).mean() < 6


def test_the_moments_of_a_recovery_that_covers_part_of_the_exposure(tmp_path: Path) -> None:
    whole = recovery()
    part = Recovery(whole.frames[1:4], whole.times[1:4], whole.motion, "drawn")
    export_recovery(part, tmp_path / "frames", Options(frames=3))
    for number in range(3):
        read = read_photo(tmp_path / "frames" / f"frame_{number:03}.png").pixels
        assert np.array_equal(read, part.frames[number])


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_folder_of_frames_is_lossless_and_carries_profile_and_exif(tmp_path: Path, depth: type) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    given = recovery(depth)
    export_recovery(given, tmp_path / "out", Options(frames=9), profile=srgb_profile(), exif=exif.tobytes())
    assert sorted(os.listdir(tmp_path / "out")) == [f"frame_{number:03}.png" for number in range(9)]
    for number in range(9):
        photo = read_photo(tmp_path / "out" / f"frame_{number:03}.png")
        assert np.array_equal(photo.pixels, frame_at(given, number / 8))
        assert photo.pixels.dtype == depth
        assert photo.profile == srgb_profile()
        assert b"Camera" in (photo.exif or b"")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_a_still_is_the_instant_with_all_its_bits(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    given, path = recovery(np.uint16), tmp_path / f"a{suffix}"
    options = Options(kind="still", t=0.6, quality=100)
    export_recovery(given, path, options, profile=srgb_profile(), exif=exif.tobytes())
    photo = read_photo(path)
    exact = frame_at(given, 0.6)
    if suffix == ".jpg":
        assert np.abs(photo.pixels - exact / 257).mean() < 3
    else:
        assert np.array_equal(photo.pixels, exact)
    assert photo.profile == srgb_profile()
    assert b"Camera" in (photo.exif or b"")
    if suffix == ".tif":
        assert tifffile.imread(path).dtype == np.uint16


def test_a_width_keeps_the_shape(tmp_path: Path) -> None:
    export_recovery(recovery(), tmp_path / "a.gif", Options(width=24))
    export_recovery(recovery(), tmp_path / "a.mp4", Options(width=21))
    with Image.open(tmp_path / "a.gif") as image:
        assert image.size == (24, 16)
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == (20, 14)


def test_wide_colours_are_carried_or_converted(tmp_path: Path) -> None:
    profile = wide_profile()
    for suffix in (".webp", ".png", ".gif"):
        export_recovery(recovery(), tmp_path / f"a{suffix}", Options(quality=100), profile=profile)
    for suffix in (".webp", ".png"):
        with Image.open(tmp_path / f"a{suffix}") as image:
            assert image.info["icc_profile"] == profile
    _, pictures = seconds_and_pictures(tmp_path / "a.gif")
    swapped = recovery().frames[0][..., [1, 0, 2]]
    assert np.abs(pictures[0].astype(int) - swapped).mean() < 10


def test_motion_is_on_the_photos_grid(tmp_path: Path) -> None:
    given = recovery()
    coarse = Recovery(given.frames, given.times, Motion.from_flow(np.full((8, 12, 2), 3.5, np.float32)), "drawn")
    export_recovery(coarse, tmp_path / "a.npz")
    export_recovery(coarse, tmp_path / "a.flo")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert {name: arrays[name].shape for name in arrays} == {
            "offsets": (3, HEIGHT, WIDTH, 2),
            "trajectories": (3, HEIGHT, WIDTH, 2),
            "times": (3,),
        }
        assert all(arrays[name].dtype == np.float32 for name in arrays)
    read = read_motion(tmp_path / "a.npz")
    assert np.allclose(read.flow(), 3.5)
    assert np.allclose(read_flo(tmp_path / "a.flo"), 3.5)
    assert np.allclose(cv2.readOpticalFlow(str(tmp_path / "a.flo")), 3.5)


def test_guidance_goes_out_as_labels(tmp_path: Path) -> None:
    areas = np.zeros((HEIGHT, WIDTH), np.uint8)
    areas[5:20, 5:20] = 1
    guidance = Guidance(areas, (Region(1, "hand", Arrow(45, 20)),))
    export_guidance(guidance, tmp_path / "a.png")
    labels = read_labels(tmp_path / "a.png")
    assert np.array_equal(labels == 1, areas == 1)
    assert (labels[areas == 0] == 255).all()
    with pytest.raises(ValueError, match=r"is a \.png"):
        export_guidance(guidance, tmp_path / "a.gif")


@given(st.integers(1, 240), st.floats(1, 120), st.sampled_from(["loop", "reverse", "ping-pong"]), st.floats(0, 10))
def test_a_round_lasts_what_was_asked_for(frames: int, fps: float, mode: str, hold: float) -> None:
    shown = schedule(Options(frames=frames, fps=fps, mode=mode, hold=hold))  # type: ignore[arg-type]
    there_and_back = mode == "ping-pong" and frames > 2
    assert len(shown) == (2 * frames - 2 if there_and_back else frames)
    assert sum(seconds for _, seconds in shown) == pytest.approx(len(shown) / fps + 2 * hold)
    times = [t for t, _ in shown]
    if mode == "ping-pong":
        assert times[1:] == times[1:][::-1] or frames <= 2
    elif mode == "reverse":
        assert times == sorted(times, reverse=True)


def test_progress_rises_to_one(tmp_path: Path) -> None:
    for name in ("a.gif", "a.mp4", "a.webp", "a.png", "a.npz", "a.flo", "frames"):
        steps: list[float] = []
        export_recovery(recovery(), tmp_path / name, None, lambda progress, to=steps: to.append(progress.fraction))
        assert steps == sorted(steps)
        assert steps[-1] == 1


def failing(name: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "cancel":
        asked = iter(range(100))
        export_recovery(recovery(), path, Options(frames=9), is_cancelled=lambda: next(asked) > 3)
    else:

        def full(_: Path) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(atomic, "_sync", full)
        export_recovery(recovery(), path)


@pytest.mark.parametrize("name", ["a.gif", "a.mp4", "a.webp", "a.png", "a.npz", "frames"])
@pytest.mark.parametrize("how", ["cancel", "full"])
def test_what_fails_leaves_no_trace(tmp_path: Path, name: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    if path.suffix:
        path.write_bytes(b"the old one")
    with pytest.raises((Cancelled, ValueError), match=None if how == "cancel" else "the disk is full"):
        failing(how, path, monkeypatch)
    assert os.listdir(tmp_path) == ([name] if path.suffix else [])
    assert not path.suffix or path.read_bytes() == b"the old one"


REFUSED: list[tuple[str, Options, str]] = [
    ("a.gif", Options(frames=0), "frames lies between 1 and 240, got 0"),
    ("a.gif", Options(frames=241), "frames lies between"),
    ("a.gif", Options(fps=float("nan")), "fps lies between"),
    ("a.gif", Options(fps=60), "at most 50 pictures a second"),
    ("a.gif", Options(width=50), "the photo's 49 px, got 50"),
    ("a.gif", Options(width=15), "width lies between 16"),
    ("a.mp4", Options(hold=-1), "hold lies between"),
    ("a.mp4", Options(quality=0), "quality lies between"),
    ("a.jpg", Options(t=1.5), "t lies between"),
    ("a.exe", Options(), "has a kind that is not written here"),
    ("a.png", Options(kind="gif"), r"does not end in \.gif"),
    ("none/a.gif", Options(), "there is no folder"),
    ("full", Options(), "exists already and is not an empty folder"),
]


@pytest.mark.parametrize(("name", "options", "sentence"), REFUSED)
def test_what_cannot_be_written_is_one_sentence(tmp_path: Path, name: str, options: Options, sentence: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    with pytest.raises(ValueError, match=sentence):
        export_recovery(recovery(), tmp_path / name, options)
    assert os.listdir(tmp_path) == ["full"]
    assert os.listdir(tmp_path / "full") == ["mine"]


def test_motion_that_is_not_known_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not say how pixels moved"):
        export_recovery(recovery(motion=False), tmp_path / "a.npz")


def test_a_single_picture_is_an_animation_too(tmp_path: Path) -> None:
    for name in ("a.gif", "a.mp4", "a.webp", "a.png"):
        export_recovery(recovery(), tmp_path / name, Options(frames=1, hold=0.2))
        assert (tmp_path / name).stat().st_size > 100


def test_frames_go_from_the_in_to_the_out_point(tmp_path: Path) -> None:
    frames = np.stack([np.full((20, 20, 3), value, np.uint8) for value in (0, 100, 200)])
    recovery = Recovery(frames, np.array([0, 0.5, 1], np.float32), None, "drawn")
    export_recovery(recovery, tmp_path / "out", Options(kind="frames", frames=2, start=0.25, end=0.5))
    found = [np.asarray(Image.open(tmp_path / "out" / f"frame_00{number}.png")).mean() for number in (0, 1)]
    assert found == [50, 100]
    export_recovery(recovery, tmp_path / "a.gif", Options(frames=2, mode="loop", start=0.5, end=1))
    with Image.open(tmp_path / "a.gif") as gif:
        assert [round(np.asarray(frame.convert("L")).mean()) for frame in ImageSequence.Iterator(gif)] == [100, 200]


def test_in_must_come_before_out(tmp_path: Path) -> None:
    recovery = Recovery(np.zeros((1, 20, 20, 3), np.uint8), np.array([0.5], np.float32), None, "drawn")
    with pytest.raises(ValueError, match="start < end"):
        export_recovery(recovery, tmp_path / "a.gif", Options(start=0.5, end=0.5))

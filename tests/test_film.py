"""A blurred video becomes a longer, smoother one: evenly in time, forwards, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tiny_video import HEIGHT, WIDTH, blurred, moving_video, write_video

from app.cli import main
from app.film import Beside, Cut, beside, checked, pictures, write_film
from app.video import read_frames, read_video
from models import catalog
from models.from_video import between
from models.guidance import Guidance
from models.motion import instants
from models.recovery import Cancelled, Inputs, Progress, Recovery


def drawn(frame: np.ndarray, guidance: Guidance, count: int) -> Recovery:
    return catalog.load("drawn")(Inputs(frame, guidance, "cpu"), {"frames": count}, quiet, lambda: False)


def unmoved(frame: np.ndarray, guidance: Guidance, count: int) -> Recovery:
    return Recovery(np.repeat(frame[None], count, 0), instants(count), None, "unmoved")


def quiet(_progress: Progress) -> None:
    pass


def moment(shown: np.ndarray, moments: np.ndarray) -> float:
    """Which of some moments of the tiny video a picture shows, away from the edges where new things come in."""
    inner = slice(8, -8), slice(24, -24)
    errors = [np.abs(shown[inner].astype(int) - blurred(time, 0.0)[inner]).mean() for time in moments]
    return float(moments[np.argmin(errors)])


@pytest.fixture
def video(tmp_path: Path):
    return read_video(moving_video(tmp_path / "moving.mp4", 4))


def test_each_frame_meets_those_beside_it():
    frames = [np.full((2, 2, 3), number) for number in range(3)]
    first, second, third = beside(frames)
    assert first.before is None
    assert third.after is None
    assert [int(one[0, 0, 0]) for one in second] == [0, 1, 2]
    assert list(beside([])) == []
    assert list(beside(frames[:1])) == [Beside(None, frames[0], None)]


@pytest.mark.parametrize("shutter", [0.3, 0.5, 0.75, 1.0])
def test_the_instants_are_evenly_spaced_and_run_forwards(shutter):
    exposures = beside([blurred(number, shutter) for number in range(3)])
    shown = list(pictures(exposures, 4, shutter, drawn))
    moments = np.arange(-1, 3.5, 0.125)
    found = np.array([moment(one, moments) for one in shown])
    expected = np.arange(len(shown)) / 4 - shutter / 2
    assert np.abs(found - expected).max() <= 0.26
    assert np.abs(found - expected).mean() <= 0.1


@pytest.mark.parametrize(("shutter", "last"), [(0.1, 1), (0.5, 5), (0.74, 6), (0.75, 7), (1.0, 8)])
def test_every_frame_becomes_so_many_but_the_last(shutter, last):
    exposures = beside([blurred(number) for number in range(3)])
    assert len(list(pictures(exposures, 8, shutter, unmoved))) == 2 * 8 + last


def test_the_instants_are_sharper_than_the_exposures():
    exposures = list(beside([blurred(number, 0.75, 12) for number in range(3)]))
    shown = pictures(exposures, 4, 0.75, drawn)
    detail = [np.abs(np.diff(one.astype(int), axis=1)).mean() for one in shown]
    assert np.mean(detail) > 1.2 * np.abs(np.diff(exposures[1].frame.astype(int), axis=1)).mean()


def test_a_cut_stays_a_cut():
    dice = np.random.default_rng(1)
    scenes = [np.kron(dice.integers(0, 256, (12, 16, 3)), np.ones((8, 8, 1))).astype(np.uint8) for _ in range(2)]
    shown = list(pictures(beside([scenes[0], scenes[0], scenes[1], scenes[1]]), 8, 0.5, unmoved))
    near = [[np.abs(one.astype(int) - scene).mean() for scene in scenes] for one in shown]
    assert np.min(near, axis=1).max() < 3
    assert np.diff(np.argmin(near, axis=1)).tolist().count(1) == 1


def test_only_the_frames_beside_an_exposure_are_held():
    read = []

    def frames():
        for number in range(50):
            read.append(number)
            yield blurred(0)

    shown = pictures(beside(frames()), 2, 0.5, unmoved)
    for _ in range(20):
        next(shown)
    assert len(read) <= 12


def test_the_motion_between_two_pictures():
    motion = between(blurred(0, 0.0), blurred(1, 0.0))
    assert motion is not None
    assert np.abs(motion.flow()[16:-16, 24:-24] - (6, 0)).mean() < 0.3
    other = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    assert between(blurred(0), other) is None
    with pytest.raises(ValueError, match="differ in size"):
        between(blurred(0), blurred(0)[:-2])


def test_a_film_plays_at_the_rate_of_the_video(video, tmp_path):
    write_film(tmp_path / "film.mp4", video, Cut(4), quiet, lambda: False)
    film = read_video(tmp_path / "film.mp4")
    assert (film.frames, film.rate) == (4 * 3 + 3, 25)
    moments = np.arange(-1, 4.5, 0.125)
    found = [moment(pixels, moments) for _, pixels in read_frames(film, range(film.frames))]
    assert np.abs(np.array(found) - (np.arange(film.frames) / 4 - 0.25)).max() <= 0.26


def test_a_part_is_told_its_motion_by_the_frames_around_it(video, tmp_path, monkeypatch):
    asked = []

    def told(inputs, options, on_progress, is_cancelled):
        asked.append(inputs)
        return unmoved(inputs.pixels, inputs.guidance, int(options["frames"]))

    monkeypatch.setattr(catalog, "load", lambda name: told)
    write_film(tmp_path / "film.mp4", video, Cut(4, first=2, last=2, fps=100), quiet, lambda: False)
    film = read_video(tmp_path / "film.mp4")
    assert (film.frames, film.rate, len(asked)) == (3, 100, 1)
    assert np.median(asked[0].guidance.motion.flow()[..., 0]) == pytest.approx(3, abs=0.5)


def test_progress_rises_to_the_end(video, tmp_path):
    told: list[Progress] = []
    write_film(tmp_path / "film.mp4", video, Cut(2, first=1), told.append, lambda: False)
    fractions = [one.fraction for one in told]
    assert fractions == sorted(fractions)
    assert (told[0].step, told[-1].step) == ("frame 1, 1 of 3", "frame 3, 3 of 3")
    assert 0.9 < fractions[-1] <= 1


def test_a_cancelled_film_leaves_what_was_there(video, tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"the old one")
    told: list[Progress] = []
    with pytest.raises(Cancelled):
        write_film(path, video, Cut(2), told.append, lambda: bool(told) and told[-1].fraction > 0.5)
    assert path.read_bytes() == b"the old one"
    assert {one.name for one in tmp_path.iterdir()} == {"film.mp4", "moving.mp4"}


def test_odd_sides_lose_a_row_and_a_column(tmp_path):
    video = read_video(write_video(tmp_path / "odd.mp4", [blurred(number)[:-1, :-1] for number in range(2)]))
    write_film(tmp_path / "film.mp4", video, Cut(2), quiet, lambda: False)
    film = read_video(tmp_path / "film.mp4")
    assert (film.height, film.width) == (HEIGHT - 2, WIDTH - 2)


BAD = [
    (Cut(1), "2 to 32"),
    (Cut(33), "2 to 32"),
    (Cut(shutter=0), "shutter"),
    (Cut(shutter=float("nan")), "shutter"),
    (Cut(first=-1), "0 to 3"),
    (Cut(first=2, last=1), "0 to 3"),
    (Cut(last=4), "0 to 3"),
    (Cut(fps=0), "1 to 480"),
    (Cut(fps=float("inf")), "1 to 480"),
]


@pytest.mark.parametrize(("cut", "sentence"), BAD)
def test_what_cannot_be_is_one_sentence(video, cut, sentence):
    with pytest.raises(ValueError, match=sentence):
        checked(cut, video)


def test_a_single_frame_is_no_video(video):
    with pytest.raises(ValueError, match="single frame"):
        checked(Cut(), replace(video, times=video.times[:1]))


def test_the_command_writes_it_and_says_that_sound_is_left_out(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _with_sound(Path("loud.mp4"), moving_video(Path("moving.mp4"), 3))
    assert main(["film", "loud.mp4", "-o", "film.mp4", "-n", "2", "--from", "1", "--fps", "50"]) == 0
    assert "The sound of loud.mp4 is left out." in capsys.readouterr().err
    film = read_video("film.mp4")
    assert (film.frames, film.rate, film.sound) == (4, 50, False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("moving.mp4", "-o", "film.gif"), "expected .mp4"),
        (("moving.mp4", "-o", "moving.mp4"), "is the video itself"),
        (("moving.mp4", "-o", "film.mp4", "-n", "99"), "2 to 32"),
        (("moving.mp4", "-o", "film.mp4", "--to", "3"), "frames 0 to 2"),
        (("moving.mp4", "-o", "film.mp4", "-e", "magic"), "no engine called magic"),
        (("missing.mp4", "-o", "film.mp4"), "does not exist"),
        (("text.mp4", "-o", "film.mp4"), "not a video"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    moving_video(Path("moving.mp4"), 3)
    Path("text.mp4").write_text("not what it says")
    before = sorted(tmp_path.iterdir())
    assert main(["film", *arguments]) == 2
    assert sentence in capsys.readouterr().err.strip().splitlines()[-1]
    assert sorted(tmp_path.iterdir()) == before


def _with_sound(path: Path, silent: Path) -> None:
    """The same pictures beside a second of silence."""
    import av

    with av.open(str(silent)) as source, av.open(str(path), "w") as file:
        pictures, sound = file.add_stream_from_template(source.streams.video[0]), file.add_stream("aac", rate=8000)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = pictures
                file.mux(packet)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 8000, 0, Fraction(1, 8000)
        file.mux(sound.encode(frame))
        file.mux(sound.encode(None))

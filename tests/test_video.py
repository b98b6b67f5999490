"""Frames of a video: found without decoding, right ones decoded, one clear sentence for what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_video import HEIGHT, WIDTH, blurred, moving_video

from app.video import is_video, neighbours, read_frames, read_video
from app.video_frames import THUMBNAIL, framed, thumbnails
from models.recovery import Cancelled


@pytest.fixture
def video(tmp_path: Path):
    return read_video(moving_video(tmp_path / "moving.mp4"))


def quiet(_progress: object) -> None:
    pass


def test_the_frames_are_counted_without_decoding(video):
    assert (video.frames, video.height, video.width) == (9, HEIGHT, WIDTH)
    assert video.keys.tolist() == [0, 4, 8]
    assert video.rate == pytest.approx(25)


@pytest.mark.parametrize("number", range(9))
def test_every_frame_is_the_right_one_wherever_decoding_begins(video, number):
    ((found, pixels),) = read_frames(video, [number])
    assert found == number
    differences = [np.abs(pixels.astype(int) - blurred(other)).mean() for other in range(9)]
    assert np.argmin(differences) == number
    assert differences[number] < 3


def test_many_frames_come_in_order_and_once(video):
    assert [number for number, _ in read_frames(video, [7, 1, 2, 7])] == [1, 2, 7]


def test_progress_goes_on_while_frames_on_the_way_are_decoded(video):
    told = []
    list(read_frames(video, [7], told.append))
    fractions = [step.fraction for step in told]
    assert len(fractions) == 4
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_small_copies_keep_the_shape(video):
    strip = thumbnails(video, [0, 5], quiet, lambda: False)
    assert strip.numbers == (0, 5)
    assert strip.pictures.shape[0] == 2
    assert max(strip.pictures.shape[1:3]) == min(THUMBNAIL, WIDTH)


def test_a_frame_is_a_photo_without_loss(video):
    from app.photo import decode_photo

    found = framed(video, 4, 0.5, quiet, lambda: False)
    ((_, pixels),) = read_frames(video, [4])
    assert found.photo.name == "moving_00004.png"
    assert np.array_equal(decode_photo(found.photo.data.tobytes(), found.photo.name).pixels, pixels)
    assert found.guidance is not None
    assert found.note == ""


@pytest.mark.parametrize(("number", "missing"), [(0, "before"), (8, "after")])
def test_the_ends_open_without_guidance_and_say_why(video, number, missing):
    found = framed(video, number, 0.5, quiet, lambda: False)
    assert found.guidance is None
    assert f"no frame {missing} it" in found.note


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "no frame before"), (8, "no frame after"), (9, "has no frame 9: it has 9"), (-1, "has no frame -1")],
)
def test_frames_without_neighbours_are_told(video, number, said):
    with pytest.raises(ValueError, match=said):
        neighbours(video, number)


def test_decoding_stops_when_cancelled(video):
    with pytest.raises(Cancelled):
        list(read_frames(video, [7], is_cancelled=lambda: True))
    with pytest.raises(Cancelled):
        read_video(video.path, is_cancelled=lambda: True)


def test_what_is_no_video_is_told(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://localhost/x.ts\n")
    (tmp_path / "empty.mp4").touch()
    for name in ("text.mp4", "list.mp4", "empty.mp4"):
        with pytest.raises(ValueError, match=f"{name} cannot be read: it is damaged or not a video"):
            read_video(tmp_path / name)
    with pytest.raises(ValueError, match="does not exist"):
        read_video(tmp_path / "none.mp4")
    with pytest.raises(ValueError, match="is a folder"):
        read_video(tmp_path)


def test_a_video_cut_short_is_told(tmp_path):
    path = moving_video(tmp_path / "cut.mkv", 30)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    video = read_video(path)
    assert 0 < video.frames < 30
    with pytest.raises(ValueError, match=r"cut\.mkv"):
        neighbours(video, 29)


def test_videos_are_known_by_their_names():
    assert is_video("a/B.MP4")
    assert not is_video("a.gif")

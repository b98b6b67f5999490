"""Motion seen from the frames beside a blurred one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from tiny_video import HEIGHT, SPEED, WIDTH, blurred, moving_video

from app import cli
from app.motion_files import read_flo
from app.project import read_project
from models.from_video import regions, seen
from models.guidance import read_labels

INSIDE = (slice(16, -16), slice(24, -24))


def said(*arguments: str) -> int:
    return cli.main(["guidance", *arguments])


@pytest.mark.parametrize("shutter", [0.25, 0.5, 1.0])
def test_an_even_motion_is_found_with_its_direction_and_length(shutter):
    found = seen(*(blurred(number, shutter) for number in (2, 3, 4)), shutter)
    x, y = np.median(found.full()[INSIDE], axis=(0, 1))
    assert x == pytest.approx(SPEED * shutter, rel=0.2)
    assert y == pytest.approx(0, abs=0.3)


def test_one_neighbour_is_enough():
    found = seen(None, blurred(3), blurred(4))
    again = seen(blurred(2), blurred(3), None)
    for one in (found, again):
        assert np.median(one.flow[INSIDE][..., 0]) == pytest.approx(SPEED / 2, rel=0.25)


def test_a_cut_on_one_side_does_not_spoil_the_other():
    other_scene = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    found = seen(blurred(2), blurred(3), other_scene)
    assert np.median(found.flow[INSIDE][..., 0]) == pytest.approx(SPEED / 2, rel=0.25)


def test_nothing_moves_in_a_still_video():
    found = seen(*[blurred(3)] * 3)
    assert np.abs(found.flow).max() < 0.2
    assert not found.labels().any()
    guidance = found.guidance()
    assert guidance.camera is not None
    assert guidance.camera.length == 0
    assert not guidance.says_motion()


def test_the_reversed_video_gives_the_reverse():
    forth = seen(blurred(2), blurred(3), blurred(4))
    back = seen(blurred(4), blurred(3), blurred(2))
    assert np.abs(forth.flow + back.flow)[INSIDE].mean() < 0.1


def test_what_all_does_is_the_cameras_and_what_differs_a_region():
    flow = np.zeros((90, 120, 2), np.float32)
    flow[...] = (0, -6)
    flow[30:60, 20:60] = (10, 0)
    guidance = regions(flow, (180, 240))
    assert guidance.camera is not None
    assert (guidance.camera.degrees, guidance.camera.length) == pytest.approx((90, 6))
    (region,) = guidance.regions
    assert region.arrow is not None
    assert (region.arrow.degrees % 360, region.arrow.length) == pytest.approx((0, 10))
    rows, columns = np.nonzero(guidance.areas == region.number)
    assert guidance.areas.shape == (180, 240)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx((60, 119, 40, 119), abs=6)


def test_two_pieces_that_move_alike_are_two_regions_and_specks_are_none():
    flow = np.zeros((90, 120, 2), np.float32)
    flow[10:40, 10:40] = flow[50:80, 70:110] = (-8, 0)
    flow[5:7, 100:102] = (0, 9)
    guidance = regions(flow, (90, 120))
    assert len(guidance.regions) == 2
    assert {round(region.arrow.degrees) for region in guidance.regions if region.arrow} == {180}


def test_a_camera_at_rest_is_known_by_less_than_half_of_the_picture():
    flow = np.zeros((90, 120, 2), np.float32)
    flow[:, 40:80], flow[:, 80:] = (9, 0), (-9, 0)
    guidance = regions(flow, (90, 120))
    assert guidance.camera is not None
    assert guidance.camera.length == 0
    assert len(guidance.regions) == 2


def test_what_rests_in_its_place_is_in_no_region_unless_one_encloses_it():
    flow = np.zeros((90, 120, 2), np.float32)
    flow[20:70, 40:110] = (9, 0)
    rests = np.zeros((90, 120), bool)
    rests[:, 80:] = rests[35:45, 52:62] = True
    guidance = regions(flow, (90, 120), rests)
    rows, columns = np.nonzero(guidance.areas)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx((20, 69, 40, 79), abs=3)
    assert guidance.areas[40, 57] == 1
    assert len(guidance.regions) == 1


def test_a_flat_place_beside_what_moves_is_known_to_rest():
    views = [blurred(number) for number in (2, 3, 4)]
    for view in views:
        view[:, WIDTH // 2 :] = 230
    found = seen(*views)
    assert found.rests is not None
    assert found.rests[:, WIDTH // 2 + 16 :].all()
    assert found.rests[:, : WIDTH // 2 - 16].mean() < 0.1


def test_without_a_common_motion_there_is_no_camera():
    flow = np.zeros((90, 120, 2), np.float32)
    for number, vector in enumerate([(9, 0), (-9, 0), (0, 9)]):
        flow[:, number * 40 : number * 40 + 40] = vector
    guidance = regions(flow, (90, 120))
    assert guidance.camera is None
    assert len(guidance.regions) == 3


def test_bad_input_is_told():
    photo = blurred(0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        seen(photo, photo, photo, 0)
    with pytest.raises(ValueError, match="differ in size"):
        seen(photo[:-2], photo, photo)
    with pytest.raises(ValueError, match="no frame before or after"):
        seen(None, photo, None)


def test_dense_motion_of_a_large_photo_lies_on_a_coarse_grid_in_px_of_the_photo():
    large = [np.repeat(np.repeat(blurred(number), 8, 0), 8, 1) for number in (2, 3, 4)]
    found = seen(*large)
    assert found.flow.shape[1] < large[0].shape[1]
    motion = found.motion()
    middle = motion.flow()[motion.flow().shape[0] // 2, motion.flow().shape[1] // 2]
    assert middle == pytest.approx((8 * SPEED / 2, 0), abs=4)
    assert motion.offsets_at(0).mean(axis=(0, 1))[0] == pytest.approx(8 * SPEED / 4, abs=3)


def test_the_command_writes_labels_motion_and_a_project(tmp_path):
    video = str(moving_video(tmp_path / "moving.mp4"))
    for name in ("out.png", "out.flo", "out.npz", "out.unshutter"):
        assert said(video, "--frame", "4", "-o", str(tmp_path / name), "--photo", str(tmp_path / "frame.png")) == 0
    labels = read_labels(tmp_path / "out.png")
    assert np.isin(labels[INSIDE], (1, 4)).mean() > 0.9
    flow = read_flo(tmp_path / "out.flo")
    assert np.median(flow[INSIDE][..., 0]) == pytest.approx(SPEED / 2, rel=0.2)
    assert np.array_equal(flow, np.load(tmp_path / "out.npz", allow_pickle=False)["flow"])
    project = read_project(tmp_path / "out.unshutter")
    assert project.guidance.camera is not None
    assert project.guidance.camera.length == pytest.approx(SPEED / 2, rel=0.2)
    assert (tmp_path / "frame.png").read_bytes() == project.photo.data.tobytes()


def test_what_was_written_animates_the_frame(tmp_path):
    video = str(moving_video(tmp_path / "moving.mp4"))
    assert said(video, "--frame", "4", "-o", str(tmp_path / "out.unshutter")) == 0
    out = str(tmp_path / "out.gif")
    assert cli.main(["animate", str(tmp_path / "out.unshutter"), "-n", "3", "--iterations", "2", "-o", out]) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--frame", "0"), "the first frame of moving.mp4 has no frame before it; choose a later one"),
        (("--frame", "99"), "moving.mp4 has no frame 99: it has 9, counted from 0"),
        (("--frame", "4", "--shutter", "3"), "the shutter is open for a share between 0 and 1"),
    ],
)
def test_the_command_says_what_is_wrong_and_writes_nothing(tmp_path, capsys, arguments, sentence):
    video = str(moving_video(tmp_path / "moving.mp4"))
    out = tmp_path / "out.png"
    assert said(video, *arguments, "-o", str(out)) == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()


def test_no_network_and_no_torch_for_a_video(tmp_path):
    video = moving_video(tmp_path / "moving.mp4")
    code = (
        "import sys\nfrom app import cli\n"
        f"assert cli.main(['guidance', {str(video)!r}, '--frame', '4', '-o', {str(tmp_path / 'a.flo')!r}]) == 0\n"
        "assert 'torch' not in sys.modules and 'PySide6' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=200).returncode == 0

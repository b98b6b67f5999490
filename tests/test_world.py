"""The synthetic world says the truth about what it shows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tiny_world import tiny_photos, tiny_world

from models.exposure import linear_to_srgb, sampled, srgb_to_linear
from models.guidance import QUADRANTS, STATIC, quantise
from training.world import Exposures, World, load_photos
from training.world.dice import Dice
from training.world.hints import GROWN, arrows, coded, drawn_about, in_arrows, sloppy
from training.world.paths import after, undone
from training.world.sensor import jpeg


@pytest.fixture(scope="module")
def clean() -> Exposures:
    world = tiny_world()
    return Exposures.joined([world.render(6, seed, sensor=False) for seed in range(3)])


def test_seeds_reproduce_and_differ() -> None:
    world = tiny_world(32)
    one, same, other = world.render(3, 5), world.render(3, 5), world.render(3, 6)
    for field in dataclasses.fields(one):
        assert torch.equal(getattr(one, field.name), getattr(same, field.name)), field.name
    assert not torch.equal(one.photo, other.photo)


def test_a_batch_shows_photos_in_range(clean: Exposures) -> None:
    photo = tiny_world(32).render(4, 2).photo
    assert photo.shape == (4, 3, 32, 32)
    assert float(photo.min()) >= 0
    assert float(photo.max()) <= 1
    assert torch.allclose(photo * 255, (photo * 255).round(), atol=1e-3)
    assert clean.frames.shape == (18, 7, 3, 48, 48)


def test_the_photo_is_the_mean_of_its_instants_in_linear_light() -> None:
    # 19 instants: with a short reach the seven kept ones are every third; the mean of all is the photo exactly, so the
    # trapezoid of the seven comes close, and the mean on the sRGB curve does not come as close.
    exposures = tiny_world(48, (3.0, 6.0)).render(8, 4, sensor=False)
    weights = torch.tensor([0.5, 1, 1, 1, 1, 1, 0.5])[None, :, None, None, None] / 6
    linear = linear_to_srgb((srgb_to_linear(exposures.frames) * weights).sum(1))
    curved = (exposures.frames * weights).sum(1)
    assert float((linear - exposures.photo).abs().mean()) < 0.004
    assert float((linear - exposures.photo).abs().mean()) < float((curved - exposures.photo).abs().mean())


def test_offsets_lead_from_every_instant_to_the_middle_one(clean: Exposures) -> None:
    middle = clean.frames[:, 3]
    for frame in (0, 2, 6):
        moved = sampled(middle, clean.offsets[:, frame].permute(0, 2, 3, 1))
        error = (moved - clean.frames[:, frame]).abs().mean(1)
        nothing = (middle - clean.frames[:, frame]).abs().mean(1)
        seen = clean.visible[:, frame]
        assert float(error[seen].mean()) < 0.3 * float(nothing[seen].mean())


def test_trajectories_are_offsets_seen_from_the_middle(clean: Exposures) -> None:
    assert float(clean.trajectories[:, 3].abs().max()) < 1e-4
    there = clean.trajectories[:, 6].permute(0, 2, 3, 1)
    back = sampled(clean.offsets[:, 6], there)
    same = (back + clean.trajectories[:, 6]).norm(dim=1) < 0.5
    assert float(same.float().mean()) > 0.8


def test_what_covers_something_mid_exposure_is_not_called_visible(clean: Exposures) -> None:
    assert clean.visible[:, 3].all()
    assert not clean.visible[:, 0].all()


@pytest.mark.parametrize(("uneven", "least", "most"), [(0.0, 0.0, 1e-4), (0.9, 0.4, 0.9 + 1e-4)])
def test_ways_are_gone_as_unevenly_as_the_world_says(uneven: float, least: float, most: float) -> None:
    paths = dataclasses.replace(tiny_world(32, (4.0, 8.0)), uneven=uneven).render(8, 3).paths
    start, end = paths[:, 0, [0, -1], :, 2].unbind(1)  # of the camera, px
    half, mean = (end - start) / 2, (end + start) / 2
    moves = half.norm(dim=1) > 1
    along = ((mean * half).sum(1) / half.square().sum(1))[moves].abs()
    assert len(along) > 2
    assert least <= float(along.max()) <= most


def test_paths_are_quadratic_in_time() -> None:
    paths = tiny_world(32, (4.0, 8.0)).render(8, 3).paths
    centre = paths[..., 2]
    quadratic = torch.stack([((s * s - s) / 2) * centre[:, :, 0] + ((s * s + s) / 2) * centre[:, :, 6]
                             for s in np.linspace(-1, 1, 7)], 2)  # fmt: skip
    assert float((quadratic - centre).abs().max()) < 1.0


def test_undone_undoes() -> None:
    path = tiny_world(32).render(4, 1).paths
    identity = after(path, undone(path))
    assert torch.allclose(identity, torch.eye(2, 3).expand_as(identity), atol=1e-4)


def test_a_world_that_stands_still_gives_the_instant() -> None:
    exposures = tiny_world(32, (0.0, 0.0)).render(3, 1, sensor=False)
    assert float(exposures.offsets.abs().max()) < 1e-3
    assert torch.allclose(exposures.photo, exposures.frames[:, 3], atol=1e-3)


def test_exact_guidance_is_the_quantised_flow(clean: Exposures) -> None:
    guidance, firm = sloppy(Dice(0), clean, exact=True)
    flow = clean.flow()[0].permute(1, 2, 0).numpy()
    labels = quantise(flow)
    assert firm.all()
    assert set(np.unique(labels)) <= {STATIC, *QUADRANTS}
    still = (guidance[0, :2] == 0).all(0).numpy()
    assert np.array_equal(still, labels == STATIC)
    right = (guidance[0, 0] > 0).numpy()
    assert np.array_equal(right[~still], np.isin(labels, (1, 4))[~still])


def test_sloppy_guidance_is_mostly_right_where_it_is_firm(clean: Exposures) -> None:
    guidance, firm = sloppy(Dice(3), clean)
    agree = (guidance[:, :2] * clean.flow()).sum(1)
    moving = (clean.flow().norm(dim=1) > 2) & firm[:, 0] & (guidance[:, :2].norm(dim=1) > 0)
    assert float((agree[moving] > 0).float().mean()) > 0.85
    assert not bool((guidance[:, 2] > 0).all())


def test_arrows_tell_each_thing_its_mean(clean: Exposures) -> None:
    told = arrows(clean)
    area = clean.owner[0] == 0
    assert torch.allclose(told[0][:, area].mean(1), clean.flow()[0][:, area].mean(1), atol=1e-3)
    assert coded(told, torch.zeros(18, dtype=torch.bool), torch.ones(18, dtype=torch.bool)).shape == (18, 5, 48, 48)


def test_a_flow_in_arrows_drawn_about_is_a_little_off() -> None:
    flow = np.zeros((80, 100, 2), np.float32)
    flow[30:60, 30:50] = 6, 2
    told = in_arrows(flow)
    (thing,) = told.regions
    assert thing.arrow is not None
    assert thing.arrow.vector() == pytest.approx([6, 2], abs=1e-3)
    assert told.labels()[45, 40] == 4
    assert told.labels()[5, 5] == 0
    drawn = [drawn_about(Dice(seed), told, 20.0) for seed in range(8)]
    off = [
        (one.regions[0].arrow.degrees - thing.arrow.degrees + 180) % 360 - 180 for one in drawn if one.regions[0].arrow
    ]
    assert len(off) == 8
    assert 5 < max(map(abs, off)) <= 20
    sizes = [int((one.areas == thing.number).sum()) for one in drawn]
    assert all(((one.areas == thing.number) >= (told.areas == thing.number)).all() for one in drawn)
    assert 600 <= min(sizes) < max(sizes) <= (30 + 2 * GROWN) * (20 + 2 * GROWN)


def test_a_camera_in_arrows_is_turned_only() -> None:
    told = in_arrows(np.broadcast_to(np.float32((6, 2)), (80, 100, 2)).copy())
    drawn = drawn_about(Dice(0), told, 20.0)
    assert told.camera is not None
    assert drawn.camera is not None
    assert drawn.camera.length == pytest.approx(told.camera.length) == pytest.approx(40**0.5, abs=1e-3)
    assert drawn.camera != told.camera
    assert np.array_equal(drawn.areas, told.areas)
    assert in_arrows(np.zeros((80, 100, 2), np.float32)).arrows() == {}


def test_jpeg_stays_close_and_loses_something() -> None:
    picture = tiny_world(40).render(1, 2, sensor=False).frames[:, 3].clamp(0, 1)
    fine, coarse = jpeg(picture, torch.tensor([95.0])), jpeg(picture, torch.tensor([20.0]))
    assert 0 < float((fine - picture).square().mean()) < float((coarse - picture).square().mean()) < 0.01


def test_photos_are_chosen_by_split_and_class(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "cutouts").mkdir()
    for name, shape in (("a.png", (20, 30, 3)), ("b.png", (20, 20, 3))):
        cv2.imwrite(str(tmp_path / "train" / name), np.full(shape, 90, np.uint8))
    cv2.imwrite(str(tmp_path / "cutouts" / "c.png"), np.full((9, 12, 4), 255, np.uint8))
    (tmp_path / "index.csv").write_text("split,file,class\ntrain,a.png,A\ntrain,b.png,B\nval,v.png,A\n")
    only = load_photos(tmp_path, side=32)
    both = load_photos(tmp_path, classes=("A", "B"), side=32)
    assert only.pixels.shape == (2, 32, 32, 3)
    assert only.classes == ("A",)
    assert len(only.cutouts) == 0
    assert both.pixels.shape[0] == 3
    assert both.cutouts.shape == (1, 16, 16, 4)
    with pytest.raises(ValueError, match="holds no photos"):
        load_photos(tmp_path, "train", ("C",))


def test_an_odd_number_of_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="frames"):
        World(tiny_photos(), 32).render(1, 0, frames=5)

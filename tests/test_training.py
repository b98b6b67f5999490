"""Every recipe learns, and a run that was stopped goes on as if it had not been."""

from __future__ import annotations

import argparse
import csv
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tiny_world import tiny_world
from torch.nn import functional as F

from models.areas.network import AreaNetwork
from models.exposure import sampled
from models.guidance import write_labels
from models.motion import CONSTRAINTS
from models.symmetry import WAYS, turned, turned_vectors
from models.trajectory.estimation import Networks
from models.trajectory.network import MotionNetwork
from training.__main__ import _setting, same_settings
from training.exposures import frame_scores, motion_scores, read_exposures
from training.loop import Budget, Run, Stock, learning_rate, resume, start, train
from training.real import mixed, real_material
from training.recipes import NAMES, Recipe, changed, recipe, rendered
from training.recipes.deblurring import Deblurring
from training.recipes.exposure_trajectory import TEACHERS, ExposureTrajectory
from training.recipes.predictor import Predictor
from training.similarity import ms_ssim
from training.world import World
from training.world.dice import Dice

CPU = torch.device("cpu")


def tiny(name: str, **settings: object) -> Recipe:
    if name in ("exposure_trajectory", "deblurring"):
        settings = {"width": 4, "rate": 1e-3} | settings
    if name == "decomposer":
        settings = {"width": 8, "blocks": 1, "rate": 2e-3} | settings
    if name == "decomposition":
        settings = {"rate": 4e-3} | settings
    if (
        name == "adjustment"
    ):  # of a picture of few cells little is learned, and with few pictures at times the wrong thing
        settings = {"batch": 6, "rate": 1e-3} | settings
    if name == "predictor":
        settings = {"width": 8, "depth": 3, "rate": 1e-3} | settings
    return changed(recipe(name), {"batch": 2, "reuse": 2} | settings)


def small_world(one: Recipe) -> World:
    """As small as the recipe's network allows."""
    return tiny_world(48 if isinstance(one, Predictor) else 32, (3.0, 8.0))


def trained(one: Recipe, steps: int, out: Path, run: Run | None = None) -> Run:
    world = small_world(one)
    return train(run or start(one, CPU, 3), world, Budget(steps=steps), out, seed=5, say=lambda text: None)


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    from models.decomposition.network import RestorationNetwork
    from models.trajectory.adjustment import AdjustmentNetwork
    from training.recipes import adjustment, areas, decomposition, motion, restoration

    # Halved further than to 2 x 2, these pictures' bfloat16 gradients are at times not numbers on a CPU.
    monkeypatch.setattr(adjustment.Adjustment, "network", lambda self: AdjustmentNetwork((32, 32)))
    monkeypatch.setattr(motion.Motion, "network", lambda self: MotionNetwork((8, 16, 16, 16), 1))
    monkeypatch.setattr(restoration.Restoration, "network", lambda self: RestorationNetwork((16, 16, 16), (1, 1, 1)))
    torch.manual_seed(2)  # what finds the motion is the same each time
    known, judge = MotionNetwork((8, 8, 8, 8), 1), AreaNetwork(16, 1).eval()
    monkeypatch.setattr(decomposition, "guide", lambda device: Networks(known, judge))
    monkeypatch.setattr(areas.Areas, "network", lambda self: AreaNetwork(16, 1))
    monkeypatch.setattr(motion, "judge", lambda device: judge)
    monkeypatch.setattr("training.loop.CHUNK_BATCHES", 4)


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_falls(name: str, tmp_path: Path) -> None:
    one = tiny(name)
    batch = rendered(small_world(one), one, 8, 99)
    run = start(one, CPU, 3)

    def loss() -> float:
        run.network.eval()
        with torch.no_grad():
            return float(one.loss(run.network, batch, Dice(0)))

    before = loss()
    trained(one, 60, tmp_path, run)
    assert loss() < before


@pytest.mark.parametrize("name", ["motion", "restoration", "exposure_trajectory", "deblurring", "predictor"])
def test_a_stopped_run_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    one = tiny(name)
    whole = trained(one, 6, tmp_path / "whole")
    world = small_world(one)
    budget = Budget(steps=6)
    part = start(one, CPU, 3)
    stop_after(part, 4, world, budget, tmp_path / "part")
    again = resume(start(one, CPU, 8), tmp_path / "part")
    assert again.step == 4
    train(again, world, budget, tmp_path / "part", seed=5, say=lambda text: None)
    for key, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[key]), key
    for key, value in whole.average.state_dict().items():
        assert torch.equal(value, again.average.state_dict()[key]), key


def stop_after(run: Run, steps: int, world, budget: Budget, out: Path) -> None:
    """Train as `budget` says, but break off: what a killed session leaves behind."""

    class Broken(Budget):
        def gone(self, step: int, seconds: float) -> float:
            return 1.0 if step >= steps else budget.gone(step, seconds)

    train(run, world, Broken(steps=budget.steps), out, seed=5, say=lambda text: None)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("teacher", TEACHERS)
def test_every_constraint_learns_from_every_teacher(teacher: str, constraint: str) -> None:
    one = tiny("exposure_trajectory", teacher=teacher, constraint=constraint, offsets=5)
    assert isinstance(one, ExposureTrajectory)
    batch = rendered(tiny_world(32, (3.0, 8.0)), one, 2, 4)
    network = start(one, CPU, 3).network
    assert one.found(network, batch["photo"][..., :30, :], 9).shape == (2, 9, 2, 30, 32)
    one.loss(network, batch, Dice(0)).backward()
    assert all(float(parameter.grad.abs().max()) > 0 for parameter in network.parameters() if parameter.ndim > 1)


class Told(torch.nn.Module):
    """Answers with the given fields (1, K, 2, 1, 1) px everywhere."""

    def __init__(self, *fields: tuple[float, float]) -> None:
        super().__init__()
        self.fields = torch.tensor(fields)[None, :, :, None, None]

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        return self.fields.expand(len(photo), -1, -1, *photo.shape[-2:])


def smeared(offsets: int = 3) -> tuple[ExposureTrajectory, dict[str, torch.Tensor]]:
    """A recipe, and a picture that moved 4 px to the right."""
    one = changed(recipe("exposure_trajectory"), {"offsets": offsets})
    assert isinstance(one, ExposureTrajectory)
    wide = torch.nn.functional.avg_pool2d(torch.rand(1, 3, 40, 44, generator=torch.Generator().manual_seed(0)), 3, 1, 1)
    sharp = wide[..., 2:42]
    photo = torch.stack([wide[..., start : start + 40] for start in (4, 2, 0)]).mean(0)
    ends = torch.zeros(1, 2, 2, 40, 40)
    ends[:, 0, 0], ends[:, 1, 0] = 2, -2
    return one, {"photo": photo, "sharp": sharp, "ends": ends}


def test_the_published_loss_is_smallest_at_the_truth_and_blind_to_the_direction_of_time() -> None:
    one, batch = smeared()
    flows = {x: float(one.loss(Told((x, 0.0), (-x, 0.0)), batch, Dice(0))) for x in (-2.0, 0.0, 1.0, 2.0, 3.0)}
    assert flows[2.0] == pytest.approx(flows[-2.0], rel=0.02)
    assert flows[2.0] < min(flows[0.0], flows[1.0], flows[3.0])


def test_each_term_of_the_published_loss_can_be_left_out() -> None:
    one, batch = smeared()
    network = Told((2.0, 1.0), (-2.0, -1.0))
    whole = float(one.loss(network, batch, Dice(0)))
    parts = {
        name: float(changed(one, {name: 0.0}).loss(network, batch, Dice(0))) for name in ("similarity", "nearness")
    }
    # Of three offsets (2, 1), (0, 0), (-2, -1) the mean squared length is 10 / 3; the map has no slope.
    assert whole - parts["nearness"] == pytest.approx(2e-5 * 10 / 3, rel=0.01)
    assert whole - parts["similarity"] > 1e-3
    assert float(changed(one, {"smoothness": 0.0}).loss(network, batch, Dice(0))) == pytest.approx(whole)


def test_true_offsets_are_right_in_both_directions_of_time() -> None:
    one, batch = smeared()
    one = changed(one, {"teacher": "offsets"})
    there, back, half = (
        float(one.loss(Told((x, 0.0), (-x, 0.0)), batch, Dice(0))) for x in (2.0, -2.0, 1.0)
    )  # fmt: skip
    assert there == pytest.approx(0.1)
    assert back == pytest.approx(0.1)
    assert half == pytest.approx((0.1 + 2 * math.sqrt(1.01)) / 3, rel=1e-3)
    scores = one.validate(Told((-1.0, 0.0), (1.0, 0.0)), [batch])  # type: ignore[attr-defined]
    assert scores["motion_mse"] == pytest.approx(2)
    assert scores["zero_mse"] == pytest.approx(8)
    assert scores["end_point_error"] == pytest.approx(2)


def test_what_deblurring_is_told_reaches_the_network() -> None:
    exposures = tiny_world(32, (3.0, 8.0)).render(2, 5, frames=3)
    ends = {}
    for told in ("found", "true", "nothing"):
        one = tiny("deblurring", told=told)
        material = one.material(exposures, Dice(0))
        assert torch.equal(material["sharp"], exposures.frames[:, 1])
        ends[told] = material["ends"]
        network = start(one, CPU, 3).network.eval()
        scores = one.validate(network, [material])
        assert scores["minus_gain"] == pytest.approx(scores["blurred"] - scores["sharpened"])
        moved = {**material, "ends": material["ends"] + 5}
        losses = [one.loss(network, batch, Dice(0)).detach() for batch in (material, moved)]
        assert torch.equal(*losses) == (told == "nothing")
    assert torch.equal(ends["true"], exposures.offsets[:, [0, -1]])
    longest = float(ends["true"].abs().max())
    assert 0.02 * longest < float((ends["found"] - ends["true"]).abs().max()) < longest
    assert float(ends["nothing"].abs().max()) == 0
    with pytest.raises(ValueError, match="told is one of found, true, nothing"):
        tiny("deblurring", told="lies")
    with pytest.raises(ValueError, match="an odd number of frames, got 4"):
        tiny("deblurring").material(tiny_world(32, (3.0, 8.0)).render(1, 5, frames=4), Dice(0))


def test_deblurring_is_told_either_direction_of_time() -> None:
    one = tiny("deblurring", told="true")
    material = one.material(tiny_world(32, (3.0, 8.0)).render(1, 5, frames=3), Dice(0))
    seen = {one.turned(material, Dice(seed))["ends"].numpy().tobytes() for seed in range(300)}
    assert len(seen) == 2 * WAYS


def test_deblurring_with_short_ways_begins_with_the_photo_and_may_count_pictures_alike() -> None:
    one = tiny("deblurring", told="true", short=True)
    material = one.material(tiny_world(32, (3.0, 8.0)).render(2, 5, frames=3), Dice(0))
    network = start(one, CPU, 3).network.eval()
    scores = one.validate(network, [material])
    assert scores["sharpened"] == pytest.approx(scores["blurred"], abs=1e-3)
    errors = (material["photo"] - material["sharp"]).square().mean((1, 2, 3))
    assert float(one.loss(network, material, Dice(0)).detach()) == pytest.approx(float(errors.mean()), rel=1e-3)
    even = changed(one, {"even": True})
    assert float(even.loss(network, material, Dice(0)).detach()) == pytest.approx(float(errors.log().mean()), rel=1e-3)


def test_settings_on_the_command_line_are_words_numbers_and_lists() -> None:
    given = dict(_setting(text) for text in ("told=true", "short=true", "width=12", "rate=1e-3", "reach=[0.1, 0.2]"))
    one = changed(recipe("deblurring"), given)
    assert isinstance(one, Deblurring)
    assert (one.told, one.short, one.width, one.rate, one.reach) == ("true", True, 12, 1e-3, (0.1, 0.2))
    for text in ("width", "reach=[0.1"):
        with pytest.raises(argparse.ArgumentTypeError):
            _setting(text)


def test_settings_are_changed_by_name_and_refused_by_name() -> None:
    one = changed(recipe("exposure_trajectory"), {"constraint": "zero", "offsets": "9", "reach": [0.1, 0.2]})
    assert isinstance(one, ExposureTrajectory)
    assert (one.constraint, one.offsets, one.reach, one.similarity) == ("zero", 9, (0.1, 0.2), 0.1)
    for settings, complaint in (
        ({"soup": 1}, "no setting called soup; there is batch, rate"),
        ({"constraint": "cubic"}, "the constraint is one of zero, linear"),
        ({"teacher": "nobody"}, "the teacher is one of reblur, offsets"),
        ({"offsets": 8}, "an odd number, got 8"),
        ({"rate": "fast"}, "rate"),
    ):
        with pytest.raises(ValueError, match=complaint):
            changed(recipe("exposure_trajectory"), settings)


def test_a_run_is_not_resumed_with_other_settings(tmp_path: Path) -> None:
    one = recipe("exposure_trajectory")
    (tmp_path / "run.json").write_text(json.dumps({"settings": {"constraint": "quadratic", "reach": [0.015, 0.25]}}))
    same_settings(one, tmp_path)
    with pytest.raises(ValueError, match="has constraint=quadratic, not linear"):
        same_settings(changed(one, {"constraint": "linear"}), tmp_path)


def test_ms_ssim_of_known_pictures() -> None:
    picture = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    assert float(ms_ssim(picture, picture)) == pytest.approx(1)
    assert 0.9 < float(ms_ssim(picture, picture + 0.02)) < 1
    assert float(ms_ssim(picture, picture.flip(-1))) < 0.2
    # Two flat pictures differ in nothing but brightness: (2xy + c) / (x^2 + y^2 + c), at the one scale that fits.
    flat = torch.ones(1, 1, 11, 11)
    assert float(ms_ssim(flat * 0.2, flat * 0.4)) == pytest.approx((0.16 + 1e-4) / (0.2 + 1e-4), rel=1e-3)
    with pytest.raises(ValueError, match="at least 11 px"):
        ms_ssim(flat[..., :10], flat[..., :10])


def test_scores_and_log_are_written(tmp_path: Path) -> None:
    one = tiny("motion")
    world = tiny_world(32, (3.0, 8.0))
    held_out = rendered(world, one, 4, 50)
    run = start(one, CPU)
    train(
        run, world, Budget(steps=3), tmp_path, held_out=held_out, say=lambda text: None,
        check=lambda network: one.validate(network, [held_out]),
    )  # fmt: skip
    with (tmp_path / "log.csv").open(newline="") as file:
        row = list(csv.DictReader(file))[-1]
    assert float(row["zero_epe_moving"]) > 0
    assert float(row["told_epe"]) >= 0
    assert (tmp_path / "sheet_000003.png").is_file()
    assert math.isfinite(run.best)


def test_the_learning_rate_warms_up_and_ends_at_nothing() -> None:
    rates = [learning_rate(1.0, step, step / 1000) for step in range(1001)]
    assert rates[0] < rates[49]
    assert max(rates) > 0.98
    assert rates[-1] == 0


@pytest.mark.parametrize("way", range(8))
def test_turning_a_picture_turns_its_vectors(way: int) -> None:
    # The vector from each pixel to the brightest one still leads there after turning.
    picture = torch.zeros(8, 8)
    picture[2, 5] = 1
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    there = turned_vectors(torch.stack((5 - x, 2 - y)), way)
    row, column = divmod(int(turned(picture, way).argmax()), 8)
    assert torch.equal(there, torch.stack((column - x, row - y)))


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(ValueError, match="no recipe called soup"):
        recipe("soup")


def painted_exposure(folder: Path) -> Path:
    """An exposure of a textured picture that moves 2 px to the right from frame to frame, with its clip's licence."""
    place = folder / "exposures" / "train" / "walk_0001"
    place.mkdir(parents=True)
    (folder / "clips").mkdir()
    (folder / "clips" / "index.csv").write_text("clip,class\nwalk,A\n")
    noise = np.random.default_rng(0).random((40, 60)).astype(np.float32)
    texture = (cv2.resize(noise, (240, 160), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255).astype(np.uint8)
    frames = [cv2.cvtColor(texture[:, 40 - 2 * n : 200 - 2 * n], cv2.COLOR_GRAY2BGR) for n in range(7)]
    for n, frame in enumerate(frames):
        cv2.imwrite(str(place / f"frame_{n:03d}.jpg"), frame, [cv2.IMWRITE_JPEG_QUALITY, 100])
    cv2.imwrite(str(place / "blurry.jpg"), np.mean(frames, 0).astype(np.uint8))
    flow = np.zeros((160, 160, 2), np.float16)
    flow[..., 0] = 12
    np.savez(place / "flow.npz", flow=flow)
    write_labels(place / "guidance.png", np.full((160, 160), 4, np.uint8))
    return place.parent


def test_real_exposures_become_material(tmp_path: Path) -> None:
    folder = painted_exposure(tmp_path)
    material, names = real_material(folder, ("A",), 64, dict)
    assert names == ("walk_0001",)
    assert material["photo"].shape[1:] == (3, 64, 64)
    whole = material["motion"][0, :, :, 8:-8, 8:-8].mean((2, 3))
    assert torch.allclose(whole[:, 0], torch.tensor([6.0, -6.0, -6.0, 6.0]), atol=0.5)
    assert float(whole[:, 1].abs().max()) < 0.5
    with pytest.raises(ValueError, match="no exposures of class B"):
        real_material(folder, ("B",), 64, dict)


def test_material_of_whole_exposures_is_cut_into_pieces_that_cover_it(tmp_path: Path) -> None:
    def made(whole: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        assert whole["photo"].shape == (1, 3, 160, 160)
        cells = torch.arange(400.0).view(1, 1, 20, 20)
        return {"photo": cells.repeat_interleave(2, 2).repeat_interleave(2, 3), "cells": cells}

    material, _ = real_material(painted_exposure(tmp_path), ("A",), 64, made, cell=8)
    assert material["cells"].shape == (9, 1, 8, 8)
    assert set(material["cells"].flatten().tolist()) == set(range(400))
    assert torch.equal(material["photo"][..., ::2, ::2], material["cells"])


def test_turned_and_scaled_exposures_keep_their_truth(tmp_path: Path) -> None:
    material, _ = real_material(painted_exposure(tmp_path), ("A",), 64, dict, cell=8, turns=6)
    pieces = {key: value[9:] for key, value in material.items()}  # the first nine cover the whole
    assert len(pieces["photo"]) == 6
    angles = []
    for photo, frames, motion, firm in zip(
        *(pieces[key] for key in ("photo", "frames", "motion", "firm")), strict=True
    ):
        inside = firm[0, 2:-2, 2:-2]
        assert float(inside.float().mean()) > 0.3
        x, y = (motion[3] - motion[2])[:, 2:-2, 2:-2][:, inside].median(1).values.tolist()
        angles.append(math.atan2(y, x))
        assert 0.6 * 12 < math.hypot(x, y) < 1.2 * 12
        end = F.interpolate(motion[3:4], scale_factor=2.0)
        back = sampled(frames[6:], end.permute(0, 2, 3, 1))[0]
        there = F.interpolate(firm[None].float(), scale_factor=2.0)[0, 0, 8:-8, 8:-8] > 0
        off, still = ((other - frames[3]).abs().mean(0)[8:-8, 8:-8][there].mean() for other in (back, frames[6]))
        assert float(off) < 0.4 * float(still)
        assert float((photo - frames.mean(0)).abs().mean(0)[8:-8, 8:-8][there].mean()) < 0.02
    assert max(angles) - min(angles) > 0.5
    assert max(map(abs, angles)) < 1.0


@pytest.mark.parametrize(
    "name", ["adjustment", "areas", "correction", "decomposition", "motion", "moving", "predictor", "restoration"]
)
def test_recipes_learn_from_crops_of_real_exposures(name: str, tmp_path: Path) -> None:
    one = tiny(name)
    material, _ = real_material(painted_exposure(tmp_path), ("A",), 64, one.of_crops)  # type: ignore[attr-defined]
    drawn = rendered(tiny_world(64, (3.0, 8.0)), one, 2, 99)
    assert {key: value.shape[1:] for key, value in material.items()} == {
        key: value.shape[1:] for key, value in drawn.items()
    }
    assert math.isfinite(float(one.loss(start(one, CPU, 3).network, mixed(drawn, material, 0.5, 1), Dice(0)).detach()))


def test_of_what_lies_outside_a_turned_exposure_nothing_is_learned(tmp_path: Path) -> None:
    one = tiny("adjustment")
    crops, _ = real_material(painted_exposure(tmp_path), ("A",), 64, dict)
    crops = {key: value[:1] for key, value in crops.items()}
    firm = crops["firm"].clone()
    firm[..., 24:] = False  # from 48 px on
    whole, part = (one.of_crops(crops | {"firm": what})["counts"] for what in (crops["firm"], firm))  # type: ignore[attr-defined]
    assert float(whole.sum()) > 0
    assert torch.equal(part[..., :5], whole[..., :5])
    assert float(part[..., 5:].max()) == 0


def test_batches_are_drawn_from_the_chunks_that_are_kept() -> None:
    one = tiny("restoration", kept=2, reuse=2)
    stock = Stock(one, tiny_world(32, (3.0, 8.0)), 5, 3)
    try:
        batches = [stock.batch(step)["photo"].flatten(1).mean(1).mul(1e4).round() for step in range(16)]
        first = torch.cat(batches[:8]).unique()
        later = torch.cat(batches[8:])
    finally:
        stock.close()
    assert len(first) == 8
    assert len(later) == len(later.unique()) == 16
    assert set(first.tolist()) < set(later.tolist())


def test_a_share_of_the_batch_is_real(tmp_path: Path) -> None:
    material, _ = real_material(painted_exposure(tmp_path), ("A",), 64, dict)
    batch = {key: torch.zeros(4, *value.shape[1:], dtype=value.dtype) for key, value in material.items()}
    one, same, other = (mixed(batch, material, 0.5, seed)["photo"] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert float(one[:2].abs().max()) == 0
    assert bool((one[2:].flatten(1).amax(1) > 0).all())


def test_frames_restored_along_the_true_motion_beat_the_photo(tmp_path: Path) -> None:
    exposure = next(read_exposures(painted_exposure(tmp_path)))
    fields = torch.zeros(1, 4, 2, 160, 160)
    fields[:, :, 0] = torch.tensor([6.0, -6.0, -6.0, 6.0])[:, None, None]

    class Knowing(MotionNetwork):
        def forward(self, photo: torch.Tensor, hints: torch.Tensor) -> torch.Tensor:
            there = torch.nn.functional.interpolate(fields.flatten(1, 2), size=(80, 80)).unflatten(1, (4, 2))
            upright = bool(photo.diff(dim=-1).abs().mean() < photo.diff(dim=-2).abs().mean())
            sign = hints[:, 0 if upright else 1].mean((1, 2)).sign()[:, None, None, None, None]
            return (there if upright else there.flip(2)) * torch.where(sign == 0, 1, sign)

    networks = Networks(Knowing((8, 8, 8, 8), 1), AreaNetwork(16, 1))
    motion = motion_scores(networks, [exposure], CPU)
    frames = frame_scores(networks, None, [exposure], CPU)
    assert motion["clips_told"] < 0.1 * motion["clips_zero"]
    assert motion["clips_constant"] < 0.1
    assert frames["clips_frames"] > frames["clips_repeated"] + 0.1

"""The published decomposer's recipe: what it is told, what it draws, how it is scored."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_world import tiny_world
from torch import nn

from models.decomposition.published import PublishedDecomposer, direction_code
from models.guidance import encode, quantise
from training.loop import Budget, start, train
from training.recipes import Batch, changed, recipe, rendered
from training.recipes.decomposer import Decomposer, psnr, with_twins
from training.world.dice import Dice

CPU = torch.device("cpu")
ALL_BITS = (1, 2, 3, 4)


def tiny(**settings: object) -> Decomposer:
    one = changed(recipe("decomposer"), {"batch": 2, "width": 8, "blocks": 1, "rate": 2e-3, **settings})
    assert isinstance(one, Decomposer)
    return one


def exposures(one: Decomposer, count: int = 2) -> Batch:
    return rendered(tiny_world(32, (3.0, 8.0)), one, count, 7)


def learned(one: Decomposer, batch: Batch, steps: int = 12) -> list[float]:
    """The losses of so many steps on one batch."""
    run, losses = start(one, CPU, 3), []
    for _ in range(steps):
        loss = one.loss(run.network, batch, Dice(0))
        losses.append(float(loss.detach()))
        run.optimizer.zero_grad()
        loss.backward()
        run.optimizer.step()
    return losses


def flows(*angles: float, length: float = 3.0) -> torch.Tensor:
    """Flows of one pixel each (N, 2, 1, 1) px along these angles, degrees from the x axis to the y axis."""
    radians = torch.tensor(angles, dtype=torch.float64).deg2rad()
    return (length * torch.stack((radians.cos(), radians.sin()), 1))[..., None, None].float()


@pytest.mark.parametrize("bits", ALL_BITS)
def test_every_sector_has_a_code_of_its_own(bits: int) -> None:
    width = 360 / 2**bits
    # One bit is right and left, so its two sectors begin at the y axis.
    first = -90.0 if bits == 1 else 0.0
    sectors = [[first + width * (n + share) for share in (0.02, 0.5, 0.98)] for n in range(2**bits)]
    codes = [direction_code(flows(*sector), bits)[:, :, 0, 0] for sector in sectors]
    assert all(len(code.unique(dim=0)) == 1 for code in codes)
    assert {tuple(code[0].tolist()) for code in codes} == set(product((-1.0, 1.0), repeat=bits))


@pytest.mark.parametrize("bits", ALL_BITS)
def test_the_reverse_has_the_opposite_code_and_what_stands_still_has_none(bits: int) -> None:
    flow = torch.randn(4, 2, 9, 9, generator=torch.Generator().manual_seed(bits))
    flow[:, 0, 0], flow[:, 1, 1], flow[:, 0, 2] = 0, 0, flow[:, 1, 2]
    code = direction_code(flow, bits)
    assert code.shape == (4, bits, 9, 9)
    assert torch.equal(direction_code(-flow, bits), -code)
    moving = flow.norm(dim=1, keepdim=True) >= 0.5
    assert 0 < int(moving.sum()) < moving.numel()
    assert torch.equal(code.abs(), moving.expand_as(code).float())


def test_two_bits_are_the_quadrants_that_people_tell() -> None:
    flow = torch.randn(1, 2, 20, 20, generator=torch.Generator().manual_seed(0)).round()
    told = encode(quantise(flow[0].permute(1, 2, 0).numpy()))
    np.testing.assert_array_equal(direction_code(flow, 2)[0].permute(1, 2, 0).numpy(), told)


@pytest.mark.parametrize("width", [16, 128])
def test_one_stage_is_as_large_as_two(width: int) -> None:
    with torch.device("meta"):
        networks = [changed(recipe("decomposer"), {"stages": n, "width": width}).network() for n in (1, 2)]
    one, two = (sum(parameter.numel() for parameter in network.parameters()) for network in networks)
    assert one == pytest.approx(two, rel=0.03)


@pytest.mark.parametrize("stages", [1, 2])
def test_the_first_stage_copies_what_is_told_to_stand_still_and_nothing_where_nothing_is_told(stages: int) -> None:
    photo = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    code = torch.ones(1, 2, 16, 16)
    code[..., :8] = 0
    told = PublishedDecomposer((8, 8, 8), 1, 2, stages).eval()(photo, code)
    untold = PublishedDecomposer((8, 8, 8), 1, 0, stages).eval()(photo, code[:, :0])
    assert len(told) == len(untold) == stages
    copied = (told[0] == photo[:, None]).all(2)
    assert bool(copied[..., :8].all())
    assert not bool(copied[..., 8:].any())
    assert not bool((untold[0] == photo[:, None]).all(2).any())


@pytest.mark.parametrize("stages", [1, 2])
def test_what_adds_to_the_photo_begins_with_it_and_learns(stages: int) -> None:
    one = tiny(stages=stages, adding=True)
    batch, network = exposures(one), start(one, CPU, 3).network
    frames = network(batch["photo"], direction_code(batch["flow"], 2))
    assert all(torch.equal(each, batch["photo"][:, None].expand_as(each)) for each in frames)
    losses = learned(one, batch, 60)
    assert losses[-1] < 0.99 * losses[0]


@pytest.mark.parametrize(("stages", "bits"), [(1, 2), (2, 0), (2, 3)])
def test_every_variant_learns(stages: int, bits: int) -> None:
    one = tiny(stages=stages, bits=bits)
    losses = learned(one, exposures(one))
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("bits", ALL_BITS)
def test_twins_are_the_same_photos_played_backwards(bits: int) -> None:
    one = tiny(bits=bits)
    batch = exposures(one)
    twins = with_twins(batch)
    first, second = ({key: value[half] for key, value in twins.items()} for half in (slice(2), slice(2, None)))
    assert all(torch.equal(first[key], batch[key]) for key in batch)
    assert torch.equal(second["photo"], batch["photo"])
    assert torch.equal(second["frames"][:, 0], batch["frames"][:, 6])
    assert torch.equal(direction_code(second["flow"], bits), -direction_code(first["flow"], bits))
    network = start(one, CPU, 3).network
    both = [float(one.loss(network, half, Dice(0)).detach()) for half in (first, second)]
    assert both[0] == pytest.approx(both[1], rel=1e-4)


class Answering(nn.Module):
    """Draws the given frames (B, 7, 3, H, W), backwards where it is told another code than `code`, if there is one."""

    def __init__(self, frames: torch.Tensor, code: torch.Tensor | None = None) -> None:
        super().__init__()
        self.frames, self.code = frames, code

    def forward(self, photo: torch.Tensor, code: torch.Tensor) -> tuple[torch.Tensor, ...]:
        back = self.code is not None and not torch.equal(code, self.code)
        return torch.zeros_like(self.frames), self.frames.flip(1) if back else self.frames


def test_scores_of_known_frames() -> None:
    one = tiny()
    batch = exposures(one)
    # A tenth off: 20 dB.
    off = batch["frames"] * 0.8 + 0.1
    off = batch["frames"] + 0.1 * (off - batch["frames"]).sign()
    knowing = one.validate(Answering(off, direction_code(batch["flow"], 2)), [batch])
    assert [knowing[name] for name in ("forward", "either", "flipped", "forward_moving")] == pytest.approx(
        [20] * 4, abs=0.1
    )
    assert knowing["minus_gain"] == pytest.approx(knowing["repeated"] - knowing["forward"])
    assert knowing["repeated_moving"] < knowing["repeated"] - 0.1
    deaf = one.validate(Answering(off.flip(1)), [batch])
    assert deaf["forward"] < 20 - 0.2
    assert (deaf["either"], deaf["flipped"]) == pytest.approx((20, 20), abs=0.1)


def test_psnr_counts_only_what_is_asked_for() -> None:
    truth = torch.zeros(2, 7, 3, 4, 4)
    found = truth.clone()
    found[0, ..., :2] = 0.1
    where = torch.zeros(2, 1, 1, 4, 4, dtype=torch.bool)
    where[0, ..., :2] = True
    assert psnr(found, truth).tolist() == pytest.approx([20 + 10 * math.log10(2), 100], abs=1e-3)
    assert float(psnr(found, truth, where)[0]) == pytest.approx(20, abs=1e-3)
    assert math.isnan(float(psnr(found, truth, where)[1]))


def test_impossible_settings_are_refused() -> None:
    for settings, complaint in (({"bits": 5}, "0 to 4 bits, got 5"), ({"stages": 3}, "1 or 2 stages, got 3")):
        with pytest.raises(ValueError, match=complaint):
            tiny(**settings)
    with pytest.raises(ValueError, match="draws 7 frames, got 3"):
        tiny().material(tiny_world(32, (3.0, 8.0)).render(1, 5, frames=3), Dice(0))


def test_curves_are_scored_at_the_steps_asked_for(tmp_path: Path) -> None:
    one = tiny()
    train(
        start(one, CPU, 3), tiny_world(32, (3.0, 8.0)), Budget(steps=5), tmp_path, check_steps=2,
        check=lambda network: {"minus_gain": 0.0}, say=lambda text: None,
    )  # fmt: skip
    assert [row["step"] for row in json.loads((tmp_path / "log.json").read_text())] == [2, 4, 5]


def test_the_averaged_network_has_averaged_statistics(tmp_path: Path) -> None:
    one = tiny()
    run = start(one, CPU, 3)
    train(run, tiny_world(32, (3.0, 8.0)), Budget(steps=1), tmp_path, say=lambda text: None)
    now, averaged = run.network.state_dict(), run.average.state_dict()
    # After the first step the average is nine tenths of what is there now, one of what was there before.
    means = [key for key in now if key.endswith("running_mean")]
    assert all(torch.allclose(averaged[key], 0.9 * now[key]) and bool(now[key].any()) for key in means)
    counts = [key for key in now if key.endswith("num_batches_tracked")]
    assert all(int(averaged[key]) == int(now[key]) == 1 for key in counts)

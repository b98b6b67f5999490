"""The published predictor's recipe, what several answers cover, and how both are scored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_world import tiny_photos, tiny_world

from benchmarks import suggestions
from benchmarks.suggestions import by_labels, predicted, said_by
from benchmarks.truth import Exposure
from models.guidance import Guidance, quantise
from models.symmetry import WAYS, turned, turned_vectors
from training.coverage import average, coverage, split, things
from training.loop import Budget, start, train
from training.recipes import Recipe, changed, recipe, rendered
from training.recipes.predictor import Predictor, classes, code, hard, random_quadrants
from training.world.dice import Dice

CPU = torch.device("cpu")
SETTINGS = {"batch": 2, "width": 8, "depth": 3}


def tiny(**settings: object) -> Recipe:
    return changed(recipe("predictor"), SETTINGS | settings)


def material(one: Recipe) -> dict[str, torch.Tensor]:
    return rendered(tiny_world(64, (3.0, 8.0)), one, 2, 9, frames=2)


def gradients(one: Recipe, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    network = start(one, CPU, 3).network
    one.loss(network, batch, Dice(1)).backward()
    return {name: torch.zeros(1) if p.grad is None else p.grad for name, p in network.named_parameters()}


def test_each_side_is_taught_by_its_own_loss_alone() -> None:
    batch = material(tiny())
    alone = gradients(tiny(adversary=0.0), batch)
    both = gradients(tiny(), batch)
    judges = {name for name in both if name.startswith("discriminators")}
    assert all(float(alone[name].abs().max()) == 0 for name in judges)
    assert all(float(both[name].abs().max()) > 0 for name in judges)
    # What teaches the generator leaves no trace in the discriminators: other weights of it change nothing there.
    other = gradients(tiny(likeness=77.0, divergence=3.0), batch)
    assert all(torch.equal(both[name], other[name]) for name in judges)
    assert all(
        not torch.equal(both[name], other[name]) for name in both if name.endswith("weight") and name not in judges
    )


def test_codes_are_the_quadrants_and_turn_like_vectors() -> None:
    flow = torch.randn(2, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = classes(code(flow))
    assert torch.equal(labels[1], torch.from_numpy(quantise(flow[1].permute(1, 2, 0).numpy()).astype(np.int64)))
    assert set(labels.unique().tolist()) == {0, 1, 2, 3, 4}
    for way in range(WAYS):
        assert torch.equal(classes(turned_vectors(code(flow), way)), classes(code(turned_vectors(flow, way))))
        assert torch.equal(turned(labels, way) == 0, classes(turned_vectors(code(flow), way)) == 0)


def test_an_exposure_is_learned_in_both_directions_of_time() -> None:
    one, batch = tiny(), material(tiny())
    batch = {"photo": batch["photo"], "code": torch.ones_like(batch["code"])}
    seen = {tuple(one.turned(batch, Dice(seed))["code"].sign().mean((2, 3)).flatten().tolist()) for seed in range(20)}
    assert any(row[:2] == (1.0, 1.0) for row in seen)
    assert any(row[:2] == (-1.0, -1.0) for row in seen)


def test_a_hard_draw_is_one_class_a_pixel_by_its_logits() -> None:
    logits = torch.tensor([0.6, 0.2, 0.1, 0.06, 0.04]).log()[None, :, None, None].expand(1, 5, 100, 100)
    logits = logits.clone().requires_grad_()
    drawn = hard(logits, Dice(0))
    assert torch.allclose(drawn.sum(1), torch.ones(1, 100, 100))
    assert drawn.detach().round(decimals=4).unique().tolist() == [0, 1]
    assert torch.allclose(drawn.mean((0, 2, 3)), torch.tensor([0.6, 0.2, 0.1, 0.06, 0.04]), atol=0.02)
    drawn[:, 0].sum().backward()
    assert logits.grad is not None
    assert float(logits.grad[:, 0].min()) > 0


def test_answers_fit_photos_of_any_size_and_come_again() -> None:
    one, network = tiny(), start(tiny(), CPU, 3).network.eval()
    assert isinstance(one, Predictor)
    photo = torch.rand(1, 3, 30, 45)
    with torch.no_grad():
        answers = one.answers(network, photo)
        assert answers.shape == (1, 5, 30, 45)
        assert np.array_equal(answers, one.answers(network, photo))
    assert answers.max() <= 4


def test_scores_of_known_answers() -> None:
    truth = np.zeros((20, 20), np.uint8)
    truth[:, :8], truth[:, 8:12] = 1, 3
    moving = truth > 0
    scores = coverage(truth, moving, ~moving, [np.full_like(truth, 3), truth])
    assert scores.right1 == pytest.approx(1 / 3)
    assert scores.agreed1 == pytest.approx(80 / 400)
    assert scores.right3 == scores.agreed3 == scores.right5 == scores.coverage == 1
    assert scores.diversity == pytest.approx(2 / 3)
    assert scores.stillness == scores.split == 0
    nothing = coverage(truth, moving, ~moving, [])
    assert (nothing.right5, nothing.agreed5, nothing.coverage, nothing.stillness) == (0, 0, 0, 1)
    assert average([scores, nothing])["right5"] == 0.5


@pytest.mark.parametrize(
    ("labels", "share"),
    [((1, 1, 3, 3), 1), ((1, 1, 2, 2), 0), ((0, 0, 4, 4), 0), ((0,), 0), ((1, 2, 3, 4, 4, 4), 2 / 3)],
)
def test_a_thing_in_opposite_halves_is_split(labels: tuple[int, ...], share: float) -> None:
    assert split(np.array(labels, np.uint8)) == pytest.approx(share)


def test_random_quadrants_are_of_one_kind_a_thing() -> None:
    truth = np.zeros((20, 20), np.uint8)
    truth[:9, :9], truth[12:, 12:], truth[0, 19] = 2, 2, 4
    assert len(things(truth)) == 2
    answers = random_quadrants(truth, 0)
    assert len(answers) == 5
    assert all(len(np.unique(answer[:9, :9])) == 1 for answer in answers)
    assert len({answer.tobytes() for answer in answers}) > 1
    assert not any(answer[0, 19] for answer in answers)


def exposure(truth: np.ndarray) -> Exposure:
    pixels = np.random.default_rng(0).integers(0, 255, (*truth.shape, 3)).astype(np.uint8)
    flow = np.zeros((*truth.shape, 2), np.float32)
    flow[truth > 0] = 5
    return Exposure("made up", pixels, np.stack([pixels] * 7), flow, truth)


def test_a_trained_predictor_is_scored_like_the_suggestions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = tiny()
    train(start(one, CPU, 3), tiny_world(48, (3.0, 8.0)), Budget(steps=1), tmp_path, frames=2, say=lambda text: None)
    settings = vars(one)
    (tmp_path / "run.json").write_text(json.dumps({"recipe": "predictor", "settings": settings, "size": 32}))
    truth = np.zeros((48, 64), np.uint8)
    truth[:, 20:40] = 4
    suggest = predicted(tmp_path)
    guidances = suggest(exposure(truth))
    assert len(guidances) == 5
    assert all(guidance.areas.shape == truth.shape for guidance in guidances)
    scores = by_labels([exposure(truth)], suggest)
    assert scores["exposures"] == 1
    assert scores["coverage"] == pytest.approx(said_by(exposure(truth), guidances).coverage, abs=1e-3)
    assert "agreed5" in capsys.readouterr().out
    (tmp_path / "run.json").write_text(json.dumps({"recipe": "motion", "settings": {}, "size": 32}))
    with pytest.raises(ValueError, match="holds no predictor but motion"):
        predicted(tmp_path)


def test_the_true_guidance_covers_the_truth() -> None:
    truth = np.zeros((48, 64), np.uint8)
    truth[:, 20:40] = 4
    scores = said_by(exposure(truth), [Guidance.from_labels(truth, 16.0)])
    assert (scores.right1, scores.agreed1, scores.stillness, scores.split) == (1, 1, 1, 0)
    backwards = said_by(exposure(truth), [Guidance.from_labels(truth, 16.0).reversed()])
    assert (backwards.right1, backwards.stillness) == (0, 1)


def test_rendered_exposures_are_scored_where_no_frames_are_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suggestions, "HELD_OUT", 2)
    monkeypatch.setattr(suggestions, "load_photos", lambda folder, split, classes: tiny_photos(256))
    found = suggestions.held_out(Path("photos"))
    assert [one.photo.shape for one in found] == [(96, 96, 3)] * 2
    for one in found:
        assert np.array_equal(quantise(one.flow), one.labels)
        assert said_by(one, [Guidance.from_labels(one.labels, 16.0)]).agreed1 == 1
    monkeypatch.setattr("sys.argv", ["suggestions", "--photos", "photos"])
    with pytest.raises(SystemExit):
        suggestions.main()
    assert "--photos goes with --labels" in capsys.readouterr().err


def test_the_sheet_shows_photo_truth_what_z_makes_of_it_and_five_answers() -> None:
    one, batch = tiny(), material(tiny())
    network = start(one, CPU, 3).network.eval()
    with torch.no_grad():
        rows = one.sheet(network, batch)
        scores = one.validate(network, [batch])
    assert [len(row) for row in rows] == [8, 8]
    truth = classes(batch["code"])[0].numpy()
    white = (rows[0][1] == 255).all(-1)
    assert np.array_equal(white, truth == 0)
    assert scores["wrong5"] == pytest.approx(1 - scores["agreed5"])

"""The guided benchmark scores what it says, and its goals are missed where they must be."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks import guided
from benchmarks.guided import Row, control, forward, goals, smudged, summary, told
from benchmarks.truth import Exposure
from models import loading
from models.guidance import QUADRANTS, UNKNOWN
from models.motion import Motion, instants
from models.recovery import Inputs, Recovery


def exposure(shift: int = 6) -> Exposure:
    """A textured picture that moves to the right as a whole."""
    texture = np.random.default_rng(0).integers(0, 256, (12, 60, 3)).astype(np.uint8).repeat(4, 0)
    frames = np.stack([texture[:, 6 - n : 54 - n] for n in range(7)])
    flow = np.zeros((48, 48, 2), np.float32)
    flow[..., 0], flow[..., 1] = shift, -0.5
    return Exposure("moving", frames.mean(0).round().astype(np.uint8), frames, flow, np.full((48, 48), 1, np.uint8))


def obedient(inputs: Inputs, options, on_progress, is_cancelled) -> Recovery:
    """An engine that knows this one exposure and goes the way it is told; untold, backwards."""
    one = exposure()
    flow = inputs.guidance.flow()
    right = bool(np.nanmean(flow[..., 0]) > 0) if np.isfinite(flow).any() else False
    recovery = Recovery(one.frames, instants(7), Motion.from_flow(one.flow), "obedient")
    return recovery if right else recovery.reversed()


def scored(mode: str, unflipped: bool = False) -> Row:
    one = exposure()
    return guided.scored(guided.recovered("obedient", one, mode, unflipped=unflipped), one, mode)


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guided.catalog, "load", lambda name: obedient)


def test_a_perfect_engine_meets_the_goals_in_every_mode() -> None:
    rows = [scored(mode) for mode in guided.MODES]
    assert all(row.psnr > row.floor + 3 for row in rows)
    assert rows[0].error < 0.1
    assert rows[0].zero > 6
    assert rows[0].ssim > 0.99
    assert rows[0].average == rows[0].true_average
    said = summary(rows)
    assert said["goals"] == {"share closed": True, "motion error": True, "reverse": True}
    json.dumps(said)


def test_unflipped_guidance_fails() -> None:
    rows = [scored(mode, unflipped=True) for mode in ("true", "flipped")]
    assert rows[1].psnr < rows[0].psnr - 3
    assert not goals(summary(rows)["modes"])["reverse"]  # type: ignore[arg-type]


def test_an_engine_that_leaves_the_photo_alone_fails() -> None:
    still = Row("still_0001", "still", "true", 25.0, 30.0, 25.0, 6.0, 6.0, 1.0)
    back = Row("still_0001", "still", "flipped", 25.0, 30.0, 25.0, 6.0, 6.0, 1.0)
    assert not any(goals(summary([still, back])["modes"]).values())  # type: ignore[arg-type]


def test_zeroed_weights_are_zero_and_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "one.safetensors"
    save_file({"weight": torch.ones(3)}, str(path))
    path.with_suffix(".json").write_text(json.dumps({"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}))
    monkeypatch.setattr(loading, "WEIGHTS", tmp_path)
    layer = torch.nn.Linear(3, 1, bias=False)
    with control("zeroed"):
        assert tmp_path != loading.WEIGHTS
        assert not load_file(loading.WEIGHTS / "one.safetensors")["weight"].any()
        with pytest.raises(ValueError, match="cannot be read"):
            loading.load_weights(layer, "one", torch.device("cpu"))
    assert tmp_path == loading.WEIGHTS


def test_guidance_of_each_mode() -> None:
    one = exposure()
    assert (told(one, "true").labels() == 1).all()
    assert (told(one, "flipped").labels() == 3).all()
    assert (told(one, "none").labels() == UNKNOWN).all()


def test_smudged_labels_are_mostly_the_same_and_partly_unknown() -> None:
    labels = np.full((60, 80), 1, np.uint8)
    labels[:, 40:] = 3
    smeared = smudged(labels, 0)
    assert set(np.unique(smeared)) <= {*QUADRANTS, UNKNOWN}
    assert 0.05 < (smeared == UNKNOWN).mean() < 0.15
    told_ = smeared != UNKNOWN
    assert 0.9 < (smeared == labels)[told_].mean() < 1


def test_no_guidance_counts_in_the_better_direction() -> None:
    one = exposure()
    backwards = Recovery(one.frames[::-1], instants(7), Motion.from_flow(-one.flow), "")
    assert np.array_equal(forward(backwards, one, "none").frames, one.frames)


def test_how_far_frames_look_from_the_true_ones_is_a_column_where_asked_for() -> None:
    one = exposure()
    recovery = guided.recovered("obedient", one, "true")
    row = guided.scored(recovery, one, "true", lambda frames, truth: float(np.abs(frames.astype(int) - truth).mean()))
    assert row.lpips == 0
    assert row.floor_lpips is not None
    assert row.floor_lpips > 1
    with_looks, without = (summary(rows)["modes"]["true"] for rows in ([row], [scored("true")]))  # type: ignore[index]
    assert (with_looks["lpips"], with_looks["floor_lpips"]) == (0, round(row.floor_lpips, 3))
    assert "lpips" not in without


def test_the_failures_are_those_that_gain_least_of_what_moves_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight exposures: every other one moves far, and the more so the more it gains."""
    titles: list[str] = []

    def row(said: list[str], pictures: list[np.ndarray]) -> np.ndarray:
        titles.append(said[0])
        return np.stack(pictures)

    monkeypatch.setattr(guided, "sheet_row", row)
    monkeypatch.setattr(guided, "FAILURES", 2)
    one = exposure()
    recovery = guided.recovered("obedient", one, "flipped")
    found = []
    for n in range(8):
        zero = 20.0 + n if n % 2 else 2.0
        found.append((Row(f"clip_{n}", "clip", "true", 25.0, 30.0, 24.5 + n / 8, 6.0, zero, 1.0), one, recovery))
    recovered, true, *_ = guided.failures(found)
    assert titles == ["clip_1", "21 px, 6 off, -0.38 dB", "clip_3", "23 px, 6 off, -0.12 dB"]
    assert np.array_equal(recovered, [one.photo, *recovery.frames[[0, 3, 6]]])
    assert np.array_equal(true, [one.photo, *one.frames[[0, 3, 6]]])

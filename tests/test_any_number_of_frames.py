"""However many instants are wanted, the motion is found once, and an instant is the same whatever is beside it."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from app import cli
from app.photo import read_photo
from app.playback import frame_at
from app.stills import png_bytes
from models import catalog
from models.decomposition.network import RestorationNetwork
from models.guidance import Guidance, Region
from models.motion import Arrow
from models.recovery import Inputs, Recovery
from models.trajectory.network import MotionNetwork

WAYS = [("trajectory", {}), ("decomposition", {"by": "network"}), ("decomposition", {"by": "both"})]


def texture(height: int = 64, width: int = 96) -> np.ndarray:
    coarse = np.random.default_rng(4).random((height // 8, width // 8, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return (cv2.blur(smooth, (9, 1)) * 255).round().astype(np.uint8)


def recovered(engine: str, frames: int, options: dict[str, object]) -> Recovery:
    pixels = texture()
    guidance = Guidance(np.zeros(pixels.shape[:2], np.uint8), camera=Arrow(0, 9))
    said = {"frames": frames, **options}
    return catalog.load(engine)(Inputs(pixels, guidance, "cpu"), said, lambda _: None, lambda: False)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each network was asked."""
    counts: Counter[str] = Counter()

    def count(network: type, method: str) -> None:
        really = getattr(network, method)

        def counted(self: object, *arguments: object) -> object:
            counts[network.__name__] += 1
            return really(self, *arguments)

        monkeypatch.setattr(network, method, counted)

    count(MotionNetwork, "forward")
    count(RestorationNetwork, "residual")
    return counts


@pytest.mark.parametrize(("engine", "options"), WAYS, ids=["trajectory", "network", "both"])
def test_any_number_of_frames_takes_the_motion_networks_passes_of_one(
    passes: Counter[str], engine: str, options: dict[str, object]
) -> None:
    asked, restored, frames = [], [], {}
    for count in (1, 3, 41):
        passes.clear()
        frames[count] = recovered(engine, count, options).frames
        asked.append(passes["MotionNetwork"])
        restored.append(passes["RestorationNetwork"])
    assert asked == [1, 1, 1]
    expected = {"network": [1, 3, 41], "both": [1, 1, 1]}
    assert restored == expected.get(str(options.get("by")), [0, 0, 0])
    assert np.array_equal(frames[3], frames[41][::20])
    assert np.array_equal(frames[1][0], frames[3][1])


def slid_block(t: float, way: float) -> np.ndarray:
    """A bright block before a still texture at t, on its way of `way` px to the right: (64, 96, 3) uint8."""
    back = texture() // 2
    matte = np.zeros(back.shape[:2], np.float32)
    matte[20:44, 36:60] = 1
    shift = np.array([[1, 0, (t - 0.5) * way], [0, 1, 0]], np.float32)
    moved = cv2.warpAffine(matte, shift, back.shape[1::-1])[..., None]
    return np.rint(back * (1 - moved) + 220 * moved).astype(np.uint8)


def test_what_a_thing_uncovers_is_as_clear_between_frames_as_at_them() -> None:
    linear = np.mean([(slid_block(t, 16) / 255) ** 2.2 for t in np.linspace(0, 1, 65)], 0)
    photo = np.rint(255 * linear ** (1 / 2.2)).astype(np.uint8)
    areas = np.zeros(photo.shape[:2], np.uint8)
    areas[20:44, 36:60] = 1
    guidance = Guidance(areas, (Region(1, "block", Arrow(0, 16)),))
    run = catalog.load("drawn")
    recovery = run(Inputs(photo, guidance, "cpu"), {"frames": 7}, lambda _: None, lambda: False)

    def off(t: float) -> float:
        difference = frame_at(recovery, t).astype(int) - slid_block(t, 16)
        return float(np.abs(difference)[20:44, 24:72].mean())

    at_frames, between = [off(n / 6) for n in range(7)], [off(n / 24) for n in range(25)]
    before = np.mean([np.abs(photo.astype(int) - slid_block(n / 6, 16))[20:44, 24:72].mean() for n in range(7)])
    assert max(between) < 1.2 * max(at_frames)
    assert max(at_frames) < 0.5 * before


def test_frames_that_do_not_fit_in_memory_are_moved_from_those_that_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = texture()
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(png_bytes(pixels))
    monkeypatch.setattr("models.recovery.LARGEST", 5.5 * pixels.nbytes)
    said = ("animate", "photo.png", "--toward", "0", "--strength", "9", "-n", "12", "-o", "frames/", "--json")
    assert cli.main(said) == 0
    assert json.loads(capsys.readouterr().out)["options"]["frames"] == 5
    names = [f"frame_{n:03}.png" for n in range(12)]
    assert sorted(path.name for path in Path("frames").iterdir()) == names
    frames = [read_photo(f"frames/{name}").pixels.astype(int) for name in names]
    steps = [np.abs(after - before).mean() for before, after in pairwise(frames)]
    assert min(steps) > 0.3 * max(steps)

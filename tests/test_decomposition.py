"""The engine that restores every instant by a network, with the weights that are shipped."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models import catalog
from models.guidance import Guidance, Region
from models.motion import Arrow
from models.recovery import Cancelled, Inputs, Recovery


def slid(length: int, height: int = 96, width: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """A texture that slides `length` px to the right in the left half of the picture, and its true middle instant."""
    dice = np.random.default_rng(5)
    coarse = dice.random((height // 16, (width + 40) // 16, 3)).astype(np.float32)
    texture = cv2.resize(coarse, (width + 40, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    instants = [texture[:, 20 - n : 20 - n + width] for n in range(length + 1)]
    blurred = np.mean([one**2.2 for one in instants], 0) ** (1 / 2.2)
    left = np.arange(width)[None, :, None] < width // 2
    sharp = texture[:, 20 : 20 + width]
    pictures = (np.where(left, one, sharp) for one in (blurred, instants[length // 2]))
    photo, middle = ((one * 255).round().astype(np.uint8) for one in pictures)
    return photo, middle


def left_half(arrow: Arrow, height: int = 96, width: int = 128) -> Guidance:
    areas = np.full((height, width), 2, np.uint8)
    areas[:, : width // 2] = 1
    return Guidance(areas, (Region(1, "moving", arrow), Region(2, "still", Arrow(0, 0))))


def recovered(pixels: np.ndarray, guidance: Guidance, **options: object) -> Recovery:
    run = catalog.load("decomposition")
    return run(Inputs(pixels, guidance, "cpu"), {"frames": 3, **options}, lambda progress: None, lambda: False)


def test_the_middle_instant_comes_nearer_to_the_truth() -> None:
    photo, truth = slid(10)
    middle = recovered(photo, left_half(Arrow(0, 10))).frames[1]
    before, after = (np.abs(one[8:-8, 8:52].astype(int) - truth[8:-8, 8:52]).mean() for one in (photo, middle))
    assert after < 0.95 * before


def test_network_and_deconvolution_together_come_nearer_and_move_as_one() -> None:
    photo, truth = slid(10)
    frames = recovered(photo, left_half(Arrow(0, 10)), by="both").frames.astype(int)
    by_network = recovered(photo, left_half(Arrow(0, 10)), frames=1).frames[0].astype(int)
    inner = (slice(8, -8), slice(16, 44))
    network, both = (np.abs(one[inner] - truth[inner]).mean() for one in (by_network, frames[1]))
    assert both < network
    assert all(np.array_equal(frame[:, 104:], photo[:, 104:]) for frame in frames)
    there = np.abs(np.roll(frames[0], 10, 1) - frames[2])[inner].mean()
    assert there < 0.3 * np.abs(frames[0] - frames[2])[inner].mean()


def test_what_stands_still_stays_untouched() -> None:
    photo, _ = slid(10)
    recovery = recovered(photo, left_half(Arrow(0, 10)))
    assert recovery.engine == "decomposition"
    assert all(np.array_equal(frame[:, 104:], photo[:, 104:]) for frame in recovery.frames)
    assert not np.array_equal(recovery.frames[0][:, :50], recovery.frames[2][:, :50])


def test_flipped_guidance_gives_the_reverse() -> None:
    photo, _ = slid(10)
    there, back = recovered(photo, left_half(Arrow(0, 10))), recovered(photo, left_half(Arrow(180, 10))).reversed()
    assert np.abs(there.frames.astype(int) - back.frames).mean() < 0.1


def test_sixteen_bits_and_any_count_come_back() -> None:
    photo, _ = slid(6)
    recovery = recovered(photo.astype(np.uint16) * 257, left_half(Arrow(0, 6)), frames=5, limit=64)
    assert recovery.frames.dtype == np.uint16
    assert recovery.frames.shape == (5, 48, 64, 3)


def test_it_can_be_cancelled_and_refuses_wrong_guidance() -> None:
    run = catalog.load("decomposition")
    with pytest.raises(Cancelled):
        run(Inputs(slid(4)[0], left_half(Arrow(0, 4)), "cpu"), {"frames": 3}, lambda progress: None, lambda: True)
    with pytest.raises(ValueError, match="another size"):
        recovered(slid(4)[0], Guidance.empty(8, 8))


@pytest.mark.parametrize("by", ["network", "both"])
def test_progress_only_grows(by: str) -> None:
    steps: list[float] = []
    run = catalog.load("decomposition")
    inputs = Inputs(slid(10)[0], left_half(Arrow(0, 10)), "cpu")
    run(inputs, {"frames": 3, "by": by}, lambda progress: steps.append(progress.fraction), lambda: False)
    assert len(steps) > 10
    assert steps == sorted(steps)
    assert steps[-1] == 1

"""A camera's slight shake: seen in a photo, told from sharpness, and suggested."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from test_suggestions import BLURRED, ends_of, flow_of, moving_at

from app.samples import FOLDER
from models.areas.correction import CorrectionNetwork
from models.areas.proposals import BARELY, SLIGHT, SURE, _if_slight
from models.exposure import sampled
from models.guidance import Guidance, quantise
from models.loading import load_weights
from models.motion import Arrow
from models.trajectory.engine import load_networks
from models.trajectory.estimation import estimate
from models.trajectory.shake import Shake, shaken
from models.trajectory.suggestion import SHAKEN, suggested

CPU = torch.device("cpu")
HEIGHT, WIDTH = 240, 320


def blurred(way: torch.Tensor) -> torch.Tensor:
    """The sharp part of a bundled photo, (1, 3, HEIGHT, WIDTH), that moved `way` (HEIGHT, WIDTH, 2) px."""
    with Image.open(FOLDER / "dog.jpg") as file:
        pixels = np.asarray(file.convert("RGB").reduce(2))[:HEIGHT, :WIDTH]
    photo = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    mean = torch.stack([sampled(photo, float(t) * way[None]) for t in np.linspace(-0.5, 0.5, 17)]).mean(0)
    return (mean * 255).round() / 255


def straight(x: float, y: float) -> torch.Tensor:
    return torch.tensor([x, y]).expand(HEIGHT, WIDTH, 2)


def seen(photo: torch.Tensor) -> Shake:
    return shaken(load_weights(CorrectionNetwork(), "correction", CPU), photo, 1.0)


@pytest.mark.parametrize("way", [(2.2, -2.2), (3.0, 0.0), (0.0, 3.0)])
def test_a_slight_shake_is_seen_with_its_line_and_length(way: tuple[float, float]) -> None:
    shake = seen(blurred(straight(*way)))
    assert shake.doubt < SURE
    off = min(np.hypot(*np.moveaxis(sign * shake.flow - way, -1, 0)).mean() for sign in (1, -1))
    assert off < 0.25 * np.hypot(*way)


def test_a_slight_zoom_is_seen() -> None:
    y, x = torch.meshgrid(torch.arange(HEIGHT) - HEIGHT / 2, torch.arange(WIDTH) - WIDTH / 2, indexing="ij")
    way = 0.03 * torch.stack((x, y), -1)
    shake = seen(blurred(way))
    assert shake.doubt < SURE
    off = min(np.hypot(*np.moveaxis(sign * shake.flow - way.numpy(), -1, 0)).mean() for sign in (1, -1))
    assert off < 0.3 * float(way.norm(dim=-1).mean())


def test_a_sharp_photo_is_not_called_shaken() -> None:
    assert seen(blurred(straight(0, 0))).doubt > SHAKEN


def test_its_px_are_the_photos() -> None:
    photo = blurred(straight(3, 0))
    network = load_weights(CorrectionNetwork(), "correction", CPU)
    small, large = (shaken(network, photo, scale).flow for scale in (1.0, 0.5))
    assert large == pytest.approx(2 * small)


def slightly(x: float, y: float, doubt: float) -> Shake:
    return Shake(np.broadcast_to(np.array([x, y], np.float32), (40, 60, 2)), doubt)


def test_a_likely_shake_is_the_fourth_suggestion_and_its_reverse_the_fifth() -> None:
    plain = suggested(ends_of(flow_of()), 80, 120, 5, moving=moving_at(*BLURRED))
    found = suggested(ends_of(flow_of()), 80, 120, 5, moving=moving_at(*BLURRED), shake=slightly(1.2, 1.0, 0.25))
    assert [one.labels().tolist() for one in found[:3]] == [one.labels().tolist() for one in plain[:3]]
    assert [one.regions for one in found[3:]] == [(), ()]
    there, back = (one.camera for one in found[3:])
    assert there is not None
    assert back == there.reversed()
    assert there.length == pytest.approx(np.hypot(1.2, 1.0), abs=0.01)
    assert min(there.degrees, back.degrees) == pytest.approx(180 - np.degrees(np.arctan2(1.0, 1.2)), abs=0.5)


def test_a_doubtful_shake_is_not_suggested() -> None:
    things = moving_at(*BLURRED)
    found = suggested(ends_of(flow_of()), 80, 120, 5, moving=things, shake=slightly(2, 0, 0.28))
    assert len(found) == 5
    assert all(one.regions for one in found)


def test_where_nothing_else_was_found_it_is_all_that_is_suggested() -> None:
    found = suggested(ends_of(flow_of()), 80, 120, 5, shake=slightly(2, 0, 0.25))
    assert len(found) == 2
    assert found[0].camera == found[1].camera.reversed() != Arrow(0, 0)
    assert suggested(ends_of(flow_of()), 80, 120, 5, shake=slightly(2, 0, 0.28)) == ()


def test_a_camera_that_was_found_was_not_slightly_shaken() -> None:
    pan = ends_of(flow_of((slice(None), slice(None), (9, 3))))
    plain, same = (suggested(pan, 80, 120, 5, shake=one) for one in (None, slightly(2, 0, 0.1)))
    assert [one.labels().tolist() for one in plain] == [one.labels().tolist() for one in same]


def test_a_slight_zoom_is_suggested_in_quadrants() -> None:
    y, x = np.mgrid[:80, :120] - np.array([40, 60])[:, None, None]
    zoom = (np.stack((x, y), -1) / 20).astype(np.float32)
    first, second = suggested(ends_of(flow_of()), 80, 120, 5, shake=Shake(zoom, 0.25))
    assert (first.labels() == quantise(zoom))[2:78, 2:118].mean() > 0.9
    assert second.labels().tolist() == first.reversed().labels().tolist()


def test_slight_motion_that_is_told_counts_as_sure_and_shorter_and_no_other() -> None:
    shorter, doubt = _if_slight(3.0, 0.25)
    assert 0.4 < shorter < 0.9
    assert doubt < SURE
    for length, doubt in ((3.0, SURE - 0.01), (3.0, BARELY), (SLIGHT, 0.25), (0.0, 0.25)):
        assert _if_slight(length, doubt) == (1.0, doubt)


def test_a_photo_too_small_for_windows_is_infinitely_doubted() -> None:
    assert seen(torch.rand(1, 3, 40, 40)).doubt == float("inf")


@pytest.mark.parametrize(("parted", "off"), [(False, 0.3), (True, 0.34)])
def test_slight_motion_that_is_told_in_quadrants_is_found_as_long_as_it_is(parted: bool, off: float) -> None:
    """Told in one quadrant, and, as it runs along an axis, in two by chance; without what is seen along it it is .31
    and .56 of its length off."""
    way = straight(-2.2, 0.2 if parted else -1.2)
    labels = np.full((HEIGHT, WIDTH), 2, np.uint8)
    labels[HEIGHT // 2 :] = 3 if parted else 2
    told = Guidance.from_labels(labels, 16.0).flow()
    ends = estimate(load_networks(CPU), blurred(way), told, "quadrants")
    found = (ends.fields[0, 3] - ends.fields[0, 2]).permute(1, 2, 0)
    truth = torch.nn.functional.interpolate(way.permute(2, 0, 1)[None], size=found.shape[:2])[0].permute(1, 2, 0)
    assert float((found - truth).norm(dim=-1).mean()) < off * float(truth.norm(dim=-1).mean())

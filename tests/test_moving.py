"""What moves where nothing is told: what is seen of it, and that the shipped network sees it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from app.samples import FOLDER
from models.loading import load_weights
from models.symmetry import WAYS, turned
from models.trajectory.cells import CELL
from models.trajectory.moving import AXES, CHANNELS, LAGS, MovingNetwork, line_of, seen, turned_seen, what_moves
from training.recipes.moving import MovingRecipe
from training.world.dice import Dice

SIDE, BLUR = 64, 12
HEIGHT, WIDTH = 240, 320
INSIDE = slice(72, 176), slice(100, 220)


def streaked() -> torch.Tensor:
    """A photo (1, 3, SIDE, SIDE) of noise that moved BLUR px to the right."""
    grey = torch.rand(1, 1, SIDE, SIDE + BLUR - 1, generator=torch.Generator().manual_seed(1))
    return F.avg_pool2d(grey, (1, BLUR), 1).expand(-1, 3, -1, -1)


def before_a_sharp_background(down: bool) -> torch.Tensor:
    """The sharp part of a bundled photo, (1, 3, HEIGHT, WIDTH), of which what is INSIDE moved 16 px."""
    with Image.open(FOLDER / "dog.jpg") as file:
        pixels = np.asarray(file.convert("RGB").reduce(2))[:HEIGHT, :WIDTH]
    photo = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    window = (17, 1) if down else (1, 17)
    blurred = F.avg_pool2d(photo, window, 1, (window[0] // 2, window[1] // 2), count_include_pad=False)
    photo[..., *INSIDE] = blurred[..., *INSIDE]
    return photo


def test_along_its_motion_near_values_differ_less_than_across_it() -> None:
    differ = seen(streaked())[0, : AXES * len(LAGS)].mean((1, 2)).view(AXES, len(LAGS))
    across = differ[AXES // 2]
    assert bool((differ[0] < across)[[lag < BLUR / 2 for lag in LAGS]].all())
    assert bool((differ[0] - across).abs()[[lag > 2 * BLUR for lag in LAGS]].max() < 0.05)


@pytest.mark.parametrize("way", range(WAYS))
def test_the_cells_of_a_turned_picture_are_turned_cells(way: int) -> None:
    photo = torch.rand(1, 3, SIDE, SIDE + CELL, generator=torch.Generator().manual_seed(3))
    assert seen(photo).shape[1] == CHANNELS
    assert torch.allclose(seen(turned(photo, way)), turned_seen(seen(photo), way), atol=1e-3)


def test_opposite_directions_are_one_line() -> None:
    vectors = torch.tensor([[5.0, 0.1], [-5.0, -0.1], [0.0, 3.0], [0.0, -3.0], [4.0, 4.0], [-4.0, 4.0]])
    assert line_of(vectors.T[None, :, None])[0, 0].tolist() == [0, 0, AXES // 2, AXES // 2, AXES // 4, 3 * AXES // 4]


@pytest.mark.parametrize("down", [False, True])
def test_what_is_blurred_is_likely_to_move_along_its_streaks(down: bool) -> None:
    network = load_weights(MovingNetwork(), "moving", torch.device("cpu"))
    moving = what_moves(network, before_a_sharp_background(down))
    rows, columns = (slice(one.start // CELL + 1, one.stop // CELL - 1) for one in INSIDE)
    inside = moving.likely[rows, columns]
    around = moving.likely.copy()
    around[rows.start - 2 : rows.stop + 2, columns.start - 2 : columns.stop + 2] = 0
    assert inside.mean() > 0.5
    assert around.mean() < 0.5 * inside.mean()
    lines = np.roll(moving.lines[:, rows, columns].mean((1, 2)), -AXES // 2 if down else 0)
    near, across = (lines[[(middle + n) % AXES for n in (-1, 0, 1)]].sum() for middle in (0, AXES // 2))
    assert near > 1.5 * across
    assert moving.lines.sum(0) == pytest.approx(1, abs=1e-4)


def test_a_large_photo_is_looked_at_in_a_smaller_copy_with_lengths_in_its_own_px() -> None:
    network = load_weights(MovingNetwork(), "moving", torch.device("cpu"))
    photo = F.interpolate(before_a_sharp_background(False), size=(336, 448), mode="bicubic").clamp(0, 1)
    small, large = (what_moves(network, one) for one in (photo, F.interpolate(photo, scale_factor=2.0)))
    assert large.likely.shape == small.likely.shape == (336 // CELL, 448 // CELL)
    assert large.length.mean() == pytest.approx(2 * small.length.mean(), rel=0.1)


def test_of_motion_that_does_not_show_nothing_is_learned() -> None:
    crops = {
        "photo": torch.full((1, 3, SIDE, SIDE), 0.5),
        "frames": torch.full((1, 3, 3, SIDE, SIDE), 0.5),
        "motion": torch.full((1, 4, 2, SIDE // 2, SIDE // 2), 4.0) * torch.tensor([1, -1, -1, 1])[:, None, None, None],
    }
    one = MovingRecipe()
    network, batch = one.network(), one.of_crops(crops)
    assert float(one.loss(network, batch, Dice(0)).detach()) == 0
    batch["shows"] |= True
    assert float(one.loss(network, batch, Dice(0)).detach()) > 0.5
    with pytest.raises(ValueError, match="odd number of frames"):
        one.of_crops(crops | {"frames": crops["frames"][:, :2]})

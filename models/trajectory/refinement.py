"""Drawn arrows refined: each as a whole, and then how the places differ that it moves.

What one arrow moves hardly ever moves alike: a hand goes farther than its arm, and what was painted around it stands
still. So even the true arrows, the best constants, leave most of the motion wrong. What the networks find of every
place, told the refined arrows' directions and no lengths, is heeded beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional as F

from models.areas.refinement import FAINT, View, as_wholes, broad, energy, looked_at
from models.devices import run_on
from models.drawn.splatting import filled
from models.guidance import Guidance
from models.motion import Arrow, Shares
from models.recovery import Cancelled, Inputs, Progress, between
from models.trajectory.cells import CELL
from models.trajectory.engine import load_networks
from models.trajectory.estimation import LOOK_SIDE, as_tensor, estimate

HEED = 0.5
"""How much the mean of what is found of its places counts beside an arrow: they are found too timidly."""
DIFFER, BROAD_DIFFER = 1.0, 0.5
"""How much of how they are found to differ counts, and so where an area is broad: what the camera moves differs less,
and is found less surely to differ."""
LEAST = 0.2
"""The share of an arrow's length below which what is found on the mean does not tell how its places differ."""
SHORTEST, SMALLEST = 2.0, 500
"""Px of an arrow and pixels of its area, at the size that is looked at, from which on its places may differ."""
_WHOLES = 0.5
"""The share of the time that arrows as wholes take."""


def refine(
    inputs: Inputs,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
    only: Container[int] | None = None,
) -> Guidance:
    """The guidance with its arrows, of regions and of the camera, fitted to the photo: direction and length, and which
    share of these each place goes.

    `only` says which, by the regions' numbers, 0 for the camera; None: all. Areas, bends and speeds stay; arrows of
    which the photo says too little stay as they are; so does dense motion. Raises Cancelled, or ValueError
    with one sentence.
    """
    told = as_wholes(inputs, between(on_progress, 0.0, _WHOLES), is_cancelled, only)
    on_progress(Progress(_WHOLES, "Looking at every place"))
    view = looked_at(inputs.pixels, told.areas, LOOK_SIDE)
    arrows = {number: arrow for number, arrow in told.arrows().items() if only is None or number in only}
    numbers = [number for number, arrow in arrows.items() if _shown(view, number, arrow)]
    if numbers:
        flow, _, _ = run_on(inputs.device, lambda device: _found(view.pixels, _alike(told, numbers), device))
        for number in numbers:
            arrow = told.arrows()[number]
            told = told.with_arrow(number, differing(arrow, flow / view.scale, view.areas == number))
    if is_cancelled():
        raise Cancelled
    return told


def _shown(view: View, number: int, arrow: Arrow) -> bool:
    """Whether there is enough to be seen of what an arrow moves."""
    area = view.areas == number
    return arrow.length * view.scale >= SHORTEST and area.sum() >= SMALLEST and energy(view.grey, area) >= FAINT


def _alike(told: Guidance, numbers: list[int]) -> Guidance:
    """With all places of these things going as their arrows say."""
    for number in numbers:
        told = told.with_arrow(number, replace(told.arrows()[number], shares=None))
    return told


@torch.no_grad()
def _found(pixels: np.ndarray, told: Guidance, device: torch.device) -> np.ndarray:
    """The motion, x + iy px of a picture (H, W, 3), that is found of it told directions, complex64 (H, W)."""
    import cv2

    height, width = pixels.shape[:2]
    flow = cv2.resize(told.flow(), (width, height), interpolation=cv2.INTER_NEAREST)
    ends = estimate(load_networks(device), as_tensor(pixels, device), flow, "directions", loosely=True)
    way = F.interpolate(ends.fields[:, 3] - ends.fields[:, 2], size=(height, width), mode="bilinear")
    return np.ascontiguousarray(way[0].permute(1, 2, 0).cpu().numpy()).view(np.complex64)[..., 0]


def differing(arrow: Arrow, flow: np.ndarray, area: np.ndarray) -> Arrow:
    """The arrow with the shares of it that the places of its area, bool (H, W), go by what is found, a flow, complex
    (H, W) px of the photo as the arrow's; its own direction and length half-way to their mean. As it is where hardly
    anything is found."""
    height, width = area.shape
    rows, columns = (_starts(length) for length in (height, width))
    counts = _sums(area, rows, columns)
    there = counts > 0
    drawn = complex(*arrow.vector())
    places = _sums(flow * area, rows, columns) / counts.clip(1)
    mean = complex((places * counts).sum() / counts.sum())
    if abs(mean) < LEAST * abs(drawn):
        return arrow
    each = 1 + (BROAD_DIFFER if broad(area) else DIFFER) * (places / mean - 1)
    shares = torch.view_as_real(torch.from_numpy(each.astype(np.complex64))).permute(2, 0, 1)[None]
    known = torch.from_numpy(there)[None, None]
    shares = torch.view_as_complex(filled(shares, known.float(), known)[0].permute(1, 2, 0).contiguous()).numpy()
    (top, bottom), (left, right) = ((at.min(), at.max() + 1) for at in np.nonzero(there))
    edges = left / len(columns), top / len(rows), right / len(columns), bottom / len(rows)
    whole = (1 - HEED) * drawn + HEED * mean
    pointed = Arrow.from_vector(whole.real, whole.imag)
    return replace(
        arrow,
        degrees=pointed.degrees,
        length=pointed.length,
        shares=Shares.of(shares[top:bottom, left:right], edges),
    )


def _starts(length: int) -> np.ndarray:
    """Where cells begin that are about `CELL` px long and cover so many px evenly."""
    count = max(1, round(length / CELL))
    return np.arange(count) * length // count


def _sums(picture: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Sums of (H, W) over cells that begin at these rows and columns."""
    return np.add.reduceat(np.add.reduceat(picture, rows, 0), columns, 1)

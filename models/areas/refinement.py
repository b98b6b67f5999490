"""Drawn arrows adjusted to this very photo, as far as the evidence is sure."""

from __future__ import annotations

import math
from collections.abc import Callable, Container
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional as F

from models.areas.correction import CorrectionNetwork
from models.areas.network import AreaNetwork
from models.areas.proposals import EACH, GUIDANCE, LENGTH_UNIT, proposed
from models.devices import run_on
from models.guidance import Guidance
from models.loading import load_weights
from models.motion import Arrow
from models.recovery import Cancelled, Inputs, Progress

LARGEST = 640
"""The longer side, px, at which a photo is looked at, at most."""
SHORTEST, SMALLEST = 4.0, 3_000
"""Px of an arrow and pixels of an area, at that size, below which an arrow stands as it is: on real photos the network
is as often wrong there as right."""
DOUBT = 0.45
"""How far hypotheses may lie apart, as a share of the length found, before an arrow stands as it is."""
LONGEST = 30.0
"""Px of an arrow above which the picture is halved."""
FAINT = 1e-5
"""Mean square of an area's slopes below which it is taken for smooth, and its arrow stands."""


@dataclass(frozen=True)
class Judgement:
    """What was found of one arrow: the `factor` that turns and stretches it, y down, and the `doubt`, how far from it
    other hypotheses lie on average, as a share of the length found; infinite where there is nothing to judge by."""

    factor: complex
    doubt: float


def refine(
    inputs: Inputs,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
    only: Container[int] | None = None,
) -> Guidance:
    """The guidance with the lengths and directions of its arrows, of regions and of the camera, fitted to the photo.

    `only` says which, by the regions' numbers, 0 for the camera; None: all. Areas, bends and speeds stay; arrows of
    which the photo says too little stay as they are; so does dense motion. Raises Cancelled, or ValueError
    with one sentence.
    """
    guidance = inputs.guidance
    if guidance.areas.shape != inputs.pixels.shape[:2]:
        raise ValueError("the guidance has another size than the photo")
    numbers = [number for number in guidance.arrows() if only is None or number in only]
    if not numbers:
        raise ValueError("there is no arrow to refine: draw one first")
    on_progress(Progress(0.0, "Reading the photo"))
    grey, areas, scale = _looked_at(inputs.pixels, guidance.areas)
    for done, number in enumerate(numbers):
        if is_cancelled():
            raise Cancelled
        on_progress(Progress((done + 0.5) / (len(numbers) + 0.5), _step(guidance, number)))
        guidance = _refined(guidance, number, grey, areas, scale, inputs.device)
    if is_cancelled():
        raise Cancelled
    return guidance


def judged(grey: np.ndarray, area: np.ndarray, stroke: np.ndarray, device: torch.device) -> Judgement:
    """What a picture (H, W), 0 to 1, says within an area bool (H, W) about a stroke (2,) px."""
    network = load_weights(AreaNetwork(), "areas", device)
    correction = load_weights(CorrectionNetwork(), "correction", device)
    picture, mask = (torch.from_numpy(part.astype(np.float32))[None].to(device) for part in (grey, area))
    drawn = torch.from_numpy(stroke.astype(np.float32)).to(device)
    while float(drawn.norm()) > LONGEST:
        picture, mask, drawn = F.avg_pool2d(picture, 2), F.avg_pool2d(mask, 2), drawn / 2
    inside = mask[0] > 0.5
    told = torch.zeros(1, GUIDANCE, *inside.shape, device=device)
    told[:, 2] = 1  # what is outside stands still
    length = float(drawn.norm())
    told[0, :, inside] = torch.stack((*(drawn / length), *drawn.new_tensor((1, length / LENGTH_UNIT, 1))))[:, None]
    x, y, doubt, judged = proposed(network, picture.expand(1, 3, -1, -1), told, correction)[0, :EACH, inside].mean(1)
    factor = LENGTH_UNIT * torch.complex(x, y) / torch.complex(*drawn)
    return Judgement(complex(factor.item()), float(doubt) if judged else math.inf)


def _refined(
    guidance: Guidance, number: int, grey: np.ndarray, areas: np.ndarray, scale: float, device: str
) -> Guidance:
    """The guidance with one arrow refined."""
    arrow = guidance.arrows()[number]
    area = areas == number
    if arrow.length * scale < SHORTEST or area.sum() < SMALLEST or _energy(grey, area) < FAINT:
        return guidance
    said, _, _ = run_on(device, lambda on: judged(grey, area, arrow.vector() * scale, on))
    if said.doubt > DOUBT:
        return guidance
    found = complex(*arrow.vector()) * said.factor
    straight = Arrow.from_vector(found.real, found.imag)
    return guidance.with_arrow(number, replace(arrow, degrees=straight.degrees, length=straight.length))


def _energy(grey: np.ndarray, area: np.ndarray) -> float:
    down, across = np.gradient(grey)
    return float((down**2 + across**2)[area].mean())


def _step(guidance: Guidance, number: int) -> str:
    region = guidance.region(number)
    return "Refining the camera's arrow" if region is None else f"Refining {region.name}"


def _looked_at(pixels: np.ndarray, areas: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The photo in grey, 0 to 1 on its own curve, and its areas, at most `LARGEST` px a side; and that scale."""
    import cv2

    height, width = areas.shape
    scale = min(1.0, LARGEST / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if scale < 1:
        pixels = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
        areas = cv2.resize(np.ascontiguousarray(areas), size, interpolation=cv2.INTER_NEAREST)
    return pixels.mean(2, dtype=np.float32) / np.float32(65535 if pixels.dtype == np.uint16 else 255), areas, scale

"""Drawn arrows, each as a whole, adjusted to this very photo, as far as the evidence is sure."""

from __future__ import annotations

import math
from collections.abc import Callable, Container
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional as F

from models.areas.agreement import evidence
from models.areas.correction import CorrectionNetwork
from models.areas.network import AreaNetwork, about, as_long_as, hypotheses, posterior
from models.areas.proposals import EACH, GUIDANCE, LENGTH_UNIT, MOST, proposed
from models.devices import run_on
from models.drawn.engine import run
from models.guidance import Guidance, Region
from models.loading import load_weights
from models.motion import Arrow
from models.recovery import Cancelled, Inputs, Progress

LARGEST = 640
"""The longer side, px, at which a photo is looked at, at most."""
SHORTEST, SMALLEST = 2.5, 2_000
"""Px of an arrow and pixels of an area, at that size, below which an arrow stands as it is."""
ROOM = 15
"""How many squares over its arrow an area must hold: long ways over small areas are mostly judged wrong."""
SHORTEST_BROAD = 4.0
"""The shortest arrow, px, of a broad area."""
DOUBT = 0.45
"""How far a broad area's hypotheses may lie apart, as a share of the length found, before its arrow stands as it is."""
LONGEST = 30.0
"""Px of an arrow above which the picture is halved."""
FAINT = 1e-5
"""Mean square of an area's slopes below which it is taken for smooth, and its arrow stands."""
OFF, HEED = 0.5, 0.5
"""How far, in radians and in the logarithm of their length, arrows are taken to be off; and how much of what is said
of a small area counts beside that. Real things turn and bend, and are judged with too little doubt."""
BETTER, ROUNDS = 0.2, 10
"""By how many dB a turned arrow must explain the photo better, after so many rounds of deconvolution along it."""


@dataclass(frozen=True)
class View:
    """A photo as it is looked at, `scale` times as large: pixels (H, W, 3), the same in grey, 0 to 1, and areas."""

    pixels: np.ndarray
    grey: np.ndarray
    areas: np.ndarray
    scale: float


def as_wholes(
    inputs: Inputs,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
    only: Container[int] | None = None,
) -> Guidance:
    """The guidance with the lengths and directions of its arrows, of regions and of the camera, fitted to the photo.

    `only` says which, by the regions' numbers, 0 for the camera; None: all. Areas, bends, speeds and how places differ
    stay; arrows of which the photo says too little stay as they are; so does dense motion. Raises Cancelled, or
    ValueError with one sentence.
    """
    guidance = inputs.guidance
    if guidance.areas.shape != inputs.pixels.shape[:2]:
        raise ValueError("the guidance has another size than the photo")
    numbers = [number for number in guidance.arrows() if only is None or number in only]
    if not numbers:
        raise ValueError("there is no arrow to refine: draw one first")
    on_progress(Progress(0.0, "Reading the photo"))
    view = looked_at(inputs.pixels, guidance.areas, LARGEST)
    for done, number in enumerate(numbers):
        if is_cancelled():
            raise Cancelled
        on_progress(Progress((done + 0.5) / (len(numbers) + 0.5), _step(guidance, number)))
        arrow = _refined(guidance.arrows()[number], view, view.areas == number, inputs.device, is_cancelled)
        guidance = guidance.with_arrow(number, arrow)
    if is_cancelled():
        raise Cancelled
    return guidance


def judged(grey: np.ndarray, area: np.ndarray, stroke: np.ndarray, device: torch.device) -> tuple[float, float]:
    """How many times longer than a stroke (2,) px, y down, and how many radians clockwise of it, the motion is for
    which a picture (H, W), 0 to 1, speaks within an area bool (H, W); 1 and 0 where that is too doubtful."""
    network = load_weights(AreaNetwork(), "areas", device)
    picture, mask = (torch.from_numpy(part.astype(np.float32))[None].to(device) for part in (grey, area))
    drawn = torch.from_numpy(stroke.astype(np.float32)).to(device)
    while float(drawn.norm()) > LONGEST:
        picture, mask, drawn = F.avg_pool2d(picture, 2), F.avg_pool2d(mask, 2), drawn / 2
    if broad(area):
        return _smoothly(network, picture, mask[0] > 0.5, drawn)
    return _as_one(network, picture, mask, drawn)


def _smoothly(
    network: AreaNetwork, picture: torch.Tensor, inside: torch.Tensor, drawn: torch.Tensor
) -> tuple[float, float]:
    """Of what moves with the camera: the mean of its smooth motion, put right by what is seen along it."""
    correction = load_weights(CorrectionNetwork(), "correction", drawn.device)
    told = torch.zeros(1, GUIDANCE, *inside.shape, device=drawn.device)
    told[:, 2] = 1  # what is outside stands still
    length = float(drawn.norm())
    told[0, :, inside] = torch.stack((*(drawn / length), *drawn.new_tensor((1, length / LENGTH_UNIT, 1))))[:, None]
    x, y, doubt, said = proposed(network, picture.expand(1, 3, -1, -1), told, correction)[0, :EACH, inside].mean(1)
    found = LENGTH_UNIT * torch.complex(x, y) / torch.complex(*drawn)
    return (float(found.abs()), float(found.angle())) if said and doubt <= DOUBT else (1.0, 0.0)


def _as_one(
    network: AreaNetwork, picture: torch.Tensor, mask: torch.Tensor, drawn: torch.Tensor
) -> tuple[float, float]:
    """Of what moves by itself: what the network says of it as a whole beside what is drawn."""
    logits = network.even_handed(evidence(picture, mask), mask.sum((1, 2)))
    off = drawn.new_tensor([OFF])
    prior = about(torch.atan2(drawn[1:], drawn[:1]), off) + as_long_as(drawn.norm()[None], OFF)
    return cautious(posterior(HEED * logits, prior), drawn)


def cautious(found: torch.Tensor, drawn: torch.Tensor) -> tuple[float, float]:
    """How many times longer than a stroke (2,) px, and how many radians clockwise of it, hypotheses, logarithms
    (1, LENGTHS, TURN), lie on the average, but no longer than is sure: frames suffer more from a way that is too long
    than from one too short."""
    share, each = found[0].exp(), hypotheses(found) / torch.complex(*drawn)
    longer = each.abs().log()
    mean = (share * longer).sum()
    spread = (share * (longer - mean).square()).sum().sqrt()
    turned = (share * each / each.abs()).sum().angle()
    return float((mean.clamp(max=0) + (mean - spread).clamp(min=0)).exp()), float(turned)


def _refined(arrow: Arrow, view: View, area: np.ndarray, device: str, is_cancelled: Callable[[], bool]) -> Arrow:
    """An arrow, in px of the photo, refined to what is seen in its area bool (H, W) of the view."""
    small = arrow.scaled(view.scale)
    if not _shown(view.grey, area, small.length):
        return arrow
    (longer, turned), _, _ = run_on(device, lambda on: judged(view.grey, area, small.vector(), on))
    stretched = arrow.scaled(longer)
    if turned == 0:
        return stretched
    both = replace(stretched, degrees=(arrow.degrees - math.degrees(turned)) % 360)
    if broad(area):
        return both
    straight, aside = (
        _explained(view, area, one.scaled(view.scale), device, is_cancelled) for one in (stretched, both)
    )
    return both if aside >= straight + BETTER else stretched


def _explained(view: View, area: np.ndarray, arrow: Arrow, device: str, is_cancelled: Callable[[], bool]) -> float:
    """How well motion along an arrow, in px of the view, explains its area bool (H, W) and what is around, dB. It says
    nothing of the length: the shorter, the better."""
    reach = math.ceil(arrow.length) + 8
    y, x = (slice(max(0, int(at.min()) - reach), int(at.max()) + 1 + reach) for at in np.nonzero(area))
    told = Guidance(area[y, x].astype(np.uint8), (Region(1, "area", arrow),))
    inputs = Inputs(np.ascontiguousarray(view.pixels[y, x]), told, device)
    return run(inputs, {"frames": 1, "iterations": ROUNDS}, lambda _: None, is_cancelled).scores["reblur"]


def broad(area: np.ndarray) -> bool:
    """Whether an area bool (H, W) fills so much of a picture that it moves with the camera."""
    return bool(area.mean() > MOST)


def _shown(grey: np.ndarray, area: np.ndarray, length: float) -> bool:
    """Whether an area bool (H, W) of a picture (H, W) is large and rich enough to tell of a way of so many px."""
    shortest = SHORTEST_BROAD if broad(area) else SHORTEST
    return length >= shortest and area.sum() >= max(SMALLEST, ROOM * length**2) and energy(grey, area) >= FAINT


def energy(grey: np.ndarray, area: np.ndarray) -> float:
    """Mean square of the slopes of a picture (H, W) in an area bool (H, W)."""
    down, across = np.gradient(grey)
    return float((down**2 + across**2)[area].mean())


def _step(guidance: Guidance, number: int) -> str:
    region = guidance.region(number)
    return "Refining the camera's arrow" if region is None else f"Refining {region.name}"


def looked_at(pixels: np.ndarray, areas: np.ndarray, largest: int) -> View:
    """The photo and its areas, at most so many px a side; grey is on the photo's own curve."""
    import cv2

    height, width = areas.shape
    scale = min(1.0, largest / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if scale < 1:
        pixels = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
        areas = cv2.resize(np.ascontiguousarray(areas), size, interpolation=cv2.INTER_NEAREST)
    grey = pixels.mean(2, dtype=np.float32) / np.float32(65535 if pixels.dtype == np.uint16 else 255)
    return View(pixels, grey, areas, scale)

"""Photos blurred along smooth flow maps, by the recipe of the BSD blur benchmark.

Gong et al., From Motion Blur to Motion Flow (2017), and their scripts. Blur is added up on the photo's own values, not
in linear light, and every pixel is averaged along its own straight line: smooth, never an outline. The recipe's v
points up; everything here is in image axes, x right, y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from models.exposure import frames as frames_of
from models.exposure import sampled
from training.world.dice import Dice
from training.world.scene import Exposures, World


@dataclass(frozen=True)
class Severity:
    """The largest value of every parameter of a flow map; each is drawn evenly from minus to plus that.

    translation   px.
    acceleration  how much the translation changes across the picture, as a share.
    spin          the factor of r^1.5 across the radius; `shift` is how far the centre lies off the middle, px.
    zoom          an angle; its tangent is the factor of r along the radius. The paper calls the first a forward
                  motion and the second a rotation: what the formulas do in image axes is the other way round.
    cap           the longest component, px, of a map that is kept.
    """

    translation: float
    acceleration: float
    spin: float
    shift: float
    zoom: float
    cap: float


SEVERITIES = {
    "mild": Severity(19, 0.25, 2e-3, 5, math.pi / 120, 17),
    "severe": Severity(27, 0.3, 5e-3, 15, math.pi / 70, 36),
}
LANDSCAPE = (321, 481)


def flow_map(dice: Dice, severity: Severity, height: int, width: int, capped: bool = True) -> torch.Tensor:
    """One map of whole px, float32 (2, height, width), x right, y down; drawn again until it stays within the cap."""
    while True:
        flow = _drawn(dice, severity, height, width)
        if not capped or float(flow.abs().max()) <= severity.cap:
            return flow


def _drawn(dice: Dice, severity: Severity, height: int, width: int) -> torch.Tensor:
    tx, ty, ax, ay, spin, zoom, right, up = dice.uniform(8, low=-1).tolist()
    x = torch.arange(1.0, width + 1, device=dice.device)
    y = torch.arange(float(height), 0, -1, device=dice.device)[:, None]  # from the bottom
    u = severity.translation * tx * (1 + severity.acceleration * ax * (x / width - 0.5))
    v = severity.translation * ty * (1 + severity.acceleration * ay * (y / height - 0.5))
    x = x - (width / 2 + severity.shift * right)
    y = y - (height / 2 + severity.shift * up)
    root = torch.hypot(x, y).sqrt()
    along, across = math.tan(severity.zoom * zoom), severity.spin * spin * root
    return torch.stack((u - along * x + across * y, -(v + along * y + across * x))).round()


def line_blurred(pictures: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Pictures (B, C, H, W), each pixel averaged along its own line, of flow (B, 2, H, W) px; the border goes on.

    The line is |flow| px long counting its own thickness of 1 px: a neighbour's weight falls linearly to 0 at 1 px from
    a segment of |flow| - 1 px around the pixel; the weights add up to 1.
    """
    height, width = pictures.shape[-2:]
    half = ((flow.norm(dim=1) - 1) / 2).clamp_min(0)
    angle = torch.atan2(flow[:, 1], flow[:, 0])
    x, y = angle.cos(), angle.sin()
    steep = y.abs() > x.abs()
    slope = torch.where(steep, x / y, y / x)
    row = torch.arange(height, device=flow.device)[:, None]
    column = torch.arange(width, device=flow.device)
    total, sum_of_weights = torch.zeros_like(pictures), torch.zeros_like(half)
    flat = pictures.flatten(2)
    for step in range(-math.ceil(float(half.max())) - 1, math.ceil(float(half.max())) + 2):
        for side in (-1, 0, 1):  # on the shallower axis no other neighbour is within 1 px of the line
            other = (slope * step).round() + side
            dx, dy = torch.where(steep, other, step), torch.where(steep, step, other)
            beyond = ((dx * x + dy * y).abs() - half).clamp_min(0)
            weight = (1 - torch.hypot(dx * y - dy * x, beyond)).clamp_min(0)
            place = (row + dy.long()).clamp(0, height - 1) * width + (column + dx.long()).clamp(0, width - 1)
            there = flat.gather(2, place.flatten(1)[:, None].expand_as(flat)).view_as(pictures)
            total += weight[:, None] * there
            sum_of_weights += weight
    return total / sum_of_weights[:, None]


def inside(flow: torch.Tensor) -> tuple[slice, slice]:
    """The rows and columns of a map (2, H, W) that its longest components do not reach out of."""
    columns, rows = (int(flow[axis].abs().max()) // 2 for axis in (0, 1))
    return slice(rows, flow.shape[1] - rows), slice(columns, flow.shape[2] - columns)


@dataclass(frozen=True)
class FlowMaps(World):
    """A world of photos that smear along maps of one `severity`: no layers, no noise, and `reach` says nothing."""

    severity: str = "severe"

    @torch.no_grad()
    def render(self, count: int, seed: int, frames: int = 7, sensor: bool = True) -> Exposures:
        """`count` exposures; the same seed gives the same. Photo and instants are on the curve they were blurred on.

        sensor  False leaves out rounding to 8 bits.
        """
        dice, severity = Dice(seed, self.device), SEVERITIES[self.severity]
        margin = math.ceil(severity.cap / 2) + 1
        parts = [_cut(dice, self.photos.pixels, severity, self.size + 2 * margin) for _ in range(count)]
        sharp, flow = (torch.stack(part) for part in zip(*parts, strict=True))
        photo = line_blurred(sharp, flow)
        times = torch.linspace(0, 1, frames, device=self.device)
        offsets = flow[:, None] * (0.5 - times)[:, None, None, None]
        core = (..., slice(margin, margin + self.size), slice(margin, margin + self.size))
        still = torch.eye(2, 3, device=self.device).expand(count, 1, frames, 2, 3)
        return Exposures(
            photo=(photo[core] * 255).round() / 255 if sensor else photo[core],
            frames=frames_of(sharp, offsets.permute(0, 1, 3, 4, 2))[core].contiguous(),
            offsets=offsets[core].contiguous(),
            trajectories=_seen(offsets)[core].contiguous(),
            visible=torch.ones(count, frames, self.size, self.size, dtype=torch.bool, device=self.device),
            owner=torch.zeros(count, self.size, self.size, dtype=torch.uint8, device=self.device),
            paths=still,
            times=times,
        )


def _cut(dice: Dice, pixels: torch.Tensor, severity: Severity, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A random square of a random photo, (3, side, side), and of a map as large as the benchmark's, (2, side, side)."""
    height, width = (max(length, side) for length in LANDSCAPE)
    flow = flow_map(dice, severity, height, width)
    photo = pixels[int(dice.whole(len(pixels)))].permute(2, 0, 1)
    return _square(dice, photo, side).float() / 255, _square(dice, flow, side)


def _square(dice: Dice, picture: torch.Tensor, side: int) -> torch.Tensor:
    if min(picture.shape[-2:]) < side:
        raise ValueError(f"expected photos of at least {side} px a side, got {min(picture.shape[-2:])}")
    top, left = (int(dice.whole(length - side + 1)) for length in picture.shape[-2:])
    return picture[:, top : top + side, left : left + side]


def _seen(offsets: torch.Tensor) -> torch.Tensor:
    """The trajectories (B, T, 2, H, W) of offsets: g(p) = -offsets(p + g(p))."""
    flat = offsets.flatten(0, 1)
    found = -flat
    for _ in range(4):
        found = -sampled(flat, found.permute(0, 2, 3, 1))
    return found.view_as(offsets)

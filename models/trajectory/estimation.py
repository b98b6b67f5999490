"""Finding the motion of a whole photo: at which scale the network looks, what it is told, what its answer means.

The network knows blurs of 2 to 32 px. Where arrows tell lengths the photo is shown to it at the scale where the longest
has `LONGEST` px. Else it looks at `FIRST_SIDE`, the scale that was best on real exposures, and once more from farther
off where it then finds motion beyond what it knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional as F

from models.motion import Motion, constrained
from models.symmetry import WAYS, inverse, turned, turned_vectors
from models.trajectory.network import LENGTH_UNIT, STRIDE, MotionNetwork

LONGEST = 14.0
FIRST_SIDE, SMALLEST_SIDE, LARGEST_SIDE = 256, 96, 448
KNOWN = 24.0
STILL = 0.5


@dataclass(frozen=True)
class Ends:
    """Start and end of every pixel.

    fields  float32 (1, 4, 2, h, w) px of the photo, on a grid over the whole photo: offsets at start and end,
            trajectories at start and end.
    """

    fields: torch.Tensor

    def longest(self) -> float:
        """The path's length that one pixel in 20 exceeds, px of the photo, among all that move."""
        length = (self.fields[:, 3] - self.fields[:, 2]).norm(dim=1).flatten()
        moving = length[length > STILL]
        return float(torch.quantile(moving, 0.95)) if len(moving) else 0.0

    def scaled(self, factor: float) -> Ends:
        """The same motion in px of a photo `factor` times as large."""
        return replace(self, fields=self.fields * factor)

    def motion(self, times: np.ndarray) -> Motion:
        """Quadratic in time through start, middle and end (Exposure Trajectory Recovery, section 3.2)."""
        fields = self.fields[0].permute(0, 2, 3, 1).cpu().numpy()
        offsets = constrained(fields[:2], times, "quadratic")
        return Motion(times, offsets, constrained(fields[2:], times, "quadratic"))


def as_tensor(pixels: np.ndarray, device: torch.device) -> torch.Tensor:
    """(1, 3, H, W) in 0 to 1 on the pixels' own curve."""
    values = torch.from_numpy(np.ascontiguousarray(pixels).astype(np.float32))
    return (values / float(np.iinfo(pixels.dtype).max)).permute(2, 0, 1)[None].to(device)


def read_guidance(flow: np.ndarray, told: str, height: int, width: int) -> torch.Tensor:
    """The five channels that the network reads, (1, 5, height, width), of a guidance's flow (H, W, 2) px with NaN where
    nothing is known; lengths count in px of the picture (height, width).

    told  "arrows" with their lengths, "directions" without, or "quadrants".
    """
    rows = ((np.arange(height) + 0.5) * (flow.shape[0] / height)).astype(np.intp)
    columns = ((np.arange(width) + 0.5) * (flow.shape[1] / width)).astype(np.intp)
    scale = width / flow.shape[1]
    flow = flow[rows[:, None], columns]
    known = np.isfinite(flow[..., 0] + flow[..., 1])
    flow = np.where(known[..., None], flow, 0)
    length = np.hypot(flow[..., 0], flow[..., 1])
    moving = (length >= STILL)[..., None]
    direction = flow / np.maximum(length, 1e-6)[..., None]
    if told == "quadrants":
        right = np.where(flow[..., 0] == 0, flow[..., 1] > 0, flow[..., 0] > 0)
        down = np.where(flow[..., 1] == 0, flow[..., 0] < 0, flow[..., 1] > 0)
        direction = np.stack((right, down), -1) * 2.0 - 1
    measured = known & (told == "arrows")
    scaled = length * scale / LENGTH_UNIT
    channels = (*np.moveaxis(direction * moving, -1, 0), known, scaled * measured, measured)
    return torch.from_numpy(np.stack(channels).astype(np.float32))[None]


def estimate(network: MotionNetwork, photo: torch.Tensor, flow: np.ndarray | None = None, told: str = "arrows") -> Ends:
    """The motion of a whole photo (1, 3, H, W), sRGB curve, on the network's device.

    flow  the guidance's, (H, W, 2) px of the photo with NaN where nothing is known; None where nothing is said.
    What is told to stand still has no trajectory.
    """
    length = _told_length(flow) if told == "arrows" else 0.0
    side = max(photo.shape[-2:])
    if length:
        return _look(network, photo, flow, told, _side(side, length))
    first = min(side, FIRST_SIDE)
    ends = _look(network, photo, flow, told, first)
    length = ends.longest()
    if length * first / side > KNOWN:
        ends = _look(network, photo, flow, told, min(first, _side(side, length)))
    return ends


def even_handed(network: MotionNetwork, photo: torch.Tensor, guidance: torch.Tensor) -> torch.Tensor:
    """The network's answer, the same for a photo turned or mirrored and, played backwards, for flipped guidance: the
    mean over the sixteen ways to ask. Where nothing is told the direction of time is arbitrary and only the plain way
    counts."""
    if not bool(guidance[:, 2].any()):
        return network(photo, guidance)
    ways = torch.cat((guidance, guidance * guidance.new_tensor([-1, -1, 1, 1, 1])[:, None, None]))
    plain = mean = photo.new_zeros(())
    for way in range(WAYS):
        told = torch.cat((turned_vectors(ways[:, :2], way), turned(ways[:, 2:], way)), 1)
        found = turned_vectors(network(turned(photo, way).expand(2, -1, -1, -1), told), inverse(way))
        forward, backward = found.split(1)
        plain = plain if way else forward
        mean = mean + (forward + backward[:, [1, 0, 3, 2]]) / (2 * WAYS)
    known = F.avg_pool2d(guidance[:, 2:3], 2)[:, :, None]
    return torch.lerp(plain, mean, known)


def _told_length(flow: np.ndarray | None) -> float:
    if flow is None:
        return 0.0
    length = np.hypot(flow[..., 0], flow[..., 1])
    return float(np.nanmax(length, initial=0.0, where=np.isfinite(length)))


def _side(side: int, length: float) -> int:
    """The longer side at which a path of `length` px has `LONGEST`."""
    return min(side, LARGEST_SIDE, max(SMALLEST_SIDE, round(side * LONGEST / max(length, 1e-6))))


def _look(network: MotionNetwork, photo: torch.Tensor, flow: np.ndarray | None, told: str, side: int) -> Ends:
    height, width = photo.shape[-2:]
    scale = side / max(height, width)
    h, w = (max(STRIDE, round(length * scale)) for length in (height, width))
    small = F.interpolate(photo, size=(h, w), mode="area") if side < max(height, width) else photo
    channels = small.new_zeros(1, 5, h, w)
    if flow is not None:
        channels = read_guidance(flow, told, h, w).to(photo.device)
    pad = (0, -w % STRIDE, 0, -h % STRIDE)
    fields = even_handed(network, F.pad(small, pad, mode="replicate"), F.pad(channels, pad, mode="replicate"))
    fields = F.interpolate(fields.flatten(1, 2), scale_factor=2, mode="bilinear", align_corners=False)
    fields = fields[..., :h, :w].unflatten(1, (4, 2))
    still = (channels[:, 2] > 0) & (channels[:, :2] == 0).all(1)
    fields[:, 2:] *= ~still[:, None, None]
    factors = fields.new_tensor([width / w, height / h])
    return Ends(fields * factors[:, None, None])

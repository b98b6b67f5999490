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

from models.areas.correction import CorrectionNetwork
from models.areas.network import AreaNetwork
from models.areas.proposals import (
    EACH,
    FEW,
    GUIDANCE,
    LENGTH_UNIT,
    MIDDLES,
    MOST,
    SURE,
    WHOLE_DOUBT,
    areas,
    proposed,
    reversed_hints,
    stretched,
)
from models.motion import Motion, constrained
from models.trajectory import adjustment
from models.trajectory.adjustment import AdjustmentNetwork
from models.trajectory.cells import CELL
from models.trajectory.network import STRIDE, MotionNetwork
from models.trajectory.shake import Shake, shaken
from models.trajectory.sharpness import too_sharp

LONGEST = 14.0
FIRST_SIDE, SMALLEST_SIDE, LARGEST_SIDE = 256, 96, 448
AREA_SIDE, LOOK_SIDE = 384, 512
"""The longer side, at most, at which areas are judged, and at which their motion is looked along."""
CLOSE_SIDE = 448
"""The longer side, at most, at which every place's motion is adjusted."""
KNOWN = 24.0
STILL = 0.5
NEARLY, SETTLED = 0.6, 0.35
"""Share of a smooth motion's length by which ways may depart from it and count as nearly the same, where its doubt is
not above the second; none where it is barely proposed."""
SURELY, KNOWN_WELL = 5.0, 0.08
"""That share, and the doubt, where the smooth motion was put right and what is seen along it leaves no doubt."""
EXACTLY = 1.2
"""The norm of a told direction up to which it is told exactly: quadrants, (+-1, +-1), have a larger one."""
STRAIGHT = 0.8
"""A camera zooms or turns where its mean motion is less than this share of how far places go on the average."""
ALIKE = 0.35
"""The share of an arrow's length by which it may differ from the mean of a zoom or turn that it stands for."""
SHORT = (0.006, 0.012)
"""Shares of the longer side: untold motion below the first counts as none, above the second as found."""


@dataclass(frozen=True)
class Networks:
    """What finds motion: `areas` judges what is told to move alike as a whole, `correction` puts right what it finds of
    broad areas where there is one, `motion` says what every pixel does, and `adjustment`, where there is one, how far
    each place truly goes and how its way bends."""

    motion: MotionNetwork
    areas: AreaNetwork
    correction: CorrectionNetwork | None = None
    adjustment: AdjustmentNetwork | None = None


@dataclass(frozen=True)
class Ends:
    """Start and end of every pixel.

    fields  float32 (1, 4, 2, h, w) px of the photo, on a grid over the whole photo: offsets at start and end,
            trajectories at start and end.
    """

    fields: torch.Tensor

    @classmethod
    def of(cls, motion: Motion, device: torch.device) -> Ends:
        """Those of a motion that goes on through the whole exposure."""
        both = (motion.offsets_at(0), motion.offsets_at(1), motion.trajectories_at(0), motion.trajectories_at(1))
        return cls(torch.from_numpy(np.stack(both)).permute(0, 3, 1, 2)[None].to(device))

    def longest(self) -> float:
        """The path's length that one pixel in 20 exceeds, px of the photo, among all that move."""
        length = (self.fields[:, 3] - self.fields[:, 2]).norm(dim=1).flatten()
        moving = length[length > STILL]
        return float(torch.quantile(moving, 0.95)) if len(moving) else 0.0

    def reversed(self) -> Ends:
        """The same motion played backwards."""
        return replace(self, fields=self.fields[:, [1, 0, 3, 2]])

    def leftward(self) -> bool:
        """Whether things go left and up rather than right and down, on the average: the one or the other, and of
        reversed motion always the other. What is farther down and right counts more, so that turning has a sense
        too."""
        x, y = (self.fields[0, 3] - self.fields[0, 2]).unbind(0)
        down, right = (torch.linspace(1, 2, length, device=x.device) for length in x.shape)
        return float(((x + y / 2) * down[:, None].square() * right).sum()) < 0

    def scaled(self, factor: float) -> Ends:
        """The same motion in px of a photo `factor` times as large."""
        return replace(self, fields=self.fields * factor)

    def bent(self, bends: np.ndarray) -> Ends:
        """The same ways with the bend and the uneven speed that are told: `bends`, complex (H, W) on any grid over the
        photo, is the mean of start and end over half the way between them; NaN keeps what there is."""
        height, width = self.fields.shape[-2:]
        rows = ((np.arange(height) + 0.5) * (bends.shape[0] / height)).astype(np.intp)
        columns = ((np.arange(width) + 0.5) * (bends.shape[1] / width)).astype(np.intp)
        told = torch.from_numpy(bends[rows[:, None], columns]).to(self.fields.device)
        pairs = self.fields.unflatten(1, (2, 2))
        half, mean = (pairs[:, :, 1] - pairs[:, :, 0]) / 2, (pairs[:, :, 1] + pairs[:, :, 0]) / 2
        x, y = half.unbind(2)
        along, aside = told.real, told.imag
        turned = torch.stack((x * along - y * aside, x * aside + y * along), 2)
        shift = torch.where(told.isnan(), 0.0, turned - mean)
        return replace(self, fields=(pairs + shift[:, :, None]).flatten(1, 2))

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


def estimate(
    networks: Networks,
    photo: torch.Tensor,
    flow: np.ndarray | None = None,
    told: str = "arrows",
    loosely: bool = False,
) -> Ends:
    """The motion of a whole photo (1, 3, H, W), sRGB curve, on the networks' device.

    flow     the guidance's, (H, W, 2) px of the photo with NaN where nothing is known; None where nothing is said.
    loosely  told directions are not quite right: what is seen around a place may turn it.

    What is told to stand still has no trajectory. Arrows in several quadrants that tell the means of what one camera
    surely did, as it zoomed or turned, tell that.
    """
    if told == "arrows" and flow is not None and _is_one_camera(networks, photo, flow):
        told = "quadrants"
    ends, proposals = _found(networks, photo, flow, told)
    if networks.adjustment is None or flow is None or _told_length(flow, told):
        return ends
    small, fields, hints = _closely(photo, ends, flow, told, proposals)
    close = seen_closely(networks.adjustment, small, fields, hints, loosely)
    change = _resized((close - fields) * (photo.shape[-1] / small.shape[-1]), ends.fields.shape[-2:], "area")
    return Ends(ends.fields + change)  # where there is no change, bit for bit


def found_with_hints(
    networks: Networks, photo: torch.Tensor, flow: np.ndarray, told: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """The fields (1, 4, 2, H, W) px before they are adjusted, and the hints (1, 13, H, W), of a photo (1, 3, H, W),
    sRGB curve, at most `CLOSE_SIDE` px a side, told "quadrants" or "directions" of a flow (H, W, 2), NaN where nothing
    is known."""
    ends, proposals = _found(networks, photo, flow, told)
    return _closely(photo, ends, flow, told, proposals)[1:]


def _found(networks: Networks, photo: torch.Tensor, flow: np.ndarray | None, told: str) -> tuple[Ends, torch.Tensor]:
    """The motion before it is adjusted, and what is proposed, (1, 8, h, w) in px of the photo; as for `estimate`."""
    side = max(photo.shape[-2:])
    proposals = _proposals(networks, photo, flow, told)
    length = _told_length(flow, told)
    if length:
        return _look(networks.motion, photo, flow, told, proposals, _side(side, length)), proposals
    first = min(side, FIRST_SIDE)
    ends = _look(networks.motion, photo, flow, told, proposals, first)
    length = ends.longest()
    if length * first / side > KNOWN:
        ends = _look(networks.motion, photo, flow, told, proposals, min(first, _side(side, length)))
    return ends, proposals


def _closely(
    photo: torch.Tensor, ends: Ends, flow: np.ndarray | None, told: str, proposals: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A copy of the photo on which every place is looked at, the fields on its grid in its px, and its hints."""
    small, scale = _smaller(photo, CLOSE_SIDE)
    fields = _resized(ends.fields * scale, small.shape[-2:], "bilinear")
    return small, fields, _hints(small, scale, flow, told, proposals)


def too_sharp_for(ends: Ends, photo: torch.Tensor) -> np.ndarray:
    """Where a photo (1, 3, H, W) is too sharp for its motion, bool on a grid over it."""
    small, scale = _smaller(photo, LOOK_SIDE)
    way = ends.fields[:, 3] - ends.fields[:, 2]
    way = F.interpolate(way, size=small.shape[-2:], mode="bilinear", align_corners=False) * scale
    return too_sharp(small, way)[0].cpu().numpy()


def shaken_slightly(network: CorrectionNetwork, photo: torch.Tensor) -> Shake:
    """How the camera that took a photo (1, 3, H, W), sRGB curve, may slightly have been shaken, px of the photo."""
    return shaken(network, *_smaller(photo, LOOK_SIDE))


def even_handed(network: MotionNetwork, photo: torch.Tensor, hints: torch.Tensor) -> torch.Tensor:
    """The network's answer, for flipped guidance exactly the reverse: the mean over both directions of time. Where
    nothing is told the direction of time is arbitrary and only the plain one counts."""
    if not bool(hints[:, 2].any()):
        return network(photo, hints)
    forward, backward = network(photo, torch.cat((hints, reversed_hints(hints)))).split(1)
    known = F.avg_pool2d(hints[:, 2:3], 2)[:, :, None]
    return torch.lerp(forward, (forward + backward[:, [1, 0, 3, 2]]) / 2, known)


def _told_length(flow: np.ndarray | None, told: str) -> float:
    """The longest length that is told, px of the photo; 0 where only directions or nothing are."""
    if flow is None or told != "arrows":
        return 0.0
    length = np.hypot(flow[..., 0], flow[..., 1])
    return float(np.nanmax(length, initial=0.0, where=np.isfinite(length)))


def _side(side: int, length: float) -> int:
    """The longer side at which a path of `length` px has `LONGEST`."""
    return min(side, LARGEST_SIDE, max(SMALLEST_SIDE, round(side * LONGEST / max(length, 1e-6))))


def _proposals(networks: Networks, photo: torch.Tensor, flow: np.ndarray | None, told: str) -> torch.Tensor:
    """What is proposed for the photo, (1, 8, h, w) on a smaller copy, motion counted in `LENGTH_UNIT` of the photo's
    px."""
    small, scale = _smaller(photo, AREA_SIDE)
    larger, _ = _smaller(photo, LOOK_SIDE)
    found = proposed(networks.areas, small, _read(flow, told, small), networks.correction, larger)
    return stretched(found, 1 / scale)


def _is_one_camera(networks: Networks, photo: torch.Tensor, flow: np.ndarray) -> bool:
    """Whether arrows, a guidance's flow (H, W, 2) px, fill most of a photo in several quadrants as those of a zoom or
    a turn do, and one and the same smooth motion, surely there in each of these, has nearly their means."""
    small, scale = _smaller(photo, AREA_SIDE)
    told = _read(flow, "quadrants", small)
    parts = areas(told)[0, : len(MIDDLES)]
    parts = parts[parts.sum((1, 2)) >= FEW]
    if networks.correction is None or len(parts) < 2 or float(parts.float().mean((1, 2)).sum()) <= MOST:
        return False
    drawn = _read(flow, "arrows", small)[0]
    drawn = drawn[:2] * drawn[3:4]
    every = drawn[:, parts.any(0)]
    if float(every.mean(1).norm()) >= STRAIGHT * float(every.norm(dim=0).mean()):
        return False
    camera = stretched(_proposals(networks, photo, flow, "quadrants"), scale)[0]
    doubt = camera[2][parts.any(0)].median()
    for part in parts:
        arrow = drawn[:, part].mean(1)
        off = (camera[:2, part].mean(1) - arrow).norm()
        if float(camera[2, part].median()) != float(doubt) or float(off) > ALIKE * float(arrow.norm()):
            return False
    return float(doubt) < SURE


def _look(
    network: MotionNetwork,
    photo: torch.Tensor,
    flow: np.ndarray | None,
    told: str,
    proposals: torch.Tensor,
    side: int,
) -> Ends:
    height, width = photo.shape[-2:]
    small, scale = _smaller(photo, side)
    h, w = small.shape[-2:]
    fields = settled(network, small, _hints(small, scale, flow, told, proposals))
    factors = fields.new_tensor([width / w, height / h])
    return Ends(fields * factors[:, None, None])


def settled(network: MotionNetwork, photo: torch.Tensor, hints: torch.Tensor) -> torch.Tensor:
    """The fields (1, 4, 2, H, W) px of a photo (1, 3, H, W) given hints (1, 13, H, W): what the network says, with the
    camera's motion where it is nearly that, and without what is more often a mistake."""
    h, w = photo.shape[-2:]
    pad = (0, -w % STRIDE, 0, -h % STRIDE)
    fields = even_handed(network, F.pad(photo, pad, mode="replicate"), F.pad(hints, pad, mode="replicate"))
    fields = F.interpolate(fields.flatten(1, 2), scale_factor=2, mode="bilinear", align_corners=False)
    fields = fields[..., :h, :w].unflatten(1, (4, 2))
    known = hints[:, 2] > 0
    still = known & (hints[:, :2] == 0).all(1)
    fields[:, 2:] *= ~still[:, None, None]
    smooth = _with_the_camera(fields, hints)
    return torch.where(known[:, None, None], smooth, _beyond_doubt(smooth))


def seen_closely(
    network: AdjustmentNetwork, photo: torch.Tensor, fields: torch.Tensor, hints: torch.Tensor, loosely: bool = False
) -> torch.Tensor:
    """The fields (1, 4, 2, H, W) px of a photo (1, 3, H, W) given hints (1, 13, H, W), the motion of every place that
    is `adjustable` adjusted, and bent, by what is seen around it: only along a direction told exactly, unless
    `loosely`."""
    heeded = adjustable(hints)
    if not bool(heeded.any()):
        return fields
    h, w = photo.shape[-2:]
    pad = (0, -w % CELL, 0, -h % CELL)
    way = F.pad(fields[:, 3] - fields[:, 2], pad, mode="replicate")
    seen = adjustment.seen(*(F.pad(photo, pad, mode="replicate"), way, F.pad(hints, pad, mode="replicate")))
    said = torch.stack(adjustment.change_by(network, seen), 1).flatten(1, 2)
    said = F.interpolate(said, scale_factor=CELL, mode="bilinear", align_corners=False)[..., :h, :w]
    off, bend = (said * heeded).unflatten(1, (2, 2)).unbind(1)
    direction = hints[:, :2]
    exact = (direction.norm(dim=1, keepdim=True) < EXACTLY) & (not loosely)
    off, bend = (torch.where(exact, (one * direction).sum(1, keepdim=True) * direction, one) for one in (off, bend))
    start, end = bend - off / 2, bend + off / 2
    return fields + torch.stack((-start, -end, start, end), 1)  # offsets run the other way


def adjustable(hints: torch.Tensor) -> torch.Tensor:
    """How far what is seen around a place is heeded, (B, 1, H, W), 0 to 1: where a direction is told and no length;
    not where the motion surely is that of the whole, which keeps to that. Where nothing is told the direction of time
    may differ from place to place, and what is around says nothing."""
    told = (hints[:, 2:3] > 0) & (hints[:, :2].abs().sum(1, keepdim=True) > 0) & (hints[:, 4:5] == 0)
    return told * (1 - surely(hints))


def _with_the_camera(fields: torch.Tensor, hints: torch.Tensor) -> torch.Tensor:
    """Fields (1, 4, 2, h, w) px, with the ways that are nearly what is proposed for the whole of what nothing is told
    of made just that: it stands on more evidence than one place has. What the camera does not move departs further,
    and keeps its own. The same where a direction is told and no length, if the motion was put right without doubt."""
    camera = hints[:, GUIDANCE : GUIDANCE + EACH]
    smooth, doubt, proposed = camera[:, :2] * LENGTH_UNIT, camera[:, 2], camera[:, 3]
    told, measured, certain = hints[:, 2], hints[:, 4], surely(hints)[:, 0]
    fields = _one_way(fields, smooth, certain * (1 - told))
    way = fields[:, 3] - fields[:, 2]
    smooth = torch.where((way * smooth).sum(1, keepdim=True) < 0, -smooth, smooth)
    likely = ((WHOLE_DOUBT - doubt) / (WHOLE_DOUBT - SETTLED)).clamp(0, 1) * (1 - told)
    certain = certain * (1 - measured)
    nearly = (NEARLY * likely + (SURELY - NEARLY) * certain) * smooth.norm(dim=1) + STILL
    counts = proposed * ((told == 0) | (certain > 0))
    share = counts * (-((way - smooth).norm(dim=1) / nearly).square()).exp()
    pairs, smooth = fields.unflatten(1, (2, 2)), torch.stack((-smooth, smooth), 1)  # offsets run the other way
    change = share[:, None, None] * (smooth - (pairs[:, :, 1] - pairs[:, :, 0])) / 2
    return (pairs + torch.stack((-change, change), 2)).flatten(1, 2)


def _one_way(fields: torch.Tensor, smooth: torch.Tensor, certain: torch.Tensor) -> torch.Tensor:
    """Fields (1, 4, 2, h, w) px played backwards wherever they run against a motion `smooth` (1, 2, h, w) that is
    `certain` (1, h, w), in that of its two directions of time with which more of them go. Where nothing is told each
    place guesses its own, and the opposite sides of a zoom or a turn guess differently."""
    along = ((fields[:, 3] - fields[:, 2]) * smooth).sum(1)
    sense = 1.0 if float((certain * along).sum()) >= 0 else -1.0
    backwards = (certain > 0) & (sense * along < 0)
    return torch.where(backwards[:, None, None], fields[:, [1, 0, 3, 2]], fields)


def surely(hints: torch.Tensor) -> torch.Tensor:
    """How sure the smooth motion is that hints (B, 13, H, W) propose for areas as a whole, (B, 1, H, W), 0 to 1:
    1 where it was put right and what is seen along it leaves no doubt."""
    doubt, proposed = hints[:, GUIDANCE + 2 : GUIDANCE + 3], hints[:, GUIDANCE + 3 : GUIDANCE + 4]
    return proposed * ((SURE - doubt) / (SURE - KNOWN_WELL)).clamp(0, 1)


def _beyond_doubt(fields: torch.Tensor) -> torch.Tensor:
    """Fields (1, 4, 2, h, w) px of a picture as large, with short motion fading out: where nothing is told, it is more
    often a mistake than there."""
    length = (fields[:, 3] - fields[:, 2]).norm(dim=1) / max(fields.shape[-2:])
    low, high = SHORT
    return fields * ((length - low) / (high - low)).clamp(0, 1)[:, None, None]


def _smaller(photo: torch.Tensor, side: int) -> tuple[torch.Tensor, float]:
    """The photo (1, 3, H, W), at most `side` px a side, and that scale."""
    height, width = photo.shape[-2:]
    scale = side / max(height, width)
    if scale >= 1:
        return photo, 1.0
    h, w = (max(STRIDE, round(length * scale)) for length in (height, width))
    return F.interpolate(photo, size=(h, w), mode="area"), scale


def _resized(fields: torch.Tensor, size: torch.Size, mode: str) -> torch.Tensor:
    """The same vectors (B, 4, 2, h, w) on a grid of `size`."""
    return F.interpolate(fields.flatten(1, 2), size=size, mode=mode).unflatten(1, (4, 2))


def _hints(
    small: torch.Tensor, scale: float, flow: np.ndarray | None, told: str, proposals: torch.Tensor
) -> torch.Tensor:
    """What is told and proposed of the copy (1, 3, h, w), `scale` times as large as the photo, (1, 13, h, w)."""
    near = F.interpolate(proposals, size=small.shape[-2:], mode="nearest-exact")
    return torch.cat((_read(flow, told, small), stretched(near, scale)), 1)


def _read(flow: np.ndarray | None, told: str, small: torch.Tensor) -> torch.Tensor:
    """What is told of the copy (1, 3, h, w), (1, 5, h, w)."""
    if flow is None:
        return small.new_zeros(1, GUIDANCE, *small.shape[-2:])
    return read_guidance(flow, told, *small.shape[-2:]).to(small.device)

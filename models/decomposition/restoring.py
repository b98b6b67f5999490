"""Frames at the photo's own size: the photo moved, plus what deconvolution and the restoration network add.

The network knows paths of up to some 30 px and works where the longest is at most `LONGEST`; what is added is enlarged
and laid on the photo moved at full size, so that detail across the motion stays as fine as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from types import EllipsisType

import numpy as np
import torch
from torch.nn import functional as F

from models.decomposition.alignment import aligned, base, played_backwards, quadratic, share_moving
from models.decomposition.network import CONTEXT, STRIDE, RestorationNetwork
from models.devices import fast_precision
from models.exposure import as_pixels
from models.motion import MIDDLE
from models.recovery import Progress
from models.trajectory.estimation import Ends, as_tensor
from models.trajectory.sharpening import sharpened

LONGEST = 22.0
LARGEST_SIDE = 2048
TILE = 1024
BAND = 256


class Restorer:
    """Restores one photo along one motion, moment by moment.

    pixels   (H, W, 3) uint8 or uint16, sRGB curve.
    network  None: the photo is only moved.
    middle   the photo deconvolved along the motion, (h, w, 3) at the scale to work at, where it is known; afterwards as
             it was made, the photo itself without a network.
    Raises Cancelled while the photo is deconvolved.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        ends: Ends,
        network: RestorationNetwork | None,
        device: torch.device,
        middle: np.ndarray | None = None,
        on_progress: Callable[[Progress], None] = lambda _: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.pixels, self.network, self.device = pixels, network, device
        # Always worked on in one sense, so that the same motion played backwards has exactly the same frames.
        self.backwards = ends.leftward()
        ends = ends.reversed() if self.backwards else ends
        self.fields = ends.fields.to(device)
        height, width = pixels.shape[:2]
        self.photo = as_tensor(pixels, device)
        scale = min(1.0, LONGEST / max(ends.longest(), 1e-6), LARGEST_SIDE / max(height, width))
        size = [max(STRIDE, round(length * scale)) for length in (height, width)]
        size = [height, width] if scale == 1 else size
        size = size if middle is None else list(middle.shape[:2])
        whole = size == [height, width]
        self.small = self.photo if whole else F.interpolate(self.photo, size=size, mode="area")
        self.factor = self.small.shape[-1] / width
        self.middle = pixels if middle is None else middle
        if network is not None and middle is None:
            copy = pixels if whole else as_pixels(self.small[0], pixels.dtype)
            near = ends.scaled(self.factor)
            self.middle = sharpened(copy, near, device, on_progress=on_progress, is_cancelled=is_cancelled)
        self.sharpened = as_tensor(self.middle, device) if network is not None else self.small

    @torch.no_grad()
    def frame(self, t: float) -> np.ndarray:
        """The instant at t, (H, W, 3) of the photo's type; the photo's own pixels where nothing moves."""
        time = torch.tensor([1 - t if self.backwards else t], device=self.device)
        added, share = self._added(time)
        out = np.empty_like(self.pixels)
        for top in range(0, len(out), BAND):
            self._band(out, top, added, share, quadratic(self.fields[:, :2], time))
        return out

    def _added(self, time: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What is added to the photo moved to `time`, and the share of it that counts, at the working scale."""
        stack, length = aligned(self.small, self.sharpened, self.fields * self.factor, time)
        share = share_moving(length)
        if self.network is None or not float(share.max()) > 0:
            return torch.zeros_like(base(stack)), share
        part, added = _window(share[0, 0] > 0), torch.zeros_like(base(stack))
        shown = stack[part] if float(time) <= MIDDLE else played_backwards(stack[part])  # from the nearer end
        with fast_precision(self.device):  # a tenth of a step in 255 off where it is bfloat16
            added[part] = in_tiles(self.network, shown)
        return added * share, share

    def _band(self, out: np.ndarray, top: int, added: torch.Tensor, share: torch.Tensor, offset: torch.Tensor) -> None:
        """Fill rows `top` to `top + BAND` of `out`."""
        height, width = out.shape[:2]
        rows = min(BAND, height - top)
        y = (torch.arange(top, top + rows, device=self.device) + 0.5) * (2 / height) - 1
        x = (torch.arange(width, device=self.device) + 0.5) * (2 / width) - 1
        places = torch.stack((x.expand(rows, width), y[:, None].expand(rows, width)), -1)[None]
        way = _read(offset, places).permute(0, 2, 3, 1) * x.new_tensor([2 / width, 2 / height])
        moved = _read(self.photo, places + way)
        largest = float(np.iinfo(out.dtype).max)
        frame = (moved + _read(added, places)).clamp(0, 1) * largest
        frame = frame[0].permute(1, 2, 0).round().cpu().numpy().astype(out.dtype)
        touched = (_read(share, places)[0, 0] > 0).cpu().numpy()
        out[top : top + rows] = np.where(touched[..., None], frame, self.pixels[top : top + rows])


def _window(mask: torch.Tensor) -> tuple[slice | EllipsisType, ...]:
    """The part of a picture, as an index, that all inside a mask (H, W) depends on."""
    bounds: list[slice | EllipsisType] = [...]
    for side in (1, 0):
        places = mask.any(side).nonzero()
        first, last = int(places[0]), int(places[-1]) + 1
        bounds.append(slice(max(0, (first - CONTEXT) // STRIDE * STRIDE), last + CONTEXT))
    return tuple(bounds)


def _read(picture: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    return F.grid_sample(picture, places, padding_mode="border", align_corners=False)


def in_tiles(network: RestorationNetwork, stack: torch.Tensor, side: int = TILE) -> torch.Tensor:
    """The network's residual (1, 3, H, W) for a whole picture, in tiles that see `CONTEXT` px around them: the same as
    in one piece."""
    height, width = stack.shape[-2:]
    stack = F.pad(stack, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
    out = torch.empty_like(stack[:, :3])
    for top in range(0, stack.shape[-2], side):
        for left in range(0, stack.shape[-1], side):
            y0, x0 = max(0, top - CONTEXT), max(0, left - CONTEXT)
            y1, x1 = top + side + CONTEXT, left + side + CONTEXT
            piece = network.residual(stack[..., y0:y1, x0:x1])
            kept = piece[..., top - y0 : top - y0 + side, left - x0 : left - x0 + side]
            out[..., top : top + side, left : left + side] = kept
    return out[..., :height, :width]

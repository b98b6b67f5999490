"""The decomposer as published (Animation from Blur) and its ablations: frames straight from the photo and a direction.

Nothing of it is shipped. It is there to be trained beside what is: one stage or two, told nothing or directions of one
to four bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from models.decomposition.published import FRAMES, MOST_BITS, STILL, PublishedDecomposer, direction_code
from models.symmetry import WAYS, turned, turned_vectors
from training.recipes import Batch
from training.sheets import flow_colours, picture
from training.world import Exposures
from training.world.dice import Dice


def with_twins(batch: Batch) -> Batch:
    """Every exposure, and after them all of them played backwards: the same photos."""
    return {
        "photo": batch["photo"].repeat(2, 1, 1, 1),
        "flow": torch.cat((batch["flow"], -batch["flow"])),
        "frames": torch.cat((batch["frames"], batch["frames"].flip(1))),
    }


@dataclass(frozen=True)
class Decomposer:
    """The recipe; its defaults are the published configuration.

    bits    of the code of a direction, 0 to 4: 2 ** bits directions. With 0 the network is told nothing.
    stages  1 or 2, of the same size altogether.
    adding  whether the first stage adds to the photo instead of drawing anew, see `PublishedDecomposer`.
    width   channels at full resolution; `blocks` residual blocks a stage at a quarter of it.
    """

    batch: int = 8
    rate: float = 1e-4
    clip: float = 1.0
    reuse: int = 6
    kept: int = 4
    reach: tuple[float, float] = (0.015, 0.25)
    score: str = "minus_gain"
    bits: int = 2
    stages: int = 2
    adding: bool = False
    width: int = 128
    blocks: int = 12

    def __post_init__(self) -> None:
        if not 0 <= self.bits <= MOST_BITS:
            raise ValueError(f"a direction has 0 to {MOST_BITS} bits, got {self.bits}")
        if self.stages not in (1, 2):
            raise ValueError(f"there are 1 or 2 stages, got {self.stages}")

    def network(self) -> nn.Module:
        widths = (self.width, 2 * self.width, 4 * self.width)
        network = PublishedDecomposer(widths, self.blocks, self.bits, self.stages, self.adding)
        return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        if exposures.frames.shape[1] != FRAMES:
            raise ValueError(f"this recipe draws {FRAMES} frames, got {exposures.frames.shape[1]}")
        return {"photo": exposures.photo, "frames": exposures.frames, "flow": exposures.flow()}

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        way = int(dice.whole(WAYS))
        return {
            "photo": turned(batch["photo"], way),
            "frames": turned(batch["frames"], way),
            "flow": turned_vectors(batch["flow"], way),
        }

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        """The squared error of every stage's frames, of exposures and of their reversed twins."""
        batch = with_twins(batch)
        stages = network(batch["photo"], direction_code(batch["flow"], self.bits))
        return torch.stack([F.mse_loss(frames.float(), batch["frames"]) for frames in stages]).sum()

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Mean over exposures of PSNR pooled over the frames, dB: of the photo repeated; of the frames told the true
        directions, in forward order and in the better of both orders; of those told the opposite, against the reverse;
        the first two where something moves; and the gain over the first, negative."""
        scores: dict[str, list[torch.Tensor]] = {}
        for batch in batches:
            photo, truth, reverse = batch["photo"], batch["frames"], batch["frames"].flip(1)
            moving = (batch["flow"].norm(dim=1) >= STILL)[:, None, None]
            repeated, forward = photo[:, None].expand_as(truth), self._frames(network, photo, batch["flow"])
            found = {
                "repeated": psnr(repeated, truth),
                "forward": psnr(forward, truth),
                "either": torch.maximum(psnr(forward, truth), psnr(forward, reverse)),
                "flipped": psnr(self._frames(network, photo, -batch["flow"]), reverse),
                "repeated_moving": psnr(repeated, truth, moving),
                "forward_moving": psnr(forward, truth, moving),
            }
            for name, values in found.items():
                scores.setdefault(name, []).append(values)
        means = {name: float(torch.cat(values).nanmean()) for name, values in scores.items()}
        return {**means, "minus_gain": means["repeated"] - means["forward"]}

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        rows = []
        frames = self._frames(network, batch["photo"], batch["flow"])
        for one in range(len(frames)):
            flow = flow_colours(batch["flow"][one], float(batch["flow"][one].norm(dim=0).max()))
            pairs = [part for n in (0, 3, 6) for part in (frames[one, n], batch["frames"][one, n])]
            rows.append([picture(batch["photo"][one]), flow, *map(picture, pairs)])
        return rows

    def _frames(self, network: nn.Module, photo: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
        """The last stage's frames (B, 7, 3, H, W) of photos told the directions of `flow`."""
        return network(photo, direction_code(flow, self.bits))[-1].float().clamp(0, 1)


def psnr(found: torch.Tensor, truth: torch.Tensor, where: torch.Tensor | None = None) -> torch.Tensor:
    """PSNR (B,) dB of frames (B, T, 3, H, W), pooled over all of them; `where` (B, 1, 1, H, W) counts only, not a
    number if nowhere."""
    error = (found - truth).square()
    mean = (
        error.mean((1, 2, 3, 4))
        if where is None
        else (error * where).mean((1, 2, 3, 4)) / where.float().mean((1, 2, 3, 4))
    )
    return -10 * mean.clamp_min(1e-10).log10()


RECIPE = Decomposer()

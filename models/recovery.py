"""What an engine is given and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from models.guidance import Guidance
from models.motion import Motion


class Cancelled(Exception):
    """Raised inside an engine when its caller no longer wants the result."""


LARGEST = 1.3e9
"""Bytes of a recovery's frames."""


def most_frames(pixels: np.ndarray) -> int:
    """How many frames of a photo fit in memory."""
    return int(LARGEST // pixels.nbytes)


def check_frames(count: int, pixels: np.ndarray) -> None:
    """Raises ValueError with one sentence where so many frames of a photo do not fit in memory."""
    most = most_frames(pixels)
    if count > most:
        raise ValueError(f"{count} frames of this photo do not fit in memory; ask for at most {most}")


@dataclass(frozen=True)
class Inputs:
    """What every engine gets.

    pixels    (H, W, 3) uint8 or uint16, sRGB curve.
    guidance  what is known of the motion, on the photo's grid.
    device    "auto", "cpu", "cuda" or "mps".
    seed      engines that draw lots draw the same with the same seed.
    """

    pixels: np.ndarray
    guidance: Guidance
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """How far a job is: `fraction` in 0 to 1, the `step` in words, and now and then a picture of the state of it.

    preview  None or (h, w, 3) uint8, sRGB curve, any size.
    """

    fraction: float
    step: str
    preview: np.ndarray | None = None


def between(on_progress: Callable[[Progress], None], start: float, end: float) -> Callable[[Progress], None]:
    """What a part of a job is to tell, which takes the whole from `start` to `end`, 0 to 1."""
    return lambda step: on_progress(replace(step, fraction=start + (end - start) * step.fraction))


@dataclass(frozen=True)
class Recovery:
    """The motion found in one photo.

    frames   (N, H, W, 3) of the photo's type and curve: instants in time order.
    times    float32 (N,), rising, within 0 to 1.
    motion   how every pixel moved; None where the engine does not know.
    engine   its name in the catalog; `options` what it was run with.
    device   what it really ran on; `seconds` how long.
    notes    sentences for the user: a device that failed, a motion that was not found.
    scores   numbers that the engine measured, such as "reblur" in dB.
    middle   the photo deconvolved along the motion, (h, w, 3) on a grid over it that may be coarser; what is flipped in
             time later needs it no second time. None where the engine did not deconvolve.
    """

    frames: np.ndarray
    times: np.ndarray
    motion: Motion | None
    engine: str
    options: Mapping[str, object] = field(default_factory=dict)
    device: str = "cpu"
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    middle: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.frames.ndim != 4 or self.frames.shape[3] != 3 or len(self.frames) != len(self.times):
            raise ValueError(f"expected {len(self.times)} frames of shape (H, W, 3), got {self.frames.shape}")

    def reversed(self) -> Recovery:
        """The same recovery played backwards."""
        return replace(
            self,
            frames=self.frames[::-1],
            times=1 - self.times[::-1],
            motion=self.motion and self.motion.reversed(),
        )


class Run(Protocol):
    """An engine: finds the motion in a photo. Raises Cancelled, or ValueError with one sentence for the user."""

    def __call__(
        self,
        inputs: Inputs,
        options: Mapping[str, object],
        on_progress: Callable[[Progress], None],
        is_cancelled: Callable[[], bool],
    ) -> Recovery: ...


class Suggest(Protocol):
    """Proposes up to `count` different answers to what the photo alone cannot tell, the likeliest first, whatever
    `inputs.guidance` says; none where nothing that moves was found. Raises Cancelled, or ValueError with one
    sentence for the user."""

    def __call__(
        self, inputs: Inputs, count: int, on_progress: Callable[[Progress], None], is_cancelled: Callable[[], bool]
    ) -> tuple[Guidance, ...]: ...


class Refine(Protocol):
    """Adjusts the arrows of `inputs.guidance` to the photo, and leaves them where the photo does not show better;
    `only` those of these regions, 0 for the camera's. Raises Cancelled, or ValueError with one sentence for the user.
    """

    def __call__(
        self,
        inputs: Inputs,
        on_progress: Callable[[Progress], None],
        is_cancelled: Callable[[], bool],
        only: Container[int] | None = None,
    ) -> Guidance: ...


class Flip(Protocol):
    """Makes the recovery `before`, which the engine returned for the guidance `told`, anew where `inputs.guidance`
    says that things moved the other way round. Raises Cancelled, or ValueError with one sentence for the user, also
    where the guidance differs in more than that."""

    def __call__(
        self,
        inputs: Inputs,
        before: Recovery,
        told: Guidance,
        on_progress: Callable[[Progress], None],
        is_cancelled: Callable[[], bool],
    ) -> Recovery: ...

"""The engine "Decomposition": every frame restored at its own moment, in two stages, motion and then restoration."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models.recovery import Inputs, Progress, Recovery
from models.trajectory.engine import recovered


def run(
    inputs: Inputs,
    options: Mapping[str, object],
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> Recovery:
    """Frames and motion of a photo. Raises Cancelled, or ValueError with one sentence."""
    return recovered("decomposition", inputs, options, on_progress, is_cancelled)

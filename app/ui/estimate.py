"""How long something will still take, from how long it has taken so far."""

from __future__ import annotations

import time

_SURE = 0.05
"""The share that must be done before anything is said."""


class Estimate:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def left(self, fraction: float) -> float | None:
        """Seconds; None while too little is done to tell."""
        gone = time.monotonic() - self._started
        return gone * (1 - fraction) / fraction if fraction > _SURE and gone > 0.5 else None


def duration(seconds: float) -> str:
    """Time left, as exact as it is known."""
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"{seconds:.0f} s left"
    return f"{seconds / 60:.0f} min left"

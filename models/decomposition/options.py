"""What can be set for the decomposition engine. Imports no torch."""

from __future__ import annotations

from models.catalog import Option
from models.trajectory.options import FRAMES, GUIDANCE, LIMIT

BY = Option(
    "by",
    "Restored by",
    "network",
    "The network restores every instant; or both, network and deconvolution, restore the middle one and move it to the "
    "others.",
    choices=("network", "both"),
)
OPTIONS: tuple[Option, ...] = (FRAMES, GUIDANCE, BY, LIMIT)

"""What can be set for the trajectory engine. Imports no torch."""

from __future__ import annotations

from models.catalog import Option

TOLD = ("arrows", "directions", "quadrants")
FRAMES = Option("frames", "Frames", 7, "How many instants of the exposure come out.", 1, 240)
GUIDANCE = Option(
    "told",
    "Guidance tells",
    "arrows",
    "How much of each arrow is meant: direction and length, the direction only, or only its quadrant.",
    choices=TOLD,
)
LIMIT = Option(
    "limit",
    "Largest side",
    0,
    "Work on a copy of at most this size, for a preview; 0 is full size.",
    0,
    20000,
    unit="px",
)
SHARPEN = Option("sharpen", "Sharpen", True, "Take the blur out along the motion; without, the photo itself is moved.")
OPTIONS: tuple[Option, ...] = (FRAMES, GUIDANCE, SHARPEN, LIMIT)

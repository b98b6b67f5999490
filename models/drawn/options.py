"""What can be set for the engine that follows the drawn motion. Imports no torch."""

from __future__ import annotations

from models.catalog import Option

OPTIONS: tuple[Option, ...] = (
    Option("frames", "Frames", 7, "How many instants of the exposure come out.", 1, 240),
    Option("sharpen", "Sharpen", True, "Take the blur out along the motion; without, the photo itself is moved."),
    Option("iterations", "Iterations", 15, "Rounds of deconvolution: more is crisper and noisier.", 1, 40),
    Option("smoothness", "Smoothness", 0.01, "How strongly noise and ringing are held down.", 0.0, 0.1),
    Option(
        "limit",
        "Largest side",
        0,
        "Work on a copy of at most this size, for a preview; 0 is full size.",
        0,
        20000,
        unit="px",
    ),
)

"""The colours of regions, wherever they are shown: in the window and in pictures of guidance."""

from __future__ import annotations

REGIONS = (0x0072B2, 0xE69F00, 0x009E73, 0xCC79A7, 0x56B4E9, 0xD55E00, 0xF0E442, 0x882255, 0x44AA99, 0xBBBBBB)
"""Okabe and Ito's colours and three of Paul Tol's, told apart with any kind of colour vision."""
CAMERA = 0xFFFFFF
TINT_ALPHA = 0.5


def region(number: int) -> int:
    """The opaque colour of a region as 0xAARRGGBB; 0 is the camera's. Always the same for the same number."""
    return 0xFF000000 | (CAMERA if number == 0 else REGIONS[(number - 1) % len(REGIONS)])

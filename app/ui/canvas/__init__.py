"""The canvas: the photo with its guidance and motion, and the tools that draw on it."""

from __future__ import annotations

from app.ui.canvas.layers import Overlays
from app.ui.canvas.widget import Canvas

__all__ = ["Canvas", "Overlays"]

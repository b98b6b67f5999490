"""What can be set for the decomposition engine. Imports no torch."""

from __future__ import annotations

from models.catalog import Option
from models.trajectory.options import FRAMES, GUIDANCE, LIMIT

OPTIONS: tuple[Option, ...] = (FRAMES, GUIDANCE, LIMIT)

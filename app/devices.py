"""What engines can run on, for people. Asks torch, so only the worker and the command line call it."""

from __future__ import annotations

import importlib
import os
from typing import Any

import msgspec

NAMES = ("auto", "cpu", "cuda", "mps")


class Device(msgspec.Struct, frozen=True):
    """One processor. `name` is what an engine is told, `title` what people read; `memory` in bytes where known."""

    name: str
    title: str
    memory: int | None = None


def devices() -> tuple[Device, ...]:
    """What this machine has, the fastest first; the processor ("cpu") always comes last."""
    available: tuple[str, ...] = importlib.import_module("models.devices").available()
    return tuple(_described(name) for name in available)


def checked(name: str) -> str:
    """`name` if it is a device's. Raises ValueError with one sentence."""
    if name not in NAMES:
        raise ValueError(f"there is no device called {name}; there is {', '.join(NAMES)}")
    return name


def _described(name: str) -> Device:
    if name == "cuda":
        torch: Any = importlib.import_module("torch")
        properties = torch.cuda.get_device_properties(0)
        return Device(name, properties.name, properties.total_memory)
    return Device(name, "Apple graphics" if name == "mps" else f"Processor, {os.cpu_count()} threads")

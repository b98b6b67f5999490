"""What an engine can run on. Asks torch, so only the worker and the command line call it."""

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
    """What this machine has, the fastest first; a processor ("cpu") always comes last."""
    torch = _torch()
    found = []
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        found.append(Device("cuda", properties.name, properties.total_memory))
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple graphics"))
    return (*found, Device("cpu", f"Processor, {os.cpu_count()} threads"))


def chosen(name: str) -> tuple[str, str]:
    """The device for "auto", or the one asked for, and a sentence where it had to be another ("" otherwise).

    Raises ValueError on a name that is none.
    """
    if name not in NAMES:
        raise ValueError(f"there is no device called {name}; there is {', '.join(NAMES)}")
    if name == "cpu":
        return "cpu", ""
    here = [device.name for device in devices()]
    if name == "auto":
        return here[0], ""
    return (name, "") if name in here else (here[-1], f"This machine has no {name} device; the processor did it.")


def _torch() -> Any:
    return importlib.import_module("torch")

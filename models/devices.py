"""Which device an engine runs on, and what happens when it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

DEVICES = ("auto", "cpu", "cuda", "mps")

Result = TypeVar("Result")


def available() -> tuple[str, ...]:
    """The devices that really compute here, the fastest first; "cpu" is always the last."""
    found = []
    if torch.cuda.is_available() and _computes("cuda"):
        found.append("cuda")
    if torch.backends.mps.is_available() and _computes("mps"):
        found.append("mps")
    return (*found, "cpu")


def _computes(name: str) -> bool:
    try:
        return bool(torch.ones(2, device=name).sum().item() == 2)
    except (RuntimeError, AssertionError):
        return False


def chosen(name: str) -> tuple[torch.device, tuple[str, ...]]:
    """The device of this name, and notes for the user: "cpu" with a note where it is not to be had.

    `name` is "auto" (the fastest), "cpu", "cuda" or "mps". Raises ValueError on another name.
    """
    if name not in DEVICES:
        raise ValueError(f"there is no device called {name}; there is {', '.join(DEVICES)}")
    if name == "cpu":
        return torch.device("cpu"), ()
    here = available()
    if name == "auto":
        return torch.device(here[0]), ()
    if name in here:
        return torch.device(name), ()
    return torch.device("cpu"), (f"The device {name} is not available here, so this ran on the processor.",)


def fast_precision(device: torch.device) -> torch.autocast:
    """A context in which networks compute in bfloat16 where that is fast: a processor without instructions for it takes
    up to sixty times as long as in float32."""
    has = torch.cpu.get_capabilities() if device.type == "cpu" else {"bf16": True}
    fast = any(has.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    # Without autocast's cache, which all threads share: one that leaves would clear it under another's hands.
    return torch.autocast(device.type, torch.bfloat16, enabled=fast, cache_enabled=False)


def run_on(name: str, work: Callable[[torch.device], Result]) -> tuple[Result, torch.device, tuple[str, ...]]:
    """`work(device)` on the device of this name; a device that fails on the way falls back to the processor.

    Returns the result, the device it was computed on, and notes for the user.
    """
    device, notes = chosen(name)
    try:
        return work(device), device, notes
    except (RuntimeError, NotImplementedError) as error:
        if device.type == "cpu":
            raise
        reason = str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
        note = f"The device {device.type} failed ({reason}), so this ran on the processor."
    if device.type == "cuda":
        torch.cuda.empty_cache()
    cpu = torch.device("cpu")
    return work(cpu), cpu, (*notes, note)

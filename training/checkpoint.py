"""Checkpoints: tensors as safetensors, the rest as JSON; written beside and renamed, so that none is ever half."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

PARTS = ("network", "average", "optimizer")


def save_checkpoint(
    folder: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, said: dict[str, Any]
) -> None:
    """Write `checkpoint.safetensors` and `checkpoint.json` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"network.{key}": value for key, value in network.state_dict().items()}
    tensors |= {f"average.{key}": value for key, value in average.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{key}": value for key, value in state.items()}
    beside = folder / "checkpoint.safetensors.part"
    save_file({key: value.detach().contiguous().clone() for key, value in tensors.items()}, str(beside))
    os.replace(beside, folder / "checkpoint.safetensors")
    beside = folder / "checkpoint.json.part"
    beside.write_text(json.dumps(said, indent=1))
    os.replace(beside, folder / "checkpoint.json")


def load_checkpoint(folder: Path) -> tuple[dict[str, dict[str, torch.Tensor]], dict[str, Any]]:
    """The tensors by part ("network", "average", "optimizer") and what was said beside. Raises ValueError."""
    path = folder / "checkpoint.safetensors"
    if not path.is_file():
        raise ValueError(f"{folder} holds no checkpoint")
    parts: dict[str, dict[str, torch.Tensor]] = {part: {} for part in PARTS}
    for key, value in load_file(str(path)).items():
        part, name = key.split(".", 1)
        parts[part][name] = value
    return parts, json.loads((folder / "checkpoint.json").read_text())

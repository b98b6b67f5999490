"""Shipped networks on rendered exposures of photos that no training saw: `python -m benchmarks.world --photos FOLDER`.

The exposures are frozen: always the same photos, seed and size, and a hash of what was rendered that must be the known
one for figures to be comparable. (Another processor may round a pixel differently; the scores then differ by as
little.) The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from models.areas.network import AreaNetwork
from models.decomposition.network import RestorationNetwork
from models.loading import load_weights
from models.trajectory.network import MotionNetwork
from training.__main__ import digest
from training.recipes import Batch, recipe, rendered
from training.world import World, load_photos

SEED, COUNT, GROUP = 909_000, 240, 8


@dataclass(frozen=True)
class TestSet:
    """A frozen test set: what is scored on it, and how it is rendered.

    size    side of the pictures, px. reach: shortest and longest of the longest paths of a scene, px.
    frames  instants of each exposure.
    sha256  of its photos at 8 bits a value, `COUNT` of them.
    """

    network: type[nn.Module]
    size: int
    reach: tuple[float, float]
    frames: int
    sha256: str


SETS = {
    "areas": TestSet(
        AreaNetwork, 192, (3.0, 44.0), 2, "754e619ef3c6a5e46bca6f4548b0e9bb0000108798939dbef69e732998928bc3"
    ),
    "restoration": TestSet(
        RestorationNetwork, 128, (2.0, 32.0), 7, "40446d9db7bd9bc09587ea2730b8207f6337eb37e25ab37db7d587d4d9cfb8a6"
    ),
    "motion": TestSet(
        MotionNetwork, 160, (3.0, 40.0), 2, "6364fd006cb84f13173d3545e8b50eb069a88e066ec04419e8adacc61e4e374f"
    ),
}


def exposures(name: str, photos: Path, count: int, device: torch.device) -> Batch:
    """The first `count` exposures of a frozen test set, as its recipe's material."""
    chosen = SETS[name]
    world = World(load_photos(photos, "val", ("A", "B", "C")).to(device), chosen.size, chosen.reach)
    return rendered(world, recipe(name), count, SEED, chosen.frames, GROUP)


def scored(name: str, material: Batch, device: torch.device) -> dict[str, float]:
    """The recipe's validation scores of the shipped weights."""
    network = load_weights(SETS[name].network(), name, device)

    def batches() -> Iterator[Batch]:
        for start in range(0, len(material["photo"]), 16):
            yield {key: value[start : start + 16] for key, value in material.items()}

    with torch.no_grad():
        scores = recipe(name).validate(network, batches())
    return {key: round(value, 3) for key, value in scores.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.world", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder with index.csv and val/")
    parser.add_argument("--networks", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    chosen = parser.parse_args()
    device, said = torch.device(chosen.device), {}
    for name in chosen.networks:
        material = exposures(name, chosen.photos, chosen.count, device)
        found = digest(material)
        frozen = found == SETS[name].sha256 if chosen.count == COUNT else None
        said[name] = {"exposures": chosen.count, "sha256": found, "frozen": frozen, **scored(name, material, device)}
        for key, value in said[name].items():
            print(f"{name:12s} {key:20s} {value}")
    print(json.dumps(said))


if __name__ == "__main__":
    main()

"""Look at the world: `python -m training.world --photos DIR --sheet sheet.png`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.sheets import flow_colours, picture, write_sheet
from training.world import World, load_photos
from training.world.dice import Dice
from training.world.hints import sloppy


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.world", description="A contact sheet of the world.")
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos with index.csv")
    parser.add_argument("--classes", default="A", help="licence classes to use, such as AB (default A)")
    parser.add_argument("--sheet", type=Path, required=True, help="PNG to write")
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    world = World(load_photos(chosen.photos, classes=tuple(chosen.classes)), chosen.size)
    rows = []
    for seed in range(chosen.seed, chosen.seed + (chosen.count + 1) // 2):
        exposures = world.render(2, seed, frames=3)
        guidance, _ = sloppy(Dice(seed), exposures)
        for one in range(2):
            frames, flow = exposures.frames[one], exposures.flow()[one]
            longest = float(flow.norm(dim=0).max())
            told = torch.where(guidance[one, 2:3] > 0, guidance[one, :2], torch.zeros(2, 1, 1))
            owners = picture(exposures.owner[one][None].expand(3, -1, -1) / 4)
            fields = [flow_colours(flow, longest), flow_colours(told, 1.5), owners]
            rows.append([picture(exposures.photo[one]), *map(picture, frames), *fields])
    write_sheet(chosen.sheet, rows)


if __name__ == "__main__":
    main()

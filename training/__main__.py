"""Train: `python -m training motion --photos DIR --minutes 30 --out DIR [--set NAME=VALUE ...] [--resume]`."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from pathlib import Path

import torch
from torch import nn

from models.decomposition.network import RestorationNetwork
from models.trajectory.cells import CELL
from models.trajectory.estimation import Networks
from models.trajectory.network import MotionNetwork
from training.exposures import Exposure, frame_scores, motion_scores, read_exposures
from training.loop import Budget, resume, start, train
from training.real import real_material
from training.recipes import NAMES, Batch, Recipe, changed, recipe, rendered
from training.recipes.adjustment import Adjustment
from training.recipes.areas import Areas
from training.recipes.correction import CorrectionRecipe
from training.recipes.decomposition import guide
from training.recipes.motion import Motion, judge
from training.recipes.moving import MovingRecipe
from training.recipes.predictor import Predictor
from training.recipes.restoration import Restoration
from training.world import FlowMaps, Mixture, Photos, World, load_photos
from training.world.flow_maps import SEVERITIES
from training.world.paths import UNEVEN

WORLDS = ("layers", *SEVERITIES, *(f"layers+{severity}" for severity in SEVERITIES))
HELD_OUT, HELD_OUT_SEED = 48, 777_000


def main(arguments: list[str] | None = None) -> None:
    parser = _parser()
    chosen = parser.parse_args(arguments)
    device = torch.device(chosen.device)
    try:
        one = changed(recipe(chosen.recipe), dict(chosen.set))
        if chosen.resume:
            same_settings(one, chosen.out)
    except ValueError as error:
        parser.error(str(error))
    photos = load_photos(chosen.photos, "train", tuple(chosen.classes)).to(device)
    world = world_of(chosen.world, photos, chosen.size, one)
    unseen = load_photos(chosen.photos, "val", ("A", "B", "C")).to(device)
    held_out = rendered(dataclasses.replace(world, photos=unseen), one, HELD_OUT, HELD_OUT_SEED, chosen.frames)
    batches = [{key: value[i : i + 16] for key, value in held_out.items()} for i in range(0, HELD_OUT, 16)]

    clips = list(read_exposures(chosen.exposures)) if chosen.exposures else []

    def check(network: nn.Module) -> dict[str, float]:
        return {**one.validate(network, batches), **clip_scores(network, clips, device)}

    run = start(one, device, chosen.seed, chosen.initial)
    if chosen.resume:
        resume(run, chosen.out)
    chosen.out.mkdir(parents=True, exist_ok=True)
    said = {"recipe": chosen.recipe, "settings": dataclasses.asdict(one), "photos": photos.names}  # type: ignore[call-overload]
    said |= {"world": chosen.world, "classes": photos.classes, "held_out": digest(held_out), "size": chosen.size}
    said |= {"seed": chosen.seed, "device": str(device)}
    real, names = None, ()
    if chosen.real:
        if not isinstance(one, (Adjustment, Areas, CorrectionRecipe, Motion, MovingRecipe, Predictor, Restoration)):
            parser.error(f"the recipe {chosen.recipe} learns from rendered exposures only")
        whole = {"cell": CELL, "turns": chosen.turns} if isinstance(one, Adjustment) else {}
        real, names = real_material(chosen.real, tuple(chosen.classes), chosen.size, one.of_crops, **whole)
    said |= {"real": names, "share": chosen.share if chosen.real else 0.0, "turns": chosen.turns}
    (chosen.out / "run.json").write_text(json.dumps(said, indent=1))
    few = {key: value[::6] for key, value in held_out.items()}
    train(
        run,
        world,
        Budget(chosen.minutes, chosen.steps),
        chosen.out,
        seed=chosen.seed,
        frames=chosen.frames,
        check=check,
        check_every=chosen.check_every,
        check_steps=chosen.check_steps,
        held_out=few,
        real=real,
        share=chosen.share,
    )


def world_of(name: str, photos: Photos, size: int, one: Recipe) -> World:
    """The source of exposures called "layers", "mild" or "severe", or "layers+mild": half of each."""
    reach = (one.reach[0] * size, one.reach[1] * size)
    uneven = one.uneven if isinstance(one, Adjustment) else UNEVEN
    if name == "layers":
        return World(photos, size, reach, uneven)
    kind = Mixture if name.startswith("layers+") else FlowMaps
    return kind(photos, size, reach, uneven, name.removeprefix("layers+"))


def same_settings(one: Recipe, out: Path) -> None:
    """Raises ValueError where the run in `out` was made with other settings."""
    path = out / "run.json"
    before = json.loads(path.read_text())["settings"] if path.is_file() else {}
    now = json.loads(json.dumps(dataclasses.asdict(one)))  # type: ignore[call-overload]
    for name, value in before.items():
        if now.get(name, value) != value:
            raise ValueError(f"the run in {out} has {name}={value}, not {now[name]}; go on with --set {name}={value}")


def clip_scores(network: nn.Module, clips: list[Exposure], device: torch.device) -> dict[str, float]:
    """Scores on real exposures, where there are any."""
    if isinstance(network, MotionNetwork) and clips:
        return motion_scores(Networks(network, judge(device)), clips, device)
    if isinstance(network, RestorationNetwork) and clips:
        return frame_scores(guide(device), network, clips, device)
    return {}


def digest(batch: Batch) -> str:
    """What says that two machines scored the same held-out exposures: sha256 of their photos, 8 bits a value."""
    return hashlib.sha256((batch["photo"] * 255).round().byte().cpu().numpy().tobytes()).hexdigest()


def _setting(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text}")
    try:
        return name, json.loads(value) if value.startswith("[") else value
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{value} is no list") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description="Train one recipe.")
    parser.add_argument("recipe", choices=NAMES)
    parser.add_argument("--photos", type=Path, required=True, help="folder with index.csv, train/ and val/")
    parser.add_argument(
        "--set", action="append", default=[], type=_setting, metavar="NAME=VALUE", help="a setting of the recipe"
    )
    parser.add_argument(
        "--world", default="layers", choices=WORLDS, help="layers, smooth flow maps (BSD's recipe), or half of each"
    )
    parser.add_argument("--exposures", type=Path, help="folder of real exposures to score on as well")
    parser.add_argument("--real", type=Path, help="folder of real exposures to mix in (not every recipe takes them)")
    parser.add_argument("--share", type=float, default=0.25, help="how much of a batch is real (default 0.25)")
    parser.add_argument(
        "--turns", type=int, default=0, help="pieces of each real exposure, turned by any angle, besides (adjustment)"
    )
    parser.add_argument("--classes", default="A", help="licence classes to train on, such as AB (default A)")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint, log and sheets")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--steps", type=int, help="train exactly so many steps instead")
    parser.add_argument("--resume", action="store_true", help="go on with the checkpoint in --out")
    parser.add_argument("--initial", type=Path, help="folder of a checkpoint to begin with")
    parser.add_argument("--size", type=int, default=128, help="side of the rendered pictures, px")
    parser.add_argument("--frames", type=int, default=7, choices=(2, 3, 4, 7))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--check-every", type=float, default=300.0, help="seconds between scores")
    parser.add_argument("--check-steps", type=int, help="steps between scores instead, for curves that compare")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()

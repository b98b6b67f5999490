"""Suggestions from the photo alone: `python -m benchmarks.suggestions --data FOLDER`.

Every exposure is recovered with five suggestions, told as quadrants as in `benchmarks.guided`, and scored in forward
order: P1, P3 and P5 are the best of the first one, three and five. Beside them five random directions for each thing of
the first suggestion, five copies of it as "more like this" varies them, and the true guidance. What the suggestions say
is scored as in `training.coverage`; with `--labels` nothing else is, within seconds and without recoveries, and then
`--photos FOLDER` takes the rendered exposures that training holds out in place of real ones. With `--checkpoint RUN`
the suggestions are those of a trained predictor. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from benchmarks.guided import told
from benchmarks.scores import psnr, share_closed
from benchmarks.truth import FRAMES, Exposure, read_exposures
from models import catalog
from models.guidance import QUADRANTS, Guidance
from models.motion import Arrow
from models.recovery import Inputs
from models.trajectory.estimation import as_tensor
from models.variation import varied
from training.__main__ import HELD_OUT, HELD_OUT_SEED, world_of
from training.checkpoint import load_checkpoint
from training.coverage import Coverage, average, coverage, mean
from training.recipes import changed, recipe, rendered
from training.recipes.predictor import Predictor, classes
from training.world import load_photos

COUNT = 5
MOVING, STILL = 1.0, 0.5
RENDERED_SIDE = 96
ANY_LENGTH = 16.0
"""Px, of arrows whose length means nothing."""

Suggest = Callable[[Exposure], Sequence[Guidance]]


@dataclass(frozen=True)
class Row:
    """One exposure: PSNR in dB of the frames in forward order, and what the suggestions say. `found`: how many."""

    name: str
    found: int
    floor: float
    true: float
    p1: float
    p3: float
    p5: float
    random: float
    varied: float
    coverage: float
    diversity: float
    stillness: float


class Scores:
    """PSNR of what an engine makes of one exposure; guidance and its exact reverse cost one recovery."""

    def __init__(self, engine: str, one: Exposure, sharpen: bool) -> None:
        self._run, self._one, self._options = catalog.load(engine), one, {"frames": FRAMES, "told": "quadrants"}
        self._options["sharpen"] = sharpen
        self._known: dict[bytes, float] = {}

    def of(self, guidance: Guidance) -> float:
        labels = guidance.labels()
        if labels.tobytes() not in self._known:
            inputs = Inputs(self._one.photo, guidance)
            recovery = self._run(inputs, self._options, lambda _: None, lambda: False)
            for said, way in ((guidance, recovery), (guidance.reversed(), recovery.reversed())):
                self._known[said.labels().tobytes()] = psnr(way.frames, self._one.frames)
        return self._known[labels.tobytes()]

    def best(self, guidances: Sequence[Guidance]) -> float:
        """Of several; the floor where there is none, as the photo is then all there is."""
        return max((self.of(one) for one in guidances), default=psnr(self._one.repeated, self._one.frames))


def redirected(guidance: Guidance, seed: int) -> Guidance:
    """The same things, each in a random direction."""
    dice = np.random.default_rng(seed)

    def anywhere(arrow: Arrow) -> Arrow:
        return replace(arrow, degrees=float(dice.uniform(0, 360)))

    regions = tuple(replace(one, arrow=one.arrow and anywhere(one.arrow)) for one in guidance.regions)
    return replace(guidance, regions=regions, camera=guidance.camera and anywhere(guidance.camera))


def shipped(one: Exposure) -> Sequence[Guidance]:
    """What the program suggests."""
    inputs = Inputs(one.photo, Guidance.empty(*one.labels.shape))
    return catalog.load_suggest(catalog.suggesting().name)(inputs, COUNT, lambda _: None, lambda: False)


def predicted(run: Path) -> Suggest:
    """What the predictor trained in a folder suggests, which sees photos at the size that it was trained with.
    Raises ValueError where the folder holds none."""
    tensors, _ = load_checkpoint(run)
    said = json.loads((run / "run.json").read_text())
    one = changed(recipe(said["recipe"]), said["settings"])
    if not isinstance(one, Predictor):
        raise ValueError(f"{run} holds no predictor but {said['recipe']}")
    network = one.network().eval()
    network.load_state_dict(tensors["average"])

    @torch.no_grad()
    def suggest(exposure: Exposure) -> Sequence[Guidance]:
        height, width = exposure.labels.shape
        scale = int(said["size"]) / max(height, width)
        small = cv2.resize(exposure.photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        answers = one.answers(network, as_tensor(small, torch.device("cpu")))[0]
        larger = [cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST) for labels in answers]
        return [Guidance.from_labels(labels, ANY_LENGTH) for labels in larger]

    return suggest


def held_out(photos: Path) -> list[Exposure]:
    """What the training of a predictor on both worlds holds out: rendered exposures, without their frames and with the
    motion's quadrants only."""
    one = recipe("predictor")
    world = world_of("layers+severe", load_photos(photos, "val", ("A", "B", "C")), RENDERED_SIDE, one)
    batch = rendered(world, one, HELD_OUT, HELD_OUT_SEED, frames=2)
    pixels = (batch["photo"] * 255).round().byte().permute(0, 2, 3, 1).numpy()
    flows = 2 * MOVING * batch["code"].permute(0, 2, 3, 1).numpy()
    labels = classes(batch["code"]).numpy().astype(np.uint8)
    rows = enumerate(zip(pixels, flows, labels, strict=True))
    return [Exposure(f"rendered_{n:02d}", photo, photo[None], flow, said) for n, (photo, flow, said) in rows]


def said_by(one: Exposure, guidances: Sequence[Guidance]) -> Coverage:
    """How well suggestions cover the true labels."""
    length = np.hypot(one.flow[..., 0], one.flow[..., 1])
    moving = (length > MOVING) & np.isin(one.labels, QUADRANTS)
    return coverage(one.labels, moving, length < STILL, [guidance.labels() for guidance in guidances])


def at_random(found: Sequence[Guidance]) -> list[Guidance]:
    """The first suggestion's things in five random directions each."""
    return [redirected(guess, seed) for guess in found[:1] for seed in range(COUNT)]


def scored(one: Exposure, suggest: Suggest, sharpen: bool) -> Row:
    found = suggest(one)
    scores, said = Scores(catalog.suggesting().name, one, sharpen), said_by(one, found)
    return Row(
        one.name,
        len(found),
        floor=psnr(one.repeated, one.frames),
        true=scores.of(told(one, "true")),
        p1=scores.best(found[:1]),
        p3=scores.best(found[:3]),
        p5=scores.best(found),
        random=scores.best(at_random(found)),
        varied=scores.best([varied(guess, seed) for guess in found[:1] for seed in range(COUNT)]),
        coverage=said.coverage,
        diversity=said.diversity,
        stillness=said.stillness,
    )


def summary(rows: list[Row]) -> dict[str, float]:
    """Means, and of what true guidance closes over the floor the share that each way to guess closes."""
    numbers = [name for name, value in asdict(rows[0]).items() if isinstance(value, float | int)]
    means = {name: mean([getattr(row, name) for row in rows]) for name in numbers}
    guesses = ("p1", "p3", "p5", "random", "varied")
    shares = {f"{name}_share": round(share_closed(means[name], means["floor"], means["true"]), 3) for name in guesses}
    return {"exposures": len(rows), **{name: round(value, 3) for name, value in means.items()}, **shares}


def by_labels(exposures: Sequence[Exposure], suggest: Suggest) -> dict[str, float]:
    """Means over exposures of what suggestions cover, and of what their things in random directions do."""
    found, random = [], []
    for one in exposures:
        guidances = suggest(one)
        found.append(said_by(one, guidances))
        random.append(said_by(one, at_random(guidances)))
        said = (f"{key} {value:4.2f}" for key, value in asdict(found[-1]).items())
        print(f"{one.name:30s} {' '.join(said)}", flush=True)
    lots = {f"random_{name}": value for name, value in average(random).items() if name[-1].isdigit()}
    return {"exposures": len(found), **{name: round(value, 3) for name, value in (average(found) | lots).items()}}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suggestions", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="folder of exposures with their true frames")
    source.add_argument("--photos", type=Path, help="folder with index.csv and val/ to render from; --labels only")
    parser.add_argument("--moved", action="store_true", help="frames only moved, not sharpened: in a third of the time")
    parser.add_argument("--labels", action="store_true", help="what is suggested, not what is recovered from it")
    parser.add_argument("--checkpoint", type=Path, metavar="RUN", help="folder of a trained predictor to score instead")
    parser.add_argument("--limit", type=int, help="only so many exposures")
    chosen = parser.parse_args()
    if chosen.photos and not chosen.labels:
        parser.error("rendered exposures have no frames to recover; --photos goes with --labels")
    suggest = predicted(chosen.checkpoint) if chosen.checkpoint else shipped
    exposures = held_out(chosen.photos)[: chosen.limit] if chosen.photos else read_exposures(chosen.data, chosen.limit)
    if chosen.labels:
        print(json.dumps(by_labels(exposures, suggest)))
        return
    rows = []
    for one in exposures:
        rows.append(scored(one, suggest, not chosen.moved))
        row = rows[-1]
        print(
            f"{row.name:30s} {row.found} floor {row.floor:6.2f} P1 {row.p1:6.2f} P3 {row.p3:6.2f} P5 {row.p5:6.2f} "
            f"random {row.random:6.2f} varied {row.varied:6.2f} true {row.true:6.2f} coverage {row.coverage:4.2f} "
            f"diversity {row.diversity:4.2f} still {row.stillness:4.2f}",
            flush=True,
        )
    print(json.dumps({"sharpened": not chosen.moved, **summary(rows)}))


if __name__ == "__main__":
    main()

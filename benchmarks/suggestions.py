"""Suggestions from the photo alone: `python -m benchmarks.suggestions --data FOLDER`.

Every exposure is recovered with five suggestions, told as quadrants as in `benchmarks.guided`, and scored in forward
order: P1, P3 and P5 are the best of the first one, three and five. Beside them five random directions for each thing of
the first suggestion, five copies of it as "more like this" varies them, and the true guidance. Coverage is the share of
moving pixels whose quadrant one of the five says, diversity the share of moving pixels on which two of the five
disagree, stillness the share of still pixels which the first leaves in peace. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.guided import told
from benchmarks.scores import psnr, share_closed
from benchmarks.truth import FRAMES, Exposure, read_exposures
from models import catalog
from models.guidance import QUADRANTS, Guidance
from models.motion import Arrow
from models.recovery import Inputs
from models.variation import varied

COUNT = 5
MOVING, STILL = 1.0, 0.5


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


def scored(one: Exposure, sharpen: bool) -> Row:
    engine = catalog.suggesting().name
    inputs = Inputs(one.photo, Guidance.empty(*one.labels.shape))
    found = catalog.load_suggest(engine)(inputs, COUNT, lambda _: None, lambda: False)
    scores = Scores(engine, one, sharpen)
    first, seeds = found[:1], range(COUNT)
    coverage, diversity, stillness = _said(one, [guidance.labels() for guidance in found])
    return Row(
        one.name,
        len(found),
        floor=psnr(one.repeated, one.frames),
        true=scores.of(told(one, "true")),
        p1=scores.best(first),
        p3=scores.best(found[:3]),
        p5=scores.best(found),
        random=scores.best([redirected(guess, seed) for guess in first for seed in seeds]),
        varied=scores.best([varied(guess, seed) for guess in first for seed in seeds]),
        coverage=coverage,
        diversity=diversity,
        stillness=stillness,
    )


def _said(one: Exposure, labels: list[np.ndarray]) -> tuple[float, float, float]:
    """Coverage, diversity and stillness of suggestions as labels (H, W)."""
    length = np.hypot(one.flow[..., 0], one.flow[..., 1])
    moving, still = (length > MOVING) & np.isin(one.labels, QUADRANTS), length < STILL
    hits = np.zeros_like(moving) if not labels else np.any([one.labels == said for said in labels], 0)
    pairs = [np.mean(first[moving] != second[moving]) for first, second in combinations(labels, 2) if moving.any()]
    left = np.ones_like(still) if not labels else ~np.isin(labels[0], QUADRANTS)
    return _mean(hits[moving]), _mean(pairs), _mean(left[still], 1.0)


def summary(rows: list[Row]) -> dict[str, float]:
    """Means, and of what true guidance closes over the floor the share that each way to guess closes."""
    numbers = [name for name, value in asdict(rows[0]).items() if isinstance(value, float | int)]
    means = {name: _mean([getattr(row, name) for row in rows]) for name in numbers}
    guesses = ("p1", "p3", "p5", "random", "varied")
    shares = {f"{name}_share": round(share_closed(means[name], means["floor"], means["true"]), 3) for name in guesses}
    return {"exposures": len(rows), **{name: round(value, 3) for name, value in means.items()}, **shares}


def _mean(values: Sequence[float] | np.ndarray, otherwise: float = 0.0) -> float:
    return float(np.mean(values)) if len(values) else otherwise


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suggestions", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of exposures with their true frames")
    parser.add_argument("--moved", action="store_true", help="frames only moved, not sharpened: in a third of the time")
    parser.add_argument("--limit", type=int, help="only so many exposures")
    chosen = parser.parse_args()
    rows = []
    for one in read_exposures(chosen.data, chosen.limit):
        rows.append(scored(one, not chosen.moved))
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

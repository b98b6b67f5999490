"""How well several answers to what moved, as labels, cover the truth, which is one of many that the photo allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import cv2
import numpy as np

from models.guidance import QUADRANTS

SMALLEST_SHARE = 0.004
"""Of the picture: what is smaller counts as no thing."""


@dataclass(frozen=True)
class Coverage:
    """Shares; of moving pixels where not said otherwise.

    right1, right3, right5     whose quadrant is right, in the best of the first one, three and five answers.
    agreed1, agreed3, agreed5  the same of all pixels that move or are said to.
    coverage                   whose quadrant any of the answers says.
    diversity                  on which two answers disagree.
    stillness                  of still pixels, left in peace by the first answer.
    split                      of a thing that moves one way, how near the answers are to giving its halves opposite
                               directions: 0 none, 1 half against half.
    """

    right1: float
    right3: float
    right5: float
    agreed1: float
    agreed3: float
    agreed5: float
    coverage: float
    diversity: float
    stillness: float
    split: float


def coverage(truth: np.ndarray, moving: np.ndarray, still: np.ndarray, answers: Sequence[np.ndarray]) -> Coverage:
    """Scores of answers, labels (H, W) like the truth; `moving` and `still` say where, bool (H, W)."""
    said = [np.isin(one, QUADRANTS) for one in answers]
    hits = [one == truth for one in answers]
    right = [mean(hit[moving]) for hit in hits]
    agreed = [mean(hit[moving | (still & claim)]) for hit, claim in zip(hits, said, strict=True)]
    first = [max(shares[:count], default=0.0) for shares in (right, agreed) for count in (1, 3, 5)]
    pairs = [mean(one[moving] != other[moving]) for one, other in combinations(answers, 2)]
    splits = [split(answer[part]) for answer in answers for part in things(np.where(moving, truth, 0))]
    return Coverage(
        *first,
        coverage=mean(np.any(hits, 0)[moving] if hits else ()),
        diversity=mean(pairs),
        stillness=mean(~said[0][still] if said else (), otherwise=1.0),
        split=mean(splits),
    )


def things(labels: np.ndarray) -> list[np.ndarray]:
    """The parts, bool (H, W), of one quadrant each that hang together."""
    found = []
    for quadrant in QUADRANTS:
        count, numbered, stats, _ = cv2.connectedComponentsWithStats((labels == quadrant).astype(np.uint8))
        big = [n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] >= SMALLEST_SHARE * labels.size]
        found += [numbered == n for n in big]
    return found


def split(labels: np.ndarray) -> float:
    """How near the labels of one thing's pixels are to two opposite halves."""
    counts = [int((labels == quadrant).sum()) for quadrant in QUADRANTS]
    opposite = min(counts[0], counts[2]) + min(counts[1], counts[3])
    return 2 * opposite / max(sum(counts), 1)


def average(scores: Sequence[Coverage]) -> dict[str, float]:
    """The mean of each number."""
    rows = [asdict(one) for one in scores]
    return {name: mean([row[name] for row in rows]) for name in rows[0]}


def mean(values: Sequence[float] | np.ndarray, otherwise: float = 0.0) -> float:
    """The mean, or `otherwise` of nothing."""
    return float(np.mean(values)) if len(values) else otherwise

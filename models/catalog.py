"""Which engines there are, by name, and which options each takes. Imports neither torch nor any engine."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from models.recovery import Flip, Refine, Run, Suggest

WEIGHTS = Path(__file__).parent / "weights"
REFINE = "models.trajectory.refinement:refine"
REFINEMENT = "adjustment", "areas", "correction", "motion"
"""What adjusts arrows to a photo, "module:function", and the names of its weights."""

SHARPEST = "decomposition", {"by": "both"}
"""The engine whose middle instant is nearest to the truth (`python -m benchmarks.middle`), and its options for that:
what `deblur` takes."""
SHARPEST_ALONG = "drawn", {}
"""The same where the motion of every pixel is told: the engine that follows it to the letter."""


@dataclass(frozen=True)
class Option:
    """One thing that can be set, told well enough to build a form and a `--help` from it.

    default  its type (bool, int, float, str) is the option's type.
    low, high  bounds of a number, both included.
    choices  what a str may be.
    unit     "px", "%" or nothing, for people.
    """

    name: str
    title: str
    default: bool | int | float | str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""

    def checked(self, value: object) -> bool | int | float | str:
        """`value` in the option's type. Raises ValueError with one sentence."""
        kind = type(self.default)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise ValueError(f"{self.name} is {_named(kind)}, got {value!r}")
        if self.choices and value not in self.choices:
            raise ValueError(f"{self.name} is one of {', '.join(self.choices)}, got {value}")
        if isinstance(value, (int, float)) and kind is not bool:
            low = float("-inf") if self.low is None else self.low
            high = float("inf") if self.high is None else self.high
            if not low <= value <= high:
                raise ValueError(f"{self.name} lies between {self.low} and {self.high}, got {value}")
        return cast("bool | int | float | str", value)


def _named(kind: type) -> str:
    return {bool: "yes or no", int: "a whole number", float: "a number", str: "a word"}[kind]


@dataclass(frozen=True)
class Engine:
    """One way to find the motion.

    name      what the command line calls it; `title` and `summary` what the window says.
    run       "module:function", imported when the engine is first used.
    options   "module:name" of a tuple of Option, in a module that imports no torch.
    weights   names of the weights it needs, in `models/weights/NAME.safetensors`.
    asks      whether it wants to be told the motion: "motion" (cannot do without), "guidance" (better with), "".
    suggest   "module:function" that proposes guidance from the photo alone; "" where it cannot.
    flip      "module:function" that makes a recovery of it anew where arrows were flipped; "" where it cannot.
    """

    name: str
    title: str
    summary: str
    run: str
    options: str
    weights: tuple[str, ...] = ()
    asks: str = ""
    suggest: str = ""
    flip: str = ""

    def missing_weights(self) -> tuple[str, ...]:
        return missing_weights(self.weights)


def missing_weights(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these weights that are not here."""
    return tuple(name for name in names if not (WEIGHTS / f"{name}.safetensors").is_file())


ENGINES: tuple[Engine, ...] = (
    Engine(
        name="drawn",
        title="As drawn",
        summary="Moves every region along its arrow and sharpens it along the way. No network.",
        run="models.drawn.engine:run",
        options="models.drawn.options:OPTIONS",
        asks="motion",
    ),
    Engine(
        name="trajectory",
        title="Trajectories",
        summary="A network finds how far every pixel moved, along what is painted. Draw lengths where it is too timid.",
        run="models.trajectory.engine:run",
        options="models.trajectory.options:OPTIONS",
        weights=("adjustment", "areas", "correction", "motion", "moving"),
        asks="guidance",
        suggest="models.trajectory.engine:suggest",
        flip="models.trajectory.engine:flip",
    ),
    Engine(
        name="decomposition",
        title="Decomposition",
        summary="One network finds how far every pixel moved, along what is painted, a second restores each instant.",
        run="models.decomposition.engine:run",
        options="models.decomposition.options:OPTIONS",
        weights=("adjustment", "areas", "correction", "motion", "restoration"),
        asks="guidance",
        flip="models.decomposition.engine:flip",
    ),
)


def engine(name: str) -> Engine:
    """The engine of this name. Raises ValueError with one sentence."""
    for one in ENGINES:
        if one.name == name:
            return one
    raise ValueError(f"there is no engine called {name}; there is {', '.join(one.name for one in ENGINES)}")


def options(name: str) -> tuple[Option, ...]:
    """The options of an engine, in the order a form shows them."""
    return cast("tuple[Option, ...]", _imported(engine(name).options))


def checked(name: str, values: Mapping[str, object]) -> dict[str, bool | int | float | str]:
    """`values` in their types, with the defaults of what is not said. Raises ValueError with one sentence."""
    known = {option.name: option for option in options(name)}
    for given in values:
        if given not in known:
            raise ValueError(f"the engine {name} has no option {given}; it has {', '.join(known) or 'none'}")
    return {key: option.checked(values.get(key, option.default)) for key, option in known.items()}


def load(name: str) -> Run:
    """The engine itself; this is what imports torch."""
    return cast("Run", _imported(engine(name).run))


def suggesting() -> Engine:
    """The engine that proposes guidance. Raises ValueError where there is none."""
    for one in ENGINES:
        if one.suggest:
            return one
    raise ValueError("no engine can suggest a motion")


def load_suggest(name: str) -> Suggest:
    """What proposes guidance; this is what imports torch. Raises ValueError where the engine cannot."""
    place = engine(name).suggest
    if not place:
        raise ValueError(f"the engine {name} cannot suggest a motion")
    return cast("Suggest", _imported(place))


def load_flip(name: str) -> Flip:
    """What flips parts of a recovery; this is what imports torch. Raises ValueError where it cannot."""
    place = engine(name).flip
    if not place:
        raise ValueError(f"the engine {name} cannot flip parts of a recovery")
    return cast("Flip", _imported(place))


def can_refine() -> bool:
    """Whether the weights that refine arrows are here."""
    return not missing_weights(REFINEMENT)


def load_refine() -> Refine:
    """What adjusts drawn arrows to their photo; this is what imports torch."""
    return cast("Refine", _imported(REFINE))


def _imported(place: str) -> object:
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)

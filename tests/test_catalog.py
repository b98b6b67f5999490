"""The catalog names engines and options without importing them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from models import catalog
from models.catalog import ENGINES, Option

COUNT = Option("count", "Count", 7, "How many.", low=1, high=240)
SHARE = Option("share", "Share", 0.5, "How much.", low=0.0, high=1.0)
MODE = Option("mode", "Mode", "soft", "Which.", choices=("soft", "hard"))
SWITCH = Option("switch", "Switch", True, "Whether.")


@pytest.mark.parametrize("name", [engine.name for engine in ENGINES])
def test_options_are_named_once_and_their_defaults_are_valid(name: str) -> None:
    options = catalog.options(name)
    assert len({option.name for option in options}) == len(options)
    assert catalog.checked(name, {}) == {option.name: option.default for option in options}
    for option in options:
        assert option.title
        assert option.help.endswith(".")


def test_options_are_read_without_torch() -> None:
    code = (
        "import sys; from models import catalog; [catalog.options(e.name) for e in catalog.ENGINES];"
        "sys.exit(any(m in sys.modules for m in ('torch', 'cv2', 'PIL')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        (COUNT, 0, "count lies between 1 and 240, got 0"),
        (COUNT, 7.5, "count is a whole number, got 7.5"),
        (COUNT, True, "count is a whole number, got True"),
        (SHARE, float("nan"), "share lies between"),
        (SHARE, "much", "share is a number, got 'much'"),
        (MODE, "loud", "mode is one of soft, hard, got loud"),
        (SWITCH, 1, "switch is yes or no, got 1"),
    ],
)
def test_a_wrong_value_is_one_sentence(option: Option, value: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        option.checked(value)


def test_whole_numbers_serve_as_numbers() -> None:
    assert SHARE.checked(1) == 1.0
    assert isinstance(SHARE.checked(1), float)


def test_unknown_engines_and_options_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="there is no engine called magic; there is drawn"):
        catalog.engine("magic")
    with pytest.raises(ValueError, match="the engine drawn has no option wand"):
        catalog.checked("drawn", {"wand": 1})


def test_every_engine_loads() -> None:
    for engine in ENGINES:
        if not engine.missing_weights():
            assert callable(catalog.load(engine.name))

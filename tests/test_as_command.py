"""The window's state as a command: what it says must parse back to the same recovery."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest

from app.as_command import as_command
from app.document import Document
from app.photo import Photo
from models.motion import Arrow, Motion

ORIGIN = Path("/photos/my holiday.jpg")


@pytest.fixture
def document() -> Document:
    return Document(Photo(np.zeros((20, 30, 3), np.uint8), "my holiday.jpg", np.zeros(1, np.uint8)))


def test_a_camera_arrow_fits_into_arguments(document):
    document.set_camera(Arrow(135.25, 17.5))
    line = as_command(document, ORIGIN, "drawn", {"frames": 7, "sharpen": True})
    assert shlex.split(line) == [
        "unshutter", "animate", str(ORIGIN), "--toward", "135.25", "--strength", "17.5", "-o", "my holiday.gif"
    ]  # fmt: skip


def test_only_options_that_differ_are_said(document):
    document.set_camera(Arrow(0, 5))
    options = {"frames": 12, "sharpen": False, "iterations": 15, "smoothness": 0.05}
    line = as_command(document, ORIGIN, "drawn", options, "cpu")
    assert " -n 12 --no-sharpen --smoothness 0.05 --device cpu -o " in line


@pytest.mark.parametrize(
    "arrow", [Arrow(0, 5, bend=0.2), Arrow(0, 5, ease_in=0.5), Arrow(0, 5, ease_out=0.5)], ids=["bend", "in", "out"]
)
def test_what_arguments_cannot_say_must_be_saved_first(document, arrow):
    document.set_camera(arrow)
    with pytest.raises(ValueError, match="save it first"):
        as_command(document, ORIGIN, "drawn", {})


def test_painted_regions_and_imported_motion_must_be_saved_first(document):
    document.set_motion(Motion.from_flow(np.ones((20, 30, 2), np.float32)))
    with pytest.raises(ValueError, match="save it first"):
        as_command(document, ORIGIN, "drawn", {})
    document.set_motion(None)
    document.add_region()
    document.paint((0, 0, 5, 5), 1)
    with pytest.raises(ValueError, match="save it first"):
        as_command(document, ORIGIN, "drawn", {})


def test_a_saved_project_says_it_all(document):
    document.add_region()
    document.paint((0, 0, 5, 5), 1)
    document.path = Path("/photos/mine.unshutter")
    with pytest.raises(ValueError, match="save it first"):
        as_command(document, None, "drawn", {})
    document.mark_saved()
    assert as_command(document, None, "drawn", {}) == "unshutter animate /photos/mine.unshutter -o mine.gif"


def test_a_pasted_picture_has_no_file(document):
    document.set_camera(Arrow(0, 5))
    with pytest.raises(ValueError, match="save it first"):
        as_command(document, None, "drawn", {})

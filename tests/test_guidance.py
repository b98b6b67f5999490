from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from models import guidance
from models.guidance import STATIC, UNKNOWN, Guidance, Region
from models.motion import Arrow, Motion, Shares

labelled = arrays.arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 2, 3, 4, 255]))
quadrants = arrays.arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 2, 3, 4]))


def quantised(x: float, y: float, threshold: float = 0.5) -> int:
    return int(guidance.quantise(np.float32([[[x, y]]]), threshold)[0, 0])


@pytest.mark.parametrize(
    ("x", "y", "label"),
    [(3, -3, 1), (-3, -3, 2), (-3, 3, 3), (3, 3, 4), (0.3, -0.3, STATIC), (np.nan, 1, UNKNOWN), (1, np.inf, UNKNOWN)],
)
def test_quadrants(x: float, y: float, label: int) -> None:
    assert quantised(x, y) == label


@pytest.mark.parametrize(("x", "y", "label"), [(0, 2, 4), (0, -2, 2), (2, 0, 1), (-2, 0, 3)])
def test_flow_along_an_axis_is_settled_as_in_the_paper(x: float, y: float, label: int) -> None:
    assert quantised(x, y) == label


def test_the_threshold_is_a_length() -> None:
    assert quantised(0.6, -0.6, 0.8) == 1
    assert quantised(0.6, -0.6, 0.9) == STATIC


def test_the_code_of_each_label() -> None:
    code = guidance.encode(np.uint8([[0, 1, 2, 3, 4, 255]]))
    np.testing.assert_array_equal(code[0], [(0, 0), (1, -1), (-1, -1), (-1, 1), (1, 1), (0, 0)])


@given(labels=quadrants)
def test_code_and_back(labels: np.ndarray) -> None:
    np.testing.assert_array_equal(guidance.decode(guidance.encode(labels)), labels)


@given(labels=labelled)
def test_a_flip_negates_the_code_and_twice_is_nothing(labels: np.ndarray) -> None:
    np.testing.assert_array_equal(guidance.encode(guidance.flip(labels)), -guidance.encode(labels))
    np.testing.assert_array_equal(guidance.flip(guidance.flip(labels)), labels)
    np.testing.assert_array_equal(guidance.known(guidance.flip(labels)), guidance.known(labels))


@given(flow=arrays.arrays(np.float32, (3, 4, 2), elements=st.floats(-9, 9, width=32)))
def test_the_labels_of_a_negated_flow_are_flipped(flow: np.ndarray) -> None:
    np.testing.assert_array_equal(guidance.quantise(-flow), guidance.flip(guidance.quantise(flow)))


@pytest.mark.parametrize(
    "labels", [np.zeros((2, 2), np.int32), np.zeros((2, 2, 1), np.uint8), np.full((2, 2), 7, np.uint8)]
)
def test_what_is_no_label_is_refused(labels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="labels"):
        guidance.encode(labels)


def test_a_flow_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a flow"):
        guidance.quantise(np.zeros((4, 4)))


def test_labels_survive_a_png(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).choice(np.uint8([0, 1, 2, 3, 4, 255]), (13, 7))
    guidance.write_labels(tmp_path / "g.png", labels)
    np.testing.assert_array_equal(guidance.read_labels(tmp_path / "g.png"), labels)


def test_a_png_with_colours_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "g.png")
    with pytest.raises(ValueError, match="one 8-bit channel"):
        guidance.read_labels(tmp_path / "g.png")


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_file_that_is_no_png_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "g.png").write_bytes(data)
    with pytest.raises(ValueError, match=r"g\.png cannot be read"):
        guidance.read_labels(tmp_path / "g.png")


def test_a_truncated_png_is_refused(tmp_path: Path) -> None:
    guidance.write_labels(tmp_path / "whole.png", np.random.default_rng(0).choice(np.uint8([0, 1, 4]), (64, 64)))
    (tmp_path / "g.png").write_bytes((tmp_path / "whole.png").read_bytes()[:300])
    with pytest.raises(ValueError, match=r"g\.png cannot be read"):
        guidance.read_labels(tmp_path / "g.png")


def test_a_missing_png_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.png cannot be read"):
        guidance.read_labels(tmp_path / "none.png")


def painted() -> Guidance:
    areas = np.zeros((6, 8), np.uint8)
    areas[1:3, 1:4], areas[4:, 5:] = 1, 2
    regions = (Region(1, "car", Arrow(0, 12)), Region(2, "wall", Arrow(0, 0)))
    return Guidance(areas, regions, camera=Arrow(90, 4))


def test_flow_and_labels_of_painted_regions() -> None:
    flow = painted().flow()
    np.testing.assert_allclose(flow[1, 1], [12, 0], atol=1e-5)
    np.testing.assert_allclose(flow[5, 7], 0)
    np.testing.assert_allclose(flow[0, 0], [0, -4], atol=1e-5)
    assert painted().labels()[5, 7] == STATIC


def test_places_of_a_region_go_their_shares_and_a_flip_keeps_them() -> None:
    areas = np.zeros((2, 4), np.uint8)
    areas[:, 1:] = 1
    arrow = Arrow(0, 8, shares=Shares.of(np.array([[0, 1, 0.5, 1j]], np.complex64), (0, 0, 1, 1)))
    told = Guidance(areas, (Region(1, "thing", arrow),))
    flow = told.flow()
    assert np.isnan(flow[:, 0]).all()
    np.testing.assert_allclose(flow[0, 1:], [(8, 0), (4, 0), (0, 8)], atol=1e-5)
    np.testing.assert_allclose(told.reversed().flow()[:, 1:], -flow[:, 1:], atol=1e-5)
    assert told.reversed().flipped_since(told) == (1,)
    assert told.with_arrow(1, Arrow(0, 8)).flipped_since(told) is None


def test_nothing_said_is_unknown() -> None:
    nothing = Guidance.empty(3, 4)
    assert not nothing.says_motion()
    assert (nothing.labels() == UNKNOWN).all()


def test_a_painted_region_without_an_arrow_is_unknown() -> None:
    assert Guidance(np.ones((2, 2), np.uint8), (Region(1, "thing"),)).labels()[0, 0] == UNKNOWN


def test_pins_alone_are_no_motion() -> None:
    assert not Guidance(np.ones((2, 2), np.uint8), (Region(1, "wall", Arrow(0, 0)),)).says_motion()
    assert painted().says_motion()


def test_dense_motion_lies_under_the_regions() -> None:
    motion = Motion.from_flow(np.broadcast_to(np.float32([3, 3]), (3, 4, 2)))
    flow = Guidance(painted().areas, painted().regions, motion=motion).flow()
    np.testing.assert_allclose(flow[0, 0], [3, 3])
    np.testing.assert_allclose(flow[1, 1], [12, 0], atol=1e-5)


def test_reverse_mirrors_guidance() -> None:
    np.testing.assert_allclose(painted().reversed().flow(), -painted().flow(), atol=1e-5)
    np.testing.assert_allclose(painted().reversed().reversed().flow(), painted().flow(), atol=1e-5)


@given(labels=quadrants)
def test_labels_with_a_length_become_regions(labels: np.ndarray) -> None:
    np.testing.assert_array_equal(Guidance.from_labels(labels, 10).labels(), labels)


def test_laid_under_what_was_painted_only_the_rest_is_filled() -> None:
    areas = np.zeros((4, 6), np.uint8)
    areas[:, :3] = 1
    painted = Guidance(areas, (Region(1, "mine"),))
    other = np.zeros((4, 6), np.uint8)
    other[:2], other[2:, :3] = 1, 2
    suggestion = Guidance(other, (Region(1, "above", Arrow(0, 5)), Region(2, "hidden", Arrow(9, 5))), Arrow(90, 3))
    both = suggestion.under(painted)
    assert both.regions == (Region(2, "above", Arrow(0, 5)), Region(1, "mine"))
    assert (both.areas[:, :3] == 1).all()
    assert (both.areas[:2, 3:] == 2).all()
    assert not both.areas[2:, 3:].any()
    assert both.camera == Arrow(90, 3)
    assert suggestion.under(Guidance(areas, camera=Arrow(1, 1))).camera == Arrow(1, 1)

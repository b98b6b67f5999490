from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.canvas import pyramid as pyramid_module
from app.ui.canvas.pyramid import Pyramid
from app.ui.canvas.view import FIT_MARGIN, KEPT_IN_SIGHT, MAX_ZOOM, View

sizes = st.integers(16, 8000)
points = st.tuples(st.floats(0, 800), st.floats(0, 600))


def view(**rest) -> View:
    return View(600, 400, 800, 600, **rest).fitted()


@given(sizes, sizes, st.sampled_from([1.0, 1.25, 1.5, 2.0]), points)
def test_to_view_and_to_photo_are_inverse(width: int, height: int, ratio: float, point: tuple[float, float]) -> None:
    seen = View(width, height, 800, 600, ratio).fitted()
    assert seen.to_view(*seen.to_photo(*point)) == pytest.approx(point, abs=1e-6)


@given(st.floats(0.05, 50), points)
def test_zooming_keeps_what_is_under_the_pointer(zoom: float, at: tuple[float, float]) -> None:
    before = view()
    inside = before.to_photo(*at)
    after = before.zoomed(zoom, at)
    if 0 <= inside[0] <= 600 and 0 <= inside[1] <= 400:
        assert after.to_view(*inside) == pytest.approx(at, abs=1.01)


@given(sizes, sizes, st.sampled_from([1.0, 1.5, 2.0]))
def test_fitted_shows_the_whole_photo(width: int, height: int, ratio: float) -> None:
    seen = View(width, height, 800, 600, ratio).fitted()
    left, top, wide, high = seen.view_rect((0, 0, width, height))
    assert left >= FIT_MARGIN - 1
    assert top >= FIT_MARGIN - 1
    assert left + wide <= 800 - FIT_MARGIN + 1
    assert top + high <= 600 - FIT_MARGIN + 1


def test_zoom_one_is_a_screen_pixel_per_photo_pixel() -> None:
    seen = view(ratio=2.0).zoomed(1.0)
    (x0, y0), (x1, y1) = seen.to_view(0, 0), seen.to_view(10, 10)
    assert ((x1 - x0) * 2, (y1 - y0) * 2) == pytest.approx((10, 10))
    assert x0 * 2 == round(x0 * 2)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0.1, 40))
def test_a_strip_of_the_photo_stays_in_sight(x: float, y: float, zoom: float) -> None:
    seen = view().zoomed(zoom).moved(x, y)
    left, top, wide, high = seen.view_rect((0, 0, 600, 400))
    assert left <= 800 - KEPT_IN_SIGHT + 1
    assert left + wide >= KEPT_IN_SIGHT - 1
    assert top <= 600 - KEPT_IN_SIGHT + 1
    assert top + high >= KEPT_IN_SIGHT - 1


def test_zoom_has_ends() -> None:
    assert view().zoomed(1e9).zoom == MAX_ZOOM
    assert view().zoomed(0).zoom == pytest.approx(view().zoom / 4)


def test_moving_moves_by_view_px() -> None:
    seen = view().zoomed(3.0)
    before, after = seen.to_view(300, 200), seen.moved(30, -12).to_view(300, 200)
    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((30, -12), abs=1)


def test_a_fitted_photo_follows_the_widget_and_a_zoomed_one_keeps_its_middle() -> None:
    assert view().resized(400, 300, 1.0).zoom == pytest.approx(View(600, 400, 400, 300).fitted().zoom)
    zoomed = view().zoomed(2.0)
    smaller = zoomed.resized(400, 300, 1.0)
    assert smaller.zoom == 2.0
    assert smaller.to_photo(200, 150) == pytest.approx(zoomed.to_photo(400, 300), abs=1)


def test_photo_pixels_are_those_that_a_view_rect_touches() -> None:
    seen = view().zoomed(10.0)
    x, y, width, height = seen.view_rect((300, 200, 310, 205))
    assert seen.photo_pixels(x + 0.5, y + 0.5, width - 1, height - 1) == (300, 200, 310, 205)


def test_pyramid_levels_are_averages_and_suit_the_zoom() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (512, 768, 3), np.uint8)
    pyramid = Pyramid(pixels)
    assert [pyramid.level(zoom) for zoom in (8, 1, 0.6, 0.5, 0.3, 0.25, 0.01)] == [0, 0, 0, 1, 1, 2, 3]
    block = pixels[:2, :2].astype(float).mean((0, 1))
    assert np.abs(pyramid.crop(1, 0, 0, 1, 1)[0, 0] - block).max() <= 1
    assert pyramid.crop(0, 5, 6, 9, 8).tobytes() == pixels[6:8, 5:9].tobytes()


def test_pyramid_shows_16_bits_in_8() -> None:
    pixels = np.full((200, 300, 3), 0xABCD, np.uint16)
    pyramid = Pyramid(pixels)
    for level in range(pyramid.deepest + 1):
        assert (pyramid.crop(level, 0, 0, 10, 10) == 0xAB).all()


def test_pyramid_refuses_other_arrays() -> None:
    with pytest.raises(ValueError, match="expected uint8 or uint16 pixels"):
        Pyramid(np.zeros((10, 10), np.uint8))


def test_a_large_picture_is_made_smaller_in_slices_and_shown_coarsely_before(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(3).integers(0, 255, (301, 402, 3), np.uint8)
    at_once = Pyramid(pixels[:300])
    monkeypatch.setattr(pyramid_module, "AT_ONCE", 1000)
    pyramid = Pyramid(pixels)
    assert not pyramid.is_ready(1)
    assert pyramid.shown(1) == pyramid.deepest
    assert np.array_equal(pyramid.crop(1, 3, 2, 9, 8), pixels[4:16:2, 6:18:2])
    turns = 0
    while not pyramid.prepare(1, 1e-9):
        turns += 1
    assert turns == 5
    assert pyramid.shown(1) == 1
    assert np.array_equal(pyramid.crop(1, 0, 0, 201, 150), at_once.crop(1, 0, 0, 201, 150))

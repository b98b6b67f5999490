from __future__ import annotations

import numpy as np

from app.guidance_picture import guidance_picture
from app.region_colours import region
from models.guidance import Guidance, Region
from models.motion import Arrow

GREY = np.full((120, 160, 3), 100, np.uint8)


def guidance(arrow: Arrow | None = None, camera: Arrow | None = None) -> Guidance:
    areas = np.zeros((120, 160), np.uint8)
    areas[10:110, 20:80] = 2
    return Guidance(areas, (Region(2, "ball", arrow),), camera)


def test_a_region_is_tinted_and_the_rest_is_the_photo() -> None:
    picture = guidance_picture(GREY, guidance())
    word = region(2)
    tint = [round((100 + (word >> shift & 255)) / 2) for shift in (16, 8, 0)]
    assert np.abs(picture[30:90, 30:70].astype(int) - tint).max() <= 1
    assert (picture[:, 90:] == 100).all()


def test_arrows_point_where_things_went() -> None:
    picture = guidance_picture(GREY, Guidance(np.zeros((120, 160), np.uint8), camera=Arrow(0, 60)))
    changed = np.argwhere((picture != 100).any(-1))
    assert abs(changed[:, 0].mean() - 60) < 1
    columns = np.bincount(changed[:, 1], minlength=160)
    assert columns[100:112].max() > 1.3 * columns[55:90].max()
    assert not columns[:40].any()


def test_a_pin_is_a_ring_and_large_photos_become_small() -> None:
    large = GREY.repeat(10, 0).repeat(10, 1).astype(np.uint16) * 257
    pinned = Guidance(np.full(large.shape[:2], 1, np.uint8), (Region(1, "still", Arrow(0, 0)),))
    picture = guidance_picture(large, pinned)
    assert picture.shape == (720, 960, 3)
    assert picture.dtype == np.uint8
    assert (picture[360, 480] == picture[5, 5]).all()
    assert (picture[360, 480 - 7] != picture[5, 5]).any()

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ui.canvas import colours, hits
from app.ui.canvas.anchors import Anchors
from app.ui.canvas.arrows import Placed
from app.ui.canvas.brush import BrushTool, LassoTool, free_number
from app.ui.canvas.events import (
    Answer,
    ArrowPreview,
    BrushSize,
    Cancel,
    Dabs,
    Flip,
    Move,
    Outline,
    Pan,
    Patch,
    Press,
    Refuse,
    Release,
    Rollback,
    Scene,
    Select,
    SetArrow,
    Tick,
)
from app.ui.canvas.raster import Dab, along, polygon, stamp, tiles, union
from app.ui.canvas.tools import ArrowTool, PanTool, Tool
from models.guidance import MAX_REGIONS, Guidance, Region
from models.motion import Arrow

coordinates = st.floats(-20, 80)


def empty_scene(**rest) -> Scene:
    return replace(Scene(Guidance.empty(60, 80), brush_size=10), **rest)


def scene_with_region(arrow: Arrow | None = None, **rest) -> Scene:
    """A square from 10 to 30 that is region 1."""
    areas = np.zeros((60, 80), np.uint8)
    areas[10:30, 10:30] = 1
    guidance = Guidance(areas, (Region(1, "ball", arrow),))
    return Scene(guidance, Anchors().placed(guidance), **rest)


def drag(tool: Tool, scene: Scene, *points: tuple[float, float], **held) -> list[Answer]:
    """What a drag through points brings, in order."""
    answers = tool.handle(Press(*points[0], **held), scene)
    for point in points[1:]:
        answers += tool.handle(Move(*point, **held), scene)
    return answers + tool.handle(Release(*points[-1], **held), scene)


def applied(scene: Scene, answers: list[Answer]) -> np.ndarray:
    """The areas after the patches among the answers."""
    areas = scene.guidance.areas.copy()
    for patch in of(Patch, answers):
        x0, y0, x1, y1 = patch.rect
        areas[y0:y1, x0:x1] = patch.values
    return areas


def of(kind, answers: list[Answer]) -> list:
    return [answer for answer in answers if isinstance(answer, kind)]


# Pixels


@given(coordinates, coordinates, st.floats(0.8, 30))
def test_a_disc_covers_the_pixels_whose_centres_lie_in_it(x: float, y: float, radius: float) -> None:
    pixels = np.zeros((60, 80), np.uint8)
    stamp(pixels, Dab(x, y, radius), 7)
    rows, columns = np.mgrid[:60, :80]
    distance = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
    assert (pixels[distance < radius - 1e-3] == 7).all()
    assert (pixels[distance > radius + 1e-3] == 0).all()


def test_the_smallest_brush_paints_one_pixel() -> None:
    pixels = np.zeros((10, 10), np.uint8)
    stamp(pixels, Dab(3.9, 7.1, 0.5), 1)
    assert np.argwhere(pixels).tolist() == [[7, 3]]


@given(st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=5), st.floats(1, 8))
def test_a_stroke_has_no_gaps(points: list[tuple[float, float]], radius: float) -> None:
    last = None
    for x, y in points:
        for dab in along(last, Dab(x, y, radius)):
            if last is not None:
                assert np.hypot(dab.x - last.x, dab.y - last.y) <= max(radius / 4, 0.5) + 1e-6
            last = dab
        assert last is not None
        assert (last.x, last.y) == pytest.approx((x, y))


@given(st.tuples(st.integers(0, 900), st.integers(0, 700), st.integers(1, 300), st.integers(1, 300)))
def test_tiles_cover_a_rectangle(place: tuple[int, int, int, int]) -> None:
    x, y, width, height = place
    rect = x, y, min(x + width, 1000), min(y + height, 800)
    covered = np.zeros((800, 1000), int)
    for x0, y0, x1, y1 in tiles(rect, 800, 1000):
        covered[y0:y1, x0:x1] += 1
    assert covered.max() == 1
    assert (covered[rect[1] : rect[3], rect[0] : rect[2]] == 1).all()


@given(st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=8))
@settings(deadline=None)
def test_a_polygon_covers_the_pixels_it_goes_round(points: list[tuple[float, float]]) -> None:
    (x0, y0, x1, y1), inside = polygon(points, 60, 80)
    covered = np.zeros((60, 80), bool)
    covered[y0:y1, x0:x1] = inside
    for row, column in ((5, 5), (20, 33), (30, 40), (45, 12), (59, 79)):
        assert covered[row, column] == (turns_round(points, column + 0.5, row + 0.5) != 0)


def turns_round(points: list[tuple[float, float]], x: float, y: float) -> int:
    """The winding number by crossings of the ray to the left."""
    turns = 0
    for (xa, ya), (xb, yb) in zip(points, [*points[1:], points[0]], strict=True):
        if (ya <= y) != (yb <= y) and xa + (y - ya) * ((xb - xa) / (yb - ya)) <= x:
            turns += 1 if yb > ya else -1
    return turns


def test_union_ignores_what_is_empty() -> None:
    assert union(None, (1, 2, 3, 4)) == (1, 2, 3, 4)
    assert union((5, 5, 5, 5), (1, 2, 3, 4)) == (1, 2, 3, 4)
    assert union((1, 2, 3, 4), (0, 3, 2, 9)) == (0, 2, 3, 9)


# Brush and eraser


def test_a_stroke_paints_a_new_region_and_selects_it() -> None:
    scene = empty_scene()
    answers = drag(BrushTool(), scene, (20, 20), (40, 20))
    areas = applied(scene, answers)
    assert (areas[16:24, 20:40] == 1).all()
    assert (areas[:14] == 0).all()
    assert of(Select, answers) == [Select(1)]
    assert [patch.joins for patch in of(Patch, answers)] == [False]


def test_what_is_shown_is_what_is_committed() -> None:
    scene = empty_scene()
    answers = drag(BrushTool(), scene, (5, 5), (70, 50), (20, 55))
    shown = np.zeros((60, 80), np.uint8)
    for answer in of(Dabs, answers):
        for dab in answer.dabs:
            stamp(shown, dab, answer.number)
    np.testing.assert_array_equal(shown, applied(scene, answers))


def test_a_stroke_paints_the_selected_region() -> None:
    scene = scene_with_region(selected=1)
    answers = drag(BrushTool(), scene, (50, 40))
    assert {patch.number for patch in of(Patch, answers)} == {1}
    assert not of(Select, answers)


def test_a_selection_that_is_gone_is_no_region_to_paint() -> None:
    assert of(Patch, drag(BrushTool(), empty_scene(selected=9), (50, 40)))[0].number == 1


def test_the_eraser_clears_whatever_is_there() -> None:
    scene = scene_with_region(selected=None, brush_size=100)
    assert not applied(scene, drag(BrushTool(erases=True), scene, (20, 20))).any()


def test_erasing_nothing_is_no_edit() -> None:
    assert not of(Patch, drag(BrushTool(erases=True), empty_scene(), (20, 20), (30, 30)))


def test_a_stroke_outside_the_photo_is_no_edit() -> None:
    answers = drag(BrushTool(), empty_scene(), (-50, -50), (-60, 200))
    assert not of(Patch, answers)
    assert not of(Select, answers)


def test_a_long_stroke_is_committed_in_joined_pieces() -> None:
    tool, scene = BrushTool(), empty_scene()
    answers = tool.handle(Press(10, 10, seconds=0), scene)
    answers += tool.handle(Move(20, 10, seconds=0.2), scene)
    assert not of(Patch, answers)
    first = of(Patch, tool.handle(Tick(0.6), scene))
    assert [patch.joins for patch in first] == [False]
    assert not of(Patch, tool.handle(Tick(0.8), scene))
    later = tool.handle(Move(70, 50, seconds=1.3), scene)
    assert [patch.joins for patch in of(Patch, later)] == [True]


def test_a_large_stroke_is_committed_in_tiles_without_a_seam() -> None:
    height = width = 1600
    scene = Scene(Guidance.empty(height, width), brush_size=200)
    answers = drag(BrushTool(), scene, (50, 50), (1500, 1500), (50, 1500), (1500, 50))
    shown = np.zeros((height, width), np.uint8)
    for answer in of(Dabs, answers):
        for dab in answer.dabs:
            stamp(shown, dab, 1)
    assert len(of(Patch, answers)) > 20
    np.testing.assert_array_equal(applied(scene, answers), shown)


@pytest.mark.parametrize(("seconds", "undo"), [(0.1, False), (2.0, True)])
def test_cancel_takes_back_what_was_committed(seconds: float, undo: bool) -> None:
    tool, scene = BrushTool(), empty_scene()
    tool.handle(Press(10, 10, seconds=0), scene)
    tool.handle(Move(20, 10, seconds=seconds), scene)
    assert tool.handle(Cancel(), scene) == [Rollback(undo)]
    assert not tool.busy
    assert tool.handle(Move(30, 30), scene) == []
    assert tool.handle(Release(30, 30), scene) == []


def test_pressure_scales_the_dabs() -> None:
    tool, scene = BrushTool(), empty_scene(brush_size=20)
    heavy = of(Dabs, tool.handle(Press(10, 10, pressure=1.0), scene))[0].dabs[0]
    light = of(Dabs, tool.handle(Move(30, 10, pressure=0.1), scene))[0].dabs[-1]
    assert heavy.radius == 10
    assert 1 < light.radius < 3


def test_alt_drag_changes_the_brush_size() -> None:
    tool = BrushTool()
    answers = drag(tool, empty_scene(), (10, 10), (15, 40), (0, 10), alt=True)
    assert answers == [BrushSize(20), BrushSize(1)]
    assert not tool.busy


def test_ctrl_click_selects() -> None:
    assert drag(BrushTool(), scene_with_region(), (20, 20), ctrl=True) == [Select(1)]


def test_with_all_regions_taken_painting_is_refused() -> None:
    regions = tuple(Region(number, f"region {number}") for number in range(1, MAX_REGIONS + 1))
    scene = empty_scene(guidance=Guidance(np.zeros((60, 80), np.uint8), regions))
    assert free_number(scene.guidance) is None
    assert of(Refuse, drag(BrushTool(), scene, (20, 20)))
    assert of(Refuse, drag(LassoTool(), scene, (10, 10), (30, 10), (30, 30)))


# Lasso


def test_the_lasso_fills_what_it_goes_round() -> None:
    scene = empty_scene()
    answers = drag(LassoTool(), scene, (10, 10), (40, 10), (40, 40), (10, 40))
    areas = applied(scene, answers)
    assert (areas[10:40, 10:40] == 1).all()
    assert np.count_nonzero(areas) == 900
    assert answers[-1] == Select(1)
    assert of(Outline, answers)[-1] == Outline()


def test_the_lasso_with_alt_erases() -> None:
    scene = scene_with_region(selected=1)
    answers = drag(LassoTool(), scene, (0, 0), (20, 0), (20, 60), (0, 60), alt=True)
    assert np.count_nonzero(applied(scene, answers)) == 200


def test_the_lasso_joins_its_tiles_into_one_step() -> None:
    scene = Scene(Guidance.empty(1200, 1200))
    patches = of(Patch, drag(LassoTool(), scene, (0, 0), (1200, 0), (1200, 1200), (0, 1200)))
    assert [patch.joins for patch in patches] == [False, *[True] * 24]


def test_a_lasso_click_selects_and_cancel_forgets() -> None:
    tool, scene = LassoTool(), scene_with_region()
    assert drag(tool, scene, (20, 20))[-1] == Select(1)
    tool.handle(Press(10, 10), scene)
    tool.handle(Move(30, 10), scene)
    assert tool.handle(Cancel(), scene) == [Outline()]
    assert tool.handle(Release(30, 30), scene) == []


# Arrows


def test_a_drag_in_a_region_draws_its_arrow() -> None:
    answers = drag(ArrowTool(), scene_with_region(), (15, 20), (18, 20), (15 + 30, 20 - 30))
    placed = of(SetArrow, answers)[0].placed
    assert placed.number == 1
    assert placed.arrow.degrees == pytest.approx(45)
    assert placed.arrow.length == pytest.approx(np.hypot(30, 30))
    assert placed.handle("tail") == pytest.approx((15, 20))
    assert of(Select, answers) == [Select(1)]
    assert of(ArrowPreview, answers)[-1] == ArrowPreview(None)


def test_a_drag_on_the_bare_photo_draws_the_cameras_arrow() -> None:
    placed = of(SetArrow, drag(ArrowTool(), scene_with_region(), (50, 50), (30, 50)))[0].placed
    assert (placed.number, placed.arrow.degrees, placed.arrow.length) == (0, pytest.approx(180), pytest.approx(20))


def test_a_drag_from_outside_the_photo_draws_nothing() -> None:
    assert drag(ArrowTool(), scene_with_region(), (-30, -30), (30, 50)) == [Select(None)]


def test_a_drawn_arrow_keeps_its_ease() -> None:
    scene = scene_with_region(Arrow(0, 10, bend=0.5, ease_in=0.25, ease_out=1.0))
    arrow = of(SetArrow, drag(ArrowTool(), scene, (12, 28), (12, 58)))[0].placed.arrow
    assert (arrow.ease_in, arrow.ease_out, arrow.bend) == (0.25, 1.0, 0.0)


def test_shift_snaps_the_direction() -> None:
    placed = of(SetArrow, drag(ArrowTool(), scene_with_region(), (15, 20), (45, 17), shift=True))[0].placed
    assert placed.arrow.degrees == 0
    assert placed.handle("tail") == pytest.approx((15, 20))


def test_the_tip_follows_the_hand() -> None:
    scene = scene_with_region(Arrow(0, 40), selected=1)
    placed = scene.placed[0]
    x, y = placed.handle("tip")
    changed = of(SetArrow, drag(ArrowTool(), scene, (x + 1, y + 1), (x + 1, y - 19)))[0].placed
    assert changed.handle("tip") == pytest.approx((x, y - 20))
    assert (changed.x, changed.y) == (placed.x, placed.y)


@given(st.floats(0, 359), st.floats(5, 200), st.floats(-1, 1))
def test_dragging_the_middle_sets_the_bend(degrees: float, length: float, bend: float) -> None:
    placed = Placed(1, Arrow(degrees, length), 50, 60)
    bent = replace(placed, arrow=Arrow(degrees, length, bend))
    dragged = placed.dragged("middle", *bent.handle("middle"))
    assert dragged.arrow.bend == pytest.approx(bend if abs(bend) >= 0.02 else 0, abs=0.021)
    assert dragged.handle("tip") == pytest.approx(placed.handle("tip"))


@given(st.floats(0, 359), st.floats(1, 200), st.floats(-1, 1))
def test_handles_lie_on_the_curve(degrees: float, length: float, bend: float) -> None:
    placed = Placed(1, Arrow(degrees, length, bend), 50, 60)
    tail, middle, tip = placed.curve(np.array([0, 0.5, 1]))
    assert tuple(tail) == pytest.approx(placed.handle("tail"), abs=1e-6)
    assert tuple(middle) == pytest.approx(placed.handle("middle"), abs=1e-6)
    assert tuple(tip) == pytest.approx(placed.handle("tip"), abs=1e-6)


def test_a_click_on_an_arrow_flips_it_and_elsewhere_selects() -> None:
    scene = scene_with_region(Arrow(0, 60))
    assert drag(ArrowTool(), scene, (32, 20), (33, 21)) == [Select(1), Flip(1)]
    assert drag(ArrowTool(), replace(scene, placed=()), (20, 20)) == [Select(1)]
    assert drag(ArrowTool(), scene, (70, 55)) == [Select(None)]


def test_cancel_leaves_the_arrow_alone() -> None:
    tool, scene = ArrowTool(), scene_with_region()
    tool.handle(Press(15, 20), scene)
    assert isinstance(tool.handle(Move(45, 20), scene)[0], ArrowPreview)
    assert tool.handle(Cancel(), scene) == [ArrowPreview(None)]
    assert tool.handle(Release(45, 20), scene) == []


def test_hits_prefer_the_selected_arrow() -> None:
    low, high = Placed(1, Arrow(0, 40), 40, 30), Placed(2, Arrow(0, 40), 40, 30)
    areas = np.zeros((60, 80), np.uint8)
    assert hits.under(60, 30, (low, high), areas, None, 5) == hits.Hit("tip", 2)
    assert hits.under(60, 30, (low, high), areas, 1, 5) == hits.Hit("tip", 1)
    assert hits.under(40, 30, (low, high), areas, 1, 5) == hits.Hit("middle", 1)
    assert hits.under(48, 33, (low, high), areas, None, 5) == hits.Hit("shaft", 2)
    assert hits.under(40, 50, (low, high), areas, None, 5) == hits.Hit("photo", 0)
    assert hits.under(90, 50, (low, high), areas, None, 5) == hits.Hit("outside", None)


# Pan


def test_pan_pushes_and_a_click_selects() -> None:
    assert of(Pan, drag(PanTool(), scene_with_region(), (20, 20), (50, 25)))[0] == Pan(30, 5)
    assert drag(PanTool(), scene_with_region(), (20, 20)) == [Select(1)]
    assert drag(PanTool(), scene_with_region(), (50, 50)) == [Select(None)]


# Where arrows are shown


@pytest.mark.parametrize("shape", [(60, 80), (2400, 3000)])
def test_arrows_stand_at_the_centres_of_gravity(shape: tuple[int, int]) -> None:
    areas = np.zeros(shape, np.uint8)
    areas[10:30, 20:60] = 3
    areas[31, 31] = 5
    guidance = Guidance(areas, tuple(Region(number, "a", Arrow(0, 9)) for number in (3, 5, 7)))
    anchors = Anchors()
    ball, dot = anchors.placed(guidance)
    assert (ball.x, ball.y) == pytest.approx((40, 20), abs=5)
    assert (dot.x, dot.y) == (31.5, 31.5)
    areas[31, 31], areas[40, 50] = 0, 7
    anchors.areas_changed((31, 31, 51, 41))
    ball, dot = anchors.placed(guidance)
    assert (dot.number, dot.x, dot.y) == (7, 50.5, 40.5)
    areas[5, 70] = 5
    anchors.areas_changed((70, 5, 71, 6))
    assert {one.number: (one.x, one.y) for one in anchors.placed(guidance)}[7] == (50.5, 40.5)


def test_an_arrow_stays_where_it_was_drawn_while_its_region_is_there() -> None:
    scene = scene_with_region(Arrow(0, 10))
    drawn = replace(scene.guidance, regions=(Region(1, "a", Arrow(0, 10), (12.0, 13.0)),))
    anchors = Anchors()
    assert anchors.centre(drawn, 1) == (12, 13)
    assert anchors.centre(scene.guidance, 1) == pytest.approx((20, 20))
    scene.guidance.areas[10:16, 10:30] = 0
    anchors.areas_changed((10, 10, 30, 16))
    assert anchors.centre(drawn, 1) == pytest.approx((20, 23))
    assert anchors.centre(drawn, 0) == (40, 30)


# Colours


def test_region_colours_are_stable_and_neighbours_differ() -> None:
    assert len({colours.region(number) for number in range(1, 11)}) == 10
    table = colours.tint_table()
    assert table[0] == 0
    assert len(table) == 256
    assert len(set(table[1:11].tolist())) == 10


def test_flow_colours_are_middleburys() -> None:
    directions = [(1, 0), (0, 1), (-1, 0), (0, -1), (0, 0), (np.nan, 0)]
    words = colours.flow_picture(np.array([directions], np.float32))[0]
    channels = [(int(word) >> 16 & 255, int(word) >> 8 & 255, int(word) & 255) for word in words]
    right, down, left, up, rest, unknown = channels
    assert right[0] == 255
    assert max(right[1:]) < 30
    assert left[2] > 200
    assert left[0] < 30
    assert down[0] == 255
    assert down[1] > 150
    assert up[2] > 200
    assert rest == (255, 255, 255)
    assert unknown == (0, 0, 0)
    assert words[5] == 0


def test_an_error_of_nothing_is_clear() -> None:
    words = colours.error_picture(np.array([[0.0, 1.0, np.nan]]))
    assert words[0, 0] == 0
    assert words[0, 1] >> 24 == 255
    assert words[0, 2] == 0


def test_a_drag_across_the_selected_region_is_its_arrow_while_it_has_none() -> None:
    def number(scene: Scene, *points: tuple[float, float]) -> int:
        return of(SetArrow, drag(ArrowTool(), scene, *points))[0].placed.number

    across, beside = ((5, 20), (50, 20)), ((5, 50), (50, 55))
    assert number(scene_with_region(selected=1), *across) == 1
    assert number(scene_with_region(selected=1), *beside) == 0
    assert number(scene_with_region(), *across) == 0
    assert number(scene_with_region(Arrow(0, 5), selected=1), (5, 14), (50, 14)) == 0

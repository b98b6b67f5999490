from __future__ import annotations

import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.document import Change, Document, Edit, Paint, paint
from app.edits import packed, unpacked
from app.photo import Photo
from models.guidance import Guidance, Region
from models.motion import Arrow, Motion
from models.recovery import Recovery

HEIGHT, WIDTH = 20, 30


def photo(height: int = HEIGHT, width: int = WIDTH) -> Photo:
    return Photo(np.zeros((height, width, 3), np.uint8), "photo.png", np.zeros(1, np.uint8))


def recovery() -> Recovery:
    return Recovery(np.zeros((2, HEIGHT, WIDTH, 3), np.uint8), np.array([0, 1], np.float32), None, "drawn")


def state(document: Document) -> tuple:
    guidance = document.guidance
    return guidance.areas.tobytes(), guidance.regions, guidance.camera, document.recoveries


arrows = st.builds(Arrow, st.floats(0, 359), st.floats(0, 200), st.floats(-1, 1))
rects = st.tuples(st.integers(0, 20), st.integers(0, 15), st.integers(1, 15), st.integers(1, 10))


def act(document: Document, deed: tuple) -> None:
    """One deed out of what a person may do; those that cannot be done now are left out."""
    kind, choice, rect, arrow, joins = deed
    x, y, w, h = rect
    numbers = [region.number for region in document.guidance.regions]
    number = numbers[choice % len(numbers)] if numbers else None
    if kind == "paint":
        document.paint((x, y, x + w, y + h), choice % 5, joins=joins)
    elif kind == "add":
        document.add_region(arrow=arrow)
    elif kind == "camera":
        document.set_camera(arrow, joins=joins)
    elif kind == "recover":
        document.add_recovery(recovery())
    elif kind == "undo":
        document.undo()
    elif kind == "redo":
        document.redo()
    elif kind == "guidance":
        document.set_guidance(Guidance(np.full((HEIGHT, WIDTH), choice % 3, np.uint8), (Region(1, "all", arrow),)))
    elif number is not None and kind == "remove":
        document.remove_region(number)
    elif number is not None and kind == "arrow":
        document.set_arrow(number, arrow, joins=joins)
    elif number is not None and kind == "flip":
        document.flip_region(number)
    elif number is not None and kind == "rename":
        document.rename(number, f"name {choice}")
    elif kind == "reorder":
        document.reorder(numbers[::-1])


kinds = [
    "paint",
    "add",
    "camera",
    "recover",
    "undo",
    "redo",
    "guidance",
    "remove",
    "arrow",
    "flip",
    "rename",
    "reorder",
]
deeds = st.lists(st.tuples(st.sampled_from(kinds), st.integers(0, 50), rects, arrows, st.booleans()), max_size=25)


@given(deeds)
@settings(deadline=None)
def test_undo_of_everything_gives_back_the_start_and_redo_the_end(todo: list[tuple]) -> None:
    document = Document(photo())
    start, areas = state(document), document.guidance.areas
    for deed in todo:
        act(document, deed)
    while document.can_redo:
        document.redo()
    end, steps = state(document), 0
    while document.can_undo:
        document.undo()
        steps += 1
    assert state(document) == start
    assert not document.modified
    for _ in range(steps):
        document.redo()
    assert state(document) == end
    assert not document.can_redo
    assert document.guidance.areas is areas


@given(deeds)
@settings(deadline=None)
def test_replaying_the_journalled_edits_gives_the_same_guidance(todo: list[tuple]) -> None:
    document, lines = Document(photo()), []
    document.journal = lambda edit, joins: lines.append((msgspec.json.encode(edit), joins))
    for deed in todo:
        act(document, deed)
    again = Document(photo())
    for line, joins in lines:
        again.apply(msgspec.json.decode(line, type=Edit), joins)
    assert state(again)[:3] == state(document)[:3]
    while again.can_undo:
        again.undo()
    assert state(again) == state(Document(photo()))


@given(deeds)
@settings(deadline=None)
def test_changes_tell_all_that_became_different(todo: list[tuple]) -> None:
    document = Document(photo())
    mirror = document.guidance.areas.copy()
    seen = document.guidance

    def listen(change: Change) -> None:
        nonlocal seen
        if change.what == "areas":
            assert change.rect is not None
            x0, y0, x1, y1 = change.rect
            mirror[y0:y1, x0:x1] = document.guidance.areas[y0:y1, x0:x1]
        seen = document.guidance

    document.subscribe(listen)
    for deed in todo:
        act(document, deed)
    assert np.array_equal(mirror, document.guidance.areas)
    assert seen is document.guidance


def test_a_stroke_in_pieces_is_one_step() -> None:
    document = Document(photo())
    for x in range(5):
        document.paint((x, 0, x + 2, 2), 1, "Stroke", joins=x > 0)
    assert document.undo_text == "Stroke"
    document.undo()
    assert not document.guidance.areas.any()
    assert not document.can_undo


def test_dragging_an_arrow_keeps_one_edit() -> None:
    document = Document(photo())
    number = document.add_region()
    for length in range(50):
        document.set_arrow(number, Arrow(45, length), joins=length > 0)
    document.undo()
    assert document.guidance.region(number) == Region(number, "region 1", None)


def test_deleting_a_region_erases_it_in_one_step() -> None:
    document = Document(photo())
    number = document.add_region(arrow=Arrow(0, 10))
    document.paint((2, 3, 10, 9), number)
    before = state(document)
    document.remove_region(number)
    assert not document.guidance.areas.any()
    assert not document.guidance.regions
    document.undo()
    assert state(document) == before


def test_modified_is_about_what_was_saved() -> None:
    document = Document(photo())
    document.add_region()
    document.mark_saved()
    assert not document.modified
    document.undo()
    assert document.modified
    document.redo()
    assert not document.modified
    saved = document.state
    document.add_region()
    document.mark_saved(saved)
    assert document.modified


def test_an_unsubscribed_listener_hears_nothing() -> None:
    document, heard = Document(photo()), []
    unsubscribe = document.subscribe(heard.append)
    document.add_region()
    unsubscribe()
    document.add_region()
    assert heard == [Change("regions")]


sizes = st.tuples(st.integers(1, 20), st.integers(1, 9))


@given(arrays(np.uint8, sizes, elements=st.integers(0, 2)), st.integers(1, 9))
def test_what_is_packed_comes_back_as_it_was(values: np.ndarray, times: int) -> None:
    values = np.repeat(values, times, axis=0)
    assert np.array_equal(unpacked(packed(values), *values.shape), values)
    assert np.array_equal(unpacked(zlib.compress(values.tobytes()), *values.shape), values)


def test_strokes_over_the_border_are_cut() -> None:
    areas = np.zeros((4, 4), np.uint8)
    edit = paint(areas, (-2, -2, 2, 2), np.arange(16, dtype=np.uint8).reshape(4, 4))
    assert edit.rect == (0, 0, 2, 2)
    document = Document(photo(16, 16))
    document.apply(edit)
    assert document.guidance.areas[:2, :2].tolist() == [[10, 11], [14, 15]]


@pytest.mark.parametrize(
    "edit",
    [
        Paint("far", 25, 0, 10, 5, b"", b""),
        Paint("negative", -1, 0, 2, 2, b"", b""),
        Paint("rubbish", 0, 0, 2, 2, b"", b"rubbish"),
        Paint("short", 0, 0, 9, 9, b"", zlib.compress(bytes(80))),
        Paint("no row", 0, 0, 8, 8, b"", b"R" + zlib.compress(bytes(1))),
        Paint("first row missing", 0, 0, 8, 8, b"", b"R" + zlib.compress(b"\x01" + bytes(8))),
        Paint("a row too many", 0, 0, 8, 8, b"", b"R" + zlib.compress(b"\x80" + bytes(16))),
        Paint("half a row", 0, 0, 8, 8, b"", b"R" + zlib.compress(b"\x80" + bytes(4))),
        Paint("flood", 0, 0, 8, 8, b"", b"R" + zlib.compress(b"\xff" + bytes(1 << 20))),
    ],
)
def test_a_stroke_that_does_not_fit_changes_nothing(edit: Paint) -> None:
    document = Document(photo())
    with pytest.raises(ValueError, match="stroke"):
        document.apply(edit)
    assert not document.can_undo
    assert not document.guidance.areas.any()


def test_names_and_numbers_are_checked() -> None:
    document = Document(photo())
    number = document.add_region()
    with pytest.raises(ValueError, match="name"):
        document.rename(number, "  ")
    with pytest.raises(ValueError, match="no region 7"):
        document.set_arrow(7, Arrow(0, 1))
    with pytest.raises(ValueError, match="every region once"):
        document.reorder([])
    for _ in range(253):
        document.add_region()
    with pytest.raises(ValueError, match="254 regions"):
        document.add_region()


def test_guidance_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="5 x 5 px"):
        Document(photo(), Guidance.empty(5, 5))
    with pytest.raises(ValueError, match="5 x 5 px"):
        Document(photo()).set_guidance(Guidance.empty(5, 5))


def test_dense_motion_can_be_undone() -> None:
    document = Document(photo())
    motion = Motion.from_flow(np.ones((4, 6, 2), np.float32))
    document.set_motion(motion)
    assert document.guidance.motion is motion
    document.undo()
    assert document.guidance.motion is None


def test_the_recovery_looked_at_follows() -> None:
    document = Document(photo())
    document.add_recovery(recovery())
    document.add_recovery(recovery())
    assert document.current == 1
    document.show(0)
    document.remove_recovery(0)
    assert document.current == 0
    document.undo()
    assert len(document.recoveries) == 2
    document.show(None)
    with pytest.raises(ValueError, match="no recovery 2"):
        document.show(2)


def test_reversing_a_recovery_is_one_step_and_undone() -> None:
    document = Document(photo())
    frames = np.stack([np.full(document.photo.pixels.shape, value, np.uint8) for value in (1, 2, 3)])
    recovery = Recovery(frames, np.array([0, 0.25, 1], np.float32), None, "drawn")
    document.add_recovery(recovery)
    document.reverse_recovery(0)
    assert document.recoveries[0].frames[:, 0, 0, 0].tolist() == [3, 2, 1]
    assert document.recoveries[0].times.tolist() == [0, 0.75, 1]
    assert document.undo_text == "Reverse"
    document.undo()
    assert document.recoveries == (recovery,)


def test_flipping_everything_turns_all_arrows_in_one_step() -> None:
    document = Document(photo())
    document.flip_all()
    assert not document.can_undo
    number = document.add_region(arrow=Arrow(30, 5, ease_in=1))
    document.set_camera(Arrow(90, 7))
    document.flip_all()
    assert document.guidance.regions[0].arrow == Arrow(210, 5, ease_out=1)
    assert document.guidance.camera == Arrow(270, 7)
    document.undo()
    assert document.guidance.region(number).arrow == Arrow(30, 5, ease_in=1)
    assert document.guidance.camera == Arrow(90, 7)


def test_what_does_not_count_needs_no_saving_done_or_undone() -> None:
    document = Document(photo())
    recovery = Recovery(document.photo.pixels[None], np.array([0.5], np.float32), None, "drawn")
    document.add_recovery(recovery, counts=False)
    assert not document.modified
    document.undo()
    assert not document.modified
    document.redo()
    document.set_camera(Arrow(0, 3))
    assert document.modified
    document.undo()
    assert not document.modified
    document.set_camera(Arrow(0, 4))
    document.add_recovery(recovery, counts=False)
    assert document.modified

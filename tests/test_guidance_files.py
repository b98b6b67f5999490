"""Guidance in and out of the window, as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.document import Document
from app.guidance_files import read_guidance
from app.motion_files import write_flo
from app.photo import Photo
from models.guidance import read_labels, write_labels
from models.motion import Arrow

SIZE = (40, 60)
PATIENCE = 60_000


@pytest.fixture
def document(shell) -> Document:
    document = Document(Photo(np.zeros((*SIZE, 3), np.uint8), "some.png", np.zeros(1, np.uint8)))
    shell.desk.set_document(document)
    return document


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path, values = tmp_path / "labels.png", np.full(SIZE, 255, np.uint8)
    values[5:15, 10:20] = 2
    write_labels(path, values)
    return path


def flo(path: Path, size: tuple[int, int] = SIZE) -> Path:
    write_flo(path, np.full((*size, 2), (6, -2), np.float32))
    return path


def test_labels_become_regions_and_one_undo_brings_back_what_was(shell, document, labels, qtbot):
    document.add_region("mine", Arrow(0, 9))
    document.paint((30, 30, 40, 40), 1)
    before = document.guidance.areas.copy(), document.guidance.regions
    shell.guidance_files.import_from(labels)
    qtbot.waitUntil(lambda: not shell.file_jobs.busy, timeout=PATIENCE)
    (region,) = document.guidance.regions
    assert region.arrow == Arrow(135, 2)
    assert np.array_equal(np.argwhere(document.guidance.areas)[[0, -1]], [[5, 10], [14, 19]])
    shell.actions_by_name["undo"].trigger()
    assert np.array_equal(document.guidance.areas, before[0])
    assert document.guidance.regions == before[1]


def test_motion_lies_under_the_regions_and_can_be_taken_away(shell, document, tmp_path, qtbot):
    document.add_region()
    assert not shell.actions_by_name["forget_motion"].isEnabled()
    shell.guidance_files.import_from(flo(tmp_path / "motion.flo"))
    qtbot.waitUntil(lambda: document.guidance.motion is not None, timeout=PATIENCE)
    assert document.guidance.flow()[20, 30] == pytest.approx((6, -2))
    assert len(document.guidance.regions) == 1
    shell.actions_by_name["forget_motion"].trigger()
    assert document.guidance.motion is None
    shell.actions_by_name["undo"].trigger()
    assert document.guidance.motion is not None


@pytest.mark.parametrize("kind", ["labels", "motion"])
def test_another_size_is_told_and_nothing_changes(shell, document, kind, tmp_path, qtbot):
    path = flo(tmp_path / "a.flo", (20, 30)) if kind == "motion" else tmp_path / "a.png"
    if kind == "labels":
        write_labels(path, np.ones((20, 30), np.uint8))
    shell.guidance_files.import_from(path)
    qtbot.waitUntil(lambda: shell.error_bar.sentence != "", timeout=PATIENCE)
    assert shell.error_bar.sentence == f"{path.name} has 30 x 20 px, the photo 60 x 40"
    assert not document.can_undo


def test_a_picture_that_is_no_guidance_is_told(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ValueError, match="no motion"):
        read_guidance(tmp_path / "a.txt", *SIZE, 5)


def test_what_was_painted_goes_out_and_comes_in_again(shell, document, tmp_path, qtbot):
    document.add_region("one", Arrow(45, 20))
    document.paint((0, 0, 10, 10), 1)
    shell.guidance_files.export_to(tmp_path / "out.png")
    qtbot.waitUntil(lambda: not shell.file_jobs.busy, timeout=PATIENCE)
    written = read_labels(tmp_path / "out.png")
    assert (written[:10, :10] == 1).all()
    assert (written[10:] == 255).all()
    shell.guidance_files.import_from(tmp_path / "out.png")
    qtbot.waitUntil(lambda: document.can_undo and document.undo_text == "Import guidance", timeout=PATIENCE)
    assert (document.guidance.labels() == written).all()


def test_a_dropped_motion_file_is_imported(shell, document, tmp_path, qtbot):
    from PySide6.QtCore import QMimeData, QUrl

    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(flo(tmp_path / "motion.flo")))])
    shell.take(data)
    qtbot.waitUntil(lambda: document.guidance.motion is not None, timeout=PATIENCE)

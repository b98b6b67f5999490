"""Painted photos find their guidance, and the sheet tells what moved from what did not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_video import HEIGHT, WIDTH, blurred

from benchmarks import painted
from models.guidance import Guidance, write_labels
from models.motion import Arrow, Motion, instants
from models.recovery import Recovery


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A photo whose left half was painted to stand and whose right half to move right and up."""
    photos, guidance = tmp_path / "photos", tmp_path / "guidance"
    photos.mkdir()
    guidance.mkdir()
    cv2.imwrite(str(photos / "one.jpg"), blurred(0)[..., ::-1])
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[:, WIDTH // 2 :] = 1
    write_labels(guidance / "one.png", labels)
    return photos, guidance


def test_a_photo_is_found_by_the_name_of_its_guidance(folders: tuple[Path, Path]) -> None:
    photos, guidance = folders
    assert painted.pairs(photos, guidance) == [(photos / "one.jpg", guidance / "one.png")]
    (photos / "one.jpg").unlink()
    with pytest.raises(ValueError, match="no photo one"):
        painted.pairs(photos, guidance)


def test_only_what_was_painted_as_moving_is_measured() -> None:
    areas = np.zeros((8, 8), np.uint8)
    guidance = Guidance.from_labels(areas + np.uint8([0] * 4 + [1] * 4), 5)
    flow = np.zeros((8, 8, 2), np.float32)
    flow[:, 4:] = 3, -4
    frames = np.stack([np.full((8, 8, 3), level, np.uint8) for level in (10, 10, 4)])
    recovery = Recovery(frames, instants(3), Motion.from_flow(flow), "")
    assert painted.moved(guidance, recovery) == pytest.approx(5)
    assert painted.moved(Guidance.empty(8, 8), recovery) == 0
    assert (painted.difference(recovery) == 6).all()


def test_the_sheet_shows_six_pictures_a_photo(folders, tmp_path, monkeypatch, capsys) -> None:
    photos, guidance = folders
    sheet = tmp_path / "sheet.png"
    arguments = ["--photos", str(photos), "--guidance", str(guidance), "--sheet", str(sheet), "-e", "drawn"]
    monkeypatch.setattr(sys, "argv", ["painted", *arguments])
    painted.main()
    usual = Arrow(45, round(0.03 * WIDTH))
    assert json.loads(capsys.readouterr().out)["moved"]["one"] == pytest.approx(usual.length, abs=0.5)
    written = cv2.imread(str(sheet))
    _, _, first, _, _, difference = np.array_split(written[:300], 6, axis=1)
    still, moving = difference[:, :150], difference[:, -150:]
    assert moving.mean() > 5 * still.mean()
    assert first[:, -150:].std() > 10


def test_every_bundled_guidance_is_told_of() -> None:
    told = (painted.GUIDANCE / "README.md").read_text()
    files = sorted(painted.GUIDANCE.glob("*.png"))
    assert len(files) == 10
    assert all(f"`{one.name}`" in told for one in files)

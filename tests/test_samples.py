"""Every bundled photo is there, licensed, and comes with guidance that lies on it."""

from __future__ import annotations

import pytest
from PIL import Image

from app.samples import FOLDER, Sample, sample, samples
from models.guidance import NO_REGION


@pytest.mark.parametrize("one", samples(), ids=lambda one: one.name)
def test_a_sample_has_a_licence_and_says_how_it_moves(one: Sample) -> None:
    with Image.open(one.path) as photo:
        guidance = one.guidance(photo.height, photo.width)
    assert one.title
    assert one.licence
    assert one.attribution
    assert guidance.says_motion()
    for region in guidance.regions:
        share = (guidance.areas == region.number).mean()
        assert 0.0005 < share < 0.5, f"{region.name} covers {share:.2%}"
    if not guidance.regions:
        assert (guidance.areas == NO_REGION).all()


def test_every_file_is_named_in_the_licences() -> None:
    said = (FOLDER / "LICENCES.md").read_text()
    for photo in [*FOLDER.glob("*.jpg"), *FOLDER.glob("*.png")]:
        assert photo.name in said
        assert sample(photo.stem).path == photo


def test_an_unknown_sample_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="there is no sample called cat; there is cups"):
        sample("cat")

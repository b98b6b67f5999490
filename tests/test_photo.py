from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from app import photo as photo_module
from app.photo import decode_photo, oriented, read_photo

HEIGHT, WIDTH = 24, 32


def picture(depth: type = np.uint8) -> np.ndarray:
    """A picture in which no two pixels and no two channels are alike."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    rgb = np.stack([x * 8, y * 10, (x + y) * 4], -1)
    return (rgb * (257 if depth is np.uint16 else 1) + (depth is np.uint16)).astype(depth)


def encoded(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    (image or Image.fromarray(picture())).save(file, kind, **options)
    return file.getvalue()


def deep_png(pixels: np.ndarray) -> bytes:
    order = [2, 1, 0, 3][: pixels.shape[2]] if pixels.ndim == 3 else slice(None)
    return cv2.imencode(".png", pixels[..., order] if pixels.ndim == 3 else pixels)[1].tobytes()


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **{"photometric": "rgb" if pixels.ndim == 3 else "minisblack", **options})
    return file.getvalue()


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_lossless_pictures_keep_every_pixel(kind: str) -> None:
    photo = decode_photo(encoded(kind), "a")
    assert photo.pixels.dtype == np.uint8
    assert np.array_equal(photo.pixels, picture())


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 100}), ("WEBP", {"lossless": True}), ("AVIF", {})])
def test_other_pictures_come_close(kind: str, options: dict) -> None:
    photo = decode_photo(encoded(kind, **options), "a")
    assert np.abs(photo.pixels.astype(int) - picture()).mean() < 5


def test_sixteen_bits_are_kept() -> None:
    deep = picture(np.uint16)
    planes = tiff(deep.transpose(2, 0, 1), planarconfig="separate")
    for data in (deep_png(deep), tiff(deep), tiff(deep, compression="zlib"), planes):
        pixels = decode_photo(data, "deep").pixels
        assert pixels.dtype == np.uint16
        assert np.array_equal(pixels, deep)


def test_a_sixteen_bit_tiff_under_lzw_is_read() -> None:
    data = cv2.imencode(".tiff", picture(np.uint16)[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1].tobytes()
    assert np.array_equal(decode_photo(data, "lzw.tif").pixels, picture(np.uint16))


def test_grey_becomes_three_equal_channels() -> None:
    grey, deep = picture()[..., 0], picture(np.uint16)[..., 0]
    for data, wanted in [(encoded("PNG", Image.fromarray(grey)), grey), (deep_png(deep), deep), (tiff(deep), deep)]:
        pixels = decode_photo(data, "grey").pixels
        assert all(np.array_equal(pixels[..., channel], wanted) for channel in range(3))
    inverted = decode_photo(tiff(65535 - deep, photometric="miniswhite"), "inverted").pixels
    assert np.array_equal(inverted[..., 0], deep)


def test_transparent_pixels_are_laid_on_white_and_said() -> None:
    for white in (255, 65535):
        depth = np.uint8 if white == 255 else np.uint16
        rgba = np.dstack([picture(depth), np.full((HEIGHT, WIDTH), white, depth)])
        rgba[:4, :, 3] = 0
        data = encoded("PNG", Image.fromarray(rgba)) if white == 255 else deep_png(rgba)
        photo = decode_photo(data, "alpha.png")
        assert (photo.pixels[:4] == white).all()
        assert np.array_equal(photo.pixels[4:], picture(depth)[4:])
        assert "white" in photo.notes[0]


def test_cmyk_is_converted_and_said() -> None:
    image = Image.fromarray(picture()).convert("CMYK")
    photo = decode_photo(encoded("TIFF", image), "cmyk.tif")
    assert np.abs(photo.pixels.astype(int) - picture()).max() < 3
    assert "CMYK" in photo.notes[0]


def test_floating_point_is_read_as_linear_light() -> None:
    photo = decode_photo(tiff(np.full((HEIGHT, WIDTH, 3), 0.2158605, np.float32)), "f.tif")
    assert abs(int(photo.pixels[0, 0, 0]) - 32896) <= 4
    assert "linear" in photo.notes[0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_as_pillow_does(orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera"
    image = Image.fromarray(picture())
    image.getexif()[0x0112] = orientation
    wanted = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(oriented(picture(), orientation), wanted)
    for kind in ("PNG", "TIFF"):
        photo = decode_photo(encoded(kind, exif=exif), "turned")
        assert np.array_equal(photo.pixels, wanted)
        assert photo.exif is not None
        carried = Image.Exif()
        carried.load(photo.exif)
        assert dict(carried) == {0x010F: "Camera"}


def test_the_orientation_of_deep_pictures_is_applied() -> None:
    data = tiff(picture(np.uint16), extratags=[(274, 3, 1, 6, True), (271, 2, 0, "Camera", True)])
    photo = decode_photo(data, "t.tif")
    assert np.array_equal(photo.pixels, np.rot90(picture(np.uint16), -1))
    assert b"Camera" in (photo.exif or b"")


def test_the_colour_profile_is_carried() -> None:
    profile = srgb_profile()
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        assert decode_photo(encoded(kind, icc_profile=profile), "a").profile == profile
    assert decode_photo(tiff(picture(np.uint16), iccprofile=profile), "a").profile == profile
    assert decode_photo(encoded("PNG", icc_profile=b"no profile"), "a").profile is None


def test_the_first_of_many_pictures_is_read_and_said() -> None:
    second = Image.fromarray(255 - picture())
    photo = decode_photo(encoded("TIFF", save_all=True, append_images=[second]), "many.tif")
    assert np.array_equal(photo.pixels, picture())
    assert "2 pictures" in photo.notes[0]


def test_the_original_is_kept_to_the_byte(tmp_path: Path) -> None:
    data = encoded("JPEG")
    (tmp_path / "holiday.jpg").write_bytes(data)
    photo = read_photo(tmp_path / "holiday.jpg")
    assert (photo.name, photo.data.tobytes()) == ("holiday.jpg", data)


def test_files_that_are_no_photos_end_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.jpg").write_bytes(encoded("JPEG")[:-200])
    (tmp_path / "cut.png").write_bytes(deep_png(picture(np.uint16))[:-100])
    (tmp_path / "cut.tif").write_bytes(tiff(picture(np.uint16))[:-900])
    (tmp_path / "nan.tif").write_bytes(tiff(np.full((HEIGHT, WIDTH, 3), np.nan, np.float32)))
    (tmp_path / "counts.tif").write_bytes(tiff(np.zeros((HEIGHT, WIDTH), np.uint32)))
    (tmp_path / "small.png").write_bytes(encoded("PNG", Image.new("RGB", (15, 200))))
    (tmp_path / "icon.eps").write_bytes(encoded("EPS"))
    (tmp_path / "cr.nef").write_bytes(b"II*\0" + bytes(400))
    expected = {
        "missing.png": "does not exist",
        "": "is a folder",
        "empty.png": "is empty",
        "text.png": "is not a photo",
        "cut.jpg": "cut short",
        "cut.png": "cut short",
        "cut.tif": "cut short",
        "nan.tif": "no numbers",
        "counts.tif": "not read",
        "small.png": "too small: 15 x 200 px",
        "icon.eps": "is not a photo",
        "cr.nef": "raw photo|cannot be read",
    }
    for name, sentence in expected.items():
        with pytest.raises(ValueError, match=sentence) as caught:
            read_photo(tmp_path / name)
        assert "\n" not in str(caught.value)
    monkeypatch.setattr(photo_module, "MAX_BYTES", 4)
    with pytest.raises(ValueError, match="is larger than"):
        read_photo(tmp_path / "text.png")


def test_a_pixel_flood_is_refused_before_it_is_unpacked() -> None:
    for side in (12_000, 30_000):
        data = encoded("PNG", Image.new("1", (side, side)))
        assert len(data) < 1 << 20
        with pytest.raises(ValueError, match="too large"):
            decode_photo(data, "flood.png")


SEEDS = {
    "jpeg": encoded("JPEG", icc_profile=srgb_profile()),
    "png": encoded("PNG"),
    "deep.png": deep_png(picture(np.uint16)),
    "webp": encoded("WEBP"),
    "gif": encoded("GIF"),
    "bmp": encoded("BMP"),
    "tiff": encoded("TIFF", compression="tiff_lzw"),
    "deep.tiff": tiff(picture(np.uint16), compression="zlib"),
    "float.tiff": tiff(picture().astype(np.float32)),
    "avif": encoded("AVIF"),
}


bit_flips = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 7)), max_size=6)


@given(st.sampled_from(sorted(SEEDS)), st.integers(0, 1 << 16), bit_flips)
@settings(deadline=None, max_examples=400)
def test_damage_never_raises_anything_but_one_sentence(name: str, cut: int, flips: list[tuple[int, int]]) -> None:
    data = bytearray(SEEDS[name])
    for place, bit in flips:
        data[place % len(data)] ^= 1 << bit
    data = data[: cut % len(data)] if cut % 2 else data
    sentence, photo = "", None
    try:
        photo = decode_photo(bytes(data), name)
    except ValueError as error:
        sentence = str(error)
    if photo is None:
        assert sentence.startswith(name)
        assert "\n" not in sentence
    else:
        assert photo.pixels.shape[2] == 3
        assert photo.pixels.dtype in (np.uint8, np.uint16)

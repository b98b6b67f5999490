"""Pictures of more than 8 bits, which Pillow would silently cut down: PNG by OpenCV, TIFF by tifffile, raw by rawpy."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass

import numpy as np

from app.photo import Unfit, check_size, on_white

Notes = tuple[str, ...]

MAX_DECODED = 2 << 30
_ORIENTATION, _PROFILE = 274, 34675


def is_deep_png(data: bytes) -> bool:
    """Whether a PNG's header (the 25th byte: bits a sample) says 16 bits."""
    return len(data) > 24 and data[24] == 16


def png(data: bytes) -> tuple[np.ndarray, Notes]:
    """uint16 (H, W, 3) of a 16-bit PNG whose size was checked already."""
    return _in_three(_by_opencv(data))


@dataclass(frozen=True)
class DeepTiff:
    """uint16 (H, W, 3) before its EXIF orientation (1 to 8) is applied."""

    pixels: np.ndarray
    orientation: int
    profile: bytes | None
    notes: Notes


def tiff(data: bytes) -> DeepTiff | None:
    """A TIFF's first page; None where it has at most 8 bits a sample, or is none for tifffile."""
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        file = tifffile.TiffFile(io.BytesIO(data))
    except tifffile.TiffFileError:
        return None
    with file:
        page = file.pages.first
        if page.dtype is None or page.dtype.itemsize == 1:
            return None
        check_size(page.imagelength, page.imagewidth)
        if page.samplesperpixel > 5 or page.imagedepth != 1:
            raise Unfit(f"has pixels of a kind that is not read ({page.samplesperpixel} x {page.dtype})")
        pixels, notes = _integers(_samples(page, data))
        if len(file.pages) > 1:
            notes = (*notes, f"The file holds {len(file.pages)} pictures; the first was read.")
        rgb, notes = _coloured(pixels, tifffile.PHOTOMETRIC(page.photometric).name or "", notes)
        tags = {code: tag.value for code in (_ORIENTATION, _PROFILE) if (tag := page.tags.get(code))}
        return DeepTiff(rgb, tags.get(_ORIENTATION, 1), tags.get(_PROFILE), notes)


def raw(data: bytes) -> np.ndarray:
    """uint16 (H, W, 3), developed in sRGB with the camera's white balance, orientation applied."""
    try:
        import rawpy  # type: ignore[import-not-found]
    except ImportError as error:
        raise Unfit("is a raw photo; install the extra to read those: pip install unshutter[raw]") from error
    with rawpy.imread(io.BytesIO(data)) as file:
        check_size(file.sizes.height, file.sizes.width)
        return file.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            output_bps=16,
            gamma=(2.4, 12.92),
            output_color=rawpy.ColorSpace.sRGB,
        )


def _samples(page, data: bytes) -> np.ndarray:
    """The page's samples (H, W, C); by OpenCV where its compression is one that tifffile leaves to others."""
    if page.nbytes > MAX_DECODED:
        raise Unfit(f"is too large: it unpacks to more than {MAX_DECODED >> 30} GB")
    try:
        pixels = page.asarray(maxworkers=1)
    except (ValueError, ImportError):
        pixels = _by_opencv(data)
    else:
        if page.axes == "SYX":
            pixels = pixels.transpose(1, 2, 0)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.shape[:2] != (page.imagelength, page.imagewidth):
        raise ValueError("the page has another size than it says")
    return pixels


def _by_opencv(data: bytes) -> np.ndarray:
    """(H, W, C), RGB order, orientation not applied."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("OpenCV cannot read it")
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return pixels if pixels.shape[2] < 3 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def _integers(samples: np.ndarray) -> tuple[np.ndarray, Notes]:
    if samples.dtype.kind == "u" and samples.dtype.itemsize == 2:
        return samples.astype(np.uint16, copy=False), ()
    if samples.dtype.kind != "f":
        raise Unfit(f"has pixels of a kind that is not read ({samples.dtype})")
    light = samples.astype(np.float32)
    if not np.isfinite(light).all():
        raise Unfit("holds pixels that are no numbers")
    light = np.clip(light, 0, 1)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** np.float32(1 / 2.4) - 0.055)
    return (curve * 65535 + 0.5).astype(np.uint16), ("Floating-point pixels were read as linear light, 1.0 as white.",)


def _coloured(pixels: np.ndarray, photometric: str, notes: Notes) -> tuple[np.ndarray, Notes]:
    if photometric == "SEPARATED" and pixels.shape[2] >= 4:
        light = (65535 - pixels[..., :4].astype(np.float32)) / 65535
        rgb = (light[..., :3] * light[..., 3:] * 65535 + 0.5).astype(np.uint16)
        return rgb, (*notes, "CMYK was converted to sRGB.")
    if photometric == "MINISWHITE" and pixels.shape[2] == 1:
        pixels = 65535 - pixels
    elif photometric not in ("MINISBLACK", "RGB"):
        raise Unfit(f"has colours of a kind that is not read ({photometric.lower()}, 16 bits)")
    rgb, more = _in_three(pixels)
    return rgb, (*notes, *more)


def _in_three(pixels: np.ndarray) -> tuple[np.ndarray, Notes]:
    """(H, W, 3) of grey, grey with alpha, RGB or RGB with alpha."""
    if pixels.dtype != np.uint16 or not 1 <= pixels.shape[2] <= 4:
        raise ValueError(f"{pixels.dtype} {pixels.shape} is no picture of 16 bits")
    if pixels.shape[2] < 3:
        pixels = np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), pixels[..., 1:]], axis=2)
    return on_white(pixels) if pixels.shape[2] == 4 else (np.ascontiguousarray(pixels), ())

"""A picture file as pixels, with what belongs to it.

Nothing about a file is believed: only formats meant here are tried, sizes are checked before pixels are made, and
whatever is wrong ends in a ValueError with one sentence.
"""

from __future__ import annotations

import io
import stat
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 512 << 20
MAX_PIXELS = 120_000_000
MIN_SIDE = 16
MAX_BLOCK = 16 << 20
"""Bytes of an embedded profile or EXIF block that is carried along."""

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
HEIF_SUFFIXES = (".heic", ".heif")
RAW_SUFFIXES = (".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".srw")
_PLAIN_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif")
SUFFIXES = (*_PLAIN_SUFFIXES, *HEIF_SUFFIXES, *RAW_SUFFIXES)
"""What a file dialog offers. Reading looks at the content; only raw and HEIF files are known by their names."""

_ORIENTATION, _EXIF_IFD, _GPS_IFD = 0x0112, 0x8769, 0x8825
_CARRIED = (0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x8298)
"""Description, camera, resolution, software, date, artist, copyright: no tag that says how pixels lie in the file."""
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PIXEL_SIZES = (0xA002, 0xA003, 0xA005)


@dataclass(frozen=True)
class Photo:
    """One picture.

    pixels   (H, W, 3) uint8 or uint16, sRGB curve in the photo's own colour profile, orientation applied.
    name     the file's name, "holiday.jpg".
    data     the original file's bytes, uint8 (size,).
    profile  its ICC profile, None where it has none.
    exif     its EXIF block without orientation and pixel sizes, None where it has none.
    notes    sentences for the user about what reading it took.
    """

    pixels: np.ndarray
    name: str
    data: np.ndarray = field(repr=False)
    profile: bytes | None = field(default=None, repr=False)
    exif: bytes | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()


class Unfit(ValueError):
    """A photo that could be read but is not meant here; says why without the file's name."""


def read_photo(path: str | Path) -> Photo:
    """The photo in a file. Raises ValueError with one sentence on anything that is none."""
    path = Path(path)
    return decode_photo(read_file(path, MAX_BYTES), path.name)


def decode_photo(data: bytes, name: str) -> Photo:
    """The photo in a file's bytes; `name` tells raw and HEIF files and stands in the sentences."""
    if not data:
        raise ValueError(f"{name} is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decoded(data, name)
    except Unfit as error:
        raise ValueError(f"{name} {error}") from error
    except MemoryError as error:
        raise ValueError(f"{name} needs more memory than there is") from error
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise ValueError(f"{name} cannot be read: it is damaged, cut short or not a photo") from error


def read_file(path: Path, most: int) -> bytes:
    """All bytes of a regular file. Raises ValueError with one sentence where it is missing, a folder or too large."""
    try:
        state = path.stat()
        if stat.S_ISDIR(state.st_mode):
            raise ValueError(f"{path.name or path} is a folder")
        if not stat.S_ISREG(state.st_mode):
            raise ValueError(f"{path.name} is not an ordinary file")
        if state.st_size > most:
            raise ValueError(f"{path.name} is larger than {most >> 20} MB")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} does not exist") from error
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror or error}") from error
    if len(data) > most:
        raise ValueError(f"{path.name} is larger than {most >> 20} MB")
    return data


def check_size(height: int, width: int) -> None:
    """Raises Unfit where a photo of this size is not meant here."""
    if min(height, width) < MIN_SIDE:
        raise Unfit(f"is too small: {width} x {height} px, at least {MIN_SIDE} a side are needed")
    if height * width > MAX_PIXELS:
        raise Unfit(f"is too large: {width} x {height} px, at most {MAX_PIXELS // 10**6} megapixels are read")


def _decoded(data: bytes, name: str) -> Photo:
    from app import deep_pictures

    file = np.frombuffer(data, np.uint8)
    suffix = Path(name).suffix.lower()
    if suffix in RAW_SUFFIXES:
        pixels = deep_pictures.raw(data)
        return Photo(pixels, name, file, notes=("The raw photo was developed with the camera's white balance.",))
    formats = _formats(suffix)
    deep = deep_pictures.tiff(data) if data.startswith(_TIFF) else None
    if deep is not None:
        return Photo(
            oriented(deep.pixels, deep.orientation), name, file, _usable(deep.profile), _tiff_exif(data), deep.notes
        )
    picture = _opened(data, formats)
    picture.load()
    orientation = picture.getexif().get(_ORIENTATION, 1)
    if picture.format == "PNG" and deep_pictures.is_deep_png(data):
        pixels, notes = deep_pictures.png(data)
    else:
        pixels, notes = _shallow(picture)
    count = getattr(picture, "n_frames", 1)
    if count > 1 and picture.format != "MPO":
        notes = (*notes, f"The file holds {count} pictures; the first was read.")
    profile = _usable(picture.info.get("icc_profile"))
    return Photo(oriented(pixels, orientation), name, file, profile, _exif(picture), notes)


def _formats(suffix: str) -> tuple[str, ...]:
    if suffix not in HEIF_SUFFIXES:
        return FORMATS
    try:
        import pillow_heif  # type: ignore[import-not-found]
    except ImportError as error:
        raise Unfit("is a HEIF photo; install the extra to read those: pip install unshutter[heif]") from error
    pillow_heif.register_heif_opener()
    return (*FORMATS, "HEIF")


def _opened(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    Image.init()
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        picture = Image.open(io.BytesIO(data), formats=[one for one in formats if one in Image.OPEN])
    except UnidentifiedImageError as error:
        raise Unfit("is not a photo that can be read, or it is damaged") from error
    except Image.DecompressionBombError as error:
        raise Unfit(f"is too large: at most {MAX_PIXELS // 10**6} megapixels are read") from error
    check_size(picture.height, picture.width)
    return picture


def _shallow(picture: Image.Image) -> tuple[np.ndarray, tuple[str, ...]]:
    """uint8 (H, W, 3) of a loaded picture of up to 8 bits, and what was done to it."""
    if picture.mode in ("I", "F", "I;16", "I;16B", "I;16L", "LAB", "HSV"):
        raise Unfit(f"has pixels of a kind that is not read ({picture.mode})")
    if picture.has_transparency_data:
        rgba = np.asarray(picture.convert("RGBA"))
        return on_white(rgba)
    if picture.mode == "CMYK":
        return np.asarray(_through_profile(picture)), ("CMYK was converted to sRGB.",)
    if picture.mode == "L":
        return np.asarray(_through_profile(picture)), ()
    return np.asarray(picture.convert("RGB")), ()


def on_white(rgba: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """(H, W, 3) of the same type: the picture laid on white by its alpha, and a note where that changed anything."""
    rgb, alpha = rgba[..., :3], rgba[..., 3:]
    white = np.iinfo(rgba.dtype).max
    if alpha.min() == white:
        return np.ascontiguousarray(rgb), ()
    share = alpha.astype(np.float32) / white
    laid = rgb * share + white * (1 - share)
    return (laid + 0.5).astype(rgba.dtype), ("Transparent pixels were laid on white.",)


def _through_profile(picture: Image.Image) -> Image.Image:
    """A CMYK or grey picture in sRGB, by its own profile where it has a usable one."""
    from PIL import ImageCms

    profile = picture.info.get("icc_profile")
    if profile and profile[16:20] != b"RGB ":
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            return converted
    return picture.convert("RGB")


def oriented(pixels: np.ndarray, orientation: Any) -> np.ndarray:
    """`pixels` (H, W, C) turned and mirrored as the EXIF orientation 1 to 8 says."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _usable(profile: Any) -> bytes | None:
    """An RGB profile as it is; one for other colours no longer fits, the pixels are sRGB then."""
    if not isinstance(profile, bytes) or not 128 <= len(profile) <= MAX_BLOCK or profile[16:20] != b"RGB ":
        return None
    return profile


def _tiff_exif(data: bytes) -> bytes | None:
    try:
        return _exif(_opened(data, ("TIFF",)))
    except Unfit:
        return None


def _exif(picture: Image.Image) -> bytes | None:
    from PIL import Image

    try:
        found, kept = picture.getexif(), Image.Exif()
        for tag in _CARRIED:
            if tag in found:
                kept[tag] = found[tag]
        for tag in (_EXIF_IFD, _GPS_IFD):
            if block := {key: value for key, value in found.get_ifd(tag).items() if key not in _PIXEL_SIZES}:
                kept[tag] = block
        block = kept.tobytes() if len(kept) else b""
    except Exception:  # a damaged block is no reason to refuse the photo
        return None
    return block if 0 < len(block) <= MAX_BLOCK else None

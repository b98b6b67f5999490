"""The `.unshutter` file: one zip with the photo's own bytes, the guidance and the recoveries.

    project.json                  format, version, stamp and all words
    photo                         the original file, unchanged
    guidance/areas.png            8 bits, one channel: region numbers
    guidance/motion.npz
    recoveries/000/frame_000.png  ... in time order, as deep as the photo
    recoveries/000/motion.npz

Entries are found by these names alone and never unpacked to disk. What a document needs while it is open, its lock
and its journal, is in `app.session`.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath

import msgspec
import numpy as np

from app.atomic import replacing
from app.edits import checked_regions
from app.motion_files import MAX_BYTES as MAX_MOTION_FILE
from app.motion_files import motion_arrays, read_npz, write_npz
from app.photo import MAX_BYTES as MAX_PHOTO
from app.photo import Photo, decode_photo
from app.stills import png_bytes
from app.store import (
    MAX_FRAMES,
    MAX_RECOVERIES,
    Contents,
    GuidanceWords,
    RecoveryWords,
    checked_motion,
    checked_times,
    guidance_words,
    recovery_from,
    recovery_words,
    words_from,
)
from models.guidance import Guidance
from models.motion import Motion
from models.recovery import Cancelled, Progress, Recovery

SUFFIX = ".unshutter"
VERSION = 3
"""2 knows where arrows were drawn, 3 how places differ that one moves. What older ones wrote is read as before."""
MAX_PROJECT = 64 << 30
MAX_ENTRIES = 4 + MAX_RECOVERIES * (MAX_FRAMES + 1)
MAX_WORDS = 16 << 20
MAX_FRAME_BYTES = 16 << 30
"""What the frames of one recovery may take in memory."""

OnProgress = Callable[[Progress], None]
IsCancelled = Callable[[], bool]


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    """A recovery's words and the digest of its arrays, by which a later save knows what it need not write again."""

    words: RecoveryWords
    digest: str


class _Words(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    version: int
    stamp: str
    photo: str
    guidance: GuidanceWords
    recoveries: tuple[_Kept, ...] = ()


class _Version(msgspec.Struct):
    format: str
    version: int


def write_project(
    path: str | Path,
    contents: Contents,
    on_progress: OnProgress = lambda progress: None,
    is_cancelled: IsCancelled = lambda: False,
) -> None:
    """Save; the old file stays until the new one is whole. Recoveries that the old file holds are taken over.

    Raises ValueError with one sentence, or Cancelled.
    """
    path = Path(path)
    with replacing(path) as new, _Old(path) as old, zipfile.ZipFile(new, "w", zipfile.ZIP_STORED) as archive:
        kept = []
        for index, recovery in enumerate(contents.recoveries):
            digest = _digest(recovery)
            if not old.hand_over(digest, archive, index):
                _write_recovery(archive, index, recovery, is_cancelled)
            kept.append(_Kept(recovery_words(recovery), digest))
            on_progress(Progress((index + 1) / (len(contents.recoveries) + 1), "saving"))
            if is_cancelled():
                raise Cancelled
        with archive.open("photo", "w", force_zip64=True) as entry:
            entry.write(np.ascontiguousarray(contents.photo.data).data)
        archive.writestr("guidance/areas.png", png_bytes(contents.guidance.areas))
        if contents.guidance.motion is not None:
            archive.writestr("guidance/motion.npz", _npz(contents.guidance.motion))
        guidance = guidance_words(contents.guidance)
        words = _Words("unshutter", VERSION, contents.stamp, contents.photo.name, guidance, tuple(kept))
        archive.writestr("project.json", msgspec.json.encode(words))
    on_progress(Progress(1, "saved"))


def read_project(
    path: str | Path,
    on_progress: OnProgress = lambda progress: None,
    is_cancelled: IsCancelled = lambda: False,
) -> Contents:
    """What a project file holds. Raises ValueError with one sentence, or Cancelled."""
    path = Path(path)
    with _Opened(path) as archive:
        words = _words(archive)
        photo = decode_photo(_entry(archive, "photo", MAX_PHOTO), words.photo)
        guidance = _read_guidance(archive, words.guidance, photo)
        recoveries = []
        for index, kept in enumerate(words.recoveries):
            on_progress(Progress((index + 1) / (len(words.recoveries) + 1), "opening"))
            recoveries.append(_read_recovery(archive, index, kept.words, photo, is_cancelled))
        return Contents(photo, guidance, tuple(recoveries), words.stamp)


def read_stamp(path: str | Path) -> str:
    """The stamp of the saving that a project file is from."""
    with _Opened(Path(path)) as archive:
        return _words(archive).stamp


def is_project(path: str | Path) -> bool:
    return Path(path).suffix.lower() == SUFFIX


_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    NotImplementedError,
    OverflowError,
    MemoryError,
)
"""What reading a damaged zip may raise."""


class _Opened:
    """A project file as a zip that was looked over; whatever is wrong inside the `with` becomes one sentence."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._archive: zipfile.ZipFile | None = None

    def __enter__(self) -> zipfile.ZipFile:
        name = self._path.name
        try:
            if not self._path.is_file():
                raise ValueError(f"{name} is no file" if self._path.exists() else f"{name} does not exist")
            size = self._path.stat().st_size
            if not size or size > MAX_PROJECT:
                raise ValueError(f"{name} is {'larger than a project can be' if size else 'empty'}")
            self._archive = zipfile.ZipFile(self._path)
            _look_over(self._archive)
        except Exception as error:
            self._close()
            self._tell(error)
            raise
        return self._archive

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._close()
        if isinstance(error, Exception):
            self._tell(error)

    def _close(self) -> None:
        if self._archive is not None:
            self._archive.close()

    def _tell(self, error: Exception) -> None:
        name = self._path.name
        if isinstance(error, Cancelled):
            return
        if isinstance(error, PermissionError):
            raise ValueError(f"{name} cannot be read: {error.strerror}") from error
        if isinstance(error, zipfile.BadZipFile) and not self._archive:
            raise ValueError(f"{name} is no project, or it is cut short") from error
        if isinstance(error, ValueError):
            told = str(error)
            raise ValueError(told if told.startswith(name) else f"{name} is damaged: {told}") from error
        if isinstance(error, _DAMAGE):
            raise ValueError(f"{name} is damaged") from error


class _Old:
    """The file that is about to be replaced, for the recoveries that need not be written again."""

    def __init__(self, path: Path) -> None:
        self._opened, self._archive, self._places = _Opened(path), None, {}

    def __enter__(self) -> _Old:
        try:
            self._archive = self._opened.__enter__()
            self._places = {kept.digest: index for index, kept in enumerate(_words(self._archive).recoveries)}
        except ValueError:
            self._places = {}
        return self

    def __exit__(self, *_: object) -> None:
        if self._archive is not None:
            self._archive.close()

    def hand_over(self, digest: str, target: zipfile.ZipFile, index: int) -> bool:
        """Copy a recovery's entries as they are. False where it is not there, or damaged."""
        if self._archive is None or digest not in self._places:
            return False
        folder, new = _folder(self._places[digest]), _folder(index)
        names = [name for name in self._archive.namelist() if name.startswith(folder)]
        try:
            entries = {name.removeprefix(folder): self._archive.read(name) for name in names}
        except _DAMAGE:
            return False
        for name, data in entries.items():
            target.writestr(new + name, data)
        return True


def _look_over(archive: zipfile.ZipFile) -> None:
    """Raises ValueError on anything a project never has: too much, hostile names, doubles, locks."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise ValueError("it has too many entries")
    names = {entry.filename for entry in entries}
    if len(names) != len(entries):
        raise ValueError("it has two entries of one name")
    for entry in entries:
        name = entry.filename
        parts = PurePosixPath(name).parts
        if not name or "\\" in name or ".." in parts or name.startswith("/") or PureWindowsPath(name).drive:
            raise ValueError("it has entries with names that a project never has")
        if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("it has entries that are packed in an unknown way")


def _entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """An entry's bytes, at most `most` of them whatever its header says."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise ValueError(f"it lacks {name}") from None
    if info.file_size > most:
        raise ValueError(f"its {name} is too large")
    return archive.read(info)


def _words(archive: zipfile.ZipFile) -> _Words:
    data = _entry(archive, "project.json", MAX_WORDS)
    version = words_from(data, _Version, "project.json")
    if version.format != "unshutter":
        raise ValueError("it is the project of another program")
    if not 1 <= version.version <= VERSION:
        raise ValueError(f"it was written by a newer Unshutter (version {version.version} of the format)")
    words = words_from(data, _Words, "project.json")
    if len(words.recoveries) > MAX_RECOVERIES or not 0 < len(words.photo) <= 255 or not 0 < len(words.stamp) <= 64:
        raise ValueError("project.json makes no sense")
    if not words.photo.isprintable() or set(words.photo) & set("/\\"):
        raise ValueError("the photo's name is none")
    return words


def _read_guidance(archive: zipfile.ZipFile, words: GuidanceWords, photo: Photo) -> Guidance:
    height, width = photo.pixels.shape[:2]
    areas = _pixels(_entry(archive, "guidance/areas.png", MAX_PHOTO), (height, width), np.dtype(np.uint8), 1)
    motion = None
    if words.motion:
        motion = _read_motion(archive, "guidance/motion.npz")
    return Guidance(areas, checked_regions(words.regions), words.camera, motion)


def _read_recovery(
    archive: zipfile.ZipFile, index: int, words: RecoveryWords, photo: Photo, is_cancelled: IsCancelled
) -> Recovery:
    count = len(checked_times(np.array(words.times, np.float32)))
    if count * photo.pixels.nbytes > MAX_FRAME_BYTES:
        raise ValueError("a recovery is too large")
    frames = np.empty((count, *photo.pixels.shape), photo.pixels.dtype)
    for number, frame in enumerate(frames):
        if is_cancelled():
            raise Cancelled
        data = _entry(archive, f"{_folder(index)}frame_{number:03}.png", MAX_PHOTO * 2)
        frame[:] = _pixels(data, photo.pixels.shape[:2], photo.pixels.dtype, 3)
    motion = _read_motion(archive, f"{_folder(index)}motion.npz") if words.motion else None
    return recovery_from(words, frames, motion)


def _write_recovery(archive: zipfile.ZipFile, index: int, recovery: Recovery, is_cancelled: IsCancelled) -> None:
    for number, frame in enumerate(recovery.frames):
        if is_cancelled():
            raise Cancelled
        archive.writestr(f"{_folder(index)}frame_{number:03}.png", png_bytes(frame))
    if recovery.motion is not None:
        archive.writestr(f"{_folder(index)}motion.npz", _npz(recovery.motion))


def _folder(index: int) -> str:
    return f"recoveries/{index:03}/"


def _digest(recovery: Recovery) -> str:
    digest = hashlib.blake2b(digest_size=20)
    motion = motion_arrays(recovery.motion).values() if recovery.motion is not None else ()
    for array in (recovery.frames, *motion):
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _pixels(data: bytes, size: tuple[int, int], dtype: np.dtype, channels: int) -> np.ndarray:
    """A PNG's pixels, whose header must say this size, depth and these channels before anything is unpacked."""
    import cv2

    colours = 0 if channels == 1 else 2
    wanted = b"\x89PNG\r\n\x1a\n", b"IHDR", struct.pack(">IIBB", size[1], size[0], dtype.itemsize * 8, colours)
    if (data[:8], data[12:16], data[16:26]) != wanted or not data.endswith(b"IEND\xaeB\x60\x82"):
        raise ValueError("a picture in it has another size or kind than the photo")
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    shape = size if channels == 1 else (*size, channels)
    if pixels is None or pixels.shape != shape or pixels.dtype != dtype:
        raise ValueError("a picture in it cannot be read")
    return pixels if channels == 1 else pixels[..., ::-1]


def _npz(motion: Motion) -> bytes:
    file = io.BytesIO()
    write_npz(file, motion_arrays(motion))
    return file.getvalue()


def _read_motion(archive: zipfile.ZipFile, name: str) -> Motion:
    arrays = read_npz(_entry(archive, name, MAX_MOTION_FILE))
    if not {"times", "offsets", "trajectories"} <= set(arrays):
        raise ValueError(f"its {name} lacks arrays")
    return checked_motion(arrays["times"], arrays["offsets"], arrays["trajectories"])

"""What the window remembers from one run to the next."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QSettings

T = TypeVar("T")

RECENT = 12


def settings() -> QSettings:
    """The one ini file; `UNSHUTTER_CONFIG` names another folder for it."""
    import platformdirs

    folder = Path(os.environ.get("UNSHUTTER_CONFIG") or platformdirs.user_config_path("unshutter", appauthor=False))
    return QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)


def remembered(key: str, usual: T) -> T:
    """What was kept under this key, in the type of `usual`; `usual` itself where it is nothing of that type."""
    try:
        kinds = () if isinstance(usual, dict) else (type(usual),)  # Qt makes an empty one of any dict
        value = settings().value(key, usual, *kinds)
    except (TypeError, ValueError):
        return usual
    return value if isinstance(value, type(usual)) else usual


def recent_files() -> list[Path]:
    """Photos and projects opened last that are still there, the newest first."""
    return [Path(path) for path in remembered("recent", []) if isinstance(path, str) and Path(path).is_file()]


def remember_file(path: Path) -> None:
    path = path.resolve()
    paths = [path, *(other for other in recent_files() if other != path)]
    settings().setValue("recent", [str(one) for one in paths[:RECENT]])


def forget_files() -> None:
    settings().remove("recent")

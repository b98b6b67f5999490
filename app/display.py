"""Whether a window can open here, found out before Qt is asked: Qt ends the program where it cannot.

Cheap enough to ask at every start: the very plugin Qt will use is loaded, with the libraries it needs anyway, and the
display is connected to once. Nothing of PySide6 is imported.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import sys
from pathlib import Path

PATIENCE = 3.0
"""Seconds for a display on another machine to answer."""

_REMEDY = (
    "on Debian and Ubuntu: sudo apt install libegl1 libgl1 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 "
    "libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0; "
    "on Fedora: sudo dnf install mesa-libEGL mesa-libGL fontconfig libxkbcommon-x11 xcb-util-cursor xcb-util-wm "
    "xcb-util-image xcb-util-keysyms xcb-util-renderutil"
)


def problem() -> str:
    """Why no window can open here and what to do about it, one sentence; "" where one can."""
    if not sys.platform.startswith("linux"):
        return ""
    chosen = os.environ.get("QT_QPA_PLATFORM", "").split(";")[0].split(":")[0]
    if chosen and chosen not in ("xcb", "wayland"):
        return _unloadable(chosen)
    wayland, x11 = os.environ.get("WAYLAND_DISPLAY", ""), os.environ.get("DISPLAY", "")
    if wayland and chosen != "xcb" and _wayland_answers(wayland):
        return _unloadable("wayland")
    if not x11:
        return "There is no display: neither DISPLAY nor WAYLAND_DISPLAY leads to one."
    return _unloadable("xcb") or _unconnectable(x11)


def _unloadable(platform: str) -> str:
    """What Qt's plugin for a platform lacks."""
    spec = importlib.util.find_spec("PySide6")
    if spec is None or not spec.submodule_search_locations:
        return "PySide6 is not installed: pip install PySide6-Essentials."
    plugin = Path(spec.submodule_search_locations[0]) / "Qt" / "plugins" / "platforms" / f"libq{platform}.so"
    if not plugin.exists():
        return ""  # a Qt from elsewhere, which keeps its plugins elsewhere
    try:
        ctypes.CDLL(str(plugin), os.RTLD_LAZY)
    except OSError as error:
        return _missing(str(error))
    return ""


def _missing(error: str) -> str:
    found = re.match(r"(\S+\.so[.\d]*): cannot open shared object file", error)
    name = f"the system library {found[1]}" if found else f"a system library ({error})"
    return f"Qt needs {name}, which is not here; {_REMEDY}."


def _unconnectable(display: str) -> str:
    """Why an X server cannot be reached."""
    refused = f"The display DISPLAY={display} cannot be reached: is it the right one, and may this user open windows?"
    host = display.rpartition(":")[0]
    if host and host != "unix" and not host.startswith("/") and not _port_answers(display):
        return refused
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        return _missing(str(error))
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    try:
        return refused if xcb.xcb_connection_has_error(connection) else ""
    finally:
        xcb.xcb_disconnect(connection)


def _port_answers(display: str) -> bool:
    """Whether a display on another machine takes connections; asking it through xcb may take minutes."""
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdecimal() or int(number) > 59_535:
        return False
    import socket

    try:
        socket.create_connection((host.strip("[]"), 6000 + int(number)), PATIENCE).close()
    except OSError:
        return False
    return True


def _wayland_answers(name: str) -> bool:
    import socket

    path = name if name.startswith("/") else os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), name)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        try:
            connection.connect(path)
        except OSError:
            return False
    return True

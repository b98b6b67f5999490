from __future__ import annotations

import ctypes
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import display

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays of Linux")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The name of a real, invisible display."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    with (tmp_path / "number").open("w+") as number:
        command = ["Xvfb", "-displayfd", str(number.fileno()), "-screen", "0", "320x200x24", "-nolisten", "tcp"]
        process = subprocess.Popen(command, pass_fds=[number.fileno()], stderr=subprocess.DEVNULL)
        try:
            while not (said := (tmp_path / "number").read_text().strip()):
                assert process.poll() is None
                time.sleep(0.02)
            yield f":{said}"
        finally:
            process.kill()
            process.wait()


def test_without_any_display_it_says_so() -> None:
    assert "no display" in display.problem()


@pytest.mark.parametrize("name", [":4711", "junk", "localhost:59999", ":", "nowhere.invalid:0"])
def test_a_wrong_display_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("DISPLAY", name)
    assert f"DISPLAY={name} cannot be reached" in display.problem()


def test_a_real_display_is_no_problem(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("DISPLAY", server)
    assert display.problem() == ""


def test_a_wrong_wayland_display_leaves_the_other(monkeypatch: pytest.MonkeyPatch, server: str, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-9")
    assert "no display" in display.problem()
    monkeypatch.setenv("DISPLAY", server)
    assert display.problem() == ""


def test_a_wayland_socket_that_answers_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-9")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "wayland-9"))
        listening.listen()
        assert display.problem() == ""


def test_a_screenless_platform_needs_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen:geometry")
    assert display.problem() == ""


def test_a_missing_library_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("libxcb-cursor.so.0: cannot open shared object file: No such file or directory")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    sentence = display.problem()
    assert "the system library libxcb-cursor.so.0" in sentence
    assert "apt install" in sentence
    assert "dnf install" in sentence


def test_looking_imports_no_qt() -> None:
    program = "import sys; from app.display import problem; problem(); sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[1], check=False).returncode == 0

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.exchange import Exchange
from app.jobs import Export, Job, ListDevices, Recover, ScreenCopy
from app.photo import Photo
from app.worker import Cancel, Do, Finished, sentence
from models.guidance import Guidance
from models.motion import instants
from models.recovery import Inputs, Recovery

HERE = Path(__file__).parent


class Child:
    """A worker process at the end of two pipes."""

    def __init__(self, root: Path, channel: str) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])}
        command = [sys.executable, "-P", "-m", "app.cli", "worker", channel, str(root), "--engines", "trial_engines"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=root
        )
        self.exchange = Exchange(root, "test")

    def send(self, request: object) -> None:
        self.write(self.exchange.encode(request))

    def write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def hear_end(self) -> dict[str, Any]:
        """The next report that is no step."""
        while (report := self.hear())["type"] == "stepped":
            pass
        return report

    def result(self, kind: type) -> Any:
        report = self.hear_end()
        assert report["type"] == "finished", report
        return self.exchange.decode(self.exchange.decode(json.dumps(report).encode(), Finished).result, kind)

    def close(self) -> str:
        """End its input; what it said on stderr."""
        return self.process.communicate(timeout=10)[1].decode()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path, "engine")
    yield child
    child.close()


def recover(**options: bool | int | float | str) -> Job:
    return Recover(Inputs(np.full((40, 30, 3), 40, np.uint8), Guidance.empty(40, 30), "cpu"), "trial", options)


def test_a_job_comes_back_as_a_recovery(child: Child) -> None:
    child.send(Do(7, recover(frames=4)))
    recovery = child.result(Recovery)
    assert recovery.frames.shape == (4, 40, 30, 3)
    assert recovery.frames[3, 0, 0, 0] == 43


def test_stray_prints_go_to_stderr(child: Child) -> None:
    child.send(Do(1, recover()))
    child.result(Recovery)
    assert "a stray line on stdout" in child.close()


def test_progress_comes_with_pictures(child: Child) -> None:
    child.send(Do(1, recover(seconds=0.5)))
    reports = []
    while (report := child.hear())["type"] == "stepped":
        reports.append(report)
    fractions = [report["fraction"] for report in reports]
    assert len(fractions) > 3
    assert fractions == sorted(fractions)
    assert reports[-1]["preview"] is not None


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"{}",
        b'{"type": "do", "id": 3}',
        b'{"type": "do", "id": 3, "job": {"type": "Recover"}}',
        b"\xff",
    ],
)
def test_a_line_that_is_no_request_is_answered(child: Child, line: bytes) -> None:
    child.write(line)
    report = child.hear()
    assert report["type"] == "failed"
    assert report["id"] == (3 if b"3" in line else -1)
    child.send(Do(4, recover()))
    assert child.result(Recovery).engine == "trial"


@pytest.mark.parametrize(
    ("ends", "said"), [("badly", "the trial found no motion"), ("wrong", "Something went wrong inside (KeyError")]
)
def test_a_job_that_fails_says_why_and_the_next_one_runs(child: Child, ends: str, said: str) -> None:
    child.send(Do(1, recover(ends=ends)))
    assert child.hear_end()["sentence"].startswith(said)
    child.send(Do(2, recover()))
    assert child.result(Recovery).engine == "trial"


def test_a_cancelled_job_stops_inside_its_step(child: Child) -> None:
    child.send(Do(1, recover(seconds=60.0)))
    child.hear()
    child.send(Cancel(1))
    assert child.hear_end() == {"type": "cancelled", "id": 1}


def test_a_job_cancelled_before_it_began_does_not_run(child: Child) -> None:
    child.send(Do(1, recover(seconds=0.3)))
    child.send(Do(2, recover(ends="exit")))
    child.send(Cancel(2))
    assert child.hear_end()["id"] == 1
    assert child.hear_end() == {"type": "cancelled", "id": 2}


@pytest.mark.parametrize("busy", [False, True])
def test_the_worker_ends_with_its_input(tmp_path: Path, busy: bool) -> None:
    child = Child(tmp_path, "engine")
    if busy:
        child.send(Do(1, recover(seconds=60.0, deaf=True)))
        child.hear()
    child.close()
    assert child.process.returncode == 0


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="asks Linux")
def test_the_worker_lets_others_go_first(child: Child) -> None:
    import psutil

    child.send(Do(1, recover()))
    child.result(Recovery)
    assert psutil.Process(child.process.pid).nice() >= min(10 + os.nice(0), 19)
    assert Path(f"/proc/{child.process.pid}/oom_score_adj").read_text().strip() == "500"


def test_the_channel_for_files_runs_no_engine_and_loads_no_torch(tmp_path: Path) -> None:
    child = Child(tmp_path, "io")
    child.send(Do(1, ListDevices()))
    assert "for io, not for engine" in child.hear_end()["sentence"]
    recovery = Recovery(np.zeros((2, 40, 60, 3), np.uint8), instants(2), None, "trial")
    child.send(Do(2, ScreenCopy(recovery, 30, 30)))
    assert child.result(Recovery).frames.shape == (2, 20, 30, 3)
    maps = Path(f"/proc/{child.process.pid}/maps")
    if maps.exists():
        assert "libtorch" not in maps.read_text()
    child.close()


def test_an_export_leaves_no_part_when_the_window_ends(tmp_path: Path) -> None:
    child = Child(tmp_path, "io")
    frames = np.random.default_rng(0).integers(0, 255, (2, 400, 600, 3), np.uint8)
    photo = Photo(frames[0], "a.png", np.zeros(9, np.uint8))
    out = tmp_path / "out"
    out.mkdir()
    recovery = Recovery(frames, instants(2), None, "trial")
    child.send(Do(1, Export(recovery, photo, str(out / "frames"), "frames", {"frames": 240})))
    while not list(out.iterdir()):
        child.hear()
    child.close()
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("one sentence\nand a second line"), "one sentence"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("CUDA out of memory. Tried"), "not enough memory"),
        (FileNotFoundError(2, "No such file or directory", "a.jpg"), "a.jpg: No such file"),
        (KeyError("x"), "Something went wrong inside (KeyError"),
    ],
)
def test_errors_become_sentences(error: Exception, said: str) -> None:
    assert said in sentence(error)
    assert "\n" not in sentence(error)

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from app.exchange import private_folder
from app.jobs import Export, Job, ListDevices, Open, Preview, Recover, Save, ScreenCopy
from app.store import Contents
from app.ui.client import WorkerClient
from models.guidance import Guidance
from models.motion import instants
from models.recovery import Inputs, Recovery

posix = pytest.mark.skipif(os.name != "posix", reason="ends a process by a signal")


class Heard:
    """All that a client has said, in order."""

    def __init__(self, client: WorkerClient) -> None:
        self.all: list[tuple] = []
        for name in ("progress", "finished", "failed", "cancelled", "restarted"):
            getattr(client, name).connect(lambda *what, name=name: self.all.append((name, *what)))

    def ends(self) -> list[tuple]:
        return [(what[0], what[1]) for what in self.all if what[0] in ("finished", "failed", "cancelled")]

    def of(self, name: str) -> list[tuple]:
        return [what[1:] for what in self.all if what[0] == name]


@pytest.fixture
def client(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerClient]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    client = WorkerClient("engine", private_folder(), "trial_engines")
    yield client
    client.stop()
    assert client.process_id is None or not psutil.pid_exists(client.process_id)


@pytest.fixture
def heard(client: WorkerClient) -> Heard:
    return Heard(client)


def inputs() -> Inputs:
    return Inputs(np.full((40, 30, 3), 40, np.uint8), Guidance.empty(40, 30), "cpu")


def recover(**options: bool | int | float | str) -> Recover:
    return Recover(inputs(), "trial", options)


def begun(qtbot: QtBot, client: WorkerClient, **options: bool | int | float | str) -> int:
    """The id of a recovery that runs."""
    with qtbot.waitSignal(client.progress, timeout=10_000):
        return client.submit(recover(**options))


def test_a_job_comes_back(qtbot: QtBot, client: WorkerClient, heard: Heard) -> None:
    with qtbot.waitSignal(client.finished, timeout=10_000) as finished:
        job_id = client.submit(recover(frames=2, seconds=0.2))
    assert finished.args[0] == job_id
    assert finished.args[1].frames.shape == (2, 40, 30, 3)
    assert heard.ends() == [("finished", job_id)]
    assert any(step[3] is not None and step[3].shape == (20, 15, 3) for step in heard.of("progress"))


def test_a_failure_is_a_sentence(qtbot: QtBot, client: WorkerClient) -> None:
    with qtbot.waitSignal(client.failed, timeout=10_000) as failed:
        client.submit(recover(ends="badly"))
    assert failed.args[1] == "the trial found no motion"


def test_a_recovery_can_go_back_to_a_worker(qtbot: QtBot, client: WorkerClient) -> None:
    with qtbot.waitSignal(client.finished, timeout=10_000) as finished:
        client.submit(recover(frames=2))
    files = WorkerClient("io", client._exchange.root)
    with qtbot.waitSignal(files.finished, timeout=10_000) as copied:
        files.submit(ScreenCopy(finished.args[1], 15, 20))
    files.stop()
    assert copied.args[1].frames.shape == (2, 20, 15, 3)
    assert finished.args[1].frames[1, 0, 0, 0] == 41


def test_a_job_of_another_channel_is_refused(client: WorkerClient) -> None:
    recovery = Recovery(np.zeros((1, 20, 20, 3), np.uint8), instants(1), None, "trial")
    with pytest.raises(ValueError, match="for the channel io"):
        client.submit(ScreenCopy(recovery, 10, 10))


def test_cancelling_stops_a_job_and_keeps_the_worker(qtbot: QtBot, client: WorkerClient, heard: Heard) -> None:
    job_id = begun(qtbot, client, seconds=60.0)
    worker = client.process_id
    with qtbot.waitSignal(client.cancelled, timeout=5000):
        client.cancel(job_id)
    assert client.process_id == worker
    assert heard.ends() == [("cancelled", job_id)]


def test_a_job_that_does_not_listen_is_killed(qtbot: QtBot, client: WorkerClient, heard: Heard) -> None:
    job_id = begun(qtbot, client, seconds=60.0, deaf=True)
    deaf = client.process_id
    assert deaf is not None
    with qtbot.waitSignal(client.cancelled, timeout=5000):
        client.cancel(job_id)
    qtbot.waitUntil(lambda: not psutil.pid_exists(deaf), timeout=5000)
    with qtbot.waitSignal(client.finished, timeout=10_000):
        next_id = client.submit(recover())
    assert heard.ends() == [("cancelled", job_id), ("finished", next_id)]
    assert not heard.of("restarted")


def test_a_waiting_job_is_cancelled_without_the_worker(qtbot: QtBot, client: WorkerClient, heard: Heard) -> None:
    running = begun(qtbot, client, seconds=60.0)
    waiting = client.submit(ListDevices())
    with qtbot.waitSignal(client.cancelled, timeout=5000) as cancelled:
        client.cancel(waiting)
    assert cancelled.args == [waiting]
    assert client.running == running


def test_cancelling_what_has_ended_does_nothing(qtbot: QtBot, client: WorkerClient, heard: Heard) -> None:
    with qtbot.waitSignal(client.finished, timeout=10_000):
        job_id = client.submit(recover())
    client.cancel(job_id)
    client.cancel(12345)
    qtbot.wait(Recover.patience + 50)
    assert heard.ends() == [("finished", job_id)]


def test_a_newer_recovery_replaces_the_older(qtbot: QtBot, client: WorkerClient, heard: Heard) -> None:
    first = begun(qtbot, client, seconds=60.0)
    second, third = client.submit(recover()), client.submit(recover(frames=2))
    with qtbot.waitSignal(client.finished, timeout=10_000):
        pass
    assert heard.ends()[-1] == ("finished", third)
    assert set(heard.ends()[:-1]) == {("cancelled", first), ("cancelled", second)}


def test_a_preview_gives_way_to_what_the_user_asks(qtbot: QtBot, client: WorkerClient, heard: Heard) -> None:
    with qtbot.waitSignal(client.progress, timeout=10_000):
        preview = client.submit(Preview(inputs(), "trial", {"seconds": 60.0}), asked=False)
    with qtbot.waitSignal(client.finished, timeout=10_000):
        job_id = client.submit(recover())
    assert heard.ends() == [("cancelled", preview), ("finished", job_id)]


@posix
@pytest.mark.parametrize(("ends", "said"), [("memory", "memory ran out"), ("crash", "crashed"), ("exit", "code 3")])
def test_a_worker_that_ends_is_replaced(qtbot: QtBot, client: WorkerClient, heard: Heard, ends: str, said: str) -> None:
    with qtbot.waitSignal(client.restarted, timeout=10_000) as restarted:
        lost = client.submit(recover(ends=ends))
    assert said in restarted.args[0]
    assert said in heard.of("failed")[0][1]
    with qtbot.waitSignal(client.finished, timeout=10_000):
        job_id = client.submit(recover())
    assert heard.ends() == [("failed", lost), ("finished", job_id)]


@posix
def test_an_idle_worker_that_is_killed_is_replaced(qtbot: QtBot, client: WorkerClient) -> None:
    with qtbot.waitSignal(client.finished, timeout=10_000):
        client.submit(recover())
    assert client.process_id is not None
    with qtbot.waitSignal(client.restarted, timeout=10_000):
        os.kill(client.process_id, signal.SIGKILL)
    with qtbot.waitSignal(client.finished, timeout=10_000):
        client.submit(recover())


def test_the_engine_is_loaded_ahead_and_again_after_a_kill(qtbot: QtBot, client: WorkerClient) -> None:
    with qtbot.waitSignal(client.finished, timeout=10_000):
        client.warm("trial")
    job_id = begun(qtbot, client, seconds=60.0, deaf=True)
    with qtbot.waitSignals([client.cancelled, client.finished], timeout=10_000):
        client.cancel(job_id)


def test_a_worker_that_never_starts_is_given_up(
    qtbot: QtBot, client: WorkerClient, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with qtbot.waitSignal(client.failed, timeout=10_000) as failed:
        client.submit(recover())
    assert failed.args[1] == "The worker process could not be started."


def test_a_worker_that_always_ends_at_once_is_given_up(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    client = WorkerClient("engine", private_folder(), "no_such_module")
    heard = Heard(client)
    with qtbot.waitSignal(client.failed, timeout=20_000):
        client.submit(recover())
    qtbot.waitUntil(lambda: len(heard.of("restarted")) >= 2 and client.process_id is None, timeout=20_000)
    assert "no_such_module" in "\n".join(client.log)
    client.stop()


def test_stopping_leaves_no_process_and_no_file(qtbot: QtBot, client: WorkerClient) -> None:
    begun(qtbot, client, seconds=60.0, deaf=True)
    worker = client.process_id
    assert worker is not None
    client.stop()
    assert not psutil.pid_exists(worker)
    assert not client._exchange.folder.exists()


@posix
def test_a_worker_does_not_outlive_a_killed_window(tmp_path: Path, qtbot: QtBot) -> None:
    import subprocess

    program = (
        "import sys; from PySide6.QtCore import QCoreApplication\n"
        "from app.ui.client import WorkerClient; from app.jobs import Warm; from pathlib import Path\n"
        "application = QCoreApplication([])\n"
        f"client = WorkerClient('engine', Path({str(tmp_path)!r}), 'trial_engines')\n"
        "client.busy.connect(lambda busy: print(client.process_id, flush=True))\n"
        "client.warm('trial'); application.exec()"
    )
    window = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path(__file__).parents[1])
    assert window.stdout is not None
    worker = int(window.stdout.readline())
    window.kill()
    window.communicate()
    qtbot.waitUntil(lambda: not psutil.pid_exists(worker), timeout=10_000)


def test_files_are_read_and_written_by_the_other_worker(qtbot: QtBot, tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)).save(tmp_path / "photo.png")
    files = WorkerClient("io", private_folder())

    def done(job: Job) -> Any:
        with qtbot.waitSignal(files.finished, timeout=20_000) as finished:
            files.submit(job)
        return finished.args[1]

    opened = done(Open(str(tmp_path / "photo.png")))
    recovery = Recovery(np.stack([opened.photo.pixels] * 2), instants(2), None, "trial")
    done(Save(Contents(opened.photo, opened.guidance, (recovery,), "first"), str(tmp_path / "p.unshutter")))
    again = done(Open(str(tmp_path / "p.unshutter")))
    assert np.array_equal(again.photo.pixels, opened.photo.pixels)
    assert np.array_equal(again.photo.data, np.frombuffer((tmp_path / "photo.png").read_bytes(), np.uint8))
    assert len(again.recoveries) == 1
    done(Export(again.recoveries[0], again.photo, str(tmp_path / "a.gif"), "", {"frames": 2}))
    assert (tmp_path / "a.gif").stat().st_size > 100
    with qtbot.waitSignal(files.failed, timeout=20_000) as failed:
        files.submit(Open(str(tmp_path / "nothing.png")))
    assert failed.args[1] == "nothing.png does not exist"
    files.stop()

from __future__ import annotations

import sys

import numpy as np
import pytest
import trial_engines

from app.jobs import ListDevices, Preview, Queue, Recover, ScreenCopy, Ticket, Warm
from models import catalog
from models.guidance import Guidance
from models.motion import instants
from models.recovery import Cancelled, Inputs, Recovery


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "ENGINES", catalog.ENGINES + trial_engines.ENGINES)


def inputs(device: str = "cpu") -> Inputs:
    return Inputs(np.full((20, 30, 3), 40, np.uint8), Guidance.empty(20, 30), device)


def recover(**options: bool | int | float | str) -> Recover:
    return Recover(inputs(), "trial", options)


def run(job: Recover, cancelled: bool = False) -> Recovery:
    return job.run(lambda progress: None, lambda: cancelled)


def filled(*tickets: Ticket) -> Queue:
    queue = Queue()
    for ticket in tickets:
        queue.add(ticket)
    return queue


@pytest.mark.usefixtures("trial")
def test_recovering_runs_the_engine_with_all_its_options() -> None:
    recovery = run(recover(frames=5))
    assert recovery.frames.shape == (5, 20, 30, 3)
    assert recovery.options["seconds"] == 0.0
    assert recovery.device == "cpu"
    assert recovery.seconds > 0


@pytest.mark.usefixtures("trial")
@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        (Recover(inputs(), "nothing"), "no engine called nothing"),
        (recover(colour="red"), "has no option colour"),
        (recover(frames=0), "between 1 and 240"),
        (recover(frames="many"), "a whole number"),
        (Recover(inputs("abacus"), "trial"), "no device called abacus"),
        (recover(ends="badly"), "found no motion"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(job: Recover, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        run(job)


@pytest.mark.usefixtures("trial")
def test_cancelling_reaches_the_engine() -> None:
    with pytest.raises(Cancelled):
        run(recover(seconds=5.0), cancelled=True)


@pytest.mark.usefixtures("trial")
def test_a_mistake_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        run(recover(ends="wrong"))


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = catalog.Engine("big", "", "", "no:run", "trial_engines:OPTIONS", weights=("nowhere",))
    monkeypatch.setattr(catalog, "ENGINES", (engine,))
    with pytest.raises(ValueError, match="lacks its weights nowhere"):
        run(Recover(inputs(), "big"))


def test_a_screen_copy_is_made_without_torch() -> None:
    recovery = Recovery(np.zeros((2, 40, 60, 3), np.uint16), instants(2), None, "trial")
    assert ScreenCopy(recovery, 30, 30).run(lambda progress: None, lambda: False).frames.shape == (2, 20, 30, 3)
    assert ScreenCopy.channel == "io"


def test_the_processor_is_always_a_device() -> None:
    assert ListDevices().run(lambda progress: None, lambda: False)[-1].name == "cpu"
    assert "torch" in sys.modules


def test_tickets_run_one_at_a_time_in_order() -> None:
    first, second = Ticket(1, Warm("a"), True), Ticket(2, ListDevices(), True)
    queue = filled(first, second)
    assert queue.start_next() is first
    assert queue.start_next() is None
    queue.running = None
    assert queue.start_next() is second


def test_what_the_user_asked_comes_first() -> None:
    queue = filled(Ticket(1, ListDevices(), False), Ticket(2, recover(), True))
    started = queue.start_next()
    assert started is not None
    assert started.id == 2


def test_the_newest_of_a_kind_replaces_the_waiting() -> None:
    old, new = Ticket(1, recover(), True), Ticket(2, recover(), True)
    queue = filled(old)
    assert queue.add(new) == [old]
    assert queue.start_next() is new
    assert len(queue) == 0


def test_a_new_recovery_ends_the_running_one() -> None:
    old = Ticket(1, recover(), True)
    queue = filled(old)
    queue.start_next()
    assert queue.add(Ticket(2, recover(), True)) == [old]
    assert queue.running is old


def test_a_running_preview_is_shown_before_the_next() -> None:
    old, waiting = (Ticket(number, Preview(inputs(), "trial"), False) for number in (1, 2))
    queue = filled(old)
    queue.start_next()
    assert queue.add(waiting) == []
    assert queue.add(Ticket(3, Preview(inputs(), "trial"), False)) == [waiting]


def test_a_preview_does_not_replace_a_recovery() -> None:
    queue = filled(Ticket(1, recover(), True))
    assert queue.add(Ticket(2, Preview(inputs(), "trial"), True)) == []


def test_what_runs_by_itself_gives_way_to_the_user() -> None:
    own = Ticket(1, Preview(inputs(), "trial"), False)
    queue = filled(own)
    queue.start_next()
    assert queue.add(Ticket(2, recover(), True)) == [own]


def test_what_runs_by_itself_never_replaces_what_was_asked() -> None:
    asked = Ticket(1, recover(), True)
    queue = filled(asked)
    assert queue.add(Ticket(2, recover(), False)) == []
    assert queue.start_next() is asked


def test_loading_an_engine_does_not_give_way() -> None:
    queue = filled(Ticket(1, Warm("trial"), False))
    queue.start_next()
    assert queue.add(Ticket(2, recover(), True)) == []


def test_only_waiting_tickets_can_be_withdrawn() -> None:
    queue = filled(Ticket(1, ListDevices(), True), Ticket(2, recover(), True))
    queue.start_next()
    assert queue.withdraw(1) is None
    assert queue.withdraw(2) is not None
    assert queue.clear() == []

"""Asked to stop, everybody finishes what has left: nothing is in doubt afterwards."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from tests.faults.plant import PREFORK, THREADS, Plant
from tests.local.processes import wait_until

OPEN = "SELECT count(*) FROM messaging_attempt WHERE state = 'open'"
LOST = (
    "SELECT count(*) FROM messaging_attempt"
    " WHERE error_code = 'resend_admin:worker_lost'"
)
WAITING = "SELECT count(*) FROM messaging_message WHERE state = 'queued'"
PATIENCE = 60.0


@pytest.fixture
def busy(plant: Plant) -> Iterator[Plant]:
    """A plant with work under way, and providers that take a while to answer."""
    plant.calm()
    plant.behave(fault="slow", seconds=1.5)
    yield plant
    plant.calm()


def keep_only(plant: Plant, *names: str) -> None:
    """Leave one worker, so that what is open is its own."""
    for name in plant.workers:
        if name not in names:
            plant.programs[name].stop()


def wait_for_work(plant: Plant) -> None:
    plant.start_people(300, os.getpid(), only_begin=True)
    wait_until(lambda: plant.count(OPEN) >= 20, "attempts under way")


@pytest.mark.parametrize("whole_group", [False, True], ids=["parent", "group"])
@pytest.mark.parametrize("pool", [THREADS, PREFORK])
def test_a_worker_finishes_what_it_has_begun(
    busy: Plant, pool: str, *, whole_group: bool
) -> None:
    name = f"worker-{pool}"
    keep_only(busy, name)
    lost = busy.count(LOST)
    wait_for_work(busy)
    worker = busy.programs[name].child
    assert worker is not None

    if whole_group:
        os.killpg(worker.pid, signal.SIGTERM)
    else:
        worker.send_signal(signal.SIGTERM)

    assert worker.wait(PATIENCE) == 0
    assert busy.count(OPEN) == 0
    assert busy.count(LOST) == lost
    assert busy.count(WAITING) > 0


def test_the_web_server_finishes_what_it_is_sending(busy: Plant) -> None:
    busy.behave(reset=True)
    busy.behave(fault="slow", seconds=7)
    busy.start_people(300, os.getpid(), only_begin=True)
    answers: list[int] = []
    callers = [
        threading.Thread(target=lambda: answers.append(busy.send_one()[0]))
        for _ in range(3)
    ]
    before = busy.count(SINGLE)
    for caller in callers:
        caller.start()
    wait_until(lambda: busy.count(SINGLE) == before + 3, "requests that wait")
    web = busy.programs["web"].child
    assert web is not None

    os.killpg(web.pid, signal.SIGTERM)
    web.wait(PATIENCE)
    for caller in callers:
        caller.join()

    assert answers == [200, 200, 200]
    assert busy.count(f"{SINGLE} AND attempt.state = 'open'") == 0


SINGLE = "SELECT count(*) FROM messaging_attempt AS attempt WHERE attempt.actor = 'api'"

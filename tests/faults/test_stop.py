"""Asked to stop, everybody finishes what has left: nothing is in doubt afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.faults.plant import Plant
from tests.local.processes import wait_until

OPEN = "SELECT count(*) FROM messaging_attempt WHERE state = 'open'"
LOST = (
    "SELECT count(*) FROM messaging_attempt"
    " WHERE error_code = 'resend_admin:worker_lost'"
)
WAITING = "SELECT count(*) FROM messaging_message WHERE state = 'queued'"
PATIENCE = 120.0
SLOW_ANSWER = 6.5
"""Seconds; longer than programs usually get to stop, shorter than a time-out."""


@pytest.fixture
def busy(plant: Plant) -> Iterator[Plant]:
    """A plant whose providers take a while to answer."""
    plant.calm()
    plant.behave(fault="slow", seconds=SLOW_ANSWER)
    yield plant
    plant.calm()


def wait_for_work(plant: Plant, seed: int) -> None:
    plant.start_people(120, seed, only_begin=True)
    wait_until(lambda: plant.count(OPEN) >= 20, "attempts under way")


def test_a_pool_of_processes_finishes_what_it_has_begun(busy: Plant) -> None:
    # What is open afterwards would be its own.
    busy.programs["worker-threads"].stop()
    lost = busy.count(LOST)
    wait_for_work(busy, 7)
    worker = busy.programs["worker-prefork"].child
    assert worker is not None

    # As systemd does: every process of the service hears it.
    os.killpg(worker.pid, signal.SIGTERM)

    assert worker.wait(PATIENCE) == 0
    assert busy.count(OPEN) == 0
    assert busy.count(LOST) == lost
    assert busy.count(WAITING) > 0, "it had sent all before it was asked to stop"

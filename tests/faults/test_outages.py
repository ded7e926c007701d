"""Servers that restart or forget everything: nobody has to help afterwards."""

from __future__ import annotations

import itertools
import json
import signal
from collections.abc import Iterator

import pytest

from tests.faults.plant import Plant
from tests.local.processes import wait_until

SEEDS = itertools.count(100)
MADE = "SELECT count(*) FROM messaging_attempt"
MOVED = "SELECT count(*) FROM messaging_attempt WHERE state <> 'open'"


@pytest.fixture
def working(plant: Plant) -> Iterator[Plant]:
    plant.calm()
    work_goes_on(plant)
    yield plant
    plant.calm()


def work_goes_on(plant: Plant) -> None:
    """Start more broadcasts, and wait until something of them is finished."""
    made = plant.count(MADE)
    plant.start_people(120, next(SEEDS), only_begin=True)
    wait_until(lambda: plant.count(MOVED) > made, "attempts after that")


def test_postgres_restarts_and_everybody_comes_back(working: Plant) -> None:
    program = working.program()
    working.stop_postgres(signal.SIGINT)
    status, page = working.get("/", 30)
    readiness = working.status("/readyz", 30)
    answer, said = program.send()
    working.start_postgres()

    assert (status, readiness, answer) == (503, 503, 503)
    assert "The database does not answer" in page
    assert json.loads(said)["code"] == "unavailable"
    wait_until(lambda: working.status("/readyz") == 200, "the web server")
    work_goes_on(working)
    assert working.program().send()[0] in (200, 202)
    assert working.mend() == [], "somebody had to be started again"


def test_a_broker_that_forgot_or_died_holds_nobody_up(working: Plant) -> None:
    working.empty_broker()
    work_goes_on(working)
    working.kill_broker(1.0)
    work_goes_on(working)
    assert working.mend() == [], "somebody had to be started again"

"""Asked to stop, everybody finishes what has left: nothing is in doubt afterwards."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.faults.outside import Sender
from tests.faults.plant import Plant
from tests.local.processes import PROJECT, wait_until

OPEN = "SELECT count(*) FROM messaging_attempt WHERE state = 'open'"
SINGLE_OPEN = f"{OPEN} AND actor = 'api'"
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


@contextmanager
def everything_in_one(plant: Plant) -> Iterator[subprocess.Popen[str]]:
    """Run ``manage.py up`` in place of the plant's own programs."""
    for name, program in plant.programs.items():
        if name not in ("sandbox", "people"):
            program.stop()
    up = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--no-sandbox", f"--port={plant.port}"],
        cwd=PROJECT,
        env={**plant.environment, "LOCAL_FOLDER": str(plant.folder / "up")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with up:
        try:
            wait_until(lambda: plant.status("/readyz") == 200, "the web server")
            yield up
        finally:
            if up.poll() is None:
                up.kill()


def test_the_supervisor_lets_workers_and_web_server_finish(busy: Plant) -> None:
    lost = busy.count(LOST)
    answers: list[int] = []
    asked = threading.Event()

    def send(program: Sender) -> None:
        # One after the other: on a busy machine some begin so late that the first
        # ones have their answers by then. To people whom the broadcast did not just
        # write to: WhatsApp takes one message in six seconds to each, and the next one
        # leaves by itself.
        numbers = itertools.count()
        answer = 0
        while not asked.is_set():
            stranger = replace(program, phone=f"{program.phone}{next(numbers):02}")
            answer, _ = stranger.send(PATIENCE)
        answers.append(answer)

    with everything_in_one(busy) as up:
        wait_for_work(busy, 8)
        program = busy.program()
        strangers = [replace(program, phone=f"+23320555{n}1") for n in range(3)]
        callers = [threading.Thread(target=send, args=(one,)) for one in strangers]
        for caller in callers:
            caller.start()
        try:
            wait_until(lambda: busy.count(SINGLE_OPEN) == 3, "three requests that wait")
        finally:
            asked.set()

        up.send_signal(signal.SIGTERM)

        said, _ = up.communicate(timeout=PATIENCE)
        for caller in callers:
            caller.join()
    assert up.returncode == 0
    assert said.endswith("Stopped.\n")
    assert "killed" not in said
    # 202 where the worker was quicker to claim it, and it stood in line behind others.
    assert len(answers) == 3
    assert set(answers) <= {200, 202}
    assert busy.count(OPEN) == 0
    assert busy.count(LOST) == lost

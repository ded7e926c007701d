"""Processes that live long look for garbage less often than Python would."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest
from celery.signals import worker_init, worker_ready

from resend_admin import garbage


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    gc.unfreeze()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize("signal", [worker_init, worker_ready], ids=["init", "ready"])
def test_a_worker_leaves_alone_what_it_has_loaded(
    collector: None, signal: object
) -> None:
    assert gc.get_freeze_count() == 0

    signal.send(sender=None)  # type: ignore[attr-defined]

    assert gc.get_threshold() == garbage.THRESHOLDS
    assert gc.get_freeze_count() > 100_000


def test_cycles_are_still_found(collector: None) -> None:
    garbage.expect_little()
    found = gc.get_stats()[0]["collected"]

    for _ in range(3 * garbage.THRESHOLDS[0]):
        cycle: list[object] = []
        cycle.append(cycle)

    assert gc.get_stats()[0]["collected"] - found > garbage.THRESHOLDS[0]


def test_a_web_server_does_so_with_all_views_loaded() -> None:
    script = (
        "import gc; from wsgiref.util import setup_testing_defaults;"
        "from resend_admin.wsgi import application;"
        "print(gc.get_threshold()); first = gc.get_freeze_count();"
        "asked = {'PATH_INFO': '/healthz', 'HTTP_HOST': 'localhost'};"
        "setup_testing_defaults(asked);"
        "answer = application(asked, lambda *said: print(said[0])); answer.close();"
        "print(gc.get_freeze_count() > first + 10_000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.split("\n")[:3] == [str(garbage.THRESHOLDS), "200 OK", "True"]

"""`make test` in two halves: it fails with either, and both are heard."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import side_by_side
from tests.local.processes import PROJECT, family, wait_until, wait_until_gone

SLOW = "import time; print('begun', flush=True); time.sleep(600)"
BOTH_SLOW = f"""
import signal, sys
from tests.side_by_side import interrupt, run
signal.signal(signal.SIGTERM, interrupt)
slow = [sys.executable, "-c", {SLOW!r}]
sys.exit(run(slow, slow, sys.stdout.buffer))
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    ("shown", "kept", "status"), [(0, 0, 0), (1, 0, 1), (0, 5, 1), (-9, 0, 1)]
)
def test_it_fails_when_either_does_and_shows_all_that_both_said(
    tmp_path: Path, shown: int, kept: int, status: int
) -> None:
    end = f"os.kill(os.getpid(), {-shown})" if shown < 0 else f"sys.exit({shown})"
    first = python(f"import os, sys; print('first ' * 1000, flush=True); {end}")
    second = python(f"import sys; print('second ' * 1000); sys.exit({kept})")

    with (tmp_path / "said").open("w+b") as output:
        assert side_by_side.run(first, second, output) == status

    said = (tmp_path / "said").read_text()
    assert said.count("first") == 1000
    assert said.count("second") == 1000


@pytest.mark.parametrize("request_to_stop", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_stops_both(
    tmp_path: Path, request_to_stop: signal.Signals
) -> None:
    said = tmp_path / "said"
    with said.open("wb") as output:
        both = subprocess.Popen(python(BOTH_SLOW), cwd=PROJECT, stdout=output)
    wait_until(lambda: len(family(both.pid)) >= 3, "both to run")
    wait_until(lambda: "begun" in said.read_text(), "the first one's word")
    processes = family(both.pid)

    both.send_signal(request_to_stop)

    assert both.wait(60) == side_by_side.INTERRUPTED
    wait_until_gone(processes)


def test_the_folders_that_it_takes_apart_exist() -> None:
    assert all((PROJECT / folder).is_dir() for folder in side_by_side.START_PROGRAMS)


def test_a_run_starts_its_own_servers_before_it_reads_the_settings(
    tmp_path: Path,
) -> None:
    code = "import os; print('DJANGO_SETTINGS_MODULE' in os.environ)"
    with (tmp_path / "said").open("w+b") as output:
        assert side_by_side.run(python(code), python(code), output) == 0
    said = (tmp_path / "said").read_text()
    assert said.count("False") == 2

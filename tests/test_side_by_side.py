"""`make test` in three parts: it fails with any, and all are heard."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import side_by_side
from tests.local.processes import PROJECT, family, wait_until, wait_until_gone

SLOW = "import time; print('begun', flush=True); time.sleep(600)"
ALL_SLOW = f"""
import signal, sys
from tests.side_by_side import interrupt, run
signal.signal(signal.SIGTERM, interrupt)
slow = [sys.executable, "-c", {SLOW!r}]
sys.exit(run(slow, dict(a=slow, b=slow), sys.stdout.buffer))
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    ("shown", "kept", "last", "status"),
    [(0, 0, 0, 0), (1, 0, 0, 1), (0, 5, 0, 1), (0, 0, 5, 1), (-9, 0, 0, 1)],
)
def test_it_fails_when_any_does_and_shows_all_that_each_said(
    tmp_path: Path, shown: int, kept: int, last: int, status: int
) -> None:
    end = f"os.kill(os.getpid(), {-shown})" if shown < 0 else f"sys.exit({shown})"
    first = python(f"import os, sys; print('first ' * 1000, flush=True); {end}")
    second = python(f"import sys; print('second ' * 1000); sys.exit({kept})")
    third = python(f"import sys; print('third ' * 1000); sys.exit({last})")

    with (tmp_path / "said").open("w+b") as output:
        others = {"2": second, "3": third}
        assert side_by_side.run(first, others, output) == status

    said = (tmp_path / "said").read_text()
    assert said.count("first") == 1000
    assert said.count("second") == 1000
    assert said.count("third") == 1000


@pytest.mark.parametrize("request_to_stop", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_stops_all(
    tmp_path: Path, request_to_stop: signal.Signals
) -> None:
    said = tmp_path / "said"
    with said.open("wb") as output:
        run = subprocess.Popen(python(ALL_SLOW), cwd=PROJECT, stdout=output)
    wait_until(lambda: len(family(run.pid)) >= 4, "all to run")
    wait_until(lambda: "begun" in said.read_text(), "the first one's word")
    processes = family(run.pid)

    run.send_signal(request_to_stop)

    assert run.wait(60) == side_by_side.INTERRUPTED
    wait_until_gone(processes)


def test_the_folders_that_it_takes_apart_exist() -> None:
    folders = (*side_by_side.START_PROGRAMS, side_by_side.MESSAGING)
    assert all((PROJECT / folder).is_dir() for folder in folders)


def test_a_run_starts_its_own_servers_before_it_reads_the_settings(
    tmp_path: Path,
) -> None:
    code = "import os; print('DJANGO_SETTINGS_MODULE' in os.environ)"
    with (tmp_path / "said").open("w+b") as output:
        assert side_by_side.run(python(code), {"2": python(code)}, output) == 0
    said = (tmp_path / "said").read_text()
    assert said.count("False") == 2

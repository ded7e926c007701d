"""Processes as the system lists them, and a Python that gets killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 180.0
"""Only a broken promise takes this long, however busy the machine is."""


def alive() -> dict[int, int]:
    """Return the parent of every process that is no zombie, by process id."""
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat="],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    rows = (line.split() for line in listing.splitlines())
    return {int(row[0]): int(row[1]) for row in rows if not row[2].startswith("Z")}


def family(pid: int) -> set[int]:
    """Return the process and everything it started, directly or not."""
    parents = alive()
    found = {pid} & parents.keys()
    while more := {each for each in parents if parents[each] in found} - found:
        found |= more
    return found


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.05)


def wait_until_gone(pids: set[int]) -> None:
    wait_until(lambda: not pids & alive().keys(), "processes to end")


def kill_after(code: str, *arguments: object) -> tuple[str, set[int]]:
    """Run Python code, kill it after its first line of output.

    Returns that line, and the processes that it had started.
    """
    owner = subprocess.Popen(
        [sys.executable, "-c", code, *(str(each) for each in arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    )
    with owner:
        assert owner.stdout is not None
        line = owner.stdout.readline().strip()
        started = family(owner.pid) - {owner.pid}
        os.kill(owner.pid, signal.SIGKILL)
    return line, started

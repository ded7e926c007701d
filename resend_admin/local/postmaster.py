"""What `postmaster.pid` says about a data folder, and whether it is true."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from resend_admin.local.problem import StartError

LEFTOVER_SECONDS = 20.0


@dataclass(frozen=True)
class PidFile:
    """The lines of `postmaster.pid` that matter here (the 1st and the 8th)."""

    pid: int
    ready: bool


def read(data: Path) -> PidFile | None:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return PidFile(int(lines[0]), len(lines) > 7 and lines[7].strip() == "ready")
    except (OSError, ValueError, IndexError):
        return None


def serves(pid: int, data: Path) -> bool:
    """Return whether the process is a living server of this very data folder.

    A number in a file proves nothing: the process may have gone, may have been
    followed by a stranger with the same number, or may be a zombie that its
    parent never asks about, which answers to signals like a living one.
    """
    if sys.platform == "linux":
        process = Path("/proc") / str(pid)
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            # A postmaster makes its data folder its working folder.
            return state not in "ZX" and (process / "cwd").readlink() == data.resolve()
        except OSError:
            return False
    answer = subprocess.run(
        ["ps", "-o", "stat=,command=", "-p", str(pid)],
        capture_output=True,
        check=False,
        text=True,
    ).stdout.strip()
    return bool(answer) and answer[0] != "Z" and str(data.resolve()) in answer


def clear(data: Path, pause: Callable[[float], object] = time.sleep) -> None:
    """Stop the server that a killed supervisor left, and remove a stale file.

    The caller holds the lock of the folder, so that such a server has no owner
    any more; on Linux it is about to stop by itself.

    Raises:
        StartError: the server does not stop.
    """
    found = read(data)
    if found is not None and serves(found.pid, data):
        os.kill(found.pid, signal.SIGINT)
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while serves(found.pid, data):
            if time.monotonic() > deadline:
                raise StartError(
                    f"A PostgreSQL server left by an earlier start (process"
                    f" {found.pid}) still uses {data} and does not stop: stop it"
                    " and start again."
                )
            pause(0.05)
    (data / "postmaster.pid").unlink(missing_ok=True)

"""Child processes that never outlive the process that started them.

On Linux the kernel does it: every child asks for a signal at the death of its
parent. Elsewhere a small shell watches both and stops the child's group.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from resend_admin.local.account import Account

PR_SET_PDEATHSIG = 1
SLOW_SECONDS = 3.0
"""Whoever waits longer for something to stop is told what for."""
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

GUARD = """
while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 1; done
kill -0 "$2" 2>/dev/null || exit 0
kill -s "$3" -- "-$2"
for second in 1 2 3 4 5; do kill -0 "$2" 2>/dev/null && sleep 1; done
kill -s KILL -- "-$2" 2>/dev/null
"""


def spawn(
    command: Sequence[str | Path],
    *,
    death_signal: signal.Signals,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    output: int | IO[bytes] = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, tied to the life of this process.

    A session of its own keeps the terminal's Ctrl-C away from it: the order in
    which things stop is the parent's decision. The calling thread must be one
    that lives as long as the process: Linux means the thread by "parent".
    """
    parent = os.getpid()

    def prepare() -> None:
        # Runs in the child, after the change of user: that change clears the
        # request. A process started with `&` inherits SIGINT as ignored, and
        # its children would, too.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        die_with_parent(death_signal, parent)

    child = subprocess.Popen(
        [str(part) for part in command],
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(environment) if environment is not None else None,
        cwd=folder,
        start_new_session=True,
        preexec_fn=prepare,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if _libc is None:
        watch(child.pid, death_signal)
    return child


def die_with_parent(death_signal: signal.Signals, parent: int) -> None:
    """Ask the kernel for a signal at the parent's death; Linux only.

    A parent that died before the request was made sends no signal any more, so
    the caller dies at once when it has been adopted by another process.
    """
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def watch(child: int, death_signal: signal.Signals) -> subprocess.Popen[bytes]:
    """Start the shell that stops a child's group once this process is gone."""
    name = death_signal.name.removeprefix("SIG")
    return subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "guard", str(os.getpid()), str(child), name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def stop(
    child: subprocess.Popen[bytes],
    request: signal.Signals,
    seconds: float,
    *,
    slow: Callable[[], object] | None = None,
) -> None:
    """Ask a child to stop, wait, and then kill what is left of its group.

    ``slow`` is called once when it takes a while.
    """
    if child.poll() is None:
        child.send_signal(request)
        if not ends_within(child, min(seconds, SLOW_SECONDS)):
            if slow is not None:
                slow()
            if not ends_within(child, seconds - SLOW_SECONDS):
                child.kill()
                child.wait()
    kill_group(child)


def ends_within(child: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        child.wait(max(0.0, seconds))
    except subprocess.TimeoutExpired:
        return False
    return True


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill the helpers that a dead child left behind in its session."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # macOS answers "not permitted" for a group of which only zombies remain.
        return

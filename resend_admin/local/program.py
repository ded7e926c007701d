"""A program of the stack: started, looked at, stopped."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from resend_admin.local import leash
from resend_admin.local.problem import last_line
from resend_admin.local.terminal import say

LARGE_LOG_BYTES = 10_000_000


class Service(Protocol):
    """What the supervisor watches."""

    @property
    def name(self) -> str: ...
    @property
    def log(self) -> Path: ...
    def start(self) -> object: ...
    def poll(self) -> int | None: ...
    def stop(self) -> None: ...


@dataclass
class Program:
    """A command of this project, with its output in a log."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    stop_seconds: float = 10.0
    when_killed: str = ""
    """What is to be said about the work that a kill has cut off."""
    death_signal: signal.Signals = signal.SIGKILL
    child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        if self.child is not None:
            leash.kill_group(self.child)
        with self.log.open("ab") as log:
            self.child = leash.spawn(
                self.command,
                death_signal=self.death_signal,
                environment=self.environment,
                folder=self.folder,
                output=log,
            )

    def poll(self) -> int | None:
        """Return the exit status of a program that has ended, else None."""
        return self.child.poll() if self.child is not None else None

    def stop(self) -> None:
        """Ask it to finish, and kill it when that takes too long; say either."""
        if self.child is None:
            return
        leash.stop(self.child, signal.SIGTERM, self.stop_seconds, slow=self.excuse)
        # By a second Ctrl-C, or because its time was up.
        if self.child.returncode == -signal.SIGKILL:
            say(f"The {self.name} was killed. {self.when_killed}".rstrip())
        self.child = None

    def excuse(self) -> None:
        say(
            f"The {self.name} finishes what it has begun, in {self.stop_seconds:.0f} s"
            " at most; Ctrl-C kills it."
        )

    def kill(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.kill()

    def complaint(self) -> str:
        """Return what its log says last, and where to read more."""
        return f"{last_line(self.log)} (more in {self.log})"


def turn_over(log: Path) -> Path:
    """Set a log aside that has grown large; one earlier log is kept."""
    if log.exists() and log.stat().st_size > LARGE_LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    return log

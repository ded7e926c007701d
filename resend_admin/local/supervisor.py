"""Starts services in order, restarts those that die, stops them in reverse."""

from __future__ import annotations

import select
import signal
import sys
import time
from dataclasses import dataclass
from types import FrameType

from resend_admin.local.problem import StartError
from resend_admin.local.program import Program, Service
from resend_admin.local.terminal import say

TICK_SECONDS = 0.1
PATIENCE = 5
"""Crashes in a row after which a service is given up."""
STEADY_SECONDS = 60.0
"""A service that ran this long was well; a later crash counts as the first."""
LONGEST_BACKOFF_SECONDS = 30.0


class StopRequested(BaseException):
    """Somebody asked to stop; not an error, and caught by nobody else."""


@dataclass
class Watched:
    service: Service
    started_at: float
    crashes: int = 0
    restart_at: float | None = None


class Supervisor:
    """Owns the services; runs in the main thread and in no other."""

    def __init__(self) -> None:
        self.watched: list[Watched] = []
        self.jobs: list[tuple[Program, str]] = []
        self.asked_to_stop = False
        self.terminal: int | None = None

    def listen(self) -> None:
        """Install the handlers, also for SIGINT.

        A process that a shell started with `&` inherits SIGINT as ignored, and
        Python then installs no handler of its own. SIGHUP is another matter:
        ignoring it is what `nohup` is for.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.on_signal)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self.on_signal)
            if sys.stdout.isatty():
                self.terminal = sys.stdout.fileno()

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Note the wish; a second Ctrl-C means at once."""
        if self.asked_to_stop and number == signal.SIGINT:
            for entry in self.watched:
                if isinstance(entry.service, Program):
                    entry.service.kill()
        self.asked_to_stop = True

    def pause(self, seconds: float) -> None:
        """Sleep.

        Raises:
            StopRequested: somebody asked to stop before or meanwhile.
        """
        if not self.asked_to_stop:
            time.sleep(seconds)
        if self.terminal is not None and has_gone(self.terminal):
            self.asked_to_stop = True
        if self.asked_to_stop:
            raise StopRequested

    def start(self, service: Service) -> None:
        self.pause(0)
        self.watched.append(Watched(service, time.monotonic()))
        service.start()

    def run(self, *programs: Program) -> None:
        """Run programs side by side to their end.

        Raises:
            StartError: one of them failed.
        """
        self.pause(0)
        try:
            for program in programs:
                program.start()
            while any(program.poll() is None for program in programs):
                self.pause(TICK_SECONDS / 2)
        finally:
            statuses = [program.poll() for program in programs]
            for program in programs:
                program.stop()
        for program, status in zip(programs, statuses, strict=True):
            if status != 0:
                raise StartError(f"“{program.name}” failed: {program.complaint()}")

    def start_job(self, program: Program, done: str) -> None:
        """Run a program beside the services; say `done` when it succeeds."""
        self.pause(0)
        program.start()
        self.jobs.append((program, done))

    def watch(self) -> None:
        """Look after everything until somebody asks to stop.

        Raises:
            StopRequested: always, in the end.
            StartError: a service crashes again and again.
        """
        while True:
            self.pause(TICK_SECONDS)
            self.look_after_services()
            self.look_after_jobs()

    def look_after_services(self) -> None:
        for entry in self.watched:
            if entry.restart_at is not None:
                if time.monotonic() >= entry.restart_at:
                    self.restart(entry)
            elif (status := entry.service.poll()) is not None:
                self.plan_restart(entry, f"stopped unexpectedly ({ending(status)})")

    def plan_restart(self, entry: Watched, what: str) -> None:
        now = time.monotonic()
        if now - entry.started_at > STEADY_SECONDS:
            entry.crashes = 0
        entry.crashes += 1
        if entry.crashes > PATIENCE:
            raise StartError(
                f"The {entry.service.name} {what} {entry.crashes} times in a row:"
                f" {entry.service.log} says why."
            )
        delay = min(2.0 ** (entry.crashes - 1), LONGEST_BACKOFF_SECONDS)
        entry.restart_at = now + delay
        say(f"The {entry.service.name} {what}; starting it again in {delay:.0f} s.")

    def restart(self, entry: Watched) -> None:
        entry.restart_at = None
        entry.started_at = time.monotonic()
        try:
            entry.service.start()
        except StartError:
            self.plan_restart(entry, "did not start")

    def look_after_jobs(self) -> None:
        for job in list(self.jobs):
            program, done = job
            status = program.poll()
            if status is None:
                continue
            self.jobs.remove(job)
            program.stop()
            say(done if status == 0 else f"“{program.name}”: {program.complaint()}")

    def stop(self) -> None:
        """Stop everything, last started first."""
        for program, _ in self.jobs:
            program.stop()
        for entry in reversed(self.watched):
            entry.service.stop()
        self.watched.clear()


def has_gone(terminal: int) -> bool:
    """Return whether the window has been closed.

    The system tells the first process of the terminal alone. When that is `make`
    it waits for its child, which would wait for ever.
    """
    look = select.poll()
    look.register(terminal, 0)
    return any(what & select.POLLHUP for _, what in look.poll(0))


def ending(status: int) -> str:
    """Return an exit status in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"

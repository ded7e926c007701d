"""The programs of the stack: what each is called with, and how it is stopped."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from resend_admin.local.ports import HOST
from resend_admin.local.program import Program, turn_over

WORKER_STOP_SECONDS = 75.0
"""What the worker gets to finish the attempts it has open: longer than the engine
lets any of them live (``ATTEMPT_SECONDS``). Usually it needs a second."""
ANSWER_SECONDS = 40
"""What the web server gets to answer what it was asked: a resend waits for its
provider, which has up to half a minute."""
CUT_OFF = (
    "What it was sending is shown as “unknown” in a few minutes, unless a receipt"
    " says more."
)

GRANIAN = ("-m", "granian", "--interface=wsgi", "--http=1", "--no-ws")
CELERY = ("-m", "celery", "-A", "resend_admin.celery:app")


@dataclass(frozen=True)
class Roster:
    """Makes programs that share an environment and a folder for their logs."""

    project: Path
    folder: Path
    environment: Mapping[str, str]

    def log(self, name: str) -> Path:
        return turn_over(self.folder / "logs" / f"{name}.log")

    def program(self, name: str, *arguments: str) -> Program:
        return Program(
            name=name,
            command=[sys.executable, *arguments],
            environment=self.environment,
            folder=self.project,
            log=self.log(name),
        )

    def manage(self, command: str, *arguments: str) -> Program:
        manage = str(self.project / "manage.py")
        return self.program(command, manage, command, *arguments)

    def web(self, port: int) -> Program:
        web = self.program(
            "web",
            *GRANIAN,
            *(f"--host={HOST}", f"--port={port}"),
            *("--workers=2", "--blocking-threads=4", "--respawn-failed-workers"),
            f"--workers-kill-timeout={ANSWER_SECONDS}",
            "resend_admin.local.web:application",
        )
        web.stop_seconds = ANSWER_SECONDS + 5.0
        web.when_killed = CUT_OFF
        # Asked to stop, the master stops its workers; killed, it could not.
        web.death_signal = signal.SIGTERM
        return web

    def sandbox(self, port: int, smtp_port: int) -> Program:
        return self.program(
            "sandbox",
            *("-m", "resend_admin.sandbox", "--seed=7"),
            *(f"--port={port}", f"--smtp-port={smtp_port}"),
            f"--log={self.folder / 'sandbox.jsonl'}",
        )

    def worker(self) -> Program:
        worker = self.program(
            "worker",
            *(*CELERY, "worker", "--pool=threads", "--concurrency=4"),
            *("--loglevel=INFO", "--without-mingle", "--without-gossip"),
        )
        worker.stop_seconds = WORKER_STOP_SECONDS
        worker.when_killed = CUT_OFF
        return worker

    def beat(self) -> Program:
        return self.program(
            "beat",
            *(*CELERY, "beat", "--loglevel=WARNING"),
            f"--schedule={self.folder / 'beat-schedule'}",
        )

"""The real processes: a Celery worker and beat, on the servers of the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from resend_admin.celery import app

PATIENCE = 60.0


class Engine:
    """Worker and beat as processes of their own; each may be killed.

    They use the test database, and call attempts lost after a few seconds.
    """

    def __init__(self, folder: Path, public_url: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DATABASE_URL": _test_database_url(),
            "PUBLIC_URL": public_url,
            "RESCUE_AFTER_SECONDS": "12",
            "LOG_LEVEL": "WARNING",
        }
        self.worker: subprocess.Popen[bytes] | None = None
        self.beat: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start_worker()
        self.start_beat()
        return self

    def __exit__(self, *exception: object) -> None:
        for process in (self.beat, self.worker):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
        empty_broker()

    def start_worker(self) -> None:
        self.worker = self._start("worker", "--pool=threads", "--concurrency=4")

    def start_beat(self) -> None:
        self.beat = self._start("beat", f"--schedule={self.folder / 'beat'}")

    def kill_worker(self) -> None:
        assert self.worker is not None
        self.worker.kill()
        self.worker.wait()

    def kill_beat(self) -> None:
        assert self.beat is not None
        self.beat.kill()
        self.beat.wait()

    def stop_worker(self) -> int:
        """End the worker as a deploy does, and return its exit status."""
        assert self.worker is not None
        self.worker.send_signal(signal.SIGTERM)
        return self.worker.wait(PATIENCE)

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{arguments[0]}.log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "resend_admin", *arguments],
                env=self.environment,
                stdout=log,
                stderr=log,
            )


def empty_broker() -> None:
    """Lose everything that the broker holds for us, delivered or not."""
    with app.connection_for_write() as broker:
        client = broker.default_channel.client
        for pattern in ("resend_admin*", "unacked*", "_kombu*"):
            for key in client.scan_iter(pattern):
                client.delete(key)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something to become true, and fail in words when it does not."""
    ends_at = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > ends_at:
            message = f"Waited {PATIENCE:.0f} s in vain until {what}."
            raise AssertionError(message)
        time.sleep(0.1)


def _test_database_url() -> str:
    parts = urlsplit(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    return urlunsplit(parts._replace(path=f"/{name}"))

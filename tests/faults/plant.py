"""The real processes in a folder of their own, and every way to break them."""

from __future__ import annotations

import http.client
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg
import redis

from resend_admin.local.broker import PrivateBroker
from resend_admin.local.env_file import new_secrets
from resend_admin.local.ports import HOST, free_port
from resend_admin.local.postgres import PrivatePostgres
from resend_admin.local.program import Program
from resend_admin.local.roster import CELERY, Roster
from tests.faults import outside
from tests.local.processes import PROJECT, family, wait_until

THREADS, PREFORK = "threads", "prefork"
FOREIGN = ("DATABASE_URL", "BROKER_URL", "PUBLIC_URL", "LOCAL_FOLDER", "SANDBOX_URL")


BUSIEST_SHARE = 0.7


@dataclass(frozen=True)
class Size:
    """How much runs. ``rescue_after``: seconds until an open attempt is in doubt.

    Shorter than anybody would set it, so that a run need not wait for minutes; a
    chunk is small enough to be through by then.
    """

    pools: tuple[str, ...] = (THREADS, PREFORK)
    concurrency: int = 4
    rescue_after: int = 20
    chunk: int = 40
    failure_rate: float = 0.08


@dataclass
class Plant:
    """Everything that ``manage.py up`` runs, with more workers, to be broken.

    It is entered and broken by one thread, the main one: on Linux the processes
    die with the thread that started them.
    """

    folder: Path
    size: Size = field(default_factory=Size)
    environment: dict[str, str] = field(init=False)
    postgres: PrivatePostgres = field(init=False)
    broker: PrivateBroker = field(init=False)
    programs: dict[str, Program] = field(init=False, default_factory=dict)
    port: int = field(init=False)
    sandbox_port: int = field(init=False)
    smtp_port: int = field(init=False)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
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
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{HOST}:{self.sandbox_port}"

    @property
    def sandbox_log(self) -> Path:
        return self.folder / "sandbox.jsonl"

    @property
    def people_log(self) -> Path:
        return self.folder / "people.jsonl"

    @property
    def workers(self) -> list[str]:
        return [f"worker-{pool}" for pool in self.size.pools]

    # -- started and stopped ----------------------------------------------------

    def _start(self) -> None:
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        self.port, self.sandbox_port = free_port(), free_port()
        self.smtp_port = free_port()
        self.postgres = PrivatePostgres(self.folder / "postgres")
        self.broker = PrivateBroker(self.folder / "broker")
        # Commits survive any kill; only a power cut would take them along.
        self.postgres.start()
        self.broker.start()
        own = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        self.environment = {
            **own,
            **new_secrets(),
            "DATABASE_URL": self.postgres.url,
            "BROKER_URL": self.broker.url,
            "PUBLIC_URL": self.url,
            "LOCAL_FOLDER": str(self.folder),
            "STATIC_ROOT": str(self.folder / "static"),
            "SANDBOX_URL": self.sandbox_url,
            "SANDBOX_SMTP_PORT": str(self.smtp_port),
            "RESCUE_AFTER_SECONDS": str(self.size.rescue_after),
            "DISPATCH_CHUNK": str(self.size.chunk),
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "resend_admin.settings",
            "PYTHONUNBUFFERED": "1",
        }
        roster = Roster(PROJECT, self.folder, self.environment)
        self._run(
            roster.manage("migrate", "--no-input", "--verbosity=0"),
            roster.manage("collectstatic", "--no-input", "--verbosity=0"),
        )
        sandbox = roster.sandbox(self.sandbox_port, self.smtp_port)
        sandbox.command = [
            *sandbox.command,
            f"--failure-rate={self.size.failure_rate}",
            "--delivery-delay=0.3",
            "--pace=0.1",
        ]
        chosen = [roster.web(self.port), sandbox, roster.beat()]
        chosen += [self._worker(roster, pool) for pool in self.size.pools]
        for program in chosen:
            self.programs[program.name] = program
            program.start()
        wait_until(lambda: self.status("/healthz") == 200, "the web server")
        wait_until(lambda: self._sandbox_answers(), "the sandbox")

    def start_people(
        self, members: int, seed: int, *, only_begin: bool = False
    ) -> None:
        """Start the load, a process that nobody kills, and wait until it works."""
        people = Roster(PROJECT, self.folder, self.environment).program(
            "people",
            *("-m", "tests.faults.people", str(self.people_log)),
            *(str(members), str(seed), *(["begin"] if only_begin else [])),
        )
        if earlier := self.programs.get("people"):
            wait_until(
                lambda: earlier.child is None or earlier.poll() is not None,
                "people to go",
            )
        before = self.people_log.stat().st_size if self.people_log.exists() else 0
        self.programs["people"] = people
        people.start()

        def is_ready() -> bool:
            assert people.poll() in (None, 0), people.complaint()
            lines = self.people_log.read_bytes() if self.people_log.exists() else b""
            return b'"what": "ready"' in lines[before:]

        wait_until(is_ready, "people at work")

    def _worker(self, roster: Roster, pool: str) -> Program:
        worker = roster.program(
            f"worker-{pool}",
            *(*CELERY, "worker", f"--pool={pool}", f"--hostname={pool}@%h"),
            *(f"--concurrency={self.size.concurrency}", "--loglevel=WARNING"),
            *("--without-mingle", "--without-gossip"),
        )
        worker.stop_seconds = 60.0
        return worker

    def _run(self, *programs: Program) -> None:
        """Run programs side by side to their end."""
        for program in programs:
            program.start()
        for program in programs:
            assert program.child is not None
            assert program.child.wait() == 0, program.complaint()

    def stop(self) -> None:
        """End everything that this plant has started, without much ado."""
        for name, program in self.programs.items():
            # The sandbox closes its log; nobody else has anything left to do.
            if name != "sandbox" and program.child is not None:
                self.kill(name)
                program.child = None
            program.stop()
        self.programs.clear()
        for server in ("broker", "postgres"):
            if hasattr(self, server):
                getattr(self, server).stop()

    def mend(self) -> list[str]:
        """Start again what has died or was stopped; return its names."""
        dead = [
            one
            for one in self.programs.values()
            if one.name != "people" and (one.child is None or one.poll() is not None)
        ]
        for program in dead:
            program.start()
        return [program.name for program in dead]

    def calm(self) -> None:
        """End all trouble: everything runs, and the providers are well."""
        if self.postgres.poll() is not None:
            self.postgres.start()
        self.behave(reset=True)
        self.mend()
        wait_until(lambda: self.status("/readyz") == 200, "the web server")

    # -- broken -------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """Kill a program and all that belongs to it, as the system does."""
        program = self.programs[name]
        if program.child is not None:
            with suppress(ProcessLookupError):
                os.killpg(program.child.pid, signal.SIGKILL)
            program.child.wait()

    def kill_child(self, name: str, pick: float) -> bool:
        """Kill one of its child processes; ``pick`` (0 to 1) chooses among them.

        Mostly the busiest one, which has the most threads: all that a worker sends
        is sent by one of its processes at a time.
        """
        program = self.programs[name]
        if program.child is None:
            return False
        children = sorted(family(program.child.pid) - {program.child.pid})
        if not children:
            return False
        chosen = children[int(pick * len(children))]
        if pick < BUSIEST_SHARE:
            chosen = max(children, key=threads_of)
        with suppress(ProcessLookupError):
            os.kill(chosen, signal.SIGKILL)
        return True

    def ask_to_stop(self, name: str) -> None:
        """Ask a program to finish; it goes on for as long as that takes."""
        program = self.programs[name]
        if program.child is not None:
            program.child.send_signal(signal.SIGTERM)

    def kill_broker(self, seconds: float) -> None:
        """Kill the broker, and start it again after a while."""
        assert self.broker.child is not None
        self.broker.child.kill()
        self.broker.child.wait()
        time.sleep(seconds)
        self.broker.start()

    def empty_broker(self) -> None:
        with redis.Redis.from_url(self.broker.url, socket_timeout=5) as client:
            client.flushall()

    def stop_postgres(self, request: signal.Signals) -> None:
        """Stop PostgreSQL: SIGINT is *fast*, SIGQUIT is *immediate*."""
        assert self.postgres.child is not None
        self.postgres.child.send_signal(request)
        self.postgres.child.wait()

    def start_postgres(self) -> None:
        self.postgres.start()

    def behave(self, **fields: Any) -> None:
        """Tell the sandbox; see ``/control/behave``."""
        status, answer = outside.tell_sandbox(self.sandbox_port, fields)
        assert status == 200, answer

    # -- looked at ----------------------------------------------------------------

    def status(self, path: str, seconds: float = 5.0) -> int:
        """Return the status of a page, 0 when nobody answers."""
        return self.get(path, seconds)[0]

    def get(self, path: str, seconds: float = 5.0) -> tuple[int, str]:
        return outside.get(self.port, path, seconds)

    def program(self) -> outside.Sender:
        """Return another program, ready to send; it asks the database for nothing."""
        with psycopg.connect(self.postgres.url) as connection:
            row = connection.execute(outside.SOMEBODY).fetchone()
        assert row is not None
        return outside.Sender(self.port, *row)

    def count(self, query: LiteralString) -> int:
        """Return the one number that a query asks for."""
        with psycopg.connect(self.postgres.url) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        number: int = row[0]
        return number

    def _sandbox_answers(self) -> bool:
        with suppress(OSError, http.client.HTTPException):
            return outside.tell_sandbox(self.sandbox_port, {"reset": True})[0] == 200
        return False


def threads_of(pid: int) -> int:
    with suppress(OSError):
        return len(os.listdir(f"/proc/{pid}/task"))
    return 0


def patiently(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is true; tell whether it became so in time."""
    ends_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends_at:
            return False
        time.sleep(0.1)
    return True

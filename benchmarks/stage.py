"""The servers of one benchmark: as a user runs them, empty, and gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import django
import psycopg
from django.core.management import call_command
from psycopg import sql

from resend_admin.local import leash
from resend_admin.local.broker import PrivateBroker
from resend_admin.local.env_file import new_secrets
from resend_admin.local.postgres import PrivatePostgres
from resend_admin.local.problem import StartError, last_line
from resend_admin.local.roster import Roster

PROJECT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 20.0


@dataclass
class Stage:
    """A private PostgreSQL and broker, migrated, with Django set up on them.

    PostgreSQL keeps its promises here as in ``make run``: nothing is switched
    off that a user would miss after a power cut.
    """

    folder: Path
    environment: dict[str, str]
    postgres: PrivatePostgres
    broker: PrivateBroker
    scale: float
    cleanup: ExitStack = field(default_factory=ExitStack)

    @property
    def roster(self) -> Roster:
        """The project's own programs, as ``make run`` starts them."""
        return Roster(PROJECT, self.folder, self.environment)

    def size(self, full: int, least: int = 1) -> int:
        """Return how many rows to take where a full run takes ``full``."""
        return max(least, round(full * self.scale))

    def say(self, line: str) -> None:
        print(f"  {line}", flush=True)

    def log(self, name: str) -> Path:
        return self.roster.log(name)

    def start(
        self, name: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start ``python <arguments>`` from the project; it ends with the stage."""
        with self.log(name).open("ab") as log:
            child = leash.spawn(
                [sys.executable, *arguments],
                death_signal=signal.SIGKILL,
                environment={**self.environment, **(environment or {})},
                folder=PROJECT,
                output=log,
            )
        self.cleanup.callback(self.stop, child)
        return child

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """Ask a process that :meth:`start` started to end, and wait for it."""
        leash.stop(child, signal.SIGTERM, STOP_SECONDS)

    def check(self, name: str, child: subprocess.Popen[bytes]) -> None:
        """Raise :class:`StartError`, with its last words, if a process has died."""
        if child.poll() is not None:
            raise StartError(f"{name} has stopped: {last_line(self.log(name))}")

    def database(self, name: str) -> str:
        """Create another, empty database on the same server; return its address."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            )
        return f"{self.postgres.url.rpartition('/')[0]}/{name}"

    def postgres_version(self) -> str:
        with psycopg.connect(self.postgres.url) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        assert row is not None
        return str(row[0])


@contextmanager
def open_stage(scale: float = 1.0) -> Iterator[Stage]:
    """Start the servers, migrate, and set up Django in this process.

    Raises:
        StartError: a server cannot be started.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="resend-admin-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # As root, PostgreSQL runs as another account, which must get in.
        folder.chmod(0o711)
        (folder / "logs").mkdir()
        postgres = PrivatePostgres(folder / "postgres")
        stack.callback(postgres.remove)
        broker = PrivateBroker(folder / "broker")
        stack.callback(broker.stop)
        environment = {
            **os.environ,
            **new_secrets(),
            "DATABASE_URL": postgres.start(),
            "BROKER_URL": broker.start(),
            "LOCAL_FOLDER": str(folder),
            "DJANGO_SETTINGS_MODULE": "resend_admin.settings",
            "PYTHONUNBUFFERED": "1",
        }
        os.environ.update(environment)
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        stage = Stage(folder, environment, postgres, broker, scale)
        with stage.cleanup:
            yield stage

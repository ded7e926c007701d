"""A PostgreSQL server of its own: no installation, no account, no fixed port."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from resend_admin.local import binaries, leash, postmaster
from resend_admin.local.account import Account, may, unprivileged
from resend_admin.local.folder_lock import FolderLock
from resend_admin.local.ports import HOST, free_port
from resend_admin.local.problem import StartError, last_line

NAME = "resend_admin"
"""Of the database and of its owner."""
READY_SECONDS = 120.0
"""Recovery after a crash reads back the journal, which takes a while."""
STOP_SECONDS = 30.0

SETTINGS = {
    "listen_addresses": HOST,
    # The path of a socket must not be longer than about a hundred characters.
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "huge_pages": "off",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For data that nobody misses after a power cut: those of a test run."""


class PrivatePostgres:
    """A server on 127.0.0.1 that lives no longer than the process that starts it.

    `folder` holds the data and the password. As root, when the account that
    PostgreSQL then runs as cannot enter that folder, both are kept in a folder
    of the same meaning under /var/lib/resend-admin instead.
    """

    name = "PostgreSQL server"

    def __init__(
        self,
        data_folder: Path,
        *,
        durable: bool = True,
        port: int | None = None,
        log: Path | None = None,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self.folder = data_folder.absolute()
        self.durable = durable
        self.port = port
        self.log = log or self.folder / "server.log"
        self.pause = pause
        self.account: Account | None = None
        self.place = self.folder
        self.child: subprocess.Popen[bytes] | None = None
        self.lock = FolderLock(
            self.folder / "lock",
            f"The data in {self.folder} are in use by another process.",
        )

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
    def data(self) -> Path:
        return self.place / "data"

    @property
    def url(self) -> str:
        password = (self.place / "password").read_text()
        return f"postgres://{NAME}:{password}@{HOST}:{self.port}/{NAME}"

    def start(self) -> str:
        """Start the server, wait until it answers, and return its address.

        Called again after a crash, it uses the same port and password.

        Raises:
            StartError: with the reason in one sentence.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.lock.held is None:
            self.lock.acquire()
        try:
            programs = self.prepare()
            self.launch(programs)
            self.create_database()
        except BaseException:
            self.stop()
            raise
        return self.url

    def prepare(self) -> binaries.Binaries:
        """Choose account, programs and place; make the data folder if need be."""
        self.account = unprivileged(self.folder / "data")
        programs = binaries.reachable_by(binaries.find(), self.account)
        if self.account is not None and not may(self.account, "-x", self.folder):
            digest = hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()
            self.place = binaries.shared_folder(f"data-{digest[:16]}")
            self.account = unprivileged(self.data)
        if self.data.exists():
            self.refuse_other_version(programs)
            postmaster.clear(self.data, self.pause)
        else:
            self.create_cluster(programs)
        return programs

    def refuse_other_version(self, programs: binaries.Binaries) -> None:
        try:
            written_by = (self.data / "PG_VERSION").read_text().strip()
        except PermissionError:
            raise StartError(
                f"{self.data} belongs to another user: start as that user, or move"
                " the folder away to begin with an empty database."
            ) from None
        except FileNotFoundError:
            raise StartError(
                f"{self.data} does not hold PostgreSQL's data: move it away and"
                " start again."
            ) from None
        if written_by != str(programs.major):
            raise StartError(
                f"The data in {self.data} were written by PostgreSQL {written_by},"
                f" and this is PostgreSQL {programs.major}: move the folder away to"
                " begin with an empty database, or set DATABASE_URL to a server of"
                f" version {written_by} that holds these data."
            )

    def create_cluster(self, programs: binaries.Binaries) -> None:
        """Make the data folder in one step, however often it is interrupted."""
        unfinished = self.place / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password = self.place / "password"
        password.unlink(missing_ok=True)
        with open(password, "x", opener=owner_only) as file:
            file.write(secrets.token_urlsafe(24))
        if self.account is not None:
            for path in (unfinished, password):
                os.chown(path, self.account.uid, self.account.gid)
        with self.log.open("ab") as log:
            status = leash.spawn(
                [
                    programs.program("initdb"),
                    f"--pgdata={unfinished}",
                    f"--username={NAME}",
                    f"--pwfile={password}",
                    "--auth-host=scram-sha-256",
                    "--auth-local=reject",
                    "--encoding=UTF8",
                    "--no-instructions",
                    *([] if self.durable else ["--no-sync"]),
                    *binaries.locale_options(programs.major),
                ],
                death_signal=signal.SIGKILL,
                account=self.account,
                folder=Path("/"),
                output=log,
            ).wait()
        if status != 0:
            raise StartError(
                f"PostgreSQL could not create its data folder: {last_line(self.log)}"
            )
        unfinished.rename(self.data)

    def launch(self, programs: binaries.Binaries) -> None:
        if self.port is None:
            self.port = free_port()
        settings = {**SETTINGS, "port": str(self.port)}
        if not self.durable:
            settings |= CARELESS
        options = [f"--{name}={value}" for name, value in settings.items()]
        with self.log.open("ab") as log:
            # Interrupted, PostgreSQL closes its connections and stops cleanly.
            self.child = leash.spawn(
                [programs.program("postgres"), "-D", self.data, *options],
                death_signal=signal.SIGINT,
                account=self.account,
                folder=Path("/"),
                output=log,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self.is_ready(self.child):
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise StartError(f"PostgreSQL did not start: {last_line(self.log)}")
            self.pause(0.02)

    def is_ready(self, child: subprocess.Popen[bytes]) -> bool:
        """Return whether our child, and not an earlier server, says "ready"."""
        found = postmaster.read(self.data)
        return found is not None and found.ready and found.pid == child.pid

    def create_database(self) -> None:
        maintenance = self.url.rpartition("/")[0] + "/postgres"
        with psycopg.connect(maintenance, autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, [NAME]).fetchone() is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME))
                )

    def poll(self) -> int | None:
        """Return the exit status of a server that stopped by itself, else None."""
        return self.child.poll() if self.child is not None else None

    def stop(self) -> None:
        """Stop the server cleanly; harmless when it does not run."""
        if self.child is not None:
            leash.stop(self.child, signal.SIGINT, STOP_SECONDS)
            self.child = None
        self.lock.release()

    def remove(self) -> None:
        """Stop the server and delete its data for good."""
        self.stop()
        for folder in {self.place, self.folder}:
            shutil.rmtree(folder, ignore_errors=True)


def owner_only(path: str, flags: int) -> int:
    """Open a file that nobody but its owner can read, from its first moment."""
    return os.open(path, flags, 0o600)

"""`manage.py up`, really started: the whole product in a temporary folder."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from resend_admin.local import env_file
from resend_admin.local.ports import HOST, free_port
from resend_admin.local.stack import RUNTIME
from tests.local.processes import (
    PROJECT,
    alive,
    family,
    wait_until,
    wait_until_gone,
)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a person, without the servers of this test run."""
    own = {name: value for name, value in os.environ.items() if name not in RUNTIME}
    return {**own, "LOCAL_FOLDER": str(folder)}


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        capture_output=True,
        check=False,
        cwd=PROJECT,
        env=environment(folder),
        text=True,
    )


PATIENCE_SECONDS = 30
"""The first answer of a web server loads much, and other tests want the processor."""


def status(port: int) -> int:
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


@contextmanager
def running(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / "up.log"
    with log.open("wb") as output:
        up = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--no-sandbox", f"--port={port}"],
            cwd=PROJECT,
            env=environment(folder),
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(
            lambda: "Resend Admin runs at" in log.read_text() or up.poll() is not None,
            "the greeting",
        )
        assert up.poll() is None, log.read_text()
        yield up
    finally:
        if up.poll() is None:
            up.terminate()
        up.wait()


def pid_of(word: str, among: set[int]) -> int:
    """Return the oldest of the processes whose command line has the word."""
    for pid in sorted(among):
        command = ["ps", "-o", "args=", "-p", str(pid)]
        if word in subprocess.run(command, capture_output=True, text=True).stdout:
            return pid
    return 0


def test_up_serves_heals_stops_and_finds_its_data_again(folder: Path) -> None:
    port = free_port()
    with running(folder, port) as up:
        assert status(port) == 200
        refused_beside_a_running_one(folder)
        a_second_terminal_finds_the_servers(folder)
        a_killed_web_server_comes_back(up.pid, port)
        processes = family(up.pid)
        up.send_signal(signal.SIGTERM)
        assert up.wait() == 0
        assert not processes & alive().keys()
        assert not (folder / "runtime.env").exists()
    with running(folder, port) as up:
        assert "kept" in names(folder)
        processes = family(up.pid)
        assert len(processes) > 5
        up.kill()
        wait_until_gone(processes)


PERSON = (
    "from django.contrib.auth import get_user_model as model;"
    "model().objects.create_user(username='kept')"
)


def names(folder: Path) -> list[str]:
    """Return the people in the database that the servers were started with."""
    url = env_file.read(folder / "runtime.env")["DATABASE_URL"]
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT username FROM messaging_user").fetchall()
    return [name for (name,) in found]


def refused_beside_a_running_one(folder: Path) -> None:
    second = manage(folder, "up", f"--port={free_port()}")
    assert second.returncode == 1
    assert second.stderr.startswith("Resend Admin already runs with the data in")
    assert second.stderr.count("\n") == 1


def a_second_terminal_finds_the_servers(folder: Path) -> None:
    answer = manage(folder, "shell", "-c", PERSON)
    assert answer.returncode == 0, answer.stderr
    written = env_file.read(folder / "runtime.env").keys()
    assert set(RUNTIME) - written == {"SANDBOX_URL", "SANDBOX_SMTP_PORT"}


def a_killed_web_server_comes_back(up: int, port: int) -> None:
    web = pid_of("granian", family(up))
    workers = family(web) - {web}
    assert workers
    os.kill(web, signal.SIGKILL)
    wait_until_gone(workers)
    wait_until(lambda: status(port) == 200, "the web server")


def test_a_taken_port_is_refused_in_one_sentence(folder: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        answer = manage(folder, "up", f"--port={port}")
    assert answer.returncode == 1
    assert answer.stderr == (
        f"Port {port} is already in use: stop what uses it, or choose another one,"
        " for example PORT=8001.\n"
    )


def test_data_of_an_older_postgresql_are_refused_in_one_sentence(folder: Path) -> None:
    data = folder / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12\n")
    answer = manage(folder, "up", f"--port={free_port()}")
    assert answer.returncode == 1
    assert "were written by PostgreSQL 12" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_used_is_refused_in_one_sentence(folder: Path) -> None:
    (folder / "file").touch()
    answer = manage(folder / "file", "up", f"--port={free_port()}")
    assert answer.returncode == 1
    assert "cannot be used" in answer.stderr
    assert answer.stderr.count("\n") == 1

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from resend_admin.local import binaries, postmaster
from resend_admin.local.postgres import PrivatePostgres
from resend_admin.local.problem import StartError
from tests.local.processes import PROJECT, kill_after, wait_until_gone

OWNER = """
import sys, time
from pathlib import Path
from resend_admin.local.postgres import PrivatePostgres
postgres = PrivatePostgres(Path(sys.argv[1]), durable=False)
postgres.start()
print(postgres.child.pid, flush=True)
time.sleep(600)
"""


PLAIN_USER = """
import os, pwd, sys
from pathlib import Path
from resend_admin.local import binaries
from resend_admin.local.account import account
from resend_admin.local.postgres import PrivatePostgres
who = account(pwd.getpwnam(sys.argv[1]))
binaries.SHARED = Path(sys.argv[2]) / "shared"
programs = binaries.find()
own = Path(sys.argv[2]) / "own"
own.mkdir()
if os.geteuid() == 0:
    programs = binaries.reachable_by(programs, who)
    os.chown(own, who.uid, who.gid)
    os.setgroups([])
    os.setgid(who.gid)
    os.setuid(who.uid)
binaries.find = lambda: programs
with PrivatePostgres(own / "data", durable=False) as postgres:
    assert postgres.account is None
    assert postgres.url
"""


def remember(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('still here')")


def remembered(url: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT word FROM kept").fetchone()
    return row and row[0]


def test_a_restart_finds_the_data_again(folder: Path) -> None:
    with PrivatePostgres(folder / "data") as first:
        remember(first.url)
        address = first.url
    with PrivatePostgres(folder / "data", port=first.port) as second:
        assert second.url == address
        assert remembered(second.url) == "still here"


def test_it_listens_on_loopback_and_wants_the_password(folder: Path) -> None:
    with PrivatePostgres(folder / "data", durable=False) as postgres:
        password = postgres.place / "password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        with psycopg.connect(postgres.url) as connection:
            asked = "SELECT setting FROM pg_settings WHERE name = ANY(%s) ORDER BY name"
            names = ["listen_addresses", "unix_socket_directories", "fsync"]
            rows = connection.execute(asked, [names]).fetchall()
            assert rows == [("off",), ("127.0.0.1",), ("",)]
        wrong = postgres.url.replace(password.read_text(), "guessed")
        with pytest.raises(psycopg.OperationalError, match="password authentication"):
            psycopg.connect(wrong)


def test_text_sorts_and_changes_case_in_every_script(folder: Path) -> None:
    with (
        PrivatePostgres(folder / "data", durable=False) as postgres,
        psycopg.connect(postgres.url) as connection,
    ):
        assert connection.execute("SELECT upper('żółw')").fetchone() == ("ŻÓŁW",)


def test_a_killed_owner_leaves_no_server_and_no_damage(folder: Path) -> None:
    with PrivatePostgres(folder / "data", durable=False) as postgres:
        remember(postgres.url)
    _, started = kill_after(OWNER, folder / "data")
    assert started
    # The next owner need not wait: it stops what is still on its way out.
    with PrivatePostgres(folder / "data", durable=False) as postgres:
        assert remembered(postgres.url) == "still here"
        wait_until_gone(started)


def test_a_killed_server_starts_again_under_the_same_address(folder: Path) -> None:
    with PrivatePostgres(folder / "data") as postgres:
        address = postgres.url
        remember(address)
        assert postgres.poll() is None
        assert postgres.child is not None
        postgres.child.kill()
        postgres.child.wait()
        assert postgres.poll() is not None
        assert postgres.start() == address
        assert remembered(address) == "still here"


def test_data_of_another_version_are_refused_in_one_sentence(folder: Path) -> None:
    (folder / "data" / "data").mkdir(parents=True)
    (folder / "data" / "data" / "PG_VERSION").write_text("12\n")
    with pytest.raises(StartError, match="were written by PostgreSQL 12, and this is"):
        PrivatePostgres(folder / "data").start()


def test_one_folder_has_one_owner(folder: Path) -> None:
    with (
        PrivatePostgres(folder / "data", durable=False),
        pytest.raises(StartError, match="in use by another process"),
    ):
        PrivatePostgres(folder / "data").start()


def test_a_number_taken_over_by_a_stranger_is_no_server(folder: Path) -> None:
    with PrivatePostgres(folder / "data", durable=False) as postgres:
        stale = (postgres.data / "postmaster.pid").read_text()
    lines = [str(os.getpid()), *stale.splitlines()[1:]]
    (postgres.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
    with postgres:
        remember(postgres.url)


def test_a_zombie_is_no_server(folder: Path) -> None:
    zombie = subprocess.Popen(["true"], cwd=folder)
    try:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        assert not postmaster.serves(zombie.pid, folder)
    finally:
        zombie.wait()


def test_an_interrupted_first_start_is_begun_anew(folder: Path) -> None:
    unfinished = folder / "data" / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with PrivatePostgres(folder / "data", durable=False) as postgres:
        remember(postgres.url)
    assert not unfinished.exists()


def test_a_folder_that_others_may_not_enter_works_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root the data then live elsewhere, and the folder keeps its mode."""
    monkeypatch.setattr(binaries, "SHARED", folder / "shared")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with PrivatePostgres(closed / "data", durable=False) as postgres:
        remember(postgres.url)
        elsewhere = postgres.place.parent == folder / "shared"
        assert elsewhere == (os.geteuid() == 0)
    with PrivatePostgres(closed / "data", durable=False) as postgres:
        assert remembered(postgres.url) == "still here"
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_programs_that_others_may_not_read_are_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root only: a plain user runs the programs where they are."""
    monkeypatch.setattr(binaries, "SHARED", folder / "shared")
    found = binaries.find()
    closed = folder / "closed"
    package = found.folder.parent.parent
    closed.mkdir(mode=0o700)
    for part in (package, package.with_name(f"{package.name}.libs")):
        (closed / part.name).symlink_to(part)
    unreadable = binaries.Binaries(
        closed / package.name / found.folder.relative_to(package), found.version
    )
    monkeypatch.setattr(binaries, "find", lambda: unreadable)
    with PrivatePostgres(folder / "data", durable=False) as postgres:
        remember(postgres.url)
    assert (folder / "shared").exists() == (os.geteuid() == 0)


def test_a_copy_that_another_process_has_made_meanwhile_stays(folder: Path) -> None:
    package, target = folder / "package", folder / "shared"
    for made in (package, target):
        made.mkdir()
    (package / "postgres").touch()
    binaries.copy_package(package, target)
    first = (target / "package" / "postgres").stat().st_ino

    binaries.copy_package(package, target)

    assert (target / "package" / "postgres").stat().st_ino == first


def test_a_shared_folder_made_by_somebody_else_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "SHARED", folder / "shared")
    (folder / "shared").mkdir()
    (folder / "shared").chmod(0o777)
    with pytest.raises(StartError, match="nobody else can write to"):
        binaries.shared_folder("data")


def test_a_plain_user_can_start_it(folder: Path) -> None:
    """As root in a process that becomes “nobody”; else as who runs this."""
    name = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    subprocess.run(
        [sys.executable, "-c", PLAIN_USER, name, folder], check=True, cwd=PROJECT
    )
    data = folder / "own" / "data" / "data"
    assert data.stat().st_uid == pwd.getpwnam(name).pw_uid

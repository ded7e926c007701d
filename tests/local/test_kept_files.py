"""Keys and ports that stay the same from one start to the next."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

from cryptography.fernet import Fernet

from resend_admin.local import env_file
from resend_admin.local.ports import HOST, Ports


def test_keys_are_made_once_and_readable_by_their_owner_alone(folder: Path) -> None:
    file = folder / "secrets.env"
    first = env_file.keep_secrets(file)
    assert env_file.keep_secrets(file) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(first["SECRET_KEY"]) == 50
    Fernet(first["CREDENTIAL_KEYS"])


def test_what_a_killed_run_left_does_not_pass_for_the_persons_wish(
    folder: Path,
) -> None:
    file = folder / "runtime.env"
    env_file.write(file, {"DATABASE_URL": "postgres://gone", "BROKER_URL": "redis://"})
    environment = {"DATABASE_URL": "postgres://gone", "BROKER_URL": "amqp://named"}
    env_file.forget_earlier_run(environment, file)
    assert environment == {"BROKER_URL": "amqp://named"}


def test_a_port_is_kept_until_somebody_else_takes_it(folder: Path) -> None:
    port = Ports(folder / "ports.json").claim("sandbox")
    assert Ports(folder / "ports.json").claim("sandbox") == port
    with socket.create_server((HOST, port)):
        assert Ports(folder / "ports.json").claim("sandbox") != port


def test_an_unreadable_list_of_ports_is_begun_anew(folder: Path) -> None:
    (folder / "ports.json").write_text("{")
    assert Ports(folder / "ports.json").claim("sandbox") > 0

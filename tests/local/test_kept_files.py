"""Keys and ports that stay the same from one start to the next."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
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


STARTED = """
import pathlib, sys
import django
django.setup()
from django.core.management import call_command
from resend_admin.local.management.commands import up

class Stack:
    def __init__(self, choice, environment):
        print(environment.get("DATABASE_URL"), environment.get("BROKER_URL"))

    def run(self):
        pass

if sys.argv[2] == "going":
    pathlib.Path(sys.argv[1]).unlink()
up.LocalStack = Stack
call_command("up")
"""


@pytest.mark.parametrize("earlier", ["killed", "going"])
def test_what_an_earlier_run_left_does_not_pass_for_the_persons_wish(
    folder: Path, earlier: str
) -> None:
    """Also where it takes its file away only after settings have read it."""
    file = folder / "runtime.env"
    keys = env_file.new_secrets()
    left = {"DATABASE_URL": "postgres://gone", "BROKER_URL": "redis://"}
    env_file.write(file, left | keys)
    mine = {"DJANGO_SETTINGS_MODULE": "resend_admin.settings"}
    mine |= {"LOCAL_FOLDER": str(folder), "BROKER_URL": "amqp://named"}
    others = {name: os.environ[name] for name in os.environ if name not in left}

    said = subprocess.run(
        [sys.executable, "-c", STARTED, str(file), earlier],
        env=others | mine,
        capture_output=True,
        check=True,
        text=True,
    )

    assert said.stdout.split() == ["None", "amqp://named"]


def test_a_port_is_kept_until_somebody_else_takes_it(folder: Path) -> None:
    port = Ports(folder / "ports.json").claim("sandbox")
    assert Ports(folder / "ports.json").claim("sandbox") == port
    with socket.create_server((HOST, port)):
        assert Ports(folder / "ports.json").claim("sandbox") != port


def test_an_unreadable_list_of_ports_is_begun_anew(folder: Path) -> None:
    (folder / "ports.json").write_text("{")
    assert Ports(folder / "ports.json").claim("sandbox") > 0

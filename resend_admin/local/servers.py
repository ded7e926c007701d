"""The servers of a test run: fast, empty, and gone when it ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from resend_admin.local.broker import PrivateBroker
from resend_admin.local.env_file import new_secrets
from resend_admin.local.postgres import PrivatePostgres

_environment: dict[str, str] = {}


def for_tests() -> dict[str, str]:
    """Return the environment for a test run; start what it does not name.

    The servers are the same for every call within a process, and go with it.

    Raises:
        StartError: a server cannot be started.
    """
    if not _environment:
        wanted = {**new_secrets(), **os.environ}
        if not {"DATABASE_URL", "BROKER_URL"} <= wanted.keys():
            folder = temporary_folder()
            if "DATABASE_URL" not in wanted:
                wanted["DATABASE_URL"] = start_postgres(folder / "postgres")
            if "BROKER_URL" not in wanted:
                wanted["BROKER_URL"] = start_broker(folder / "broker")
        for name in ("DATABASE_URL", "BROKER_URL", *new_secrets()):
            _environment[name] = wanted[name]
    return dict(_environment)


def temporary_folder() -> Path:
    """Return an empty folder that goes when this process ends.

    Other accounts may enter it: as root, PostgreSQL runs as one of them.
    """
    folder = Path(tempfile.mkdtemp(prefix="resend-admin-tests-"))
    folder.chmod(0o711)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def start_postgres(folder: Path) -> str:
    postgres = PrivatePostgres(folder, durable=False)
    atexit.register(postgres.remove)
    return postgres.start()


def start_broker(folder: Path) -> str:
    broker = PrivateBroker(folder)
    atexit.register(broker.stop)
    return broker.start()

"""The system account that PostgreSQL runs as: it refuses to be root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from resend_admin.local.problem import StartError


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def unprivileged(data: Path) -> Account | None:
    """Return the account to change to, or None when this process is not root.

    Data that exist already keep their owner: a folder that a plain user filled
    stays usable for that user after root has run it once.

    Raises:
        StartError: this process is root, and there is no account to change to.
    """
    if os.geteuid() != 0:
        return None
    try:
        owner = data.stat().st_uid
        if owner != 0:
            return account(pwd.getpwuid(owner))
    except (FileNotFoundError, KeyError):
        pass
    for name in ("postgres", "nobody"):
        try:
            return account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise StartError(
        "PostgreSQL does not run as root, and this system has neither a user"
        " “postgres” nor “nobody”: start as a plain user, or set DATABASE_URL."
    )


def account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def may(who: Account | None, test: str, path: Path) -> bool:
    """Return the answer of the shell's `test`, asked as that account."""
    return (
        subprocess.run(
            ["/bin/sh", "-c", f'test {test} "$1"', "test", str(path)],
            check=False,
            cwd="/",
            user=who.uid if who else None,
            group=who.gid if who else None,
            extra_groups=[] if who else None,
        ).returncode
        == 0
    )

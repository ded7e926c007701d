"""The one way in which starting may fail: with a sentence for a person."""

from __future__ import annotations

from pathlib import Path


class StartError(Exception):
    """Starting is impossible; the message is one sentence that says what to do."""


def last_line(log: Path) -> str:
    """Return the last line of a log that says something, or a hint to the file."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "Error" in line]
    return (telling or lines or [f"{log} is empty"])[-1]

"""Read what providers post to us, carefully: it is input from the internet.

Nothing here raises, whatever the bytes are.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from messaging.channels.contract import Event, EventKind
from messaging.channels.redaction import storable

STOP_WORDS = frozenset(
    {
        "stop",
        "stop all",
        "stopall",
        "/stop",
        "stop promotions",
        "unsubscribe",
        "opt out",
        "opt-out",
        "optout",
        "revoke",
        "abmelden",
        "arret",
        "arrêt",
        "baja",
        "parar",
        "sair",
    }
)
START_WORDS = frozenset({"start", "/start", "unstop", "subscribe"})
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2101, 1, 1, tzinfo=UTC)
"""No provider means a moment before or from then on: it is a zero, or milliseconds
taken for seconds. Near the ends of time not every zone can show it, and what
PostgreSQL keeps Python may not be able to read."""


def consent(text: str) -> EventKind | None:
    """Return what a person decided who answered with one word such as STOP."""
    words = " ".join(text.split()).strip(" .!\"'").casefold()
    if words in STOP_WORDS:
        return EventKind.OPT_OUT
    return EventKind.OPT_IN if words in START_WORDS else None


def document(body: bytes) -> Any:
    """Return the JSON value of a post, or ``None``.

    The value fits a JSON column: see :func:`_storable_value`.
    """
    try:
        return _storable_value(json.loads(body, parse_constant=str))
    except (ValueError, RecursionError):
        return None


def _storable_value(value: Any) -> Any:
    """Replace what PostgreSQL's jsonb refuses: NUL, surrogates, infinities."""
    match value:
        case str():
            return storable(value)
        case float() if not math.isfinite(value):
            return str(value)
        case list():
            return [_storable_value(item) for item in value]
        case dict():
            return {
                storable(name): _storable_value(item) for name, item in value.items()
            }
    return value


def unknown(body: bytes, raw: Any = None, position: int = 0) -> Event:
    """Return the event that keeps a post, or a piece of it, for a person to read."""
    digest = hashlib.sha256(body).hexdigest()
    if raw is None:
        raw = document(body)
    if raw is None:
        raw = {"body": storable(body.decode("utf-8", "replace"))}
    return Event(key=f"unknown:{digest}:{position}", kind=EventKind.UNKNOWN, raw=raw)


def key(*pieces: str) -> str:
    """Return a short key for an event; long ones become a digest."""
    joined = ":".join(pieces)
    if len(joined) <= 120:
        return joined
    return f"sha256:{hashlib.sha256(joined.encode()).hexdigest()}"


def word(value: Any, limit: int = 255) -> str:
    """Return a short, storable text for a scalar, and nothing for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return storable(str(value)[:limit])


def mapping(value: Any) -> Mapping[str, Any]:
    """Return ``value`` if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> list[Any]:
    """Return ``value`` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def moment(value: Any) -> datetime | None:
    """Return the time of a Unix timestamp in seconds, number or digits."""
    try:
        return meant(datetime.fromtimestamp(int(word(value)), UTC))
    except (ValueError, OverflowError, OSError):
        return None


def meant(found: datetime | None) -> datetime | None:
    """Return a moment in UTC, or ``None`` if nobody can have meant it."""
    if found is None or not EARLIEST <= found < LATEST:
        return None
    return found.astimezone(UTC)


def phone(value: Any) -> str:
    """Return a phone number as the database has it: with a plus."""
    digits = word(value, 32).strip().lstrip("+")
    if digits.isascii() and digits.isdigit():
        return f"+{digits}"
    return word(value, 32)

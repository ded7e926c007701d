"""Is the engine alive, and if not, which part of it is away?

PostgreSQL holds the pulse; only when that is late are the broker and the workers
asked, so that a healthy system pays one row.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from celery import current_app
from django.db import connection
from kombu.exceptions import OperationalError

LATE_PULSE: Final = timedelta(minutes=1)
"""A worker whose hands are full may miss some seconds, never a minute."""
BROKER_SECONDS: Final = 1.0
"""How long a page waits for a broker that does not answer."""
PING_SECONDS: Final = 0.5
"""How long it waits for the first worker to answer."""
FRESH_SECONDS: Final = 5.0
"""How long an answer counts, so that pages that look again do not wait again."""


class Part(StrEnum):
    """What of the engine is away. Stable: it is a label of the metrics."""

    NEVER_RAN = "never_ran"
    BROKER = "broker_away"
    WORKER = "no_worker"
    BEAT = "no_beat"


@dataclass(frozen=True, slots=True)
class Away:
    """The engine does not run: since when, and for want of what."""

    part: Part
    last_heard: datetime | None


@dataclass(frozen=True, slots=True)
class Heard:
    """When the engine last said that it is alive, and whether that is recent."""

    at: datetime | None
    is_recent: bool


def heard() -> Heard:
    """Return the pulse; one row, whatever the state of the engine."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT beaten_at, beaten_at > clock_timestamp() - %s * interval '1 second'"
            " FROM messaging_pulse WHERE id = 1",
            [LATE_PULSE.total_seconds()],
        )
        row = cursor.fetchone()
    return Heard(*row) if row else Heard(None, is_recent=False)


def what_is_away() -> Away | None:
    """Return the part that is missing, or nothing while the pulse beats."""
    last = heard()
    if last.is_recent:
        return None
    part = _asked_lately()
    if part is Part.WORKER and last.at is None:
        part = Part.NEVER_RAN
    return Away(part, last.at)


class _Answer:
    """The last answer of broker and workers that this process got."""

    part: Part | None = None
    asked_at: float = 0.0


def _asked_lately() -> Part:
    now = time.monotonic()
    if _Answer.part is None or now - _Answer.asked_at > FRESH_SECONDS:
        _Answer.part, _Answer.asked_at = missing_part(), time.monotonic()
    return _Answer.part


def forget() -> None:
    """Ask anew next time."""
    _Answer.part = None


def missing_part() -> Part:
    """Ask the broker and the workers; take at most a second and a half.

    Workers that answer although nothing beats are never woken: beat is away.
    """
    limits = {
        "socket_timeout": BROKER_SECONDS,
        "socket_connect_timeout": BROKER_SECONDS,
        "retry_on_timeout": False,
    }
    broker = current_app.connection_for_write(
        transport_options=limits, connect_timeout=BROKER_SECONDS
    )
    try:
        with closing(broker):
            broker.ensure_connection(
                max_retries=1, interval_start=0, timeout=BROKER_SECONDS
            )
            answers = current_app.control.ping(
                connection=broker, timeout=PING_SECONDS, limit=1
            )
    except (OperationalError, OSError):
        return Part.BROKER
    return Part.BEAT if answers else Part.WORKER

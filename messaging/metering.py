"""What an operator's metrics say, read from PostgreSQL at the moment of asking.

Nothing here lives in a process, so any web worker gives the same answer. Of no
organization in particular: channels and causes are named, tenants never.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from messaging import diagnosis
from messaging.dispatch import statements
from messaging.models import Priority

BUCKETS: Final = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000)
"""Upper bounds of the durations, in milliseconds, as the trigger writes them."""
MOST: Final = 100_000
"""Rows that wait are counted up to here; more than that is as good as any number."""


@dataclass(slots=True)
class Durations:
    """How long attempts on one channel took: a number for each bucket, not added up."""

    buckets: dict[str, int] = field(default_factory=dict)
    milliseconds: int = 0


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything there is to say, at one moment."""

    messages: dict[tuple[str, str], int]
    """How often messages came to an outcome, by channel and outcome."""
    unknown: dict[str, int]
    """Messages that are unknown now, by channel."""
    durations: dict[str, Durations]
    attempts_open: int
    receipts_waiting: int
    oldest_due_seconds: float
    """Age of the oldest message that is due, or of what should have brought some into
    the queues; 0 when nothing is due."""
    pulse_seconds: float | None
    """Seconds since the engine last beat; ``None`` when it never did."""
    integrations: dict[str, int]
    holdups: dict[str, int]


def readings(broadcasts: Sequence[diagnosis.Start] = ()) -> Readings:
    """Read all of it. Looks at indexes and small tables only.

    ``broadcasts`` are those that are due and not in the queues.
    """
    with transaction.atomic():
        meters = statements.rows("meters", {})
        [now] = statements.rows(
            "standing_now", {"most": MOST, "priorities": Priority.values}
        )
        states = statements.rows("integration_states", {})
    holdups = diagnosis.holdups(starts=broadcasts)
    found = Counter(one.cause.value for one in holdups)
    starts = (*broadcasts, *diagnosis.bulk_starts())
    return Readings(
        messages=_messages(meters),
        unknown={
            row["channel"]: row["came"] - row["gone"]
            for row in meters
            if (row["series"], row["label"]) == ("message", "unknown")
        },
        durations=_durations(meters),
        attempts_open=now["attempts_open"],
        receipts_waiting=now["receipts_waiting"],
        oldest_due_seconds=max(
            now["oldest_due_seconds"], *(one.seconds for one in starts), 0.0
        ),
        pulse_seconds=now["pulse_seconds"],
        integrations={row["state"]: row["number"] for row in states},
        holdups={cause.value: found[cause.value] for cause in diagnosis.Cause},
    )


def _messages(meters: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    return {
        (row["channel"], row["label"]): row["came"]
        for row in meters
        if row["series"] == "message"
    }


def _durations(meters: list[dict[str, Any]]) -> dict[str, Durations]:
    found: dict[str, Durations] = {}
    for row in meters:
        if row["series"] == "seconds":
            durations = found.setdefault(row["channel"], Durations())
            durations.buckets[row["label"]] = row["came"]
            durations.milliseconds += row["milliseconds"]
    return found

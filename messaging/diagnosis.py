"""Why is nothing being sent? One answer for the overview, operators and metrics.

A holdup is an integration whose oldest message has been due for longer than a
minute. Times are compared by the clock of PostgreSQL, because messages leave by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.utils import timezone

from messaging.dispatch import engine, statements
from messaging.models import IntegrationState, Priority
from resend_admin.ui.numbers import grouped
from resend_admin.ui.time_zones import moment_in_words, span_in_words

LATE: Final = timedelta(minutes=1)
"""A message that has been due for longer is worth a look."""
CLOCKS_MAY_DIFFER: Final = timedelta(seconds=20)
"""A clock of PostgreSQL that is further behind than this makes messages late."""
DAYS: Final = 7
"""Tallies of so many days hold whatever may still wait."""


class Cause(StrEnum):
    """Why messages are late, as far as it is known. Stable: a label of the metrics."""

    NEVER_RAN = "never_ran"
    BROKER_AWAY = "broker_away"
    NO_WORKER = "no_worker"
    NO_BEAT = "no_beat"
    CLOCKS_DIFFER = "clocks_differ"
    PAUSED = "paused"
    PROVIDER_SILENCE = "provider_silence"
    PROVIDER_SLOW = "provider_slow"
    NOT_TAKEN = "not_taken"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Holdup:
    """Messages are late: since when, why, and what to do.

    ``sentence`` says what is the matter and ``advice`` what to do next; both are
    whole sentences for a support person. ``integration_id`` is ``None`` when the
    engine itself stands still, and ``until`` is when it ends by itself, if it does.
    """

    cause: Cause
    since: datetime
    """When the oldest message that waits was due."""
    sentence: str
    advice: str = ""
    organization_id: int | None = None
    integration_id: int | None = None
    integration_name: str = ""
    until: datetime | None = None

    @property
    def is_alarm(self) -> bool:
        """Whether nothing is being sent; a long queue that moves is no alarm."""
        return self.cause is not Cause.RATE


def holdups(organization_id: int | None = None) -> list[Holdup]:
    """Return what is held up, alarms first, then the longest wait first.

    Of one organization, or of all when none is named: that is for operators only,
    because the sentences name integrations. When the engine does not run there is
    one holdup, for all integrations that it would serve.
    """
    rows = statements.rows(
        "oldest_due",
        {"organization_id": organization_id, "priorities": Priority.values},
    )
    here = timezone.now()
    late = [row for row in rows if _is_late(row, here)]
    if not late:
        return []
    found = [_holdup(row, here) for row in late]
    found = _with_the_engine(found)
    return sorted(found, key=lambda one: (not one.is_alarm, one.since))


def _is_late(row: Mapping[str, Any], here: datetime) -> bool:
    differ = here - row["now"] > CLOCKS_MAY_DIFFER
    now: datetime = here if differ else row["now"]
    is_late: bool = row["due_at"] < now - LATE
    return is_late


def _with_the_engine(found: Sequence[Holdup]) -> list[Holdup]:
    """Put one holdup of the engine in the place of all that it explains."""
    unexplained = [one for one in found if one.cause is Cause.NOT_TAKEN]
    away = engine.what_is_away() if unexplained else None
    if away is None:
        return list(found)
    since = min(one.since for one in unexplained)
    rest = [one for one in found if one.cause is not Cause.NOT_TAKEN]
    return [_engine_is_away(away, since), *rest]


def pulse_sentence() -> str:
    """Say since when the engine has not been heard; empty while it is alive.

    Asks PostgreSQL only, so that it is quick: :func:`holdups` looks for the reason.
    """
    last = engine.heard()
    if last.is_recent:
        return ""
    if last.at is None:
        return "The engine has never run. Start a worker and beat."
    return f"The engine was last heard on {moment_in_words(last.at)}."


def _engine_is_away(away: engine.Away, since: datetime) -> Holdup:
    cause = Cause(away.part.value)
    sentence, advice = ENGINE[cause]
    if away.last_heard is not None:
        heard = moment_in_words(away.last_heard)
        sentence = f"{sentence} The engine was last heard on {heard}."
    return Holdup(cause, since, sentence, advice)


ENGINE: Final[Mapping[Cause, tuple[str, str]]] = {
    Cause.NEVER_RAN: (
        "The engine has never run.",
        "Start a worker and beat.",
    ),
    Cause.BROKER_AWAY: (
        "The broker does not answer, so nobody wakes the workers.",
        "Start the broker, or correct BROKER_URL. Nothing is lost meanwhile.",
    ),
    Cause.NO_WORKER: (
        "No worker answers.",
        "Start a worker. Nothing is lost meanwhile.",
    ),
    Cause.NO_BEAT: (
        "Workers answer, but beat does not wake them.",
        "Start beat. Nothing is lost meanwhile.",
    ),
}


def _holdup(row: Mapping[str, Any], here: datetime) -> Holdup:
    """Explain one integration from its row alone, or leave it as not taken."""
    name, now = row["name"], row["now"]
    of = {
        "since": row["due_at"],
        "organization_id": row["organization_id"],
        "integration_id": row["id"],
        "integration_name": name,
    }
    if row["due_at"] > now - LATE:
        behind = span_in_words((here - now).total_seconds())
        return Holdup(
            cause=Cause.CLOCKS_DIFFER,
            sentence=f"The clock of PostgreSQL is {behind} behind this server's, and"
            " messages leave by it.",
            advice="Ask an operator to set both clocks by a time server.",
            **of,
        )
    if row["state"] == IntegrationState.PAUSED:
        why = f" {row['state_reason']}" if row["state_reason"] else ""
        return Holdup(
            cause=Cause.PAUSED,
            sentence=f"“{name}” is paused.{why}",
            advice="Resume it and its queue goes out.",
            **of,
        )
    if row["paused_until"] is not None and row["paused_until"] > now:
        until = moment_in_words(row["paused_until"])
        return Holdup(
            cause=Cause.PROVIDER_SILENCE,
            sentence=f"The provider of “{name}” asked for a pause until {until}.",
            advice="Do nothing: sending goes on by itself then.",
            until=row["paused_until"],
            **of,
        )
    if row["paid_until"] is not None and row["paid_until"] > now - LATE:
        return _long_queue(row, of)
    if row["lease_until"] is not None and row["lease_until"] > now:
        return Holdup(
            cause=Cause.PROVIDER_SLOW,
            sentence=f"A worker sends through “{name}”, but its provider has answered"
            " nothing for a minute.",
            advice="Wait: what stays unanswered becomes unknown, and the rest goes on.",
            **of,
        )
    return Holdup(
        cause=Cause.NOT_TAKEN,
        sentence=f"The engine runs, but no worker takes anything from “{name}”.",
        advice="If this lasts, add workers, and look at the log of the worker.",
        **of,
    )


def _long_queue(row: Mapping[str, Any], of: Mapping[str, Any]) -> Holdup:
    """Say how long a queue takes that moves, but is longer than the rate is quick."""
    rate = row["rate_per_second"]
    lengths = statements.rows(
        "queue_length", {"organization_id": row["organization_id"], "days": DAYS}
    )
    waiting = next(
        (one["messages"] for one in lengths if one["channel"] == row["channel"]), 0
    )
    seconds = max(waiting, 1) / rate
    return Holdup(
        cause=Cause.RATE,
        sentence=f"“{row['name']}” sends {_per_second(rate)} and"
        f" {grouped(waiting)} messages wait: the last one leaves in about"
        f" {span_in_words(seconds)}.",
        advice="This is no fault. A higher rate, if the provider allows one, is set at"
        " the integration.",
        until=row["now"] + timedelta(seconds=seconds),
        **of,
    )


def _per_second(rate: float) -> str:
    if rate >= 1:
        return f"{rate:,.10g} a second"
    return f"one message every {span_in_words(1 / rate)}"

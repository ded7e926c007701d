"""Why is nothing being sent? One answer for the overview, operators and metrics.

A holdup is an integration whose oldest message has been due for longer than a
minute, or something that should have brought messages into the queues by then. Times
are compared by the clock of PostgreSQL, because messages leave by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from messaging.bulk import statements as bulk_statements
from messaging.dispatch import engine, statements
from messaging.models import IntegrationState, Priority
from resend_admin.ui.numbers import grouped
from resend_admin.ui.time_zones import moment_in_words, span_in_words

LATE: Final = timedelta(minutes=1)
"""A message that has been due for longer is worth a look."""
STUCK: Final = timedelta(minutes=15)
"""What has started moves within seconds; what fails is tried again on every tick."""
CLOCKS_MAY_DIFFER: Final = timedelta(seconds=20)
"""A clock of PostgreSQL that is further behind than this makes messages late."""
DAYS: Final = 7
"""Tallies of so many days hold whatever may still wait."""
MOST_STARTS: Final = 3
"""So many that should have started are told of by name."""


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
class Start:
    """Something that is due and not in the queues: a broadcast, or a bulk resend.

    ``since`` is when it was due. Once it has started it is worked on as long as the
    engine is alive, however long that takes, so it waits since the engine was heard,
    or since it moved if that is so long ago that it cannot be worked on.
    """

    name: str
    has_started: bool
    since: datetime
    now: datetime
    url: str

    @property
    def is_late(self) -> bool:
        return self.since < self.now - LATE

    @property
    def seconds(self) -> float:
        return max(0.0, (self.now - self.since).total_seconds())

    @property
    def sentence(self) -> str:
        return f"{self.name} waits to {'go on' if self.has_started else 'start'}."


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
    url: str = ""
    """Where to look, if that is not a queue."""

    @property
    def is_alarm(self) -> bool:
        """Whether nothing is being sent; a long queue that moves is no alarm."""
        return self.cause is not Cause.RATE


def holdups(
    organization_id: int | None = None, starts: Sequence[Start] = ()
) -> list[Holdup]:
    """Return what is held up, alarms first, then the longest wait first.

    Of one organization, or of all when none is named: that is for operators only,
    because the sentences name integrations. When the engine does not run there is
    one holdup, for all integrations that it would serve and for all that it would
    start. ``starts`` are those that this module cannot know of: broadcasts.
    """
    rows = statements.rows(
        "oldest_due",
        {"organization_id": organization_id, "priorities": Priority.values},
    )
    here = timezone.now()
    found = [_holdup(row, here) for row in rows if _is_late(row, here)]
    overdue = [one for one in (*starts, *bulk_starts(organization_id)) if one.is_late]
    found = _with_the_engine(found, overdue, organization_id)
    return sorted(found, key=lambda one: (not one.is_alarm, one.since))


def bulk_starts(organization_id: int | None = None) -> list[Start]:
    """Return the oldest bulk resends that are due and not done."""
    rows = bulk_statements.rows(
        "open",
        {
            "organization_id": organization_id,
            "most": MOST_STARTS,
            "stuck_seconds": STUCK.total_seconds(),
        },
    )
    return [
        Start(
            name=f"The bulk resend of {_messages(row['messages'])}",
            has_started=row["has_started"],
            since=row["since"],
            now=row["now"],
            url=reverse("messaging:bulk-detail", args=[row["id"]]),
        )
        for row in rows
    ]


def waiting(organization_id: int, days: int = DAYS) -> dict[int, int]:
    """Return how many messages wait behind each integration, by the tallies.

    ``days`` reach back to the oldest of them.
    """
    rows = statements.rows(
        "queue_length", {"organization_id": organization_id, "days": days}
    )
    return {row["integration_id"]: row["messages"] for row in rows}


def messages_wait(number: int) -> str:
    """``173 messages wait``; ``Messages wait`` when nobody knows how many."""
    if not number:
        return "Messages wait"
    return f"{_messages(number)} {'waits' if number == 1 else 'wait'}"


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{grouped(number)} messages"


def _is_late(row: Mapping[str, Any], here: datetime) -> bool:
    differ = here - row["now"] > CLOCKS_MAY_DIFFER
    now: datetime = here if differ else row["now"]
    is_late: bool = row["due_at"] < now - LATE
    return is_late


def _with_the_engine(
    found: Sequence[Holdup], overdue: Sequence[Start], organization_id: int | None
) -> list[Holdup]:
    """Put one holdup of the engine in the place of all that it explains."""
    unexplained = [one for one in found if one.cause is Cause.NOT_TAKEN]
    away = engine.what_is_away() if unexplained or overdue else None
    if away is None:
        return [*found, *map(_not_started, overdue)]
    rest = [one for one in found if one.cause is not Cause.NOT_TAKEN]
    waits = [_queues_in_words(organization_id, unexplained)] if unexplained else []
    waits += [one.sentence for one in overdue[:MOST_STARTS]]
    due = [one.since for one in unexplained] + [one.since for one in overdue]
    return [
        _engine_is_away(
            away,
            since=min(due),
            waits=waits,
            url="" if unexplained else overdue[0].url,
        ),
        *rest,
    ]


def _queues_in_words(organization_id: int | None, late: Iterable[Holdup]) -> str:
    lengths = waiting(organization_id) if organization_id else {}
    number = sum(lengths.get(one.integration_id or 0, 0) for one in late)
    return f"{messages_wait(number)} to be sent."


def _not_started(overdue: Start) -> Holdup:
    """The engine is alive, and does not start, or go on with, what is due."""
    moment = moment_in_words(overdue.since)
    since = f"Nothing of it moved since {moment}." if overdue.has_started else ""
    return Holdup(
        cause=Cause.NOT_TAKEN,
        since=overdue.since,
        sentence=f"{overdue.sentence} {since or f'It was due on {moment}.'}",
        advice="Nothing is lost. If this lasts, tell whoever runs this server: look at"
        " the log of the worker, and add workers.",
        url=overdue.url,
    )


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


def _engine_is_away(
    away: engine.Away, *, since: datetime, waits: Iterable[str], url: str
) -> Holdup:
    cause = Cause(away.part.value)
    begins = "Nothing has ever been sent from here."
    if away.last_heard is not None:
        begins = f"Sending stopped on {moment_in_words(away.last_heard)}."
    late = span_in_words(settings.LATE_AFTER_SECONDS)
    return Holdup(
        cause,
        since,
        sentence=" ".join([begins, *waits]),
        advice="Nothing is lost: it goes out when sending runs again. What is then more"
        f" than {late} late is kept instead, to be sent again by a person. Tell whoever"
        f" runs this server: {ENGINE[cause]}",
        url=url,
    )


ENGINE: Final[Mapping[Cause, str]] = {
    Cause.NEVER_RAN: "no worker has ever run; start a worker and beat.",
    Cause.BROKER_AWAY: "the broker does not answer, so nobody wakes the workers; start"
    " it, or correct BROKER_URL.",
    Cause.NO_WORKER: "no worker answers; start a worker.",
    Cause.NO_BEAT: "workers answer, but beat does not wake them; start beat.",
}
"""What the person who runs the server has to know, for whoever passes it on."""


def paused_in_words(name: str, reason: str) -> str:
    """Say that an integration is paused, and why if that is known, as sentences."""
    reason = reason.strip()
    if reason and not reason.endswith((".", "!", "?", "…")):
        reason += "."
    return f"“{name}” is paused. {reason}".strip()


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
        return Holdup(
            cause=Cause.PAUSED,
            sentence=paused_in_words(name, row["state_reason"]),
            advice="Mend what stopped it and resume it: its queue goes out.",
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
        sentence=f"Messages of “{name}” wait, although sending runs.",
        advice="None is lost. If this lasts, tell whoever runs this server: no worker"
        " takes them; add workers, and look at the log of the worker.",
        **of,
    )


def _long_queue(row: Mapping[str, Any], of: Mapping[str, Any]) -> Holdup:
    """Say how long a queue takes that moves, but is longer than the rate is quick."""
    rate = row["rate_per_second"]
    number = waiting(row["organization_id"]).get(row["id"], 0)
    seconds = max(number, 1) / rate
    return Holdup(
        cause=Cause.RATE,
        sentence=f"“{row['name']}” sends {_per_second(rate)} and"
        f" {messages_wait(number).lower()}: the last one leaves in about"
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

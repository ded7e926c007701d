"""Whether, whom and why to retry. The one source for page, API and tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from broadcasts.clock import LEAD, database_now, in_words
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.models.broadcast import LIVE_STATES
from broadcasts.summary import Cause, Counters, causes_of, counters_of
from messaging.models import Message, MessageState
from messaging.models.message import REACHED_STATES, WAITING_STATES

COVERED_STATES = (*REACHED_STATES, *WAITING_STATES, MessageState.SENDING)
"""Whoever stands so in any other run of the chain needs no retry from this one."""

WAIT = {
    BroadcastState.DRAFT: "This is a draft: nobody has been sent anything yet.",
    BroadcastState.SCHEDULED: "It has not run yet. Wait until it has finished.",
    BroadcastState.SENDING: (
        "It is still sending. Wait until it has finished, or cancel it."
    ),
    BroadcastState.FAILED: (
        "It could not run, so there is nobody to retry. Clone it and schedule the copy."
    ),
}
NOTHING_FAILED = "Nothing failed, so there is nothing to retry."


@dataclass(frozen=True, slots=True)
class RetryState:
    """Whether the button works, why not, and how many members it is about."""

    enabled: bool
    reason: str = ""
    count: int = 0
    live_retry: Broadcast | None = None


@dataclass(frozen=True, slots=True)
class RetryOffer:
    """What the dialog shows, and hands back when it is confirmed."""

    state: RetryState
    count: int
    unknown_count: int
    causes: list[Cause]
    shown_at: datetime
    run_at: datetime
    """The proposal: as soon as allowed, on a full minute."""


def state(broadcast: Broadcast, counters: Counters | None = None) -> RetryState:
    """Tell whether this broadcast can be retried now.

    Counts from the tallies; only where other runs of the chain exist, its failed
    rows are looked at one by one, through their index.
    """
    waits = WAIT.get(BroadcastState(broadcast.state))
    if waits:
        return RetryState(False, waits)
    numbers = counters or counters_of(broadcast)
    if not numbers.failed:
        return RetryState(False, _nothing_failed(numbers))
    if not numbers.kept_failed:
        return RetryState(False, _aged_out(broadcast))
    live = live_retry(broadcast)
    if live is not None:
        return RetryState(False, live_in_words(live), live_retry=live)
    count = _count(broadcast, numbers)
    if not count:
        return RetryState(
            False, "Everybody who failed was sent to again in another run."
        )
    return RetryState(True, count=count)


def _count(broadcast: Broadcast, numbers: Counters) -> int:
    if is_alone(broadcast):
        return numbers.kept_failed
    return candidates(broadcast).count()


def is_alone(broadcast: Broadcast) -> bool:
    """Whether this is the only run of its chain."""
    return broadcast.retry_of_id is None and not broadcast.chain.exists()


def live_retry(broadcast: Broadcast) -> Broadcast | None:
    """Return the retry of it that is scheduled or sending; there is one at most."""
    return broadcast.retries.filter(state__in=LIVE_STATES).first()


def live_in_words(live: Broadcast) -> str:
    """Say which retry is in the way, and what to do about it."""
    if live.state == BroadcastState.SENDING:
        return f"“{live.name}” is sending to them now. Wait until it has finished."
    when = in_words(live.run_at or live.created_at, live.time_zone)
    return (
        f"“{live.name}” is already scheduled for {when}."
        " Change that one, or cancel it first."
    )


def _nothing_failed(numbers: Counters) -> str:
    if not numbers.unknown:
        return NOTHING_FAILED
    return (
        f"{NOTHING_FAILED} For {numbers.unknown:,} nobody can tell yet whether they"
        " arrived; look at them one by one."
    )


def _aged_out(broadcast: Broadcast) -> str:
    days = broadcast.organization.retention_days
    return (
        f"The failed messages are older than {days:,} days, so the list of members is"
        " no longer kept. Clone the broadcast to send it to its audience again."
    )


def candidates(
    broadcast: Broadcast, *, include_unknown: bool = False
) -> QuerySet[Message]:
    """Return the failed rows whose members no other run of the chain covers.

    A member is covered who was reached by any other run, or is about to be sent
    to by one, or of whom nobody can tell after a *later* run.
    """
    states = [MessageState.FAILED]
    if include_unknown:
        states.append(MessageState.UNKNOWN)
    rows = Message.objects.filter(broadcast_id=broadcast.pk, state__in=states)
    if is_alone(broadcast):
        return rows
    covering = Message.objects.exclude(pk=OuterRef("pk")).filter(
        Q(state__in=COVERED_STATES)
        | Q(state=MessageState.UNKNOWN, pk__gt=OuterRef("pk"))
    )
    rows = rows.exclude(
        Exists(covering.filter(root_id=Coalesce(OuterRef("root_id"), OuterRef("pk"))))
    )
    if broadcast.retry_of_id is not None:
        rows = rows.exclude(Exists(covering.filter(pk=OuterRef("root_id"))))
    return rows


def causes(broadcast: Broadcast) -> list[Cause]:
    """Return why the members to retry failed, the commonest cause first."""
    numbers: Iterable[tuple[str, int]]
    if is_alone(broadcast):
        numbers = (
            (line.code, line.number - line.pruned)
            for line in counters_of(broadcast).lines
            if line.outcome == MessageState.FAILED
        )
    else:
        numbers = (
            candidates(broadcast)
            .order_by()
            .values_list("error_code")
            .annotate(number=Count("pk"))
        )
    return causes_of(numbers)


def offer(broadcast: Broadcast, *, include_unknown: bool = False) -> RetryOffer:
    """Return everything the dialog shows.

    The clock is read first: what fails after that is not part of the retry.
    """
    shown_at = database_now()
    standing = state(broadcast)
    unknown = 0
    if standing.enabled:
        both = candidates(broadcast, include_unknown=True)
        unknown = both.filter(state=MessageState.UNKNOWN).count()
    return RetryOffer(
        state=standing,
        count=standing.count + (unknown if include_unknown else 0),
        unknown_count=unknown,
        causes=causes(broadcast) if standing.enabled else [],
        shown_at=shown_at,
        run_at=proposed_time(shown_at),
    )


def proposed_time(now: datetime) -> datetime:
    """Two minutes from now, rounded up to a full minute."""
    soon = now + LEAD
    return soon + timedelta(seconds=-soon.second % 60, microseconds=-soon.microsecond)

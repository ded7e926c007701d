"""Whether, whom and why to retry. The one source for page, API and tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from broadcasts import chain, in_the_way
from broadcasts.clock import LEAD, database_now
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.patience import LONGEST
from broadcasts.summary import Cause, Counters, causes_of, counters_of
from messaging.figures.forecast import Group
from messaging.models import Message, MessageState, Tally, TallyUnit
from messaging.models.message import COVERING_STATES, LOST_STATES
from messaging.patience import at_most

LOOKED_AT = 1_000
"""Failed rows that a page looks at, one by one, to tell how many are left."""
CAP = 500
"""Beyond that a page says "500+", and the dialog says how many."""

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
SENT_AGAIN = "Everybody who failed was sent to again in another run."


@dataclass(frozen=True, slots=True)
class RetryState:
    """Whether the button works, why not, and how many members it is about."""

    enabled: bool
    reason: str = ""
    count: int = 0
    """Members to retry; at least so many where it is not exact."""
    live_retry: Broadcast | None = None
    """The retry in the way: of this broadcast, or elsewhere in its chain."""
    is_exact: bool = True

    @property
    def number(self) -> str:
        """``12``; ``500+`` where no page may count them all; else nothing."""
        if self.is_exact:
            return f"{self.count:,}"
        return f"{CAP:,}+" if self.count >= CAP else ""


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
    groups: tuple[Group, ...] = ()
    """The same members by error and way, for a forecast."""


def state(broadcast: Broadcast, counters: Counters | None = None) -> RetryState:
    """Tell whether this broadcast can be retried now.

    Counts from the tallies; only where they cannot tell, because other runs of the
    chain exist, some of its failed rows are looked at, through their index. Of very
    many the number is then a lower bound: the dialog counts them all.
    """
    waits = WAIT.get(BroadcastState(broadcast.state))
    if waits:
        return RetryState(False, waits)
    numbers = counters or counters_of(broadcast)
    if not numbers.failed:
        return RetryState(False, _nothing_failed(numbers))
    if not numbers.kept_failed:
        return RetryState(False, _aged_out(broadcast))
    live = in_the_way.live_retry(broadcast)
    if live is not None:
        return RetryState(False, in_the_way.live_in_words(live), live_retry=live)
    if is_alone(broadcast):
        return RetryState(True, count=numbers.kept_failed)
    unlisted = in_the_way.unlisted_run(broadcast)
    if unlisted is not None:
        reason = in_the_way.unlisted_in_words(unlisted)
        return RetryState(False, reason, live_retry=unlisted)
    return _looked_at(broadcast, numbers)


def _looked_at(broadcast: Broadcast, numbers: Counters) -> RetryState:
    """Look at failed rows, though not at more than a page may."""
    left = candidates(broadcast)
    is_exact = numbers.kept_failed <= LOOKED_AT
    if not is_exact:
        # A range of one state, so that the order is that of the index of broadcasts
        # and of no other.
        failed = MessageState.FAILED
        first = Message.objects.filter(
            broadcast_id=broadcast.pk, state__range=(failed, failed)
        ).order_by("state", "pk")
        left = left.filter(pk__in=first.values("pk")[:LOOKED_AT])
    count = left.count()
    if not count and (is_exact or not chain.may_be_missed(broadcast)):
        return RetryState(False, SENT_AGAIN)
    return RetryState(True, count=count, is_exact=is_exact)


def is_alone(broadcast: Broadcast) -> bool:
    """Whether this is the only run of its chain."""
    return broadcast.retry_of_id is None and not broadcast.chain.exists()


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
        Q(state__in=COVERING_STATES)
        | Q(state=MessageState.UNKNOWN, pk__gt=OuterRef("pk"))
    )
    rows = rows.exclude(
        Exists(covering.filter(root_id=Coalesce(OuterRef("root_id"), OuterRef("pk"))))
    )
    if broadcast.retry_of_id is not None:
        rows = rows.exclude(Exists(covering.filter(pk=OuterRef("root_id"))))
    return rows


@dataclass(frozen=True, slots=True)
class Missed:
    """Whom a retry takes over, counted one by one."""

    failed: tuple[Group, ...] = ()
    doubtful: tuple[Group, ...] = ()
    """Those of whom nobody can tell."""

    @property
    def count(self) -> int:
        return sum(one.count for one in self.failed)

    @property
    def unknown(self) -> int:
        return sum(one.count for one in self.doubtful)

    @property
    def causes(self) -> list[Cause]:
        return causes_of((one.error_code, one.count) for one in self.failed)


def missed(broadcast: Broadcast, longest: timedelta = LONGEST) -> Missed:
    """Count every member to retry: from the tallies, or by one look at the rows.

    Raises:
        TooLongError: that look would take longer.
    """
    if is_alone(broadcast):
        kept = (
            Tally.objects.filter(
                broadcast_id=broadcast.pk,
                unit=TallyUnit.MESSAGE,
                outcome__in=LOST_STATES,
            )
            .values_list("outcome", "error_code", "channel", "integration_id")
            .annotate(number=Sum(F("count") - F("pruned")))
        )
        return _missed(kept)
    found = (
        candidates(broadcast, include_unknown=True)
        .order_by()
        .values_list("state", "error_code", "channel", "integration_id")
        .annotate(number=Count("pk"))
    )
    with at_most(longest):
        return _missed(found)


def tallied(broadcast: Broadcast, *, include_unknown: bool) -> Missed:
    """Return those whom a retry covers as far as the tallies tell, without their rows.

    Nobody where other runs of the chain exist.
    """
    if not is_alone(broadcast):
        return Missed()
    found = missed(broadcast)
    return found if include_unknown else Missed(found.failed)


def _missed(numbers: Iterable[tuple[str, str, str, int | None, int]]) -> Missed:
    found: dict[str, list[Group]] = {
        MessageState.FAILED: [],
        MessageState.UNKNOWN: [],
    }
    for stood, code, channel, integration_id, number in numbers:
        group = Group(code, channel, integration_id, number)
        if group.count:
            found[stood].append(group)
    return Missed(tuple(found[MessageState.FAILED]), tuple(found[MessageState.UNKNOWN]))


def offer(
    broadcast: Broadcast,
    *,
    include_unknown: bool = False,
    longest: timedelta = LONGEST,
) -> RetryOffer:
    """Return everything the dialog shows.

    The clock is read first: what fails after that is not part of the retry.

    Raises:
        TooLongError: it takes longer to count the members one by one.
    """
    shown_at = database_now()
    standing = state(broadcast)
    found = Missed()
    if standing.enabled:
        found = missed(broadcast, longest)
        standing = (
            RetryState(True, count=found.count)
            if found.count
            else RetryState(False, SENT_AGAIN)
        )
    unknown = found.unknown if standing.enabled else 0
    doubtful = found.doubtful if standing.enabled and include_unknown else ()
    return RetryOffer(
        state=standing,
        count=found.count + (unknown if include_unknown else 0),
        unknown_count=unknown,
        causes=found.causes,
        shown_at=shown_at,
        run_at=proposed_time(shown_at),
        groups=(*found.failed, *doubtful),
    )


def proposed_time(now: datetime) -> datetime:
    """Two minutes from now, rounded up to a full minute."""
    soon = now + LEAD
    return soon + timedelta(seconds=-soon.second % 60, microseconds=-soon.microsecond)

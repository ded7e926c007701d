"""The steps of the tick: start, fill, finish, take back. Each is short and can be
left at any moment; the next tick goes on where the rows say it stood."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Now

from broadcasts import flows, freezing, settling
from broadcasts.clock import in_words
from broadcasts.fill import fill_page
from broadcasts.models import Broadcast, BroadcastState, Flow
from messaging.models import MessageState, Tally, TallyUnit

logger = logging.getLogger(__name__)

BUDGET_SECONDS = 5.0
"""How long one tick goes on; beat calls the next one in any case."""
SETTLE_BATCHES = 4


def tick(budget_seconds: float = BUDGET_SECONDS) -> None:
    """Move every broadcast one step on. Two at once share the work."""
    deadline = time.monotonic() + budget_seconds
    moved = {"too_late": fail_late(), "started": start_due()}
    fill_all(deadline)
    flows.skip_unpublished(batches=SETTLE_BATCHES)
    moved["completed"] = finish_done()
    settle_ended()
    if any(moved.values()):
        logger.info("Broadcasts moved on", extra={"counts": moved})


def fail_late() -> int:
    """Fail what was due while nothing ran: nobody wants it half a day late."""
    limit = timedelta(seconds=settings.LATE_AFTER_SECONDS)
    late = Broadcast.objects.filter(
        state=BroadcastState.SCHEDULED, run_at__lt=Now() - limit
    )
    failed = 0
    for one in late.order_by("run_at")[:100]:
        when = in_words(one.run_at or one.created_at, one.time_zone)
        failed += Broadcast.objects.filter(
            pk=one.pk, state=BroadcastState.SCHEDULED, run_at=one.run_at
        ).update(
            state=BroadcastState.FAILED,
            finished_at=Now(),
            is_settling=True,
            state_reason=(
                f"It was due on {when}, but nothing was running then, and it is not"
                " sent this late without a person. Clone it and schedule the copy."
            ),
        )
    return failed


def start_due() -> int:
    """Start what is due, with the content that its flow has at this moment.

    A retry has its source's content already, and keeps it.
    """
    due = Broadcast.objects.filter(state=BroadcastState.SCHEDULED, run_at__lte=Now())
    published = Flow.objects.filter(
        broadcasts=OuterRef("pk"), is_published=True
    ).values("published_content")[:1]
    fresh = due.filter(retry_of__isnull=True, content__isnull=True)
    started = fresh.update(
        state=BroadcastState.SENDING,
        started_at=Now(),
        routes_changed=False,
        content=Subquery(published),
    )
    return started + due.update(state=BroadcastState.SENDING, started_at=Now())


def fill_all(deadline: float) -> int:
    """Make rows, one page of each broadcast in turn, until time is up.

    Those that send come first, then the retries that were confirmed a moment ago.
    """
    pages = 0
    while time.monotonic() < deadline:
        made = sum(_page_of(fill_page, one) for one in _unfilled())
        made += sum(_page_of(freezing.fill_page, one) for one in freezing.unfilled())
        if not made:
            break
        pages += made
    return pages


def _page_of(fill: Callable[[int], bool], broadcast_id: int) -> bool:
    """Let no broadcast that cannot be filled hold up the others."""
    try:
        return fill(broadcast_id)
    except Exception:
        logger.exception(
            "A broadcast could not be filled; the next tick tries",
            extra={"broadcast_id": broadcast_id},
        )
        return False


def _unfilled() -> list[int]:
    return list(
        Broadcast.objects.filter(state=BroadcastState.SENDING, is_filled=False)
        .order_by("run_at", "pk")
        .values_list("pk", flat=True)
    )


def finish_done() -> int:
    """Complete what has tried all its rows, by the tallies.

    Automatic retries may go on for a day; the run does not wait for them. It does for
    what was given back and never really tried: that counts as no try.
    """
    waiting = Tally.objects.filter(
        broadcast_id=OuterRef("pk"),
        unit=TallyUnit.MESSAGE,
        outcome__in=settling.UNSETTLED,
        count__gt=F("pruned"),
    )
    waits_to_retry = Q(outcome=MessageState.QUEUED, attempt_number__gt=0)
    return (
        Broadcast.objects.filter(state=BroadcastState.SENDING, is_filled=True)
        .exclude(Exists(waiting.exclude(waits_to_retry)))
        .update(state=BroadcastState.COMPLETED, finished_at=Now(), routes_changed=False)
    )


def settle_ended() -> None:
    """Go on taking back what still waits in cancelled and failed broadcasts."""
    for one in Broadcast.objects.filter(is_settling=True).order_by("pk")[:100]:
        settling.take_back(one, batches=SETTLE_BATCHES)

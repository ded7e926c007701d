"""After the end of a broadcast: waiting rows are taken back until none is left."""

from __future__ import annotations

from django.db.models import F

from broadcasts import freezing
from broadcasts.chain import keep_where_members_stood
from broadcasts.models import Broadcast
from messaging.dispatch.waiting import cancel_waiting
from messaging.models import MessageState, Tally, TallyUnit

BATCH = 5_000
UNSETTLED = (MessageState.PLANNED, MessageState.QUEUED, MessageState.SENDING)


def take_back(broadcast: Broadcast, *, batches: int) -> None:
    """Cancel up to so many batches; note when every row has come to rest.

    A row whose attempt is open may return to the queue for another try, so a
    broadcast settles only once none is waiting *or under way*.
    """
    freezing.forget(broadcast)
    for _ in range(batches):
        if cancel_waiting(broadcast.pk, limit=BATCH) < BATCH:
            break
    if has_unsettled(broadcast.pk):
        return
    if broadcast.is_retry:
        keep_where_members_stood(broadcast)
    Broadcast.objects.filter(pk=broadcast.pk, is_settling=True).update(
        is_settling=False
    )


def has_unsettled(broadcast_id: int) -> bool:
    """Whether any row of it still waits or is under way, by the tallies."""
    return Tally.objects.filter(
        broadcast_id=broadcast_id,
        unit=TallyUnit.MESSAGE,
        outcome__in=UNSETTLED,
        count__gt=F("pruned"),
    ).exists()

"""The members of a retry: fixed when it is confirmed, made into rows page by page.

The rows of a retry that starts soon are made when it starts, each of them once, in the
state in which it goes out. One that is to start later gets planned rows meanwhile: they
stand in the lists of messages and of its members, and outlive the rows they come from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from broadcasts import expectation
from broadcasts.chain import keep_where_members_stood
from broadcasts.clock import SOON, local_day, starts_soon
from broadcasts.models import Broadcast, BroadcastState, FrozenMembers
from broadcasts.patience import wait_longer
from broadcasts.retry import Missed
from broadcasts.ways import rows, statement
from messaging.dispatch.chain import hold_chains
from messaging.dispatch.statements import again_after_deadlock
from messaging.models import Message, MessageState, Priority

PAGE = 5_000
"""Members per transaction."""
AT_ONCE = PAGE
"""So few become rows while the person who confirms waits."""


def freeze(retry: Broadcast, chosen: QuerySet[Message], shown_at: datetime) -> int:
    """Fix whom the retry covers: who stood among ``chosen`` when it was shown.

    Few become rows here and now. Of many only the numbers are written down, and
    :func:`fill_page` makes the rows; return how many members it is.
    """
    chosen = chosen.filter(state_at__lte=shown_at)
    sizes = rows(
        *_with_candidates(
            "write_down_members", chosen, {"broadcast_id": retry.pk, "page": PAGE}
        )
    )
    number: int = sum(one["size"] for one in sizes)
    if number <= AT_ONCE:
        while _fill(retry):
            """Another page."""
    return number


@again_after_deadlock
def fill_page(broadcast_id: int) -> bool:
    """Plan the rows of some more members; return whether this was work for us.

    For one that starts soon it is only noted where its members stood, and what retrying
    them is likely to bring. The broadcast's row is held meanwhile,
    so that an edit of its time, or a cancellation, comes before a page or after it.
    """
    with transaction.atomic():
        retry = (
            Broadcast.objects.select_for_update(
                skip_locked=True, no_key=True, of=("self",)
            )
            .select_related("organization")
            .filter(pk=broadcast_id, state=BroadcastState.SCHEDULED)
            .first()
        )
        if retry is None:
            return False
        return _foretell(retry) if starts_soon(retry.run_at) else _fill(retry)


def _foretell(retry: Broadcast) -> bool:
    if retry.forecast or not _written_down(retry).exists():
        return False
    wait_longer()
    keep_where_members_stood(retry)
    expectation.keep(retry)
    return True


def foretell_by_tallies(retry: Broadcast, counted: Missed) -> None:
    """Note the same of a retry that covers exactly these, without a look at rows."""
    stood: Counter[tuple[str, str]] = Counter()
    for state, groups in (
        (MessageState.FAILED, counted.failed),
        (MessageState.UNKNOWN, counted.doubtful),
    ):
        for one in groups:
            stood[state, one.error_code] += one.count
    retry.took_over = [
        [retry.retry_of_id, *stand, number] for stand, number in sorted(stood.items())
    ]
    retry.save(update_fields=["took_over"])
    expectation.tell(retry, (*counted.failed, *counted.doubtful))


def _written_down(retry: Broadcast) -> QuerySet[FrozenMembers]:
    return FrozenMembers.objects.filter(broadcast=retry).order_by("pk")


def start_page(retry: Broadcast, values: Mapping[str, Any]) -> bool:
    """Make the rows of some more members of a retry that has started.

    ``values`` are those of its start. Return whether there are still others.
    """
    frozen = _written_down(retry).first()
    if frozen is None:
        return False
    _foretell(retry)
    hold_chains(frozen.message_ids)
    amended = rows(
        statement("start_members"), {**values, "message_ids": frozen.message_ids}
    )
    if amended:
        message_ids = [one["id"] for one in amended]
        rows(statement("own_parts"), {**values, "message_ids": message_ids})
    frozen.delete()
    return _written_down(retry).exists()


def _fill(retry: Broadcast) -> bool:
    frozen = _written_down(retry).first()
    if frozen is None:
        return False
    plan_members(retry, frozen.message_ids)
    frozen.delete()
    if not _written_down(retry).exists():
        wait_longer()
        keep_where_members_stood(retry)
        expectation.keep(retry)
    return True


def plan_members(retry: Broadcast, message_ids: list[int]) -> None:
    """Make the planned rows that follow these, which are held with their chains.

    A receipt that takes a part of a flow back from one run takes it back from all: also
    from the rows made here, or else they are made without it.
    """
    hold_chains(message_ids)
    plan_rows("freeze_members", retry, message_ids=message_ids)


def plan_rows(name: str, retry: Broadcast, **values: list[int]) -> None:
    """Make rows of a retry by this statement; it gets what they have in common."""
    run_at = retry.run_at or retry.created_at
    common: dict[str, Any] = {
        "broadcast_id": retry.pk,
        "run_at": run_at,
        "expires_at": retry.expires_at,
        "day": local_day(run_at, retry.organization.time_zone),
        "priority": Priority.BULK,
        "includes_unknown": retry.includes_unknown,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement(name), {**common, **values})


def unfilled() -> list[int]:
    """Return the retries for which something is to be done now, the first due first.

    They lack planned rows, or at least a forecast.
    """
    written_down = FrozenMembers.objects.filter(broadcast=OuterRef("pk"))
    lacking = Broadcast.objects.filter(
        Exists(written_down),
        Q(run_at__gt=timezone.now() + SOON) | Q(forecast={}),
        state=BroadcastState.SCHEDULED,
    )
    return list(lacking.order_by("run_at", "pk").values_list("pk", flat=True))


def members_without_row(broadcast: Broadcast) -> int:
    """Return how many members of a retry are written down and have no row yet."""
    found = _written_down(broadcast).aggregate(number=Sum("size"))
    return found["number"] or 0


def forget(broadcast: Broadcast) -> None:
    """Make no more rows: the retry was cancelled, or could not run."""
    _written_down(broadcast).delete()


def _with_candidates(
    name: str, chosen: QuerySet[Message], values: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Put a queryset into a statement whose parameters have names."""
    sql, positional = chosen.values("id").query.sql_with_params()
    names = {f"candidate_{number}": value for number, value in enumerate(positional)}
    named = sql % tuple(f"%({one})s" for one in names)
    return statement(name, candidates=named), {**values, **names}

"""The members of a retry: fixed when it is confirmed, made into rows page by page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, Sum

from broadcasts import expectation
from broadcasts.chain import keep_where_members_stood
from broadcasts.clock import local_day
from broadcasts.models import Broadcast, BroadcastState, FrozenMembers
from broadcasts.patience import wait_longer
from broadcasts.ways import rows, statement
from messaging.dispatch.statements import again_after_deadlock
from messaging.models import Message, Priority

PAGE = 5_000
"""Members per transaction. No more than that many become rows at once."""


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
    if len(sizes) == 1:
        _fill(retry)
    number: int = sum(one["size"] for one in sizes)
    return number


@again_after_deadlock
def fill_page(broadcast_id: int) -> bool:
    """Make the rows of some more members; return whether there were any.

    The broadcast's row is held meanwhile, so that an edit of its time, or a
    cancellation, comes before a page or after it.
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
        return retry is not None and _fill(retry)


def _fill(retry: Broadcast) -> bool:
    frozen = FrozenMembers.objects.filter(broadcast=retry).order_by("pk").first()
    if frozen is None:
        return False
    plan_rows("freeze_members", retry, message_ids=frozen.message_ids)
    frozen.delete()
    if not FrozenMembers.objects.filter(broadcast=retry).exists():
        wait_longer()
        keep_where_members_stood(retry)
        expectation.keep(retry)
    return True


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
    """Return the retries that still lack rows, the first due first."""
    written_down = FrozenMembers.objects.filter(broadcast=OuterRef("pk"))
    lacking = Broadcast.objects.filter(
        Exists(written_down), state=BroadcastState.SCHEDULED
    )
    return list(lacking.order_by("run_at", "pk").values_list("pk", flat=True))


def members_without_row(broadcast: Broadcast) -> int:
    """Return how many members of a retry are written down and have no row yet."""
    found = FrozenMembers.objects.filter(broadcast=broadcast).aggregate(
        number=Sum("size")
    )
    return found["number"] or 0


def forget(broadcast: Broadcast) -> None:
    """Make no more rows: the retry was cancelled, or could not run."""
    FrozenMembers.objects.filter(broadcast=broadcast).delete()


def _with_candidates(
    name: str, chosen: QuerySet[Message], values: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Put a queryset into a statement whose parameters have names."""
    sql, positional = chosen.values("id").query.sql_with_params()
    names = {f"candidate_{number}": value for number, value in enumerate(positional)}
    named = sql % tuple(f"%({one})s" for one in names)
    return statement(name, candidates=named), {**values, **names}

"""Members become messages: a page at a time, each page whole or not at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from broadcasts import freezing
from broadcasts.audience import Audience, matching
from broadcasts.chain import keep_where_members_stood
from broadcasts.clock import database_now, local_day
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.patience import wait_longer
from broadcasts.taken_over import is_written_down
from broadcasts.ways import refusal, rows, statement, way_columns, ways_of
from messaging.dispatch.doorbell import ring_on_commit
from messaging.dispatch.statements import again_after_deadlock
from messaging.dispatch.waiting import cancel_waiting, start_planned
from messaging.models import Priority, SkipReason

PAGE = 5_000
"""Members per transaction."""

MEMBER_COLUMNS = (
    "id",
    "external_id",
    "name",
    "phone",
    "email",
    "telegram_chat_id",
    "opted_out_channels",
    "whatsapp_inbound_at",
)


@again_after_deadlock
def fill_page(broadcast_id: int, *, page: int = PAGE) -> bool:
    """Make or start one page of rows; return whether this was work for us.

    The broadcast's row is held meanwhile: a second tick passes it by, and a
    person who cancels waits for this page and no longer. A kill anywhere in
    between leaves the page undone as a whole. Whether the flow is published is read
    once the row is held: whoever unpublishes it holds the row after that.
    """
    with transaction.atomic():
        broadcast = (
            Broadcast.objects.select_for_update(
                skip_locked=True, no_key=True, of=("self",)
            )
            .select_related("organization", "content")
            .filter(pk=broadcast_id, state=BroadcastState.SENDING, is_filled=False)
            .first()
        )
        if broadcast is None:
            return False
        now = database_now()
        if broadcast.is_retry:
            _start_rows(broadcast, now, page)
        else:
            _make_rows(broadcast, now, page)
        ring_on_commit()
    return True


def _make_rows(broadcast: Broadcast, now: datetime, page: int) -> None:
    members = matching(broadcast.organization, Audience.from_json(broadcast.audience))
    members = members.filter(pk__gt=broadcast.filled_to).order_by("pk")
    sql, values = members.values(*MEMBER_COLUMNS)[:page].query.sql_with_params()
    names = {f"filter_{number}": value for number, value in enumerate(values)}
    named = sql % tuple(f"%({name})s" for name in names)
    (made,) = rows(
        statement("fill_page", members=named),
        {**names, **_row_values(broadcast, now), "is_late": _is_late(broadcast, now)},
    )
    _move_on(
        broadcast,
        now,
        filled_to=made["max"] or broadcast.filled_to,
        is_filled=made["count"] < page,
    )


def _start_rows(broadcast: Broadcast, now: datetime, page: int) -> None:
    if _is_late(broadcast, now):
        # Members of a retry that the system forgot half-way stay retryable.
        freezing.forget(broadcast)
        is_done = cancel_waiting(broadcast.pk, limit=page) < page
        _move_on(broadcast, now, filled_to=broadcast.filled_to, is_filled=is_done)
        if is_done:
            _settle_members(broadcast)
        return
    values = {
        **_row_values(broadcast, now),
        "source_id": broadcast.retry_of_id,
        "routes_changed": broadcast.routes_changed,
        "includes_unknown": broadcast.includes_unknown,
    }
    decided, last_id = start_planned(
        statement("start_page"),
        {
            **values,
            "filled_to": broadcast.filled_to,
            "limit": page,
            "due_at": broadcast.run_at,
        },
    )
    is_done = decided < page and not freezing.start_page(broadcast, values)
    _move_on(
        broadcast,
        now,
        filled_to=last_id or broadcast.filled_to,
        is_filled=is_done,
    )
    if is_done:
        _settle_members(broadcast)


def _settle_members(retry: Broadcast) -> None:
    """Write down anew where its members stood, unless that is as the rows have it."""
    if not is_written_down(retry):
        wait_longer()
        keep_where_members_stood(retry)


def _row_values(broadcast: Broadcast, now: datetime) -> dict[str, Any]:
    run_at = broadcast.run_at or now
    reason = refusal(broadcast)
    if not reason and broadcast.expires_at and broadcast.expires_at <= now:
        reason = SkipReason.EXPIRED
    return {
        **way_columns(ways_of(broadcast)),
        "organization_id": broadcast.organization_id,
        "broadcast_id": broadcast.pk,
        "run_at": run_at,
        "expires_at": broadcast.expires_at,
        "day": local_day(run_at, broadcast.organization.time_zone),
        "priority": Priority.BULK,
        "refusal": str(reason),
    }


def _is_late(broadcast: Broadcast, now: datetime) -> bool:
    """Whether the system stood still for long since the page before this one.

    A late page does not move ``filled_at``, so all that follow it are late too.
    """
    last = broadcast.filled_at or broadcast.started_at or now
    return now - last > timedelta(seconds=settings.LATE_AFTER_SECONDS)


def _move_on(
    broadcast: Broadcast, now: datetime, *, filled_to: int, is_filled: bool
) -> None:
    """Keep the place, guarded by where it stood when this page began."""
    moved = Broadcast.objects.filter(
        pk=broadcast.pk,
        state=BroadcastState.SENDING,
        filled_to=broadcast.filled_to,
        is_filled=False,
    ).update(
        filled_to=filled_to,
        is_filled=is_filled,
        filled_at=broadcast.filled_at if _is_late(broadcast, now) else now,
    )
    if not moved:
        message = f"Broadcast {broadcast.pk} moved on while its row was held."
        raise RuntimeError(message)

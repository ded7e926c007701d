"""Messages that wait: started when their broadcast is due, or taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from messaging.dispatch import ledger, statements
from messaging.models import EndedBroadcast, MessageState, SkipReason


def start_planned(decisions: str, parameters: Mapping[str, Any]) -> tuple[int, int]:
    """Queue planned messages or hold them back, each as a query of the caller decides.

    ``decisions`` has a row for each message: ``message_id``, the ``integration_id`` and
    ``content_id`` it goes out by (NULL keeps what it was planned with), ``channel``,
    ``recipient``, ``used_fallback``, and a ``reason`` if it is skipped, or cancelled
    where its member is left to another run: ``on_its_way`` and ``in_doubt``.
    ``parameters`` are that query's, with ``due_at`` and ``expires_at`` for all. Return
    how many it decided about, and the last of them; those planned no longer stay as
    they are.
    """
    (decided,) = statements.rows("start_planned", parameters, decisions=decisions)
    return decided["decided"], decided["last_id"] or 0


def end(organization_id: int, broadcast_id: int) -> None:
    """Let nothing of a broadcast begin again by itself: a person has ended it.

    What waits is taken back by :func:`cancel_waiting`: also what a receipt puts back at
    this moment, because that holds the account until its commit.
    """
    ledger.lock(organization_id)
    EndedBroadcast.objects.bulk_create(
        [EndedBroadcast(organization_id=organization_id, broadcast_id=broadcast_id)],
        ignore_conflicts=True,
    )


def cancel_waiting(broadcast_id: int, *, limit: int = 5_000) -> int:
    """Take back one batch of what has not left; call it until it returns 0."""
    return _end_waiting(
        broadcast_id, MessageState.CANCELLED, SkipReason.CANCELLED, limit
    )


def skip_waiting(broadcast_id: int, *, reason: SkipReason, limit: int = 5_000) -> int:
    """Skip one batch of what has not left; call it until it returns 0."""
    return _end_waiting(broadcast_id, MessageState.SKIPPED, reason, limit)


@statements.again_after_deadlock
def _end_waiting(
    broadcast_id: int, state: MessageState, reason: SkipReason, limit: int
) -> int:
    with transaction.atomic():
        rows = statements.rows(
            "end_waiting",
            {
                "broadcast_id": broadcast_id,
                "state": state,
                "limit": limit,
                "reason": reason,
            },
        )
    return len(rows)

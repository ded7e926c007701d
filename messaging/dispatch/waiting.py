"""Messages that wait: started when their broadcast is due, or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from messaging.dispatch import statements
from messaging.models import MessageState, SkipReason


@dataclass(frozen=True, slots=True)
class Decision:
    """How one planned message goes out; with a ``reason`` it is skipped.

    ``None`` for the integration or the content keeps the one it was planned with.
    """

    message_id: int
    integration_id: int | None = None
    content_id: int | None = None
    channel: str = ""
    recipient: str = ""
    used_fallback: bool = False
    due_at: datetime | None = None
    expires_at: datetime | None = None
    reason: str = ""


COLUMNS = tuple(Decision.__dataclass_fields__)


def start_planned(decisions: Sequence[Decision]) -> int:
    """Queue or skip planned messages; return how many were still planned."""
    if not decisions:
        return 0
    columns = {name: [getattr(one, name) for one in decisions] for name in COLUMNS}
    return len(statements.rows("start_planned", columns))


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
            stood=statements.part("stood"),
        )
    return len(rows)

"""Again: put messages back into the queue, or take them out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from messaging.dispatch import chain, statements
from messaging.models import Actor, MessageState, Priority
from messaging.models.message import LOST_STATES

RESENDABLE = (MessageState.FAILED,)
RESENDABLE_AT_RISK = LOST_STATES


@dataclass(frozen=True, slots=True)
class Again:
    """One more attempt for one message.

    ``attempt_count`` is what the asker saw: if another attempt was opened since,
    nothing happens. ``due_in`` is in seconds from now.
    """

    message_id: int
    attempt_count: int
    due_in: float = 0.0
    content_id: int | None = None
    asked_by: str = Actor.PERSON
    asked_by_name: str = ""
    asked_reason: str = ""
    priority: int = Priority.SINGLE
    asked_in_bulk: int | None = None
    """The bulk resend that asks, so that it can tell what its tries brought."""


COLUMNS = tuple(Again.__dataclass_fields__)


def queue_again(
    wanted: Sequence[Again], *, states: Sequence[str] = RESENDABLE
) -> set[int]:
    """Queue what is still in one of these states; return the messages that were."""
    if not wanted:
        return set()
    columns = {name: [getattr(one, name) for one in wanted] for name in COLUMNS}
    with transaction.atomic():
        chain.hold_chains(columns["message_id"])
        found = statements.rows("queue_again", {**columns, "states": list(states)})
    return {row["id"] for row in found}


def take_back(message_id: int) -> bool:
    """Cancel a resend that waits: the message stands where its attempts left it.

    Whoever is writing down at this moment what a receipt says of them comes first.
    """
    with transaction.atomic():
        statements.rows("hold_attempts_of", {"message_id": message_id})
        return take_back_held(message_id)


def take_back_held(message_id: int) -> bool:
    """Cancel a resend that waits, for callers that hold what was tried."""
    return bool(statements.rows("take_back", {"message_id": message_id}))


def move(message_id: int, due_in: float) -> bool:
    """Give a resend that waits another time."""
    return bool(
        statements.rows("move_due", {"message_id": message_id, "due_in": due_in})
    )

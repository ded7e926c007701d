"""Messages that have already been somewhere: with attempts, receipts and credits."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone

from messaging.models import Attempt, CreditEntry, Message, Receipt
from tests.factories import World

_number = itertools.count(1)
PASSING = ("whatsapp:131000", "retry")
ARRIVED = {"delivered", "read"}


def tried(
    world: World,
    state: str,
    *,
    attempts: int = 1,
    error_code: str = "",
    error_class: str = "",
    error_detail: str = "",
    answer: str = "",
    actor: str = "broadcast",
    actor_name: str = "",
    reason: str = "",
    reason_of_skip: str = "",
    **values: Any,
) -> Message:
    """Make a message whose last attempt ended as ``state``; earlier ones failed.

    A message that is queued again had failed before.
    """
    now = timezone.now()
    if state == "failed":
        error_code = error_code or "whatsapp:131000"
        error_class = error_class or "retry"
    if state in ARRIVED:
        values.setdefault("delivered_at", now)
    if state in {*ARRIVED, "sent"}:
        values.setdefault("sent_at", now)
    message = world.message(
        state,
        attempt_count=attempts,
        error_code=error_code,
        error_class=error_class,
        reason=reason_of_skip,
        **values,
    )
    last_state = {"sending": "open", "queued": "failed"}.get(state, state)
    for number in range(1, attempts + 1):
        is_last = number == attempts
        attempt(
            message,
            number,
            last_state if is_last else "failed",
            error_code=error_code if is_last and state != "queued" else PASSING[0],
            error_class=error_class if is_last and state != "queued" else PASSING[1],
            error_detail=error_detail if is_last else "",
            answer=answer if is_last else "",
            actor=actor,
            actor_name=actor_name,
            reason=reason,
        )
    return message


def attempt(message: Message, number: int, state: str, **values: Any) -> Attempt:
    """Open an attempt, close it, and write the credit lines that belong to it."""
    assert message.integration is not None
    assert message.content is not None
    opened_at = timezone.now() - timedelta(hours=3) + timedelta(hours=number / 2)
    made = Attempt.objects.create(
        organization=message.organization,
        message=message,
        integration=message.integration,
        content=message.content,
        broadcast_id=message.broadcast_id,
        opened_at=opened_at,
        day=opened_at.date(),
        number=number,
        price=1,
        state="open",
        channel=message.channel,
        actor=values.pop("actor", "broadcast"),
    )
    if state != "open":
        Attempt.objects.filter(pk=made.pk).update(
            state=state,
            closed_at=opened_at + timedelta(seconds=1),
            duration_ms=981,
            **values,
        )
        made.refresh_from_db()
    steps = {"failed": "release", "delivered": "charge", "read": "charge"}
    credit(made, "hold", available=-1, held=1)
    if state in steps:
        available = 1 if state == "failed" else 0
        credit(made, steps[state], available=available, held=-1)
    return made


def credit(attempt: Attempt, step: str, *, available: int, held: int) -> None:
    CreditEntry.objects.create(
        organization=attempt.organization,
        attempt_id=attempt.pk,
        message_id=attempt.message_id,
        step=step,
        amount=1,
        available_change=available,
        held_change=held,
    )


def receipt(attempt: Attempt, state: str, **values: Any) -> Receipt:
    values.setdefault("result", "applied")
    values.setdefault("raw", {"status": state})
    if values["result"]:
        values.setdefault("applied_at", timezone.now())
    return Receipt.objects.create(
        organization=attempt.organization,
        integration=attempt.integration,
        attempt_id=attempt.pk,
        key=f"key {next(_number)}",
        kind="status",
        state=state,
        occurred_at=timezone.now(),
        **values,
    )

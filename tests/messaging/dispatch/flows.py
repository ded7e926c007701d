"""Flows that leave, are answered late or never, and are sent again."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from messaging import receipts
from messaging.audit import (
    ledger_differences,
    recovery_differences,
    tally_differences,
)
from messaging.channels.contract import Event, EventKind
from messaging.dispatch import again, pace, pulse
from messaging.dispatch.claim import Claimed, claim
from messaging.dispatch.rescue import rescue
from messaging.dispatch.settle import Result, settle
from messaging.models import Attempt, Content, Integration, Message
from tests.factories import World

NO_SUCH_NUMBER = ("whatsapp:131026", "never")
THROTTLED = ("whatsapp:131049", "wait")
TIMED_OUT = ("whatsapp:timeout", "unknown")


def flow(ours: World, parts: int) -> Content:
    part = {"kind": "text", "payload": {"text": "a"}}
    return Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": [part] * parts}
    )


def given_up(message: Message) -> Attempt:
    """Open an attempt whose worker stands still until it is rescued."""
    return rescued(opened(message).attempt_id)


def rescued(attempt_id: int) -> Attempt:
    Attempt.objects.filter(pk=attempt_id).update(
        opened_at=timezone.now() - timedelta(minutes=5)
    )
    assert rescue() == 1
    return Attempt.objects.get(pk=attempt_id)


def opened(message: Message) -> Claimed:
    assert message.integration is not None
    [claimed] = claim(message.integration, limit=1, message_id=message.pk).attempts
    return claimed


def answered(
    attempt_id: int, state: str, parts_sent: int, error: tuple[str, str] = ("", "")
) -> None:
    code, error_class = error
    result = Result(
        attempt_id,
        state,
        error_code=code,
        error_class=error_class,
        provider_id=f"id {attempt_id}",
        answer="{}",
        duration_ms=5,
        parts_sent=parts_sent,
    )
    settle(Attempt.objects.get(pk=attempt_id).integration, [result])


def given_back(attempt_id: int, parts_sent: int = 0) -> None:
    """Let the provider refuse our credentials: nothing more leaves for now."""
    result = Result(
        attempt_id,
        "failed",
        error_code="resend_admin:not_sent",
        error_class="retry",
        duration_ms=3,
        parts_sent=parts_sent,
        again_in=0.0,
    )
    integration = Attempt.objects.get(pk=attempt_id).integration
    settle(integration, [result], in_chain=True)


def asked_again(ours: World, message: Message, content: Content | None = None) -> None:
    ours.rest()
    message.refresh_from_db()
    wish = again.Again(
        message.pk,
        message.attempt_count,
        content_id=content.pk if content else None,
    )
    assert again.queue_again([wish], states=again.RESENDABLE_AT_RISK)


def standing(message: Message) -> tuple[str, int, list[str]]:
    """Return the state, the parts that arrived, and the states of the attempts."""
    message.refresh_from_db()
    attempts = message.attempts.order_by("number").values_list("state", flat=True)
    assert tally_differences() == []
    assert ledger_differences() == []
    assert recovery_differences() == []
    return message.state, message.parts_sent, list(attempts)


def failed_at_last_part(ours: World, integration: Integration) -> Message:
    """Return a flow of two of which only the first part was accepted."""
    pace.prepare(integration.pk)
    message = ours.message(integration=integration, content=flow(ours, 2))
    answered(opened(message).attempt_id, "failed", 0b01, THROTTLED)
    ours.rest()
    return message


def of_two_attempts(ours: World, integration: Integration) -> Message:
    """Return a flow of two that failed at its last part.

    An earlier attempt is in doubt; :func:`got_through` tells what became of it.
    """
    pulse.beat()
    pace.prepare(integration.pk)
    message = ours.message(integration=integration, content=flow(ours, 2))
    answered(opened(message).attempt_id, "unknown", 0, TIMED_OUT)
    asked_again(ours, message)
    answered(opened(message).attempt_id, "failed", 0b01, THROTTLED)
    ours.rest()
    return message


def got_through(message: Message) -> None:
    """Let the first attempt of such a message have sent the part that is missing."""
    tell(first(message), (0, "failed"), (1, "sent"))


def told(attempt: Attempt, part: int, state: str, code: str = "131049") -> Event:
    return Event(
        key=f"{attempt.pk}:{part}:{state}",
        kind=EventKind.STATUS,
        raw={},
        reference=f"{attempt.pk}:{part}",
        state=state,
        error_code=code if state == "failed" else "",
    )


def tell(attempt: Attempt, *words: tuple[int, str]) -> None:
    for word in words:
        receipts.store(attempt.integration, [told(attempt, *word)])
        receipts.apply()


def first(message: Message) -> Attempt:
    return message.attempts.get(number=1)

"""What is in doubt stays in doubt, whatever becomes of a later attempt.

Somebody sent an unknown message again and that try failed for certain. The first one
may still have arrived: nothing may send a third by itself, and no list of failures may
hold the member.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from messaging import doubt, sending
from messaging.audit import ledger_differences, tally_differences
from messaging.dispatch import again, later, pulse
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.dispatch.waiting import cancel_waiting
from messaging.dispatch.word import Word
from messaging.evidence import evidence_of
from messaging.models import (
    Actor,
    AutomaticRetry,
    Contact,
    Content,
    CreditAccount,
    Integration,
    IntegrationState,
    Message,
    Priority,
    Pulse,
    SkipReason,
)
from messaging.sending import Asker
from tests.factories import World

pytestmark = pytest.mark.django_db

TIMED_OUT = ("whatsapp:timeout", "unknown")
THROTTLED = ("whatsapp:130429", "wait")


@pytest.fixture
def unknown(ours: World, whatsapp: Integration) -> Message:
    AutomaticRetry.objects.create(
        organization=ours.organization, channel="whatsapp", is_on=True
    )
    message = ours.message(integration=whatsapp)
    ended(ours, message, "unknown", *TIMED_OUT)
    return message


def ended(
    ours: World, message: Message, state: str, code: str = "", error_class: str = ""
) -> None:
    """Open the attempt that the message waits for, and end it so."""
    end(ours, message, opened(message), state, code, error_class)


def opened(message: Message) -> int:
    assert message.integration is not None
    [claimed] = claim(message.integration, limit=1, message_id=message.pk).attempts
    return claimed.attempt_id


def end(
    ours: World,
    message: Message,
    attempt_id: int,
    state: str,
    code: str = "",
    error_class: str = "",
) -> None:
    assert message.integration is not None
    result = Result(attempt_id, state, error_code=code, error_class=error_class)
    settle(message.integration, [result])
    ours.rest()
    message.refresh_from_db()


def asked_again(message: Message, content_id: int | None = None) -> None:
    message.refresh_from_db()
    wish = again.Again(
        message_id=message.pk,
        attempt_count=message.attempt_count,
        due_in=0,
        content_id=content_id,
        asked_by=Actor.PERSON,
        priority=Priority.SINGLE,
    )
    assert again.queue_again([wish], states=[message.state])


def told(message: Message, number: int, state: str) -> None:
    attempt = message.attempts.get(number=number)
    word = Word(attempt.pk, state, timezone.now(), *no_such_number(state))
    later.apply([word], [message.organization_id])
    message.refresh_from_db()


def no_such_number(state: str) -> tuple[str, str]:
    return ("whatsapp:131026", "never") if state == "failed" else ("", "")


def test_a_failed_second_try_settles_nothing_and_is_not_repeated(
    ours: World, unknown: Message
) -> None:
    asked_again(unknown)

    ended(ours, unknown, "failed", *THROTTLED)

    assert (unknown.state, unknown.error_code) == ("unknown", "whatsapp:timeout")
    assert unknown.due_at is None
    states = unknown.attempts.order_by("number").values_list("state", flat=True)
    assert list(states) == ["unknown", "failed"]
    assert [one.attempt.number for one in evidence_of([unknown]).values()] == [1]
    assert tally_differences() == []
    assert ledger_differences() == []


def test_a_receipt_for_the_first_try_settles_it(ours: World, unknown: Message) -> None:
    asked_again(unknown)
    ended(ours, unknown, "failed", *THROTTLED)
    AutomaticRetry.objects.all().delete()

    told(unknown, 1, "failed")

    # Nothing is in doubt any more: it stands where its latest attempt left it.
    assert (unknown.state, unknown.error_code) == ("failed", "whatsapp:130429")
    assert tally_differences() == []


def test_a_second_try_that_waits_is_taken_back_when_the_provider_has_the_first_one(
    unknown: Message,
) -> None:
    asked_again(unknown)

    told(unknown, 1, "sent")

    assert (unknown.state, unknown.error_code, unknown.due_at) == ("sent", "", None)
    assert unknown.integration is not None
    assert claim(unknown.integration, limit=1).attempts == []
    assert tally_differences() == []


def test_a_provider_that_has_the_first_one_is_waited_for(
    ours: World, unknown: Message
) -> None:
    asked_again(unknown)
    second = opened(unknown)
    told(unknown, 1, "sent")
    end(ours, unknown, second, "failed", *THROTTLED)
    assert (unknown.state, unknown.error_code) == ("sent", "")

    told(unknown, 1, "delivered")

    assert unknown.state == "delivered"
    assert tally_differences() == []
    assert ledger_differences() == []


def test_what_is_heard_of_the_first_one_afterwards_counts_as_well(
    ours: World, unknown: Message
) -> None:
    asked_again(unknown)
    ended(ours, unknown, "failed", *THROTTLED)

    told(unknown, 1, "sent")

    assert (unknown.state, unknown.error_code) == ("sent", "")


def test_a_second_try_that_failed_later_leaves_the_doubt(
    ours: World, unknown: Message
) -> None:
    asked_again(unknown)
    ended(ours, unknown, "sent")
    assert unknown.state == "sent"

    told(unknown, 2, "failed")

    assert (unknown.state, unknown.error_code) == ("unknown", "whatsapp:timeout")


def test_taking_back_a_third_try_leaves_the_doubt(
    ours: World, unknown: Message
) -> None:
    asked_again(unknown)
    ended(ours, unknown, "failed", *THROTTLED)
    asked_again(unknown)

    assert again.take_back(unknown.pk)

    unknown.refresh_from_db()
    assert (unknown.state, unknown.error_code) == ("unknown", "whatsapp:timeout")


def test_a_try_that_missed_its_time_leaves_the_doubt(
    ours: World, unknown: Message
) -> None:
    asked_again(unknown)
    hours = timezone.now() - timedelta(hours=3)
    Message.objects.update(due_at=hours)
    Pulse.objects.update(beaten_at=hours)

    pulse.beat()

    unknown.refresh_from_db()
    assert (unknown.state, unknown.error_code) == ("unknown", "whatsapp:timeout")
    assert unknown.reason == "missed_time"
    asked_again(unknown)
    unknown.refresh_from_db()
    assert unknown.reason == ""


def test_a_person_may_count_the_first_one_as_delivered(
    ours: World, unknown: Message
) -> None:
    asked_again(unknown)
    ended(ours, unknown, "failed", *THROTTLED)

    said = doubt.count_as_delivered(
        unknown, Asker(Actor.PERSON, "Ama"), attempt_number=2
    )

    assert isinstance(said, Message)
    assert said.state == "delivered"
    assert said.attempts.get(number=1).state == "delivered"
    assert tally_differences() == []
    assert ledger_differences() == []


def test_cancelling_a_broadcast_leaves_the_doubt_and_what_failed(
    ours: World, whatsapp: Integration
) -> None:
    """A cancelled broadcast can be retried: its failed members must be in the list."""
    broadcast = ours.broadcast("sending")
    rows = [
        ours.message(integration=whatsapp, broadcast_id=broadcast.pk) for _ in range(3)
    ]
    in_doubt, failed, untried = rows
    ended(ours, in_doubt, "unknown", *TIMED_OUT)
    ended(ours, failed, "failed", *THROTTLED)
    asked_again(in_doubt)
    asked_again(failed)

    while cancel_waiting(broadcast.pk):
        pass

    found = {one.pk: (one.state, one.error_code) for one in Message.objects.all()}
    assert found == {
        in_doubt.pk: ("unknown", "whatsapp:timeout"),
        failed.pk: ("failed", "whatsapp:130429"),
        untried.pk: ("cancelled", ""),
    }
    assert tally_differences() == []


def test_a_cancelled_resend_takes_its_new_content_along(
    ours: World, whatsapp: Integration
) -> None:
    flow = Content.objects.create(
        organization=ours.organization,
        kind="flow",
        payload={
            "parts": [{"kind": "text", "payload": {"text": word}} for word in "ab"]
        },
    )
    message = ours.message(integration=whatsapp, content=flow)
    [claimed] = claim(whatsapp, limit=1, message_id=message.pk).attempts
    code, error_class = THROTTLED
    settle(
        whatsapp,
        [
            Result(
                claimed.attempt_id,
                "failed",
                error_code=code,
                error_class=error_class,
                parts_sent=1,
            )
        ],
    )
    asked_again(message, content_id=ours.text("another").pk)

    assert again.take_back(message.pk)

    message.refresh_from_db()
    assert (message.state, message.error_code) == ("failed", code)
    assert (message.amended_content_id, message.parts_sent) == (None, 1)


def poor(ours: World) -> None:
    CreditAccount.objects.filter(organization=ours.organization).update(available=0)


def opted_out(ours: World) -> None:
    Contact.objects.update(opted_out_channels=["whatsapp"])


def switched_off(ours: World) -> None:
    Integration.objects.update(state=IntegrationState.OFF)


def too_late(ours: World) -> None:
    Message.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


REFUSED_FOR: dict[Callable[[World], None], str] = {
    poor: "insufficient_credits",
    opted_out: "opted_out",
    switched_off: "integration_off",
    too_late: "expired",
}


@pytest.mark.parametrize("refuse", REFUSED_FOR)
def test_a_resend_that_may_not_leave_leaves_the_doubt_where_it_was(
    ours: World,
    unknown: Message,
    whatsapp: Integration,
    refuse: Callable[[World], None],
) -> None:
    Integration.objects.update(credit_price=1)
    asked_again(unknown)
    refuse(ours)
    other = ours.message(integration=whatsapp)

    claimed = claim(whatsapp, limit=10)

    assert claimed.taken == 2
    unknown.refresh_from_db()
    other.refresh_from_db()
    assert (unknown.state, unknown.error_code) == ("unknown", TIMED_OUT[0])
    assert (unknown.reason, unknown.due_at) == (REFUSED_FOR[refuse], None)
    assert unknown.attempts.count() == 1
    assert other.state == ("failed" if refuse is poor else other.state)
    assert tally_differences() == []
    told(unknown, 1, "delivered")
    assert (unknown.state, unknown.reason) == ("delivered", "")


@pytest.mark.parametrize(
    ("refuse", "next_step"),
    [(poor, "top up"), (switched_off, "integration"), (opted_out, "")],
)
def test_who_asked_for_it_hears_why_it_did_not_leave_and_what_to_do(
    ours: World,
    unknown: Message,
    refuse: Callable[[World], None],
    next_step: str,
) -> None:
    Integration.objects.update(credit_price=1)
    asked_again(unknown)
    refuse(ours)

    outcome = sending.send_or_wait(unknown.pk, now=True, attempts_before=1)

    assert isinstance(outcome, sending.Refused)
    assert outcome.code == REFUSED_FOR[refuse]
    reason, _, advice = outcome.sentence.partition(". ")
    assert reason.rstrip(".") == SkipReason(REFUSED_FOR[refuse]).label
    assert next_step in advice.lower()
    assert bool(advice) == bool(next_step)

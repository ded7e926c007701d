"""An answer that comes after its attempt was given up, and what is sent after that."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from messaging import receipts
from messaging.channels.contract import Event, EventKind
from messaging.dispatch.claim import claim
from messaging.models import Attempt, Integration
from tests.factories import World
from tests.messaging.dispatch.flows import (
    NO_SUCH_NUMBER,
    TIMED_OUT,
    answered,
    asked_again,
    flow,
    given_up,
    opened,
    standing,
)

pytestmark = pytest.mark.django_db


def failed(
    attempt: Attempt,
    part: int = 0,
    *,
    key: str = "",
    integration: Integration | None = None,
) -> None:
    event = Event(
        key=key or f"{attempt.pk}:{part}",
        kind=EventKind.STATUS,
        raw={},
        reference=f"{attempt.pk}:{part}",
        state="failed",
        error_code="131049",
    )
    receipts.store(integration or attempt.integration, [event])
    receipts.apply()


def test_it_is_believed_and_so_is_the_receipt_after_it(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp)
    attempt = given_up(message)

    answered(attempt.pk, "sent", 0b1)
    assert standing(message) == ("sent", 0b1, ["sent"])

    failed(attempt)
    assert standing(message) == ("failed", 0, ["failed"])


@pytest.mark.parametrize(
    ("state", "available", "held"),
    [("delivered", 999_999, 0), ("failed", 1_000_000, 0)],
)
def test_credits_follow_it(
    ours: World, telegram: Integration, state: str, available: int, held: int
) -> None:
    message = ours.message(
        integration=telegram, contact=ours.contact(telegram_chat_id="77")
    )
    attempt = given_up(message)
    assert ours.account.held == 1

    answered(attempt.pk, state, 0b1, ("telegram:403", "never"))

    assert standing(message)[0] == state
    assert (ours.account.available, ours.account.held) == (available, held)


def test_a_receipt_that_came_before_it_stands(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp)
    attempt = given_up(message)
    failed(attempt)

    answered(attempt.pk, "sent", 0b1)

    assert standing(message) == ("failed", 0, ["failed"])


def test_one_that_cannot_tell_either_leaves_the_doubt(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp)
    attempt = given_up(message)

    answered(attempt.pk, "unknown", 0, TIMED_OUT)

    assert standing(message) == ("unknown", 0, ["unknown"])


def test_a_resend_that_waits_is_taken_back_when_the_provider_has_it_all(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp)
    attempt = given_up(message)
    asked_again(ours, message)

    answered(attempt.pk, "sent", 0b1)

    assert standing(message) == ("sent", 0b1, ["sent"])
    assert claim(whatsapp, limit=5).attempts == []


def test_a_resend_of_something_else_is_sent_whole(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp)
    attempt = given_up(message)
    asked_again(ours, message, ours.text("another"))

    answered(attempt.pk, "sent", 0b1)

    assert standing(message) == ("queued", 0, ["sent"])
    assert opened(message).parts_sent == 0


def test_a_resend_that_waits_sends_the_parts_that_are_missing(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    attempt = given_up(message)
    asked_again(ours, message)

    answered(attempt.pk, "failed", 0b01, NO_SUCH_NUMBER)

    assert standing(message) == ("queued", 0b01, ["failed"])
    assert opened(message).parts_sent == 0b01


@pytest.mark.parametrize(
    ("early", "late", "state"),
    [
        ("failed", "sent", "sent"),
        ("sent", "failed", "sent"),
        ("failed", "failed", "failed"),
    ],
)
@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_resend_under_way_and_the_late_answer_agree_on_the_message(
    ours: World,
    whatsapp: Integration,
    early: str,
    late: str,
    state: str,
    order: Sequence[int],
) -> None:
    message = ours.message(integration=whatsapp)
    first = given_up(message)
    asked_again(ours, message)
    second = opened(message)
    answers = {1: (first.pk, late), 2: (second.attempt_id, early)}

    for number in order:
        attempt_id, word = answers[number]
        is_sent = word == "sent"
        error = ("", "") if is_sent else NO_SUCH_NUMBER
        answered(attempt_id, word, 0b1 if is_sent else 0, error)

    parts = 0b1 if "sent" in {early, late} else 0
    assert standing(message) == (state, parts, [late, early])


def test_a_part_that_an_earlier_attempt_sent_is_sent_again_when_it_failed(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    first = opened(message)
    answered(first.attempt_id, "unknown", 0b01, TIMED_OUT)
    asked_again(ours, message)
    second = opened(message)
    answered(second.attempt_id, "sent", 0b11)

    failed(Attempt.objects.get(pk=first.attempt_id), 0)
    assert standing(message) == ("sent", 0b10, ["unknown", "sent"])
    failed(Attempt.objects.get(pk=second.attempt_id), 1)
    # Of the last part that the first attempt had under way nobody has told.
    assert standing(message) == ("unknown", 0, ["unknown", "failed"])

    asked_again(ours, message)
    answered(opened(message).attempt_id, "sent", 0b11)
    failed(Attempt.objects.get(pk=first.attempt_id), 0, key="said once more")
    assert standing(message) == ("sent", 0b11, ["unknown", "failed", "sent"])


def test_it_is_missing_also_when_it_fails_while_the_next_attempt_is_under_way(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 3))
    first = opened(message)
    answered(first.attempt_id, "unknown", 0b001, TIMED_OUT)
    asked_again(ours, message)
    second = opened(message)

    failed(Attempt.objects.get(pk=first.attempt_id), 0)
    answered(second.attempt_id, "failed", 0b011, NO_SUCH_NUMBER)

    assert standing(message) == ("unknown", 0b010, ["unknown", "failed"])


def test_a_part_that_both_have_sent_is_not_missing_when_the_earlier_one_failed(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    first = given_up(message)
    asked_again(ours, message)
    second = opened(message)
    answered(first.pk, "unknown", 0b01, TIMED_OUT)
    answered(second.attempt_id, "sent", 0b11)

    failed(first, 0)

    assert standing(message) == ("sent", 0b11, ["unknown", "sent"])


def test_a_stranger_takes_no_part_back(
    ours: World, theirs: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    attempt = given_up(message)
    failed(attempt, 0, integration=theirs.integration())

    answered(attempt.pk, "sent", 0b11)

    assert standing(message) == ("sent", 0b11, ["sent"])

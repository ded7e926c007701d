"""What is told of the parts of a flow decides what the next attempt sends.

No part that a provider has goes out again, and none that it took back is forgotten,
whoever says what first: receipts, late answers, and persons who do not wait for them.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from messaging import receipts, resend
from messaging.dispatch import again, chain, statements
from messaging.dispatch.claim import claim
from messaging.doubt import count_as_delivered
from messaging.models import (
    Actor,
    Attempt,
    AutomaticRetry,
    CountedDelivery,
    Integration,
    Message,
    Receipt,
)
from messaging.offers import offer_of
from messaging.resend import Wish
from messaging.sending import EVERY_PART_SENT, Asker
from messaging.views.counted import counted_in_words
from tests.factories import World
from tests.messaging.dispatch.flows import (
    NO_SUCH_NUMBER,
    THROTTLED,
    TIMED_OUT,
    answered,
    asked_again,
    first,
    flow,
    given_back,
    given_up,
    got_through,
    of_two_attempts,
    opened,
    rescued,
    standing,
    tell,
    told,
)

pytestmark = pytest.mark.django_db


def resent(ours: World, message: Message) -> list[int]:
    """Send it again as it is, and return the parts that go out."""
    message.refresh_from_db()
    assert again.queue_again([again.Again(message.pk, message.attempt_count)])
    return going_out(ours, message)


def missing_part_alone(ours: World, whatsapp: Integration) -> Attempt:
    """Send a flow of two, of which part 0 is taken back, and then that one alone."""
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    answered(opened(message).attempt_id, "sent", 0b11)
    tell(first(message), (0, "failed"))
    assert resent(ours, message) == [0]
    second = message.attempts.get(number=2)
    answered(second.pk, "sent", 0b11)
    return second


def going_out(ours: World, message: Message) -> list[int]:
    """Return the parts that the attempt sends for which a message waits."""
    ours.rest()
    Message.objects.filter(pk=message.pk).update(
        due_at=timezone.now() - timedelta(minutes=1)
    )
    claimed = opened(message)
    return [part for part in range(claimed.parts) if not claimed.parts_sent >> part & 1]


def test_what_several_attempts_got_through_is_not_sent_once_more(
    ours: World, whatsapp: Integration
) -> None:
    message = of_two_attempts(ours, whatsapp)
    got_through(message)
    assert standing(message)[:2] == ("failed", 0b11)

    asked = [again.Again(message.pk, message.attempt_count)]
    assert not again.queue_again(asked, states=again.RESENDABLE_AT_RISK)
    now = resend.fresh(message.pk)
    assert resend.resend(now, Asker(Actor.PERSON, "Ada")) == EVERY_PART_SENT
    offer = offer_of(now)
    assert (offer.is_open, offer.reason) == (False, EVERY_PART_SENT.sentence)
    other = Wish(content=ours.text("Other"))
    assert resend.standing(now, other).allowed


@pytest.mark.parametrize("is_in_doubt", [False, True])
def test_a_resend_that_waits_does_not_send_what_got_through_meanwhile(
    ours: World, whatsapp: Integration, is_in_doubt: bool
) -> None:
    """It stands where its attempts left it, and says why nothing was sent."""
    message = of_two_attempts(ours, whatsapp)
    asked_again(ours, message)
    if is_in_doubt:
        answered(opened(message).attempt_id, "unknown", 0b01, TIMED_OUT)
        asked_again(ours, message)

    got_through(message)

    assert claim(whatsapp, limit=1, message_id=message.pk).attempts == []
    left = "unknown" if is_in_doubt else "failed"
    assert standing(message)[:2] == (left, 0b11)
    assert message.reason == "already_reached"

    tell(first(message), (1, "failed"))

    assert standing(message)[:2] == (left, 0b01)
    assert message.reason == ""
    asked_again(ours, message)
    assert going_out(ours, message) == [1]


def test_what_is_missing_again_is_retried_by_itself(
    ours: World, whatsapp: Integration
) -> None:
    AutomaticRetry.objects.create(
        organization=ours.organization, channel="whatsapp", is_on=True
    )
    message = of_two_attempts(ours, whatsapp)
    asked_again(ours, message)
    got_through(message)
    assert claim(whatsapp, limit=1, message_id=message.pk).attempts == []

    tell(first(message), (1, "failed"))

    assert standing(message)[:2] == ("queued", 0b01)
    assert message.asked_by == "automatic"


def test_a_row_of_which_nothing_ever_left_is_skipped_when_nothing_is_missing(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    given_back(opened(message).attempt_id)
    Message.objects.filter(pk=message.pk).update(parts_sent=0b11)

    assert claim(whatsapp, limit=1, message_id=message.pk).attempts == []

    assert standing(message)[0] == "skipped"
    assert message.reason == "already_reached"


@pytest.mark.parametrize(
    ("parts", "accepted", "words"),
    [
        (2, 0b00, [(0, "failed")]),
        (3, 0b001, [(1, "failed")]),
        (3, 0b001, [(1, "sent"), (0, "failed")]),
        (3, 0b001, [(0, "failed"), (1, "sent")]),
    ],
)
@pytest.mark.parametrize("late", [True, False])
def test_what_came_after_a_part_without_an_answer_never_left(
    ours: World,
    whatsapp: Integration,
    parts: int,
    accepted: int,
    words: list[tuple[int, str]],
    late: bool,
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, parts))
    attempt_id = given_up(message).pk if late else opened(message).attempt_id
    answered(attempt_id, "unknown", accepted, TIMED_OUT)

    tell(first(message), *words)

    assert standing(message)[0] == "failed"


@pytest.mark.parametrize("is_told_first", [True, False])
def test_a_late_answer_and_a_failed_part_end_alike_beside_the_next_attempt(
    ours: World, whatsapp: Integration, is_told_first: bool
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    lost = given_up(message)
    asked_again(ours, message)
    second = opened(message)
    if is_told_first:
        tell(lost, (0, "failed"))
    answered(lost.pk, "sent", 0b11)
    if not is_told_first:
        tell(lost, (0, "failed"))
    assert standing(message)[2] == ["failed", "open"]

    answered(second.attempt_id, "failed", 0, NO_SUCH_NUMBER)

    assert standing(message)[:2] == ("failed", 0b10)


def test_parts_that_got_through_earlier_are_not_retried_automatically(
    ours: World, whatsapp: Integration
) -> None:
    AutomaticRetry.objects.create(
        organization=ours.organization, channel="whatsapp", is_on=True
    )
    message = ours.message(integration=whatsapp, content=flow(ours, 3))
    lost = given_up(message)
    asked_again(ours, message)
    answered(opened(message).attempt_id, "failed", 0, THROTTLED)

    tell(lost, (0, "failed"), (2, "sent"))

    assert standing(message)[:2] == ("queued", 0b110)
    assert message.asked_by == "automatic"
    assert going_out(ours, message) == [0]


def test_a_late_answer_tells_what_got_through_although_another_attempt_failed(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    lost = given_up(message)
    asked_again(ours, message)
    answered(opened(message).attempt_id, "failed", 0, NO_SUCH_NUMBER)

    answered(lost.pk, "failed", 0b01, NO_SUCH_NUMBER)

    assert standing(message) == ("failed", 0b01, ["failed", "failed"])
    assert first(message).parts_sent == 0b01
    assert resent(ours, message) == [1]


@pytest.mark.parametrize("is_told_before", [True, False])
def test_what_is_told_while_something_else_waits_counts_when_that_is_taken_back(
    ours: World, whatsapp: Integration, is_told_before: bool
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 3))
    lost = given_up(message)
    words = [(0, "failed"), (2, "sent")]
    tell(lost, *words[:is_told_before])
    asked_again(ours, message, flow(ours, 2))
    tell(lost, *words[is_told_before:])

    assert again.take_back(message.pk)

    assert standing(message)[:2] == ("failed", 0b110)
    assert resent(ours, message) == [0]


def test_no_part_is_forgotten_when_something_else_is_taken_back(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    answered(opened(message).attempt_id, "unknown", 0b01, TIMED_OUT)
    asked_again(ours, message)
    answered(opened(message).attempt_id, "failed", 0b01, NO_SUCH_NUMBER)
    asked_again(ours, message, ours.text("another"))
    tell(first(message), (1, "failed"), (0, "failed"))

    assert again.take_back(message.pk)

    assert standing(message)[:2] == ("failed", 0)


def test_a_resend_of_a_part_in_doubt_is_taken_back_when_it_is_there(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 3))
    answered(opened(message).attempt_id, "unknown", 0b011, TIMED_OUT)
    asked_again(ours, message)

    tell(first(message), (2, "sent"))

    assert standing(message) == ("sent", 0b111, ["sent"])


@pytest.mark.parametrize("is_early", [True, False])
@pytest.mark.parametrize("is_lost", [True, False])
def test_what_is_told_of_a_part_counts_before_the_end_and_after(
    ours: World, whatsapp: Integration, is_early: bool, is_lost: bool
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    attempt_id = opened(message).attempt_id
    if is_early:
        tell(first(message), (0, "sent"))
    if is_lost:
        rescued(attempt_id)
    else:
        answered(attempt_id, "unknown", 0, TIMED_OUT)
    if not is_early:
        tell(first(message), (0, "sent"))
    receipts.apply()

    assert standing(message) == ("unknown", 0b01, ["unknown"])


def test_an_attempt_is_sent_when_all_that_it_had_to_send_is_spoken_of(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    tell(given_up(message), (1, "sent"), (0, "failed"))
    assert standing(message) == ("failed", 0b10, ["failed"])
    asked_again(ours, message)

    tell(given_up(message), (0, "sent"))

    assert standing(message) == ("sent", 0b11, ["failed", "sent"])


def test_a_part_that_was_taken_back_is_missing_before_its_receipt_is_applied(
    ours: World, whatsapp: Integration
) -> None:
    """It may be in the next batch, and somebody quicker than that."""
    message = ours.message(integration=whatsapp, content=flow(ours, 3))
    answered(opened(message).attempt_id, "unknown", 0b001, TIMED_OUT)
    attempt = first(message)
    receipts.store(whatsapp, [told(attempt, 2, "sent"), told(attempt, 0, "failed")])

    receipts._apply_batch(after=0, limit=1)

    assert standing(message)[:2] == ("failed", 0b110)
    assert resent(ours, message) == [0]


def test_who_counted_it_as_delivered_had_seen_what_was_told_before(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    attempt = given_up(message)
    tell(attempt, (0, "failed"))
    message.refresh_from_db()
    ama = Asker(actor=Actor.PERSON, name="Ama", reason="They told me.")
    count_as_delivered(message, ama, attempt_number=1)
    # Within one transaction, all of it is of the same time.
    Receipt.objects.update(received_at=attempt.opened_at)

    words = list(
        counted_in_words(
            attempt, CountedDelivery.objects.get(), list(Receipt.objects.all())
        )
    )

    assert len(words) == 1
    assert "counted it as delivered" in words[0]


@pytest.mark.parametrize("reference", ["with its number", "without one"])
def test_who_sends_a_missing_part_alone_has_arrived_when_that_one_has(
    ours: World, whatsapp: Integration, reference: str
) -> None:
    second = missing_part_alone(ours, whatsapp)

    event = told(second, 0, "delivered")
    if reference == "without one":
        event = replace(event, reference=str(second.pk))
    receipts.store(whatsapp, [event])
    receipts.apply()

    assert standing(second.message) == (
        "delivered",
        0b11,
        ["failed", "delivered"],
    )


def test_a_part_without_a_number_that_is_taken_back_is_the_one_that_was_sent(
    ours: World, whatsapp: Integration
) -> None:
    second = missing_part_alone(ours, whatsapp)

    event = replace(told(second, 0, "failed"), reference=str(second.pk))
    receipts.store(whatsapp, [event])
    receipts.apply()

    assert standing(second.message) == ("failed", 0b10, ["failed", "failed"])


@pytest.mark.django_db(transaction=True)
def test_receipts_and_a_resend_hold_messages_in_the_same_order(
    ours: World, whatsapp: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = ours.message(integration=whatsapp)
    parted = ours.message(integration=whatsapp, content=flow(ours, 2))
    of_single, of_parted = given_up(single), given_up(parted)
    receipts.store(
        whatsapp, [told(of_single, 0, "failed"), told(of_parted, 1, "failed")]
    )
    is_held = threading.Event()
    errors: list[OperationalError] = []
    tries: list[str] = []
    rows = statements.rows

    def slow(verb: str, *arguments: Any, **comments: Any) -> list[dict[str, Any]]:
        found = rows(verb, *arguments, **comments)
        tries.append(verb)
        if verb == "flows_told" and not is_held.is_set():
            is_held.set()
            time.sleep(0.3)
        return found

    def hold() -> None:
        is_held.wait(20)
        try:
            with transaction.atomic():
                chain.hold_chains([single.pk, parted.pk])
        except OperationalError as error:
            errors.append(error)
        finally:
            connection.close()

    monkeypatch.setattr(statements, "rows", slow)
    other = threading.Thread(target=hold)
    other.start()
    receipts.apply()
    other.join()

    assert errors == []
    assert tries.count("flows_told") == 1

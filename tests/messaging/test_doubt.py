"""A person counts an unknown message as delivered: like a receipt, and once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from messaging import doubt, receipts, resend
from messaging.audit import ledger_differences, tally_differences
from messaging.channels.contract import Event, EventKind
from messaging.dispatch import pace, pulse
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import (
    Actor,
    Attempt,
    CountedDelivery,
    CreditEntry,
    Integration,
    Message,
    Receipt,
    Tally,
)
from messaging.resend import Asker, Wish
from messaging.sending import Refused
from tests.factories import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def integration(ours: World) -> Integration:
    made = ours.integration()
    pulse.beat()
    pace.take_lease(made.pk, uuid.uuid4())
    return made


def unknown(ours: World, integration: Integration, **values: Any) -> Message:
    """Return a message whose only attempt timed out."""
    message = ours.message(integration=integration, **values)
    [claimed] = claim(integration, limit=1, message_id=message.pk).attempts
    settle(
        integration,
        [
            Result(
                claimed.attempt_id,
                "unknown",
                error_code="whatsapp:timeout",
                error_class="unknown",
                duration_ms=10_000,
            )
        ],
    )
    message.refresh_from_db()
    assert message.state == "unknown"
    return message


def count(
    message: Message,
    name: str = "Ama Owusu",
    *,
    reason: str = "",
    attempt_number: int = 1,
) -> Message | Refused:
    asker = Asker(Actor.PERSON, name, reason)
    return doubt.count_as_delivered(message, asker, attempt_number=attempt_number)


def tell(message: Message, state: str) -> None:
    attempt = message.attempts.order_by("number").first()
    assert attempt is not None
    event = Event(
        key=f"{attempt.pk}:{state}",
        kind=EventKind.STATUS,
        raw={"status": state},
        reference=f"{attempt.pk}:0",
        state=state,
        error_code="131026" if state == "failed" else "",
        occurred_at=timezone.now(),
    )
    receipts.store(attempt.integration, [event])
    receipts.apply()


def nothing_drifted() -> None:
    assert tally_differences() == []
    assert ledger_differences() == []


def test_it_stands_as_delivered_is_charged_and_on_record(
    ours: World, integration: Integration
) -> None:
    message = unknown(ours, integration)

    found = count(message, reason="She told me")

    assert isinstance(found, Message)
    assert (found.state, found.error_code) == ("delivered", "")
    assert found.delivered_at is not None
    assert Attempt.objects.get().state == "delivered"
    assert [one.step for one in CreditEntry.objects.filter(message_id=message.pk)] == [
        "hold",
        "charge",
    ]
    assert (ours.account.available, ours.account.held) == (999_999, 0)
    said = CountedDelivery.objects.get()
    assert (said.person_name, said.reason) == ("Ama Owusu", "She told me")
    assert said.attempt_id == Attempt.objects.get().pk
    tallied = Tally.objects.filter(unit="message", count__gt=0)
    assert [one.outcome for one in tallied] == ["delivered"]
    nothing_drifted()


def test_waiting_tries_of_the_same_chain_are_taken_back(
    ours: World, integration: Integration
) -> None:
    message = unknown(ours, integration, broadcast_id=ours.broadcast().pk)
    retry = ours.message(
        "planned",
        contact=message.contact,
        integration=integration,
        broadcast_id=ours.broadcast().pk,
        root=message,
    )

    count(message)

    retry.refresh_from_db()
    assert (retry.state, retry.reason) == ("cancelled", "already_reached")
    nothing_drifted()


@pytest.mark.parametrize("state", ["sent", "delivered", "failed"])
def test_a_later_receipt_takes_nothing_back(
    ours: World, integration: Integration, state: str
) -> None:
    message = unknown(ours, integration)
    count(message)

    tell(message, state)

    message.refresh_from_db()
    assert message.state == "delivered"
    assert message.error_code == ""
    assert Attempt.objects.get().state == "delivered"
    assert Receipt.objects.get().result == "ignored"
    assert CreditEntry.objects.filter(step="charge").count() == 1
    assert not CreditEntry.objects.filter(step="release").exists()
    nothing_drifted()


def test_a_read_receipt_climbs_on_without_a_second_charge(
    ours: World, integration: Integration
) -> None:
    message = unknown(ours, integration)
    count(message)

    tell(message, "read")

    message.refresh_from_db()
    assert message.state == "read"
    assert CreditEntry.objects.filter(step="charge").count() == 1
    nothing_drifted()


@pytest.mark.parametrize(
    ("state", "settled", "words"),
    [
        ("delivered", "delivered", "the message was delivered"),
        ("read", "read", "the message was read"),
        ("failed", "failed", "the provider says that the message failed"),
        ("sent", "sent", "the provider has the message"),
    ],
)
def test_a_receipt_settles_it_by_itself_and_the_person_is_told(
    ours: World, integration: Integration, state: str, settled: str, words: str
) -> None:
    message = unknown(ours, integration)
    tell(message, state)

    found = count(message)

    assert isinstance(found, Refused)
    assert words in found.sentence
    message.refresh_from_db()
    assert message.state == settled
    assert not CountedDelivery.objects.exists()
    nothing_drifted()


def test_whoever_comes_second_is_told_who_was_first(
    ours: World, integration: Integration
) -> None:
    message = unknown(ours, integration)
    count(message, "Ama Owusu")

    found = count(message, "Kofi Mensah")

    assert found == Refused(
        "already_delivered", "Ama Owusu counted it as delivered meanwhile."
    )
    assert CountedDelivery.objects.count() == 1


def test_what_was_queued_again_meanwhile_is_not_counted(
    ours: World, integration: Integration
) -> None:
    message = unknown(ours, integration)
    Message.objects.filter(pk=message.pk).update(state="queued", due_at=timezone.now())

    found = count(message)

    assert isinstance(found, Refused)
    assert found.code == "sent_again_meanwhile"
    nothing_drifted()


def test_only_the_attempt_that_was_looked_at_is_counted(
    ours: World, integration: Integration
) -> None:
    message = unknown(ours, integration)

    assert isinstance(count(message, attempt_number=2), Refused)
    message.refresh_from_db()
    assert message.state == "unknown"


def test_a_hold_that_was_given_back_is_charged_late(
    ours: World, integration: Integration
) -> None:
    message = unknown(ours, integration)
    CreditEntry.objects.create(
        organization=ours.organization,
        attempt_id=message.attempts.get().pk,
        message_id=message.pk,
        step="release",
        amount=1,
        available_change=1,
        held_change=-1,
    )

    count(message)

    assert (ours.account.available, ours.account.held) == (999_999, 0)
    nothing_drifted()


# Races


def together(*works: Callable[[], Any]) -> list[Any]:
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            start.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.django_db(transaction=True)
def test_of_six_people_at_once_one_wins(ours: World, integration: Integration) -> None:
    for _ in range(5):
        message = unknown(ours, integration)
        names = [f"Person {number}" for number in range(6)]

        found = together(*(partial(count, message, name) for name in names))

        won = [one for one in found if isinstance(one, Message)]
        assert len(won) == 1
        assert CountedDelivery.objects.filter(message_id=message.pk).count() == 1
    assert CreditEntry.objects.filter(step="charge").count() == 5
    nothing_drifted()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["failed", "delivered"])
def test_a_person_and_a_receipt_at_once(
    ours: World, integration: Integration, state: str
) -> None:
    for _ in range(8):
        message = unknown(ours, integration)

        found, _ = together(partial(count, message), partial(tell, message, state))

        message.refresh_from_db()
        if isinstance(found, Message):
            assert message.state == "delivered"
        else:
            assert message.state == state
            assert not CountedDelivery.objects.filter(message_id=message.pk).exists()
    receipts.apply()
    assert not Receipt.objects.filter(applied_at=None).exists()
    nothing_drifted()


@pytest.mark.django_db(transaction=True)
def test_a_person_who_counts_and_one_who_sends_again(
    ours: World, integration: Integration
) -> None:
    later = timezone.now() + timedelta(hours=2)
    for _ in range(8):
        message = unknown(ours, integration)
        asker = Asker(Actor.PERSON, "Kofi Mensah")
        wish = Wish(accepts_duplicate=True, at=later)

        counted, resent = together(
            partial(count, message), partial(resend.resend, message, asker, wish)
        )

        assert isinstance(counted, Refused) is not isinstance(resent, Refused)
        message.refresh_from_db()
        won = "queued" if isinstance(counted, Refused) else "delivered"
        assert message.state == won
    nothing_drifted()


def test_what_is_counted_left_when_its_request_did(
    ours: World, integration: Integration
) -> None:
    message = unknown(ours, integration)
    left = timezone.now() - timedelta(minutes=18)
    message.attempts.update(opened_at=left)

    found = count(message)

    assert isinstance(found, Message)
    assert found.sent_at == left
    assert found.delivered_at is not None
    assert found.delivered_at > left

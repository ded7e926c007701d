"""When a delivery is tried again, and when it is given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.models import WebhookDelivery, WebhookEndpoint, WebhookHealth
from messaging.webhooks import courier
from messaging.webhooks.posting import seconds_of
from messaging.webhooks.schedule import DELAYS, LONGEST_PAUSE, TRIES, next_in
from tests.factories import World
from tests.messaging.webhooks.receiver import Answer, Receiver
from tests.messaging.webhooks.steps import make_due, now_of_postgres, tell

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_the_delays_are_those_that_are_promised() -> None:
    assert [next_in(tries, 0.0) for tries in range(1, 9)] == [
        5,
        30,
        5 * 60,
        30 * 60,
        2 * 3600,
        6 * 3600,
        None,
        None,
    ]


@given(st.integers(1, TRIES - 1), st.floats(0, 1, exclude_max=True))
def test_jitter_only_ever_adds_a_fifth(tries: int, chance: float) -> None:
    delay = next_in(tries, chance)

    assert delay is not None
    assert DELAYS[tries - 1] <= delay < DELAYS[tries - 1] * 1.2 + 0.001


@given(st.floats(0, 10_000_000))
def test_what_the_endpoint_asks_for_is_kept_up_to_a_day(asked: float) -> None:
    delay = next_in(1, 0.0, asked)

    assert delay == max(5, min(asked, LONGEST_PAUSE))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("Sat, 21 Nov 2026 12:02:00 GMT", 120),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("soon", 0),
        ("", 0),
        ("-5", 0),
        ("9" * 30, 0),
    ],
)
def test_retry_after_is_read_in_both_its_forms(text: str, seconds: float) -> None:
    assert seconds_of({"Retry-After": text}, NOW) == seconds


@pytest.mark.django_db(transaction=True)
def test_a_delivery_is_tried_seven_times_and_given_up(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    receiver.script = lambda received: Answer(500)
    tell(ours)
    waited: list[timedelta] = []
    for _ in range(TRIES - 1):
        courier.run()
        delivery = WebhookDelivery.objects.get()
        assert delivery.state == "waiting"
        waited.append(delivery.due_at - now_of_postgres())
        make_due()
    courier.run()

    delivery = WebhookDelivery.objects.get()
    assert delivery.state == "failed"
    assert delivery.finished_at is not None
    assert len(delivery.tries) == len(receiver.received) == 7
    for found, promised in zip(waited, DELAYS, strict=True):
        # The round itself takes time, which counts from its end.
        assert promised - 2 < found.total_seconds() <= promised * 1.2


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_that_asks_for_a_pause_gets_one(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    receiver.script = lambda received: Answer(429, headers={"Retry-After": "600"})
    [first] = tell(ours)
    courier.run()
    [second] = tell(ours)

    courier.run()

    assert len(receiver.received) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.due_at - now_of_postgres()).total_seconds() > 590
    assert second.try_count == 0
    assert first.tries[0]["pause"] == 600
    paused_until = WebhookHealth.objects.get().paused_until
    assert paused_until is not None
    assert 590 < (paused_until - now_of_postgres()).total_seconds() <= 600

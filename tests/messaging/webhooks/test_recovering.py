"""Sending again: the same event, the frozen set and no more."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from messaging.models import Actor, WebhookDelivery, WebhookEndpoint, WebhookRecovery
from messaging.trail import Doer
from messaging.webhooks import claiming, courier, recovering, settling
from messaging.webhooks.posting import Told
from tests.factories import World
from tests.messaging.webhooks.receiver import Receiver
from tests.messaging.webhooks.steps import endpoint_of, tell

pytestmark = pytest.mark.django_db(transaction=True)

AMA = Doer(Actor.PERSON, "ama")
HOUR = timedelta(hours=1)


def fail(deliveries: list[WebhookDelivery], *, ago: timedelta = HOUR) -> None:
    moment = timezone.now() - ago
    WebhookDelivery.objects.filter(pk__in=[one.pk for one in deliveries]).update(
        state="failed", error="timeout", finished_at=moment, created_at=moment
    )


def test_one_is_sent_again_under_its_id_and_keeps_its_tries(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    [delivery] = tell(ours)
    courier.run()

    delivery.refresh_from_db()
    assert recovering.send_again(delivery, by=AMA)
    courier.run()

    first, second = receiver.received
    assert (first.webhook_id, first.body) == (second.webhook_id, second.body)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.try_count, delivery.run_tries) == (
        "delivered",
        2,
        1,
    )
    assert len(delivery.tries) == 2
    assert delivery.asked_by_name == "ama"


def test_one_that_is_under_way_is_left_alone(
    ours: World, endpoint: WebhookEndpoint
) -> None:
    [delivery] = tell(ours)
    claiming.claim(uuid.uuid4(), claiming.Keyring(), capacity=1)

    assert not recovering.send_again(delivery, by=AMA)

    delivery.refresh_from_db()
    assert delivery.state == "sending"


def test_all_that_failed_since_then_and_nothing_else(
    ours: World, theirs: World, endpoint: WebhookEndpoint
) -> None:
    before = tell(ours, 2)
    fail(before, ago=5 * HOUR)
    within = tell(ours, 7)
    fail(within)
    delivered = tell(ours)
    WebhookDelivery.objects.filter(pk=delivered[0].pk).update(
        state="delivered", finished_at=timezone.now()
    )
    endpoint_of(theirs)
    foreign = tell(theirs)
    fail(foreign)
    since = timezone.now() - 3 * HOUR

    assert recovering.failed_since(endpoint, since) == 7
    recovery = recovering.recover(endpoint, since=since, by=AMA)
    later = tell(ours, 2)
    fail(later, ago=timedelta(0))
    recovering.run()

    again = WebhookDelivery.objects.filter(state="waiting", asked_by_name="ama")
    assert {one.pk for one in again} == {one.pk for one in within}
    assert set(again.values_list("priority", flat=True)) == {5}
    recovery.refresh_from_db()
    assert recovery.count == 7
    assert recovery.finished_at is not None
    assert recovering.run() == 0


def test_batch_after_batch_puts_each_back_once(
    ours: World, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "BATCH", 3)
    fail(tell(ours, 10))
    recovery = recovering.recover(endpoint, since=timezone.now() - 2 * HOUR, by=AMA)

    recovering.run()

    recovery.refresh_from_db()
    assert recovery.count == 10
    assert WebhookDelivery.objects.filter(state="waiting").count() == 10


def test_what_failed_once_more_since_it_was_confirmed_is_not_in_it(
    ours: World, endpoint: WebhookEndpoint
) -> None:
    """Somebody sent one of them again by itself, in vain, before its batch came."""
    meanwhile, other = tell(ours, 2)
    fail([meanwhile, other])
    since = timezone.now() - 3 * HOUR
    recovery = recovering.recover(endpoint, since=since, by=AMA)
    WebhookDelivery.objects.filter(pk=meanwhile.pk).update(
        finished_at=recovery.frozen_at + timedelta(seconds=1)
    )

    recovering.run()

    waiting = WebhookDelivery.objects.filter(state="waiting")
    assert [one.pk for one in waiting] == [other.pk]


def test_what_fails_while_it_is_confirmed_is_not_in_it(
    ours: World, endpoint: WebhookEndpoint
) -> None:
    """A settle that began before, and commits after, the confirmation."""
    [delivery] = tell(ours)
    [claimed] = claiming.claim(uuid.uuid4(), claiming.Keyring(), capacity=1)
    WebhookDelivery.objects.update(run_tries=7)
    settled = threading.Event()
    confirmed: list[WebhookRecovery] = []

    def confirm() -> None:
        try:
            since = timezone.now() - HOUR
            confirmed.append(recovering.recover(endpoint, since=since, by=AMA))
            # It waited for the settle, so the failure is in the set.
            assert settled.is_set()
        finally:
            connection.close()

    thread = threading.Thread(target=confirm)
    with transaction.atomic():
        settling.settle(
            [
                Told(
                    delivery_id=delivery.pk,
                    endpoint_id=endpoint.pk,
                    claim=claimed.claim,
                    try_count=1,
                    run_tries=7,
                    error="timeout",
                )
            ]
        )
        thread.start()
        thread.join(0.3)
        assert confirmed == []
        settled.set()
    thread.join(10)
    recovering.run()

    delivery.refresh_from_db()
    assert [one.asked_by_name for one in confirmed] == ["ama"]
    assert delivery.state == "waiting"


def test_new_events_go_before_recovered_ones(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    old = tell(ours, 2)
    fail(old)
    recovering.recover(endpoint, since=timezone.now() - 2 * HOUR, by=AMA)
    recovering.run()
    [new] = tell(ours)

    [first] = claiming.claim(uuid.uuid4(), claiming.Keyring(), capacity=1)

    assert first.delivery_id == new.pk

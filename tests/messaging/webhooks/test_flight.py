"""Lanes: quick endpoints are never short of work, and nobody waits for a slow one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django import Settings

from messaging.models import WebhookDelivery, WebhookEndpoint
from messaging.webhooks import claiming, courier, flight, settling, share
from messaging.webhooks.claiming import Claimed
from messaging.webhooks.flight import Flight, in_flight
from tests.factories import World
from tests.messaging.webhooks.receiver import Answer, Receiver
from tests.messaging.webhooks.steps import endpoint_of, tell

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def launched(number: int, rooms: dict[int, int] | None = None) -> Iterator[Flight]:
    claimed = claiming.claim(
        uuid.uuid4(), claiming.Keyring(), capacity=number, rooms=rooms
    )
    assert len(claimed) == number
    with in_flight() as opened:
        opened.launch(claimed)
        yield opened


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in WebhookDelivery.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_the_next_in_line_leaves_as_soon_as_one_is_answered(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint, settings: Settings
) -> None:
    settings.WEBHOOK_CONCURRENCY = 3
    tell(ours, 30)

    with launched(30, {endpoint.pk: 30}) as opened:
        while len(opened):
            settling.settle(opened.land(0.05))

    assert states() == {"delivered": 30}
    assert receiver.most_at_once <= 3
    assert len({one.webhook_id for one in receiver.received}) == 30


def test_what_a_slow_one_has_in_line_is_handed_back_untried(
    ours: World,
    receiver: Receiver,
    endpoint: WebhookEndpoint,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WEBHOOK_CONCURRENCY = 2
    receiver.gate.clear()
    tell(ours, 10)

    with launched(10, {endpoint.pk: 10}) as opened:
        assert opened.left_behind() == []
        monkeypatch.setattr(flight, "PATIENCE_SECONDS", 0.0)
        unsent = opened.left_behind()
        assert settling.hand_back(unsent) == 8
        assert len(opened) == 2
        untried = WebhookDelivery.objects.filter(state="waiting")
        assert {(one.try_count, one.run_tries) for one in untried} == {(0, 0)}
        assert states() == {"waiting": 8, "sending": 2}
        receiver.gate.set()
        while len(opened):
            settling.settle(opened.land(0.05))

    assert courier.run() == 8
    assert states() == {"delivered": 10}
    assert len(receiver.received) == 10


def test_nothing_leaves_behind_a_failure_until_somebody_looked(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint, settings: Settings
) -> None:
    settings.WEBHOOK_CONCURRENCY = 1
    receiver.script = lambda received: Answer(503, headers={"Retry-After": "60"})
    tell(ours, 10)

    with launched(10, {endpoint.pk: 10}) as opened:
        landed = opened.land(0.5)
        while not landed:
            landed = opened.land(0.1)
        settling.settle(landed)
        unsent = opened.left_behind()
        assert settling.hand_back(unsent) == 9

    assert len(receiver.received) == 1
    assert courier.run() == 0


def test_whoever_took_it_over_keeps_what_is_handed_back_too_late(
    ours: World, endpoint: WebhookEndpoint
) -> None:
    tell(ours)
    [claimed] = claiming.claim(uuid.uuid4(), claiming.Keyring(), capacity=1)
    WebhookDelivery.objects.update(claim=uuid.uuid4())

    assert settling.hand_back([claimed]) == 0
    assert settling.hand_back([]) == 0
    assert states() == {"sending": 1}


def test_a_worker_that_stops_hands_back_what_is_in_line(
    ours: World,
    receiver: Receiver,
    endpoint: WebhookEndpoint,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WEBHOOK_CONCURRENCY = 1
    wishes = iter([False])

    class Stopping:
        def is_set(self) -> bool:
            return next(wishes, True)

    monkeypatch.setattr(courier, "stopping", Stopping())
    monkeypatch.setattr(courier, "ROUND_SECONDS", 0.0)
    real = claiming.claim

    def claims(*given: object, **named: object) -> list[Claimed]:
        return real(*given, **{**named, "rooms": {endpoint.pk: 10}})  # type: ignore[arg-type]

    monkeypatch.setattr(claiming, "claim", claims)
    tell(ours, 10)

    assert courier.run() == 1

    assert states() == {"delivered": 1, "waiting": 9}


def test_quick_ones_are_held_more_of_and_slow_ones_no_more_than_leaves(
    settings: Settings,
) -> None:
    settings.WEBHOOK_CONCURRENCY = 20

    assert courier.rooms_of({1: 2, 2: 20, 3: 500}) == {1: 26, 2: 80, 3: 200}
    settings.WEBHOOK_CONCURRENCY = 300
    assert courier.rooms_of({1: 2}) == {1: 300}


def test_room_is_shared_out_evenly(ours: World) -> None:
    """However much one of them could take."""
    quick, other = endpoint_of(ours)[0], endpoint_of(ours)[0]
    tell(ours, 60)

    claimed = claiming.claim(
        uuid.uuid4(), claiming.Keyring(), capacity=60, rooms={quick.pk: 100}
    )

    of_quick = sum(one.endpoint_id == quick.pk for one in claimed)
    of_other = sum(one.endpoint_id == other.pk for one in claimed)
    assert (of_quick, of_other) == (30, 20)


@pytest.mark.parametrize(
    ("others", "taken"), [(0.0, 0.6), (0.125, 0.3), (0.25, 0.02), (4.0, 0.02)]
)
def test_a_courier_makes_way_for_whatever_else_runs(
    others: float, taken: float
) -> None:
    assert share.share(others) == pytest.approx(taken)


def test_what_was_taken_is_rested_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = {"monotonic": 0.0, "thread_time": 0.0, "process_time": 0.0}
    for name in clocks:
        monkeypatch.setattr(time, name, lambda name=name: clocks[name])
    watched = share.Share()

    def after(seconds: float, mine: float, others: float) -> float:
        clocks["monotonic"] += seconds
        clocks["thread_time"] += mine
        clocks["process_time"] += mine + others
        return watched.rest()

    assert after(1.0, 0.3, 0.0) == pytest.approx(0.3 / 0.6 - 1)
    assert after(1.0, 0.3, 0.5) == pytest.approx(0.3 / 0.02 - 1)
    # The others pause between two chunks; that does not mean that they are done.
    assert after(0.1, 0.03, 0.0) == pytest.approx(0.03 / 0.02 - 0.1)
    for _ in range(40):
        after(0.1, 0.03, 0.0)
    assert after(0.1, 0.03, 0.0) < 0

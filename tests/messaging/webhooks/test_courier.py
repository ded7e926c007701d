"""The couriers: everything is told, proven, at least once, and slowness is private."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from messaging.models import (
    WebhookCourier,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookHealth,
)
from messaging.webhooks import claiming, courier, endpoints, posting, settling, tending
from messaging.webhooks.flight import Flight, in_flight
from messaging.webhooks.posting import Told
from tests.factories import World
from tests.messaging.webhooks.receiver import OK, Answer, Received, Receiver
from tests.messaging.webhooks.steps import (
    endpoint_of,
    make_due,
    ready,
    send,
    tell,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(number: int, work: Any) -> list[Any]:
    start = threading.Barrier(number)

    def run(index: int) -> Any:
        try:
            start.wait()
            return work(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def land(flight: Flight) -> list[Told]:
    """Wait for the first answers, which come within the time-out of a try."""
    for _ in range(1_000):
        if landed := flight.land(0.02):
            return landed
    raise AssertionError


def delivery_of(endpoint: WebhookEndpoint) -> WebhookDelivery:
    return WebhookDelivery.objects.get(endpoint=endpoint)


def test_a_sent_message_is_told_with_its_proof(ours: World, receiver: Receiver) -> None:
    endpoint, secret = endpoint_of(ours, receiver.url)
    integration = ready(ours)
    message = ours.message(integration=integration)
    send(integration)

    assert courier.run() == 1

    [received] = receiver.received
    event = WebhookEvent.objects.get()
    assert received.path == "/hooks"
    assert received.is_proven_by(secret)
    assert received.webhook_id == event.public_id
    assert received.headers["content-type"] == "application/json"
    assert set(received.told) == {"type", "timestamp", "data"}
    assert received.told["type"] == "message.sent"
    assert received.told["data"]["messageId"] == message.public_id
    delivery = delivery_of(endpoint)
    assert delivery.state == "delivered"
    assert delivery.http_status == 200
    assert delivery.finished_at is not None
    [made] = delivery.tries
    assert (made["number"], made["status"], made["error"]) == (1, 200, "")
    assert made["answer"] == "thank you"
    assert made["signature"] == received.headers["webhook-signature"]


def test_another_secret_proves_nothing(ours: World, receiver: Receiver) -> None:
    endpoint_of(ours, receiver.url)
    _, other = endpoint_of(ours)
    tell(ours)

    courier.run()

    assert not receiver.received[0].is_proven_by(other)


def test_the_words_of_an_error_are_told(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    integration = ready(ours)
    ours.message(integration=integration)
    send(integration, "failed")

    courier.run()

    error = receiver.received[0].told["data"]["error"]
    assert (error["code"], error["class"]) == ("whatsapp:131026", "never")
    assert error["title"]
    assert error["advice"]


def test_a_failed_try_is_repeated_under_the_same_id(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    answers = iter([Answer(500, b"oops"), Answer(503), OK])
    receiver.script = lambda received: next(answers)
    tell(ours)

    for _ in range(3):
        courier.run()
        make_due()

    assert len(receiver.received) == 3
    assert len({one.webhook_id for one in receiver.received}) == 1
    assert len({one.body for one in receiver.received}) == 1
    delivery = delivery_of(endpoint)
    assert delivery.state == "delivered"
    assert [one["status"] for one in delivery.tries] == [500, 503, 200]
    assert delivery.tries[0]["answer"] == "oops"


def test_what_is_not_due_waits(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    receiver.script = lambda received: Answer(500)
    tell(ours)
    courier.run()

    assert courier.run() == 0

    assert len(receiver.received) == 1


def test_two_couriers_never_hold_the_same_delivery(
    ours: World,
    receiver: Receiver,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # On a busy machine an answer may take longer than anybody outside would get.
    monkeypatch.setattr(posting, "TIMEOUT_SECONDS", 60.0)
    settings.WEBHOOK_COURIERS = 4
    settings.WEBHOOK_CONCURRENCY = 10
    for _ in range(3):
        endpoint_of(ours, receiver.url)
    tell(ours, 100)

    at_once(4, lambda index: courier.run())
    courier.run()

    assert WebhookDelivery.objects.filter(state="delivered").count() == 300
    ids = [one.webhook_id for one in receiver.received]
    assert len(ids) == 300
    assert all(ids.count(one) == 3 for one in set(ids))
    assert set(WebhookDelivery.objects.values_list("try_count", flat=True)) == {1}


def test_claims_at_the_same_instant_share_nothing(ours: World) -> None:
    for _ in range(4):
        endpoint_of(ours)
    tell(ours, 50)

    def work(index: int) -> list[int]:
        mine: list[int] = []
        for _ in range(20):
            found = claiming.claim(uuid.uuid4(), claiming.Keyring(), capacity=30)
            mine += [one.delivery_id for one in found]
        return mine

    taken = [pk for each in at_once(4, work) for pk in each]

    assert len(taken) == len(set(taken))
    assert len(taken) >= 4 * 20


@contextmanager
def in_the_hands_of_another(work: Callable[[], object]) -> Iterator[None]:
    """Let another transaction do this and commit only after the block.

    Whoever waits for it inside fails after three seconds.
    """
    has_it, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                work()
                has_it.set()
                is_over.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert has_it.wait(10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '3s'")
        yield
    finally:
        is_over.set()
        thread.join()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def claim_some() -> list[int]:
    found = claiming.claim(uuid.uuid4(), claiming.Keyring(), capacity=10)
    return [one.delivery_id for one in found]


def test_what_somebody_else_holds_is_passed_by(
    ours: World, endpoint: WebhookEndpoint
) -> None:
    """Whoever claims does not wait for a row that is just being changed."""
    held, free = tell(ours, 2)
    rows = WebhookDelivery.objects.select_for_update()

    with in_the_hands_of_another(lambda: rows.get(pk=held.pk)):
        assert claim_some() == [free.pk]


def test_an_endpoint_whose_room_is_being_taken_is_passed_by(
    ours: World, endpoint: WebhookEndpoint, settings: Settings
) -> None:
    """Two couriers at once would both see the same room, and take it twice."""
    settings.WEBHOOK_CONCURRENCY = 2
    tell(ours, 5)

    with in_the_hands_of_another(claim_some):
        assert claim_some() == []

    assert WebhookDelivery.objects.filter(state="sending").count() == 2


def test_seats_are_limited_and_lapse_with_their_courier(
    ours: World, settings: Settings
) -> None:
    settings.WEBHOOK_COURIERS = 1
    first, second = uuid.uuid4(), uuid.uuid4()

    assert courier.take_seat(first) == 1
    assert courier.take_seat(second) is None
    WebhookCourier.objects.update(lease_until=timezone.now())
    assert courier.take_seat(second) == 1
    assert not courier.keep_seat(1, first)
    courier.leave_seat(1, first)
    assert courier.keep_seat(1, second)


def test_a_courier_that_dies_after_telling_is_repeated(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    """Killed between send and settle: told again, under the same id."""
    tell(ours)
    [claimed] = claiming.claim(uuid.uuid4(), claiming.Keyring(), capacity=10)
    with in_flight() as flight:
        flight.launch([claimed])
        landed = land(flight)

    assert landed[0].is_delivered

    assert delivery_of(endpoint).state == "sending"
    assert courier.run() == 0
    tending.tend()
    assert delivery_of(endpoint).state == "sending"
    WebhookDelivery.objects.update(claimed_until=timezone.now())
    tending.tend()
    courier.run()

    first, second = receiver.received
    assert first.webhook_id == second.webhook_id
    assert first.body == second.body
    delivery = delivery_of(endpoint)
    assert delivery.state == "delivered"
    assert [one["error"] for one in delivery.tries] == ["worker_lost", ""]
    assert WebhookHealth.objects.get().failing_since is None


def test_whoever_settles_too_late_changes_nothing(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    tell(ours)
    [claimed] = claiming.claim(uuid.uuid4(), claiming.Keyring(), capacity=10)
    WebhookDelivery.objects.update(claimed_until=timezone.now())
    tending.tend()
    with in_flight() as flight:
        flight.launch([claimed])
        landed = land(flight)

    assert settling.settle(landed) == 0
    assert delivery_of(endpoint).state == "waiting"

    [again] = claiming.claim(uuid.uuid4(), claiming.Keyring(), capacity=10)
    assert again.delivery_id == claimed.delivery_id
    assert settling.settle(landed) == 0
    held = delivery_of(endpoint)
    assert (held.state, held.claim) == ("sending", again.claim)


def test_an_endpoint_gets_so_many_at_a_time(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint, settings: Settings
) -> None:
    settings.WEBHOOK_CONCURRENCY = 3
    tell(ours, 9)

    courier.run()

    assert len(receiver.received) == 9
    assert receiver.most_at_once <= 3


def test_one_that_hangs_delays_nobody_else(
    ours: World, receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_CONCURRENCY = 5
    with Receiver() as slow:
        slow.gate.clear()
        hanging, _ = endpoint_of(ours, slow.url)
        quick, _ = endpoint_of(ours, receiver.url)
        tell(ours, 40)

        def rest() -> bool:
            waiting = WebhookDelivery.objects.filter(endpoint=quick)
            return not waiting.exclude(state="delivered").exists()

        holder = uuid.uuid4()
        keyring = claiming.Keyring()
        with in_flight() as flight:
            for _ in range(400):
                if rest():
                    break
                flight.launch(claiming.claim(holder, keyring, capacity=100))
                settling.settle(flight.land(0.01))
            held = WebhookDelivery.objects.filter(endpoint=hanging)
            assert rest()
            # All this while, nothing came back from the one that hangs.
            assert not held.filter(state="delivered").exists()
            assert held.filter(state="sending").count() == 5
            slow.gate.set()


def test_one_that_fails_is_asked_one_at_a_time_until_it_takes_something(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    tell(ours, 10)
    WebhookHealth.objects.update(failing_since=timezone.now())

    def room() -> int:
        return len(claiming.claim(uuid.uuid4(), claiming.Keyring(), capacity=100))

    assert room() == 1
    assert room() == 0
    WebhookDelivery.objects.filter(state="sending").update(
        state="waiting", claim=None, claimed_until=None
    )
    courier.run()
    assert len(receiver.received) == 10
    assert WebhookHealth.objects.get().failing_since is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(302, headers={"Location": "https://elsewhere.example/"}), "redirect"),
        (Answer(404), "status"),
        (Answer(500), "status"),
        (Answer(429), "rate_limited"),
    ],
)
def test_anything_but_success_is_tried_again(
    ours: World,
    receiver: Receiver,
    endpoint: WebhookEndpoint,
    answer: Answer,
    error: str,
) -> None:
    receiver.script = lambda received: answer
    tell(ours)

    courier.run()

    delivery = delivery_of(endpoint)
    assert (delivery.state, delivery.error) == ("waiting", error)
    assert delivery.http_status == answer.status
    assert WebhookHealth.objects.get().failing_since is not None


def test_a_redirect_is_not_followed(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    with Receiver() as elsewhere:
        receiver.script = lambda received: Answer(
            307, headers={"Location": elsewhere.url}
        )
        tell(ours)

        courier.run()

        assert elsewhere.received == []
    assert delivery_of(endpoint).error == "redirect"


def test_nobody_there_is_a_failed_try(ours: World) -> None:
    with Receiver() as gone:
        url = gone.url
    endpoint, _ = endpoint_of(ours, url)
    tell(ours)

    courier.run()

    delivery = delivery_of(endpoint)
    assert (delivery.state, delivery.error) == ("waiting", "unreachable")
    assert delivery.http_status is None


def test_no_answer_in_time_is_a_failed_try(
    ours: World,
    receiver: Receiver,
    endpoint: WebhookEndpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("messaging.webhooks.posting.TIMEOUT_SECONDS", 0.1)
    receiver.gate.clear()
    tell(ours)

    courier.run()

    assert delivery_of(endpoint).error == "timeout"


def test_an_endpoint_has_five_seconds_to_answer() -> None:
    async def patience() -> float | None:
        with ThreadPoolExecutor(1) as executor:
            async with posting.session(executor) as way:
                return way.timeout.total

    assert asyncio.run(patience()) == 5.0


def test_only_the_beginning_of_an_answer_is_kept(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    receiver.script = lambda received: Answer(200, b"\x00\xff" + b"x" * 1_000_000)
    tell(ours)

    courier.run()

    delivery = delivery_of(endpoint)
    assert delivery.state == "delivered"
    assert len(delivery.tries[0]["answer"]) <= 2_000
    assert "\x00" not in delivery.tries[0]["answer"]


def test_nothing_inside_is_ever_told(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint, settings: Settings
) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = False
    tell(ours)

    courier.run()

    assert receiver.received == []
    assert delivery_of(endpoint).error == "inside"


def test_a_name_that_is_bent_inside_is_not_told(
    ours: World,
    receiver: Receiver,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: the name was fine when the endpoint was saved."""
    port = int(receiver.url.split(":")[2].split("/")[0])
    settings.FETCH_FROM_PRIVATE_ADDRESSES = False
    endpoint, _ = endpoint_of(ours, f"https://rebinding.example:{port}/hooks")

    def bent(host: str, port: int, family: int) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("messaging.outside.look_up", bent)
    tell(ours)

    courier.run()

    assert receiver.received == []
    assert delivery_of(endpoint).error == "inside"


def test_both_secrets_sign_while_one_is_replaced(
    ours: World, receiver: Receiver
) -> None:
    endpoint, old = endpoint_of(ours, receiver.url)
    new = endpoints.rotate(endpoint)
    tell(ours)
    courier.run()

    endpoint.secrets.filter(expires_at__isnull=False).update(expires_at=timezone.now())
    tell(ours)
    courier.run()

    during, after = receiver.received
    assert during.is_proven_by(old)
    assert during.is_proven_by(new)
    assert not after.is_proven_by(old)
    assert after.is_proven_by(new)


def test_a_lost_secret_stops_at_once_when_asked(
    ours: World, receiver: Receiver
) -> None:
    endpoint, old = endpoint_of(ours, receiver.url)
    new = endpoints.rotate(endpoint, at_once=True)
    tell(ours)

    courier.run()

    [received] = receiver.received
    assert received.is_proven_by(new)
    assert not received.is_proven_by(old)


def test_a_courier_goes_on_while_there_is_more(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint, settings: Settings
) -> None:
    """What happens while it runs is told in the same run."""
    settings.WEBHOOK_CONCURRENCY = 2
    more = [3]

    def script(received: Received) -> Answer:
        if more[0]:
            more[0] -= 1
            try:
                tell(ours)
            finally:
                connection.close()
        return OK

    receiver.script = script
    tell(ours)

    courier.run()

    assert len(receiver.received) == 4


def test_an_answer_is_heard_while_the_courier_rests(
    ours: World,
    receiver: Receiver,
    endpoint: WebhookEndpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A round that took 0.3 s of the processor: its rest is longer than a try."""
    taken = iter(range(1_000_000))
    is_over = threading.Event()

    def busy() -> float:
        number = next(taken)
        if number:
            is_over.set()
        return 0.3 * number

    def script(received: Received) -> Answer:
        is_over.wait(30)
        return OK

    monkeypatch.setattr(time, "thread_time", busy)
    receiver.script = script
    tell(ours)

    assert courier.run(seconds=1) == 1

    delivery = delivery_of(endpoint)
    assert (delivery.state, delivery.error) == ("delivered", "")
    assert len(receiver.received) == 1


def test_a_courier_keeps_its_seat_through_a_long_rest(
    ours: World, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "REST_SECONDS", 0.01)
    holder = uuid.uuid4()
    assert courier.take_seat(holder) == 1
    WebhookCourier.objects.update(lease_until=timezone.now())

    with in_flight() as flight:
        courier._rest(holder, 1, flight, until=time.monotonic() + 0.05)

    assert courier.take_seat(uuid.uuid4()) != 1

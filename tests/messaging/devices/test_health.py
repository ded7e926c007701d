"""How a phone is: asked for, heard of, in any order, and never in the way of a page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from messaging import receipts, tasks
from messaging.channels import gateway_requests
from messaging.channels.contract import EventKind, InDoubt, RateLimited
from messaging.channels.gateway_requests import DeviceStatus
from messaging.devices import checking, health
from messaging.devices.noting import Word, note
from messaging.dispatch import doorbell
from messaging.models import (
    DeviceHealth,
    DeviceState,
    Integration,
    IntegrationState,
    Receipt,
)
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.retransmission.steps import Phone, told, unread_message, until

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def known(integration: Integration) -> DeviceHealth:
    return DeviceHealth.objects.get(integration=integration)


def fresh(integration: Integration) -> Integration:
    """Return the row as a page reads it, with what is known of its phone."""
    return Integration.objects.select_related("device").get(pk=integration.pk)


def long_ago(integration: Integration) -> None:
    """Let the last word be so old that anybody may ask again."""
    earlier = timezone.now() - timedelta(minutes=5)
    DeviceHealth.objects.filter(integration=integration).update(
        checked_at=earlier, known_at=earlier, since=earlier
    )


def test_a_phone_that_is_well_is_written_down(gateway: Integration) -> None:
    assert checking.check_all() == 1

    row = known(gateway)
    assert (row.state, row.phone, row.detail) == ("connected", "233300002000", "")
    assert row.is_ready
    assert row.checked_at is not None
    assert timezone.now() - row.checked_at < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("change", "state"),
    [({"connected": False}, "disconnected"), ({"linked": False}, "logged_out")],
)
def test_a_phone_that_is_away_has_a_start(
    gateway: Integration, sandbox: Sandbox, change: dict[str, bool], state: str
) -> None:
    checking.check_all()
    long_ago(gateway)
    sandbox.phone(account="device", **change)

    checking.check_all()
    first = known(gateway)
    assert first.state == state
    DeviceHealth.objects.update(checked_at=timezone.now() - timedelta(minutes=2))
    checking.check_all()
    assert known(gateway).since == first.since
    assert known(gateway).known_at > first.known_at


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (DeviceStatus(is_paired=True), "disconnected"),
        (DeviceStatus(is_paired=True, is_logged_in=True), "disconnected"),
        (DeviceStatus(is_paired=False), "logged_out"),
        (DeviceStatus(is_paired=True, is_connected=True), "logged_out"),
    ],
)
def test_a_phone_without_a_connection_is_told_from_one_without_a_link(
    gateway: Integration, answer: DeviceStatus, state: str
) -> None:
    told_ = checking._understood(gateway, answer, timezone.now())
    assert told_ is not None
    assert told_.state == state


def test_a_phone_that_said_it_was_logged_out_stays_so_until_it_is_logged_in(
    gateway: Integration,
) -> None:
    """The gateway may still remember its number."""
    at = timezone.now()
    note(Word(gateway.pk, DeviceState.LOGGED_OUT, since=at, known_at=at))
    remembers = DeviceStatus(is_paired=True)
    told_ = checking._understood(fresh(gateway), remembers, at)
    assert told_ is not None
    assert told_.state == "logged_out"

    linked = DeviceStatus(is_paired=True, is_logged_in=True)
    told_ = checking._understood(fresh(gateway), linked, at)
    assert told_ is not None
    assert told_.state == "disconnected"


def test_a_phone_is_away_since_it_was_seen_last(gateway: Integration) -> None:
    """The gateway says when that was, unless we know better."""
    at = timezone.now()
    seen = DeviceStatus(is_logged_in=True, last_seen=at - timedelta(hours=2))
    told_ = checking._understood(gateway, seen, at)
    assert told_ is not None
    assert told_.since == at - timedelta(hours=2)

    note(Word(gateway.pk, DeviceState.CONNECTED, at, known_at=at - timedelta(hours=1)))
    note(told_)
    assert known(gateway).since == at - timedelta(hours=1)


@pytest.mark.parametrize(
    ("fault", "state"),
    [("unauthorized", "refused"), ("nobody there", "silent"), ("proxy", "unclear")],
)
def test_why_a_gateway_cannot_tell(
    ours: World, sandbox: Sandbox, fault: str, state: str
) -> None:
    url = sandbox.base_url("device_gateway")
    settings = {"base_url": "http://127.0.0.1:1" if fault == "nobody there" else url}
    if fault == "proxy":
        settings["base_url"] = url.removesuffix("/gateway") + "/control/log?"
    gateway = ours.integration("device_gateway", settings=settings)
    if fault == "unauthorized":
        gateway.credentials = {**gateway.credentials, "api_token": "no uuid"}
        gateway.save()

    checking.check_all()

    assert known(gateway).state == state


def test_credentials_that_cannot_be_read_are_no_crash(
    gateway: Integration, ours: World
) -> None:
    broken = ours.integration("device_gateway", name="Broken")
    Integration.objects.filter(pk=broken.pk).update(encrypted_credentials="garbage")

    assert checking.check_all() == 2

    assert known(broken).state == "refused"
    assert known(broken).detail
    assert known(gateway).state == "connected"


def test_a_pause_says_nothing_of_the_phone(gateway: Integration) -> None:
    asked = DeviceStatus(problem=RateLimited("http_429", 10.0))

    assert checking._understood(gateway, asked, timezone.now()) is None


def test_only_devices_that_are_switched_on_are_asked(ours: World) -> None:
    ours.integration("device_gateway", state=IntegrationState.OFF)
    ours.integration("telegram_bot")

    assert checking.check_all() == 0


def test_a_round_asks_nobody_twice(gateway: Integration) -> None:
    assert checking.check_all() == 1
    assert checking.check_all() == 0

    DeviceHealth.objects.update(checked_at=timezone.now() - timedelta(seconds=59))
    assert checking.check_all() == 1


def test_a_button_pressed_twice_asks_once(
    gateway: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counted(accounts: Any) -> Any:
        asked.append(len(accounts))
        return [DeviceStatus(True, True)]

    monkeypatch.setattr(checking, "device_statuses", counted)
    checking.check(fresh(gateway))
    checking.check(fresh(gateway))
    assert asked == [1]

    long_ago(gateway)
    checking.check(fresh(gateway))
    assert asked == [1, 1]

    # Something was heard of the phone: what was known a moment ago may be wrong.
    tasks.check_device(gateway.pk)
    assert asked == [1, 1, 1]


def test_gateways_that_are_silent_are_asked_side_by_side(
    ours: World, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answers only when the last of them has been asked."""
    import asyncio

    monkeypatch.setattr(gateway_requests, "AT_ONCE", 5)
    for number in range(5):
        ours.integration("device_gateway", name=f"Phone {number}")
    asked, most = 0, 0

    async def waits(account: Any, path: str, value: Any) -> Any:
        nonlocal asked, most
        asked += 1
        most = max(most, asked)
        while most < 5:
            await asyncio.sleep(0.001)
        asked -= 1
        return InDoubt("timeout")

    monkeypatch.setattr(gateway_requests, "_ask", waits)

    assert checking.check_all() == 5
    assert most == 5
    assert set(DeviceHealth.objects.values_list("state", flat=True)) == {"silent"}


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_gateway_is_asked(
    gateway: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bool] = []

    def looked(accounts: Any) -> Any:
        opened.append(connection.in_atomic_block)
        return [DeviceStatus(True, True)]

    monkeypatch.setattr(checking, "device_statuses", looked)
    tasks.check_devices()

    assert opened == [False]


WORDS: list[Callable[[Integration], object]] = [
    lambda one: note(
        Word(one.pk, DeviceState.CONNECTED, NOON, known_at=NOON, checked_at=NOON)
    ),
    lambda one: note(_at(one, DeviceState.DISCONNECTED, 1)),
    lambda one: note(_at(one, DeviceState.LOGGED_OUT, 2)),
]


def _at(integration: Integration, state: DeviceState, minutes: int) -> Word:
    at = NOON + timedelta(minutes=minutes)
    return Word(integration.pk, state, since=at, known_at=at)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_latest_word_stands_in_whatever_order_they_come(
    gateway: Integration, order: tuple[int, ...]
) -> None:
    for number in order:
        WORDS[number](gateway)

    row = known(gateway)
    assert (row.state, row.since) == ("logged_out", NOON + timedelta(minutes=2))


def test_an_integration_that_is_gone_has_no_health(gateway: Integration) -> None:
    number = gateway.pk
    gateway.delete()

    assert not note(Word(number, DeviceState.CONNECTED, NOON, known_at=NOON))
    assert not DeviceHealth.objects.exists()


def _event(gateway: Integration, name: str, **more: Any) -> None:
    told(gateway, name, {}, EventKind.DEVICE, **more)


def test_an_event_is_believed_and_looked_into(
    gateway: Integration,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    rung: list[tuple[Any, ...]] = []
    monkeypatch.setattr(doorbell, "call", lambda *call: rung.append(call))
    with django_capture_on_commit_callbacks(execute=True):
        _event(gateway, "device.logged_out")
        receipts.apply()
        # Whoever looked into it before the commit would find nothing new.
        assert rung == []

    assert known(gateway).state == "logged_out"
    assert known(gateway).checked_at is None
    assert rung == [("messaging.tasks.check_device", gateway.pk)]
    assert Receipt.objects.get().result == "applied"


def test_an_event_of_another_phone_says_nothing(ours: World) -> None:
    gateway = ours.integration("device_gateway", settings={"device_id": "mine"})
    data = {"device_id": "another"}
    told(gateway, "device.disconnected", data, EventKind.DEVICE)
    receipts.apply()

    assert not DeviceHealth.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_the_phone_itself_tells_comes_in_by_the_hook(
    phone: Phone, sandbox: Sandbox
) -> None:
    sandbox.phone(account="device", linked=False)

    def is_known() -> bool:
        receipts.apply()
        return DeviceHealth.objects.filter(state="logged_out").exists()

    until(is_known)
    sandbox.phone(account="device")
    tasks.check_device(phone.integration.pk)
    until(lambda: known(phone.integration).state == "connected")


def test_phones_that_are_not_well_come_first(gateway: Integration, ours: World) -> None:
    other = ours.integration("device_gateway", name="Zebra desk")
    ours.integration("device_gateway", name="Away", state=IntegrationState.OFF)
    note(Word(gateway.pk, DeviceState.CONNECTED, NOON, known_at=NOON))
    note(Word(other.pk, DeviceState.LOGGED_OUT, NOON, known_at=NOON))

    names = [one.integration.name for one in health.phones(ours.organization)]
    assert names == ["Zebra desk", "Front desk"]


def test_who_waits_for_a_phone(
    gateway: Integration, ours: World, theirs: World
) -> None:
    assert not health.queue_waits(gateway)
    assert health.unreadable_waits(ours.organization) == set()
    unread_message(theirs.integration("device_gateway"), "THEIRS")
    unread_message(gateway, "DONE", state="recovered")
    assert health.unreadable_waits(ours.organization) == set()

    unread_message(gateway, "A")
    ours.message(integration=gateway, state="queued", due_at=timezone.now())

    assert health.unreadable_waits(ours.organization) == {gateway.pk}
    assert health.queue_waits(gateway)

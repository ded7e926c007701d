"""The pump against providers that misbehave in every way they know."""

from __future__ import annotations

import math
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest
from django.db import DataError, OperationalError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.channels.answering import Reply
from messaging.channels.contract import Account
from messaging.channels.http import HttpConnection
from messaging.channels.whatsapp_cloud import WhatsAppCloud
from messaging.dispatch import doorbell, pace, pulse, pump
from messaging.dispatch.claim import Claim, Contents, claim
from messaging.dispatch.settle import Result, settle
from messaging.models import (
    Attempt,
    Content,
    Integration,
    IntegrationPace,
    Message,
    Pulse,
)
from resend_admin.sandbox.log import read
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("digits", "state", "error_class"),
    [
        ("0001", "sent", ""),
        ("0002", "failed", "never"),
        ("0004", "failed", "retry"),
        ("0005", "failed", "fix_first"),
    ],
)
def test_answers_become_outcomes(
    ours: World, whatsapp: Integration, digits: str, state: str, error_class: str
) -> None:
    message = ours.message(integration=whatsapp, contact=ours.contact(digits))

    assert pump.run(whatsapp.pk) == 1

    message.refresh_from_db()
    assert (message.state, message.error_class) == (state, error_class)


@pytest.mark.parametrize("fault", ["close", "close_mid_body", "garbage"])
def test_an_answer_that_tells_nothing_leaves_the_message_unknown(
    ours: World, whatsapp: Integration, sandbox: Sandbox, fault: str
) -> None:
    sandbox.behave(fault, channel="whatsapp", times=1)
    message = ours.message(integration=whatsapp)

    pump.run(whatsapp.pk)
    pump.run(whatsapp.pk)

    message.refresh_from_db()
    assert message.state == "unknown"
    assert message.attempt_count == 1
    assert ours.account.held == 1
    assert len(read(sandbox.log)) == 1


def test_a_pause_within_the_budget_is_waited_for_in_the_same_attempt(
    ours: World, telegram: Integration, sandbox: Sandbox
) -> None:
    sandbox.behave("rate_limit", channel="telegram", times=1, retry_after=1)
    message = ours.message(integration=telegram, recipient="70001")

    pump.run(telegram.pk)

    message.refresh_from_db()
    attempt = Attempt.objects.get()
    assert message.state == "delivered"
    assert (attempt.number, attempt.pauses) == (1, 1)


def test_a_pause_beyond_the_budget_is_a_failure_and_silences_the_integration(
    ours: World, telegram: Integration, sandbox: Sandbox
) -> None:
    sandbox.behave("rate_limit", channel="telegram", times=1, retry_after=120)
    first = ours.message(integration=telegram, recipient="70001")
    pump.run(telegram.pk)
    second = ours.message(integration=telegram, recipient="80001")
    pump.run(telegram.pk, seconds=1)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.state == "failed"
    assert first.error_code == "telegram:429"
    assert second.state == "queued"


def test_a_flow_sends_its_parts_in_order_and_goes_on_where_it_stopped(
    ours: World, whatsapp: Integration, sandbox: Sandbox
) -> None:
    parts = [{"kind": "text", "payload": {"text": text}} for text in ("a", "b", "c")]
    flow = Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": parts}
    )
    whole = ours.message(integration=whatsapp, content=flow)
    rest = ours.message(integration=whatsapp, content=flow, parts_sent=0b001)

    pump.run(whatsapp.pk)

    whole.refresh_from_db()
    rest.refresh_from_db()
    assert (whole.state, whole.parts_sent) == ("sent", 0b111)
    assert (rest.state, rest.parts_sent) == ("sent", 0b111)
    accepted = [
        (entry.recipient, entry.part) for entry in read(sandbox.log) if entry.accepted
    ]
    digits, other = whole.recipient[1:], rest.recipient[1:]
    assert [part for who, part in accepted if who == digits] == ["0", "1", "2"]
    assert [part for who, part in accepted if who == other] == ["1", "2"]


def test_content_that_the_channel_cannot_carry_never_leaves(
    ours: World, whatsapp: Integration, sandbox: Sandbox
) -> None:
    message = ours.message(integration=whatsapp, content=ours.text("x" * 5_000))

    pump.run(whatsapp.pk)

    message.refresh_from_db()
    assert message.error_code == "resend_admin:content_refused"
    assert read(sandbox.log) == []


def test_a_fault_of_ours_leaves_one_message_unknown_and_the_rest_unharmed(
    ours: World, whatsapp: Integration
) -> None:
    broken = Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": [{"no": "kind"}]}
    )
    odd = ours.message(integration=whatsapp, content=broken)
    fine = ours.message(integration=whatsapp)

    assert pump.run(whatsapp.pk) == 2

    odd.refresh_from_db()
    fine.refresh_from_db()
    assert (odd.state, fine.state) == ("unknown", "sent")


def test_what_was_due_while_the_system_was_down_fails_for_a_person_to_retry(
    ours: World, whatsapp: Integration, sandbox: Sandbox
) -> None:
    now = timezone.now()
    overdue = ours.message(integration=whatsapp, due_at=now - timedelta(hours=6))
    recent = ours.message(integration=whatsapp, due_at=now - timedelta(minutes=2))
    Pulse.objects.update(beaten_at=now - timedelta(hours=6))

    pulse.beat()
    pump.run(whatsapp.pk)

    overdue.refresh_from_db()
    recent.refresh_from_db()
    assert (overdue.state, overdue.error_code) == (
        "failed",
        "resend_admin:missed_time",
    )
    assert recent.state == "sent"
    assert len(read(sandbox.log)) == 1


def test_a_long_queue_is_not_late_while_the_engine_is_alive(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(
        integration=whatsapp, due_at=timezone.now() - timedelta(hours=6)
    )

    pulse.beat()
    pump.run(whatsapp.pk)

    message.refresh_from_db()
    assert message.state == "sent"


def test_a_moment_without_the_database_loses_no_answer(
    ours: World,
    whatsapp: Integration,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sandbox.behave("slow", channel="whatsapp", seconds=0.6)
    for _ in range(3):
        ours.message(integration=whatsapp)
    renew = pace.take_lease
    asked: list[int] = []

    def away_the_third_time(*arguments: Any) -> bool:
        asked.append(1)
        if len(asked) == 3:
            raise OperationalError("PostgreSQL is away")
        return bool(renew(*arguments))

    monkeypatch.setattr(pace, "take_lease", away_the_third_time)
    monkeypatch.setattr(pump, "close_old_connections", lambda: None)

    assert pump.run(whatsapp.pk) == 3
    assert not Attempt.objects.filter(state="open").exists()


@pytest.mark.parametrize(
    ("status", "body", "states"),
    [
        (200, b'{"messages":[{"id":"wamid.\\u0000x"}]}', ["sent", "sent", "sent"]),
        (200, b'{"messages":[{"id":"wamid.\\ud800x"}]}', ["sent", "sent", "sent"]),
        (400, b'{"error":{"code":"a\\u0000b"}}', ["sent", "failed", "sent"]),
        (400, b'{"error":{"code":"a\\udfffb"}}', ["sent", "failed", "sent"]),
    ],
)
def test_an_answer_that_postgresql_refuses_takes_no_other_one_along(
    ours: World,
    whatsapp: Integration,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    body: bytes,
    states: list[str],
) -> None:
    for _ in states:
        ours.message(integration=whatsapp)
    answering(
        monkeypatch,
        Reply(200, {}, b'{"messages":[{"id":"wamid.1"}]}'),
        Reply(status, {}, body),
        Reply(200, {}, b'{"messages":[{"id":"wamid.3"}]}'),
    )

    assert pump.run(whatsapp.pk) == 3

    kept = Message.objects.order_by("pk").values_list("state", flat=True)
    assert list(kept) == states


def test_a_result_that_cannot_be_written_is_unknown_and_costs_nobody_else_anything(
    ours: World,
    whatsapp: Integration,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    messages = [ours.message(integration=whatsapp) for _ in range(3)]
    odd = messages[1]

    def refuses(
        integration: Integration, results: Sequence[Result], **values: Any
    ) -> int:
        attempts = [one.attempt_id for one in results if one.state == "sent"]
        if Attempt.objects.filter(pk__in=attempts, message=odd).exists():
            raise DataError("a text that is none")
        return settle(integration, results, **values)

    monkeypatch.setattr(pump, "settle", refuses)

    assert pump.run(whatsapp.pk) == 3

    kept = Message.objects.order_by("pk").values_list("state", "error_code")
    assert list(kept) == [
        ("sent", ""),
        ("unknown", "whatsapp:unreadable_answer"),
        ("sent", ""),
    ]
    [said] = [record.__dict__ for record in caplog.records if record.exc_info]
    assert said["message_id"] == odd.pk
    assert said["attempt_id"] == odd.attempts.get().pk


def test_a_result_that_cannot_be_written_at_all_is_left_to_the_rescue(
    ours: World, whatsapp: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours.message(integration=whatsapp)

    def refuses(*_: Any, **__: Any) -> int:
        raise DataError("a number that is none")

    monkeypatch.setattr(pump, "settle", refuses)

    assert pump.run(whatsapp.pk) == 0
    assert Attempt.objects.get().state == "open"


def answering(monkeypatch: pytest.MonkeyPatch, *replies: Reply) -> None:
    """Let requests be answered so, in their order, without a server."""
    waiting = list(replies)

    class Scripted:
        async def request(self, *_: Any) -> Reply:
            return waiting.pop(0)

    @asynccontextmanager
    async def connect(
        provider: WhatsAppCloud, account: Account
    ) -> AsyncIterator[HttpConnection]:
        yield HttpConnection(provider, account, cast(Any, Scripted()))

    monkeypatch.setattr(WhatsAppCloud, "_connect", connect)


class FullFlight:
    """As many attempts under way as there may be."""

    capacity = 10

    def __len__(self) -> int:
        return self.capacity


def test_a_pump_whose_flight_is_full_stays_the_only_one(
    ours: World, whatsapp: Integration
) -> None:
    """Else a provider that hangs would be sent as much again every few seconds."""
    ours.message(integration=whatsapp)
    holder = uuid.uuid4()
    assert pace.take_lease(whatsapp.pk, holder)
    IntegrationPace.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    one = pump.Pump(whatsapp, "", holder, cast(Any, FullFlight()))

    one._claim_more()

    assert not pace.take_lease(whatsapp.pk, uuid.uuid4())
    assert doorbell.integrations_with_work() == []
    assert Attempt.objects.count() == 0


def test_a_pump_says_every_second_that_it_is_alive_and_not_with_each_claim(
    ours: World, whatsapp: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease is a row that is written and flushed; see ``LEASE_SECONDS``."""
    now = 1_000.0
    monkeypatch.setattr("messaging.dispatch.pump.time.monotonic", lambda: now)
    one = pump.Pump(whatsapp, "", uuid.uuid4(), cast(Any, FullFlight()))
    one._claim_more()
    lease = IntegrationPace.objects.get()

    one._claim_more()
    assert IntegrationPace.objects.get() == lease
    assert IntegrationPace.objects.get().lease_until == lease.lease_until

    now += pump.RENEWAL_SECONDS
    one._claim_more()
    assert IntegrationPace.objects.get().lease_until > lease.lease_until  # type: ignore[operator]
    assert pace.LEASE_SECONDS >= 3 * pump.RENEWAL_SECONDS


def test_a_pump_that_has_lost_its_lease_claims_no_more(
    ours: World, whatsapp: Integration
) -> None:
    ours.message(integration=whatsapp)
    one = pump.Pump(whatsapp, "", uuid.uuid4(), cast(Any, FullFlight()))
    assert pace.take_lease(whatsapp.pk, uuid.uuid4())

    assert one._claim_more() == Claim()
    assert one.renewed_at == -math.inf


class Pool:
    """A pool of connections for which so many wait."""

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting

    def get_stats(self) -> dict[str, int]:
        # What has never happened is not counted.
        return {"requests_waiting": self.waiting} if self.waiting else {}


@pytest.mark.parametrize(
    ("has_landed", "waiting", "rests"),
    [(True, 0, False), (True, 1, True), (False, 0, True)],
)
def test_a_pump_keeps_its_connection_only_while_it_needs_it_and_nobody_else_does(
    ours: World,
    whatsapp: Integration,
    monkeypatch: pytest.MonkeyPatch,
    has_landed: bool,
    waiting: int,
    rests: bool,
) -> None:
    """There are a hundred pumps to eight connections."""

    class Landing:
        capacity = 10
        silence = 0.0
        holds_retries = False

        def has_landed(self, enough: int) -> bool:
            return has_landed

        def land(self, seconds: float, *, enough: int) -> list[Result]:
            return []

    rested: list[bool] = []
    monkeypatch.setattr(pump, "_rest", lambda: rested.append(True))
    monkeypatch.setattr(DatabaseWrapper, "pool", Pool(waiting))

    pump.land(whatsapp, cast(Any, Landing()))

    assert bool(rested) is rests


def test_a_pump_reads_what_is_said_once(ours: World, whatsapp: Integration) -> None:
    contents: Contents = {}
    content = ours.message(integration=whatsapp).content
    ours.message(integration=whatsapp, content=content)

    first = claim(whatsapp, limit=1, contents=contents)
    with CaptureQueriesContext(connection) as queries:
        second = claim(whatsapp, limit=1, contents=contents)

    assert not any("messaging_content WHERE id = ANY" in one["sql"] for one in queries)
    [earlier], [later] = first.attempts, second.attempts
    assert later.payload is earlier.payload


def test_a_pump_that_has_read_many_contents_begins_anew(
    ours: World, whatsapp: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.dispatch.claim.CONTENTS_KEPT", 2)
    contents: Contents = {-1: ("text", {}), -2: ("text", {})}
    message = ours.message(integration=whatsapp)
    assert message.content is not None

    [claimed] = claim(whatsapp, limit=1, contents=contents).attempts

    assert list(contents) == [message.content_id]
    assert claimed.payload == message.content.payload

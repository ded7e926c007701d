"""A later receipt tells the truth, in whatever order it comes."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, ProgrammingError, connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging import receipts
from messaging.audit import ledger_differences, tally_differences
from messaging.channels import gateway_hooks
from messaging.channels.contract import Event, EventKind
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.rescue import rescue
from messaging.dispatch.settle import Result, settle
from messaging.dispatch.word import RANK
from messaging.models import (
    Attempt,
    Contact,
    Content,
    CreditEntry,
    Integration,
    Message,
    Receipt,
)
from tests.factories import World, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def integration(ours: World) -> Integration:
    made = ours.integration()
    pace.take_lease(made.pk, uuid.uuid4())
    return made


def open_attempt(ours: World, integration: Integration) -> Attempt:
    ours.message(integration=integration)
    claimed = claim(integration, limit=1).attempts[0]
    return Attempt.objects.get(pk=claimed.attempt_id)


def close(integration: Integration, attempt: Attempt, state: str) -> None:
    code = "whatsapp:131026" if state in {"failed", "unknown"} else ""
    settle(
        integration,
        [
            Result(
                attempt.pk,
                state,
                error_code=code,
                error_class=code and "never",
                provider_id=f"wamid.{attempt.pk}",
                answer="{}",
            )
        ],
    )


def told(attempt: Attempt, state: str, *, key: str = "", part: int = 0) -> Event:
    return Event(
        key=key or f"{attempt.pk}:{state}:{part}",
        kind=EventKind.STATUS,
        raw={"status": state},
        reference=f"{attempt.pk}:{part}",
        state=state,
        error_code="131049" if state == "failed" else "",
        occurred_at=timezone.now(),
    )


def tell(integration: Integration, events: Sequence[Event]) -> None:
    receipts.store(integration, events)
    receipts.apply()


@pytest.mark.parametrize("settled", ["sent", "failed", "unknown", None])
@pytest.mark.parametrize(
    "order", list(itertools.permutations(["sent", "failed", "delivered"]))
)
def test_delivered_wins_whatever_the_order(
    ours: World, integration: Integration, settled: str | None, order: tuple[str, ...]
) -> None:
    attempt = open_attempt(ours, integration)
    if settled:
        close(integration, attempt, settled)
    for state in order:
        tell(integration, [told(attempt, state)])
    if settled is None:
        # The answer arrives after all of its receipts.
        close(integration, attempt, "sent")

    attempt.refresh_from_db()
    message = Message.objects.get()
    assert (attempt.state, message.state) == ("delivered", "delivered")
    assert attempt.provider_id == f"wamid.{attempt.pk}"
    assert message.error_code == ""
    assert CreditEntry.objects.filter(step="charge").count() == 1
    assert ours.account.available == 999_999
    assert ours.account.held == 0
    assert tally_differences() == []
    assert ledger_differences() == []


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "failed"])))
def test_failed_beats_sent_whatever_the_order(
    ours: World, integration: Integration, order: tuple[str, ...]
) -> None:
    attempt = open_attempt(ours, integration)
    close(integration, attempt, "sent")
    for state in order:
        tell(integration, [told(attempt, state)])

    message = Message.objects.get()
    assert message.state == "failed"
    assert (message.error_code, message.error_class) == ("whatsapp:131049", "wait")
    assert ours.account.available == 1_000_000


@given(
    words=st.lists(
        st.sampled_from(["sent", "failed", "delivered", "read"]), min_size=1, max_size=8
    ),
    answer=st.sampled_from(["sent", "failed", "unknown"]),
    answered_after=st.integers(0, 8),
    in_one_post=st.booleans(),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_interleaving_ends_at_the_highest_word_with_a_true_ledger(
    ours: World,
    integration: Integration,
    words: list[str],
    answer: str,
    answered_after: int,
    in_one_post: bool,
) -> None:
    attempt = open_attempt(ours, integration)
    events = [told(attempt, word, key=f"{uuid.uuid4()}") for word in words]
    before, after = events[:answered_after], events[answered_after:]
    for batch in (before, None, after):
        if batch is None:
            close(integration, attempt, answer)
        elif in_one_post:
            tell(integration, batch)
        else:
            for event in batch:
                tell(integration, [event])

    rank = {"unknown": 1, **RANK}
    # An answer counts only while the attempt is open.
    heard = [answer, *words] if not before else words
    attempt.refresh_from_db()
    message = Message.objects.get(pk=attempt.message_id)
    assert attempt.state == message.state == max(heard, key=lambda word: rank[word])
    assert tally_differences() == []
    assert ledger_differences() == []


def test_a_doubled_post_is_one_receipt(ours: World, integration: Integration) -> None:
    attempt = open_attempt(ours, integration)
    close(integration, attempt, "sent")

    tell(integration, [told(attempt, "delivered"), told(attempt, "delivered")])
    tell(integration, [told(attempt, "delivered")])

    assert Receipt.objects.count() == 1
    assert CreditEntry.objects.filter(step="charge").count() == 1


def test_another_organization_cannot_speak_of_our_attempt(
    ours: World, theirs: World, integration: Integration
) -> None:
    attempt = open_attempt(ours, integration)
    close(integration, attempt, "sent")
    stranger = theirs.integration()

    tell(stranger, [told(attempt, "delivered")])
    Receipt.objects.update(received_at=timezone.now() - timedelta(minutes=5))
    receipts.apply()

    assert Message.objects.get().state == "sent"
    assert Receipt.objects.get().result == "unmatched"


def test_an_unknown_word_is_kept_and_changes_nothing(
    ours: World, integration: Integration
) -> None:
    attempt = open_attempt(ours, integration)
    close(integration, attempt, "sent")
    odd = Event(
        key="odd",
        kind=EventKind.STATUS,
        raw={"status": "transmogrified"},
        reference=f"{attempt.pk}:0",
    )

    tell(integration, [odd])

    kept = Receipt.objects.get()
    assert kept.result == "not_understood"
    assert kept.raw == {"status": "transmogrified"}
    assert Message.objects.get().state == "sent"


def test_a_receipt_that_overtakes_the_answer_waits_for_the_providers_id(
    ours: World, integration: Integration
) -> None:
    attempt = open_attempt(ours, integration)
    by_id = Event(
        key="k",
        kind=EventKind.STATUS,
        raw={},
        provider_id=f"wamid.{attempt.pk}",
        state="delivered",
    )
    tell(integration, [by_id])
    assert Receipt.objects.get().result == ""

    close(integration, attempt, "sent")
    receipts.apply()

    assert Message.objects.get().state == "delivered"
    assert Receipt.objects.get().attempt_id == attempt.pk


def test_a_receipt_that_overtakes_waits_by_the_clock_of_the_database(
    ours: World, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = open_attempt(ours, integration)
    by_id = replace(
        told(attempt, "delivered"), reference="", provider_id=f"wamid.{attempt.pk}"
    )
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(seconds=90))

    tell(integration, [by_id])

    assert Receipt.objects.get().result == ""


def test_receipts_that_wait_do_not_block_the_others(
    ours: World, integration: Integration
) -> None:
    attempt = open_attempt(ours, integration)
    close(integration, attempt, "sent")
    lost = [
        Event(key=f"lost {n}", kind=EventKind.STATUS, raw={}, provider_id=f"x{n}")
        for n in range(5)
    ]
    receipts.store(integration, [*lost, told(attempt, "delivered")])

    receipts.apply(limit=2)

    assert Message.objects.get().state == "delivered"


STAMPS = [
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
]


def of_a_phone(stamp: str, event: str) -> list[Event]:
    data = {
        "message_id": "m1",
        "chat_jid": "233241234567@s.whatsapp.net",
        "content": "Hello",
        "timestamp": stamp,
    }
    envelope = {"event": event, "id": "e1", "timestamp": stamp, "data": data}
    return gateway_hooks.events(json.dumps(envelope).encode())


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("event", ["message.delivered", "message.received"])
@pytest.mark.parametrize("is_old", [True, False])
def test_a_moment_that_nobody_can_mean_holds_up_nobody(
    ours: World,
    theirs: World,
    integration: Integration,
    stamp: str,
    event: str,
    is_old: bool,
) -> None:
    phone = theirs.integration("device_gateway")
    receipts.store(phone, of_a_phone(stamp, event))
    strange = Receipt.objects.filter(integration=phone).defer("occurred_at")
    if is_old:
        # As it was stored before such moments were left out.
        with connection.cursor() as cursor:
            cursor.execute("UPDATE messaging_receipt SET occurred_at = %s", [stamp])
            cursor.execute(
                "UPDATE messaging_receipt SET received_at = now() - interval '1 hour'"
            )
    attempt = open_attempt(ours, integration)
    close(integration, attempt, "sent")

    tell(integration, [told(attempt, "delivered")])

    assert Message.objects.get().state == "delivered"
    if is_old or event == "message.received":
        assert strange.get().result != ""
        assert Receipt.objects.get(integration=phone).occurred_at is None


def test_a_moment_that_nobody_can_mean_is_not_stored(
    ours: World, integration: Integration
) -> None:
    attempt = open_attempt(ours, integration)
    zero = datetime(1, 1, 1, tzinfo=UTC)

    receipts.store(integration, [replace(told(attempt, "delivered"), occurred_at=zero)])

    assert Receipt.objects.get().occurred_at is None


@pytest.mark.parametrize("error", [ValueError("odd"), DataError("out of range")])
def test_a_receipt_that_cannot_be_applied_holds_up_no_other_one(
    ours: World,
    integration: Integration,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    attempts = [open_attempt(ours, integration) for _ in range(3)]
    for attempt in attempts:
        close(integration, attempt, "sent")
    receipts.store(integration, [told(attempt, "delivered") for attempt in attempts])
    odd = Receipt.objects.get(attempt_id=attempts[1].pk)
    understand = receipts._understand

    def breaks(row: dict[str, Any], batch: receipts.Batch) -> None:
        if row["id"] == odd.pk:
            raise error
        understand(row, batch)

    monkeypatch.setattr(receipts, "_understand", breaks)

    assert receipts.apply() == 3

    states = Message.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["delivered", "sent", "delivered"]
    odd.refresh_from_db()
    assert odd.result == "not_understood"
    said = [record for record in caplog.records if record.exc_info]
    assert said[-1].__dict__["receipt_id"] == odd.pk


@pytest.mark.parametrize("error", [OperationalError("away"), ProgrammingError("new")])
def test_receipts_wait_until_the_database_is_as_it_should_be(
    ours: World,
    integration: Integration,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    attempt = open_attempt(ours, integration)
    receipts.store(integration, [told(attempt, "delivered")])

    def away(*_: object) -> None:
        raise error

    monkeypatch.setattr(receipts, "_understand", away)

    with pytest.raises(type(error)):
        receipts.apply()

    assert Receipt.objects.get().result == ""


def test_a_late_delivery_of_an_earlier_attempt_ends_the_waiting_one(
    ours: World, integration: Integration
) -> None:
    attempt = open_attempt(ours, integration)
    close(integration, attempt, "failed")
    Message.objects.update(state="queued", due_at=timezone.now() + timedelta(hours=1))

    tell(integration, [told(attempt, "delivered")])

    message = Message.objects.get()
    assert (message.state, message.due_at) == ("delivered", None)
    assert claim(integration, limit=5).attempts == []


def test_a_late_delivery_while_the_next_attempt_is_open_is_not_taken_back(
    ours: World, integration: Integration
) -> None:
    first = open_attempt(ours, integration)
    close(integration, first, "failed")
    Message.objects.update(state="queued", due_at=timezone.now() - timedelta(minutes=1))
    second = claim(integration, limit=1).attempts[0]

    tell(integration, [told(first, "delivered")])
    settle(
        integration,
        [Result(second.attempt_id, "failed", error_code="w:1", error_class="retry")],
    )

    message = Message.objects.get()
    assert message.state == "delivered"
    assert list(message.attempts.values_list("number", "state")) == [
        (1, "delivered"),
        (2, "failed"),
    ]
    assert tally_differences() == []
    assert ledger_differences() == []


def test_a_failure_of_an_earlier_attempt_leaves_the_message_alone(
    ours: World, integration: Integration
) -> None:
    first = open_attempt(ours, integration)
    close(integration, first, "unknown")
    Message.objects.update(
        state="queued",
        due_at=timezone.now() - timedelta(minutes=1),
        error_code="",
        error_class="",
    )
    ours.rest()
    claim(integration, limit=1)

    tell(integration, [told(first, "failed")])

    assert Message.objects.get().state == "sending"


def test_two_attempts_in_one_batch_agree_on_the_message(
    ours: World, integration: Integration
) -> None:
    first = open_attempt(ours, integration)
    close(integration, first, "failed")
    Message.objects.update(state="queued", due_at=timezone.now() - timedelta(minutes=1))
    claim(integration, limit=1)
    second = Attempt.objects.get(number=2)
    close(integration, second, "sent")

    tell(integration, [told(first, "delivered"), told(second, "failed")])

    assert Message.objects.get().state == "delivered"


def test_a_retry_that_waits_is_cancelled_when_the_source_arrives_after_all(
    ours: World, integration: Integration
) -> None:
    attempt = open_attempt(ours, integration)
    close(integration, attempt, "failed")
    source = Message.objects.get()
    retry = ours.message(
        "planned",
        integration=integration,
        contact=source.contact,
        broadcast_id=ours.broadcast().pk,
        root=source,
    )

    tell(integration, [told(attempt, "delivered")])

    retry.refresh_from_db()
    assert (retry.state, retry.reason) == ("cancelled", "already_reached")


def test_a_person_reached_by_two_runs_counts_once(
    ours: World, integration: Integration
) -> None:
    attempt = open_attempt(ours, integration)
    close(integration, attempt, "failed")
    source = Message.objects.get()
    ours.message(integration=integration, contact=source.contact, root=source)
    again = claim(integration, limit=1).attempts[0]
    settle(integration, [Result(again.attempt_id, "sent")], in_chain=True)

    tell(integration, [told(attempt, "delivered")])

    flags = dict(Message.objects.values_list("pk", "reached_before"))
    assert flags == {source.pk: False, again.message_id: True}
    assert tally_differences() == []


def test_a_flow_has_arrived_when_its_last_part_has(
    ours: World, integration: Integration
) -> None:
    part = {"kind": "text", "payload": {"text": "a"}}
    flow = Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": [part, part]}
    )
    ours.message(integration=integration, content=flow)
    claim(integration, limit=1)
    attempt = Attempt.objects.get()
    settle(integration, [Result(attempt.pk, "sent", parts_sent=0b11)])

    tell(integration, [told(attempt, "delivered", part=0)])
    assert Message.objects.get().state == "sent"
    tell(integration, [told(attempt, "delivered", part=1)])
    assert Message.objects.get().state == "delivered"


@pytest.mark.parametrize("order", list(itertools.permutations([0, 2])))
@pytest.mark.parametrize("together", [True, False])
def test_a_retry_of_a_flow_sends_the_parts_that_failed(
    ours: World, integration: Integration, order: tuple[int, ...], together: bool
) -> None:
    part = {"kind": "text", "payload": {"text": "a"}}
    flow = Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": [part] * 3}
    )
    ours.message(integration=integration, content=flow)
    claim(integration, limit=1)
    attempt = Attempt.objects.get()
    settle(integration, [Result(attempt.pk, "sent", parts_sent=0b111)])

    events = [told(attempt, "failed", part=number) for number in order]
    for batch in [events] if together else [[event] for event in events]:
        tell(integration, batch)

    message = Message.objects.get()
    assert (message.state, message.parts_sent) == ("failed", 0b010)


@pytest.mark.parametrize(
    ("words", "state", "missing"),
    [
        ([("failed", 1)], "failed", 0b010),
        ([("failed", None)], "failed", 0b100),
        ([("delivered", 2)], "delivered", 0),
        ([("sent", 2)], "sent", 0),
        ([("sent", 2), ("failed", 0), ("failed", 2)], "failed", 0b101),
    ],
)
def test_an_answer_that_was_overtaken_still_tells_which_parts_arrived(
    ours: World,
    integration: Integration,
    words: list[tuple[str, int | None]],
    state: str,
    missing: int,
) -> None:
    part = {"kind": "text", "payload": {"text": "a"}}
    flow = Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": [part] * 3}
    )
    ours.message(integration=integration, content=flow)
    claim(integration, limit=1)
    attempt = Attempt.objects.get()
    for word, number in words:
        event = told(attempt, word, part=number or 0)
        reference = event.reference if number is not None else f"{attempt.pk}"
        tell(integration, [replace(event, reference=reference)])

    settle(integration, [Result(attempt.pk, "sent", answer="{}", parts_sent=0b111)])
    receipts.apply()

    message = Message.objects.get()
    assert (message.state, message.parts_sent) == (state, 0b111 & ~missing)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.parts_sent) == (state, 0b111)


def test_a_part_that_fails_while_others_are_sent_opens_no_way_to_send_again(
    ours: World, integration: Integration
) -> None:
    part = {"kind": "text", "payload": {"text": "a"}}
    flow = Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": [part] * 2}
    )
    ours.message(integration=integration, content=flow)
    claim(integration, limit=1)
    attempt = Attempt.objects.get()

    tell(integration, [told(attempt, "failed", part=0)])

    assert Message.objects.get().state == "sending"
    assert Receipt.objects.get().applied_at is None

    settle(integration, [Result(attempt.pk, "sent", answer="{}", parts_sent=0b11)])
    receipts.apply()

    message = Message.objects.get()
    assert (message.state, message.parts_sent) == ("failed", 0b10)
    assert Receipt.objects.get().result == "applied"


@pytest.mark.parametrize(
    ("words", "state", "accepted"),
    [
        ([("failed", 0)], "unknown", 0b000),
        ([("failed", 1)], "unknown", 0b001),
        ([("failed", 2)], "failed", 0b011),
        ([("sent", 0), ("delivered", 0), ("failed", 1)], "unknown", 0b001),
        ([("sent", 1), ("failed", 0)], "unknown", 0b010),
        ([("failed", 0), ("sent", 1)], "unknown", 0b010),
        ([("sent", 2), ("failed", 0)], "failed", 0b110),
        ([("failed", 0), ("sent", 2)], "failed", 0b110),
        ([("failed", 1), ("delivered", 0), ("sent", 2)], "failed", 0b101),
        ([("failed", 0), ("failed", 2)], "failed", 0b010),
        ([("failed", 2), ("failed", 0)], "failed", 0b010),
        ([("failed", 0), ("delivered", 2)], "delivered", 0b110),
        ([("delivered", 0)], "unknown", 0b001),
        ([("sent", 1)], "unknown", 0b011),
        ([("sent", 2)], "sent", 0b111),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_what_a_dead_worker_has_sent_is_told_by_the_receipts(
    ours: World,
    integration: Integration,
    words: list[tuple[str, int]],
    state: str,
    accepted: int,
    together: bool,
) -> None:
    """Nobody wrote down that a part was accepted, and it must not be sent again.

    Nor may one that can have left: a part that was taken back fails the message as soon
    as the last part has been spoken of, and not before.
    """
    part = {"kind": "text", "payload": {"text": "a"}}
    flow = Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": [part] * 3}
    )
    ours.message(integration=integration, content=flow)
    claim(integration, limit=1)
    Attempt.objects.update(opened_at=timezone.now() - timedelta(hours=1))
    assert rescue() == 1
    attempt = Attempt.objects.get()

    events = [told(attempt, word, part=number) for word, number in words]
    for batch in [events] if together else [[event] for event in events]:
        tell(integration, batch)

    message = Message.objects.get()
    assert (message.state, message.parts_sent) == (state, accepted)
    attempt.refresh_from_db()
    assert attempt.parts_sent & accepted == accepted


def answer_about(attempt: Attempt, state: str, left: int) -> Result:
    """Return what a worker tells that was thought dead; ``left`` parts have left."""
    accepted = left - 1 if state == "unknown" else left
    code = {"failed": "whatsapp:131026", "unknown": "whatsapp:timeout"}.get(state, "")
    return Result(
        attempt.pk,
        state,
        error_code=code,
        error_class=code and "never",
        answer="{}",
        duration_ms=5,
        parts_sent=(1 << accepted) - 1,
    )


@given(
    words=st.lists(
        st.tuples(st.sampled_from(["sent", "failed", "delivered"]), st.integers(0, 2)),
        min_size=1,
        max_size=6,
    ),
    left=st.integers(1, 3),
    answer=st.sampled_from(["clear", "unknown", None]),
    answered_after=st.integers(0, 6),
    in_one_post=st.booleans(),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_part_that_may_have_left_is_sent_again_whatever_the_order(
    ours: World,
    integration: Integration,
    words: list[tuple[str, int]],
    left: int,
    answer: str | None,
    answered_after: int,
    in_one_post: bool,
) -> None:
    if answer == "clear":
        answer = "sent" if left == 3 else "failed"
    words = [(word, part) for word, part in words if part < left]
    part = {"kind": "text", "payload": {"text": "a"}}
    flow = Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": [part] * 3}
    )
    made = ours.message(integration=integration, content=flow)
    claim(integration, limit=1)
    attempt = Attempt.objects.get(message=made)
    Attempt.objects.filter(pk=attempt.pk).update(
        opened_at=timezone.now() - timedelta(hours=1)
    )
    assert rescue() == 1
    events = [
        told(attempt, word, part=part, key=f"{uuid.uuid4()}") for word, part in words
    ]
    before, after = events[:answered_after], events[answered_after:]
    for batch in (before, None, after):
        if batch is None:
            if answer is not None:
                settle(integration, [answer_about(attempt, answer, left)])
        elif in_one_post:
            tell(integration, batch)
        else:
            for event in batch:
                tell(integration, [event])

    taken_back = {part for word, part in words if word == "failed"}
    # An answer tells that nothing left after the part that got none.
    in_doubt = left - 1 if answer == "unknown" else 2
    is_known = any(part >= in_doubt for _, part in words)
    if ("delivered", 2) in words:
        expected = "delivered"
    elif answer == "failed" or (taken_back and (answer == "sent" or is_known)):
        expected = "failed"
    elif answer == "sent" or ("sent", 2) in words:
        expected = "sent"
    else:
        expected = "unknown"
    attempt.refresh_from_db()
    message = Message.objects.get(pk=made.pk)
    assert attempt.state == message.state == expected
    if expected != "unknown":
        has_left = (1 << left) - 1
        back = sum(1 << number for number in taken_back)
        assert message.parts_sent == has_left & ~back
    assert tally_differences() == []
    assert ledger_differences() == []


@pytest.mark.parametrize("by", ["receipt", "answer"])
def test_a_failure_that_was_held_back_takes_effect_when_the_doubt_ends(
    ours: World, integration: Integration, by: str
) -> None:
    part = {"kind": "text", "payload": {"text": "a"}}
    flow = Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": [part] * 2}
    )
    ours.message(integration=integration, content=flow)
    claim(integration, limit=1)
    Attempt.objects.update(opened_at=timezone.now() - timedelta(hours=1))
    assert rescue() == 1
    attempt = Attempt.objects.get()
    tell(integration, [told(attempt, "failed", part=0)])
    assert Message.objects.get().state == "unknown"

    if by == "receipt":
        tell(integration, [told(attempt, "sent", part=1)])
    else:
        settle(integration, [answer_about(attempt, "sent", 2)])

    message = Message.objects.get()
    assert (message.state, message.error_code) == ("failed", "whatsapp:131049")
    assert message.parts_sent == 0b10


def test_a_single_message_that_failed_later_is_sent_again_whole(
    ours: World, integration: Integration
) -> None:
    attempt = open_attempt(ours, integration)
    settle(integration, [Result(attempt.pk, "sent", parts_sent=1)])

    tell(integration, [told(attempt, "failed")])

    assert Message.objects.get().parts_sent == 0


@pytest.mark.parametrize(
    ("kind", "opted_out", "window"),
    [
        (EventKind.INBOUND, [], True),
        (EventKind.OPT_OUT, ["whatsapp"], False),
        (EventKind.OPT_IN, [], True),
    ],
)
def test_what_members_do_changes_what_they_may_get(
    ours: World,
    theirs: World,
    integration: Integration,
    kind: EventKind,
    opted_out: list[str],
    window: bool,
) -> None:
    contact = ours.contact(phone="+233241234567")
    stranger = theirs.contact(phone="+233241234567")
    event = Event(key="in", kind=kind, raw={}, address="233241234567")

    tell(integration, [event])

    contact.refresh_from_db()
    assert contact.opted_out_channels == opted_out
    assert (contact.whatsapp_inbound_at is not None) is window
    assert Contact.objects.get(pk=stranger.pk).whatsapp_inbound_at is None


def test_a_late_charge_that_finds_nothing_is_owed_until_the_next_top_up(
    db: None,
) -> None:
    poor = world("Poor", credits=700)
    integration = poor.integration(credit_price=600)
    pace.take_lease(integration.pk, uuid.uuid4())
    first = open_attempt(poor, integration)
    close(integration, first, "failed")
    second = open_attempt(poor, integration)
    close(integration, second, "sent")

    tell(integration, [told(first, "delivered")])

    account = poor.account
    assert (account.available, account.held, account.owed) == (0, 600, 500)
    poor.top_up(700)
    account = poor.account
    assert (account.available, account.held, account.owed) == (200, 600, 0)
    assert ledger_differences() == []


@pytest.mark.parametrize(
    "order", list(itertools.permutations([("opt_out", 12), ("opt_in", 11)]))
)
def test_the_later_wish_counts_whichever_is_heard_first(
    ours: World, integration: Integration, order: Sequence[tuple[str, int]]
) -> None:
    contact = ours.contact(phone="+233241234567")
    for kind, hour in order:
        event = Event(
            key=kind,
            kind=EventKind(kind),
            raw={},
            address=contact.phone,
            occurred_at=datetime(2026, 11, 1, hour, tzinfo=UTC),
        )
        tell(integration, [event])

    contact.refresh_from_db()
    assert contact.opted_out_channels == ["whatsapp"]

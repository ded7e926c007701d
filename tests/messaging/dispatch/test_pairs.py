"""WhatsApp wants six seconds between two messages to the same person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from messaging.dispatch import pace, pump
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import Attempt, Content, Integration, Message
from resend_admin.sandbox.log import read
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World

pytestmark = pytest.mark.django_db


def test_one_message_leaves_and_the_others_to_the_same_person_get_later_times(
    ours: World, whatsapp: Integration, sandbox: Sandbox
) -> None:
    person = ours.contact("0001")
    several = [ours.message(integration=whatsapp, contact=person) for _ in range(4)]
    begun = timezone.now()

    pump.run(whatsapp.pk)

    for message in several:
        message.refresh_from_db()
    assert [message.state for message in several] == ["sent", *["queued"] * 3]
    assert [message.attempt_count for message in several] == [1, 0, 0, 0]
    due = [message.due_at - begun for message in several[1:] if message.due_at]
    assert all(
        abs(wait - timedelta(seconds=6 * turn)) < timedelta(seconds=5)
        for turn, wait in enumerate(due, start=1)
    )
    assert due == sorted(due)
    assert due[0] > timedelta(seconds=5)
    assert len(read(sandbox.log)) == 1


def test_a_person_with_a_long_queue_keeps_nobody_waiting(
    ours: World, whatsapp: Integration
) -> None:
    person, content = ours.contact("0001"), ours.text()
    for _ in range(60):
        ours.message(integration=whatsapp, contact=person, content=content)
    other = ours.message(integration=whatsapp, contact=ours.contact("1001"))

    pump.run(whatsapp.pk)

    other.refresh_from_db()
    assert other.state == "sent"
    assert Attempt.objects.count() == 2


def test_a_single_message_goes_before_a_bulk_one_to_the_same_person(
    ours: World, whatsapp: Integration
) -> None:
    person = ours.contact("0001")
    bulk = ours.message(integration=whatsapp, contact=person, priority=5)
    single = ours.message(integration=whatsapp, contact=person, priority=0)

    [claimed] = claim(whatsapp, limit=10).attempts

    assert claimed.message_id == single.pk
    bulk.refresh_from_db()
    assert bulk.state == "queued"


def test_a_flow_counts_as_many_messages_as_it_has_parts(
    ours: World, whatsapp: Integration
) -> None:
    person = ours.contact("0001")
    parts = [{"kind": "text", "payload": {"text": text}} for text in ("a", "b", "c")]
    flow = Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": parts}
    )
    ours.message(integration=whatsapp, contact=person, content=flow)
    claim(whatsapp, limit=1)
    after = ours.message(integration=whatsapp, contact=person)

    claim(whatsapp, limit=1)

    after.refresh_from_db()
    assert after.due_at is not None
    assert after.due_at - timezone.now() > timedelta(seconds=17)


def test_a_refused_message_is_none_and_an_accepted_one_is(
    ours: World, whatsapp: Integration
) -> None:
    person = ours.contact("0001")
    ours.message(integration=whatsapp, contact=person)
    [first] = claim(whatsapp, limit=1).attempts
    refused = Result(
        first.attempt_id,
        "failed",
        error_code="whatsapp:131026",
        error_class="never",
    )
    settle(whatsapp, [refused])

    ours.message(integration=whatsapp, contact=person)
    [second] = claim(whatsapp, limit=1).attempts
    settle(whatsapp, [Result(second.attempt_id, "sent", provider_id="a")])

    ours.message(integration=whatsapp, contact=person)
    assert claim(whatsapp, limit=1).attempts == []


def test_other_providers_have_no_such_rule(ours: World, telegram: Integration) -> None:
    person = ours.contact("0001", telegram_chat_id="70001")
    for _ in range(3):
        ours.message(integration=telegram, contact=person, recipient="70001")

    assert len(claim(telegram, limit=10).attempts) == 3
    assert pace.prune_pairs() == 0


def test_what_may_not_leave_takes_nobodys_turn(
    ours: World, whatsapp: Integration
) -> None:
    person = ours.contact("0001")
    past = timezone.now() - timedelta(hours=1)
    late = ours.message(integration=whatsapp, contact=person, expires_at=past)
    good = ours.message(integration=whatsapp, contact=person)

    [claimed] = claim(whatsapp, limit=10).attempts

    late.refresh_from_db()
    assert (late.state, late.reason) == ("skipped", "expired")
    assert claimed.message_id == good.pk


@given(
    horizon=st.floats(0.01, 10),
    first_in=st.floats(0, 20),
    rate=st.floats(0.01, 10_000),
)
def test_slots_within_a_horizon_are_those_that_begin_before_it(
    horizon: float, first_in: float, rate: float
) -> None:
    number = pace.slots_within(horizon, first_in, rate)

    edge = 1e-6
    assert number >= 0
    if number:
        assert first_in + (number - 1) / rate < horizon + edge
    assert first_in + number / rate >= horizon - edge


def test_the_pairs_whose_pause_is_over_are_forgotten(
    ours: World, whatsapp: Integration
) -> None:
    ours.message(integration=whatsapp)
    claim(whatsapp, limit=1)
    assert pace.prune_pairs() == 0

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_pairpace SET free_at = now() - interval '1 second'"
        )

    assert pace.prune_pairs() == 1
    assert Message.objects.count() == 1


def test_a_late_refusal_frees_nobody_whom_another_message_has_reached(
    ours: World, whatsapp: Integration
) -> None:
    person = ours.contact("0001")
    ours.message(integration=whatsapp, contact=person)
    [slow] = claim(whatsapp, limit=5).attempts
    # More than six seconds later its answer is still outstanding.
    ours.rest()
    Attempt.objects.update(opened_at=timezone.now() - timedelta(seconds=7))
    ours.message(integration=whatsapp, contact=person)
    [quick] = claim(whatsapp, limit=5).attempts
    settle(whatsapp, [Result(quick.attempt_id, "sent")])

    refused = Result(
        slow.attempt_id, "failed", error_code="whatsapp:131000", error_class="retry"
    )
    settle(whatsapp, [refused])

    ours.message(integration=whatsapp, contact=person)
    assert claim(whatsapp, limit=5).attempts == []

"""Settle: only what is still ours is written, and everything with it."""

from __future__ import annotations

import uuid

import pytest

from messaging.audit import ledger_differences, tally_differences
from messaging.dispatch import pace
from messaging.dispatch.claim import Claimed, claim
from messaging.dispatch.rescue import rescue
from messaging.dispatch.settle import Result, settle
from messaging.models import Attempt, CreditEntry, Integration, Message, Tally
from tests.factories import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def integration(ours: World) -> Integration:
    made = ours.integration()
    pace.take_lease(made.pk, uuid.uuid4())
    return made


def one_open(ours: World, integration: Integration) -> Claimed:
    ours.message(integration=integration)
    return claim(integration, limit=1).attempts[0]


def failed(attempt_id: int, **values: object) -> Result:
    return Result(
        attempt_id,
        "failed",
        error_code="whatsapp:131026",
        error_class="never",
        **values,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("state", ["sent", "delivered", "failed", "unknown"])
def test_attempt_message_credits_and_tallies_change_together(
    ours: World, integration: Integration, state: str
) -> None:
    claimed = one_open(ours, integration)
    code = "" if state in {"sent", "delivered"} else "whatsapp:131026"

    settle(
        integration,
        [Result(claimed.attempt_id, state, error_code=code, error_class=code and "x")],
    )

    attempt = Attempt.objects.get()
    message = Message.objects.get()
    assert (attempt.state, message.state) == (state, state)
    assert attempt.closed_at is not None
    steps = list(
        CreditEntry.objects.exclude(step="top_up").values_list("step", flat=True)
    )
    assert (
        sorted(steps)
        == {
            "sent": ["hold"],
            "delivered": ["charge", "hold"],
            "failed": ["hold", "release"],
            "unknown": ["hold"],
        }[state]
    )
    assert Tally.objects.get(unit="message", count=1).outcome == state
    assert Tally.objects.get(unit="attempt", count=1).outcome == state
    assert tally_differences() == []
    assert ledger_differences() == []


def test_settling_twice_changes_nothing(ours: World, integration: Integration) -> None:
    claimed = one_open(ours, integration)
    assert settle(integration, [Result(claimed.attempt_id, "delivered")]) == 1

    assert settle(integration, [failed(claimed.attempt_id)]) == 0

    assert Message.objects.get().state == "delivered"
    assert CreditEntry.objects.filter(step="release").count() == 0


def test_a_rescued_attempt_is_not_ours_any_more_but_its_answer_is_believed(
    ours: World, integration: Integration, settings: object
) -> None:
    settings.RESCUE_AFTER_SECONDS = 0  # type: ignore[attr-defined]
    claimed = one_open(ours, integration)
    # Within one transaction now() stands still; the attempt is a moment older.
    Attempt.objects.update(opened_at="2026-01-01T00:00Z")
    assert rescue() == 1

    assert settle(integration, [Result(claimed.attempt_id, "sent")]) == 0

    assert Message.objects.get().state == "sent"
    assert Attempt.objects.get().state == "sent"
    assert ours.account.held == 1


def test_rescue_leaves_young_attempts_alone(
    ours: World, integration: Integration
) -> None:
    one_open(ours, integration)

    assert rescue() == 0
    assert Message.objects.get().state == "sending"


def test_what_never_left_goes_back_into_the_queue(
    ours: World, integration: Integration
) -> None:
    claimed = one_open(ours, integration)

    settle(integration, [failed(claimed.attempt_id, again_in=0.0)])

    message = Message.objects.get()
    assert (message.state, message.attempt_count) == ("queued", 1)
    assert message.due_at is not None
    assert message.is_waiting_to_retry
    assert ours.account.held == 0


def test_a_channel_without_receipts_is_charged_when_accepted(ours: World) -> None:
    integration = ours.integration("smtp")
    pace.take_lease(integration.pk, uuid.uuid4())
    contact = ours.contact(email="ama@example.org")
    ours.message(integration=integration, contact=contact)
    claimed = claim(integration, limit=1).attempts[0]

    settle(integration, [Result(claimed.attempt_id, "sent")])

    assert (ours.account.available, ours.account.held) == (999_999, 0)
    assert ledger_differences() == []


def test_a_forged_tally_is_found(ours: World, integration: Integration) -> None:
    one_open(ours, integration)
    Tally.objects.filter(outcome="sending").update(count=2)

    [difference] = tally_differences()

    assert (difference["tallied"], difference["counted"]) == (2, 1)


def test_pruned_rows_stay_counted(ours: World, integration: Integration) -> None:
    claimed = one_open(ours, integration)
    settle(integration, [failed(claimed.attempt_id)])

    Attempt.objects.all().delete()
    Message.objects.all().delete()

    assert Tally.objects.get(unit="message", outcome="failed").count == 1
    assert Tally.objects.get(unit="attempt", outcome="failed").count == 1
    assert tally_differences() == []

"""Claim: an attempt is on record before anything leaves."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging.dispatch import pace
from messaging.dispatch.claim import Claim, claim
from messaging.models import (
    Attempt,
    AttemptState,
    Content,
    CreditEntry,
    Integration,
    IntegrationState,
    Message,
)
from tests.factories import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def integration(ours: World) -> Integration:
    made = ours.integration()
    ready(made)
    return made


def ready(integration: Integration) -> None:
    """Give the integration its pace, as the first pump does."""
    pace.take_lease(integration.pk, uuid.uuid4())


def test_a_claim_opens_a_numbered_attempt_for_each_due_message(
    ours: World, integration: Integration
) -> None:
    messages = [ours.message(integration=integration) for _ in range(3)]

    claimed = claim(integration, limit=10)

    assert [one.message_id for one in claimed.attempts] == [m.pk for m in messages]
    for message in messages:
        message.refresh_from_db()
        attempt = message.attempts.get()
        assert (message.state, message.attempt_count) == ("sending", 1)
        assert (attempt.state, attempt.number) == (AttemptState.OPEN, 1)


def test_the_oldest_due_messages_go_first_and_single_ones_before_bulk(
    ours: World, integration: Integration
) -> None:
    now = timezone.now()
    late = ours.message(integration=integration, due_at=now - timedelta(hours=1))
    later = ours.message(integration=integration, due_at=now - timedelta(minutes=5))
    single = ours.message(
        integration=integration, due_at=now - timedelta(minutes=1), priority=0
    )

    first_two = claim(integration, limit=2).attempts

    assert {one.message_id for one in first_two} == {single.pk, late.pk}
    assert claim(integration, limit=2).attempts[0].message_id == later.pk


def test_what_is_not_due_stays(ours: World, integration: Integration) -> None:
    ours.message(integration=integration, due_at=timezone.now() + timedelta(minutes=1))
    ours.message("planned", integration=integration)

    assert claim(integration, limit=10) == Claim()


def test_a_claim_never_takes_the_messages_of_another_integration(
    ours: World, theirs: World, integration: Integration
) -> None:
    ours.message(integration=ours.integration("twilio"))
    theirs.message(integration=theirs.integration())

    assert claim(integration, limit=10).attempts == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expires_at": timezone.now() - timedelta(minutes=1)}, "expired"),
        ({}, "opted_out"),
    ],
)
def test_consent_and_expiry_are_checked_when_it_leaves(
    ours: World, integration: Integration, change: dict[str, Any], reason: str
) -> None:
    message = ours.message(integration=integration, **change)
    if reason == "opted_out":
        message.contact.opted_out_channels = ["whatsapp"]
        message.contact.save()

    claimed = claim(integration, limit=10)

    message.refresh_from_db()
    assert claimed.attempts == []
    assert claimed.taken == 1
    assert (message.state, message.reason) == ("skipped", reason)
    assert not Attempt.objects.exists()
    assert not CreditEntry.objects.filter(step="hold").exists()


def test_an_opt_out_on_another_channel_does_not_count(
    ours: World, integration: Integration
) -> None:
    contact = ours.contact(opted_out_channels=["email"])
    ours.message(integration=integration, contact=contact)

    assert len(claim(integration, limit=10).attempts) == 1


def test_a_switched_off_integration_skips_its_messages(
    ours: World, integration: Integration
) -> None:
    message = ours.message(integration=integration)
    Integration.objects.update(state=IntegrationState.OFF)

    claim(integration, limit=10)

    message.refresh_from_db()
    assert (message.state, message.reason) == ("skipped", "integration_off")


def test_missing_credentials_skip_with_their_reason(
    ours: World, integration: Integration
) -> None:
    integration.credentials = {}
    integration.save()
    message = ours.message(integration=integration)

    claim(integration, limit=10)

    message.refresh_from_db()
    assert (message.state, message.reason) == ("skipped", "credentials")


def test_a_paused_integration_keeps_its_queue(
    ours: World, integration: Integration
) -> None:
    message = ours.message(integration=integration)
    Integration.objects.update(state=IntegrationState.PAUSED)

    assert claim(integration, limit=10) == Claim()
    message.refresh_from_db()
    assert message.state == "queued"


def test_credits_are_held_and_what_cannot_be_paid_fails_visibly(
    ours: World, integration: Integration
) -> None:
    Integration.objects.update(credit_price=30_000)
    messages = [ours.message(integration=integration) for _ in range(34)]

    claimed = claim(integration, limit=50)

    assert len(claimed.attempts) == 33
    assert (ours.account.available, ours.account.held) == (10_000, 990_000)
    refused = Message.objects.get(state="failed")
    assert refused.pk == messages[33].pk
    assert refused.error_code == "resend_admin:insufficient_credits"
    assert refused.error_class == "fix_first"
    assert refused.attempt_count == 0


def test_the_rate_bounds_a_claim(ours: World, integration: Integration) -> None:
    Integration.objects.update(rate_per_second=5)
    for _ in range(5):
        ours.message(integration=integration)

    first = claim(integration, limit=10)
    second = claim(integration, limit=10)

    # The slots of the next half second: at once, and a fifth of a second apart.
    assert len(first.attempts) == 3
    assert first.first_in == 0
    assert first.every == pytest.approx(0.2)
    assert second.attempts == []
    assert 0 < second.wait_seconds <= 0.1


def test_a_slow_rate_still_lets_one_leave(
    ours: World, integration: Integration
) -> None:
    Integration.objects.update(rate_per_second=0.1)
    for _ in range(2):
        ours.message(integration=integration)

    assert len(claim(integration, limit=10).attempts) == 1
    assert 9 < claim(integration, limit=10).wait_seconds <= 10


def test_a_pause_of_the_provider_holds_everything(
    ours: World, integration: Integration
) -> None:
    ours.message(integration=integration)
    pace.pause(integration.pk, 30)

    held = claim(integration, limit=10)

    assert held.attempts == []
    assert 29 < held.wait_seconds <= 30


def test_the_database_refuses_a_second_open_attempt(
    ours: World, integration: Integration
) -> None:
    ours.message(integration=integration)
    claim(integration, limit=1)
    attempt = Attempt.objects.get()
    attempt.pk, attempt.number = None, 2

    with (
        pytest.raises(IntegrityError, match="attempt_one_open_per_message"),
        transaction.atomic(),
    ):
        attempt.save()


def test_the_database_refuses_an_attempt_that_was_never_open(
    ours: World, integration: Integration
) -> None:
    ours.message(integration=integration)
    claim(integration, limit=1)
    attempt = Attempt.objects.get()
    attempt.pk, attempt.number, attempt.state = None, 2, "failed"
    attempt.error_code = attempt.error_class = "x"
    attempt.closed_at = timezone.now()

    with pytest.raises(IntegrityError, match="opened first"), transaction.atomic():
        attempt.save()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", "sending"),
        ("state", "delivered"),
        ("state", "failed"),
        ("state", "skipped"),
        ("state", "asleep"),
        ("due_at", None),
        ("recipient", ""),
    ],
)
def test_the_database_refuses_a_message_that_contradicts_itself(
    ours: World, column: str, value: object
) -> None:
    message = ours.message()

    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(**{column: value})


def test_content_never_changes(ours: World) -> None:
    content = ours.text("as it was")

    content.payload = {"text": "something else"}
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        content.save()
    content.refresh_from_db()
    content.archived_at = timezone.now()
    content.save()
    assert content.payload == {"text": "as it was"}


def test_each_part_of_a_flow_takes_a_slot_of_the_rate(ours: World) -> None:
    """The provider counts requests: three parts at ten a second take 0.3 s."""
    integration = ours.integration("telegram_bot", rate_per_second=10)
    pace.take_lease(integration.pk, uuid.uuid4())
    flow = Content.objects.create(
        organization=ours.organization,
        kind="flow",
        payload={
            "parts": [{"kind": "text", "payload": {"text": word}} for word in "abc"]
        },
    )
    for _ in range(5):
        ours.message(integration=integration, content=flow, recipient="90001")

    claimed = claim(integration, limit=5).attempts

    before = pace.lock(integration.pk)
    assert before is not None
    requests = sum(one.requests for one in claimed)
    assert requests == 15
    assert before.first_in > requests / 10 - 0.3
    assert claim(integration, limit=5).attempts == []

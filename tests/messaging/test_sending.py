"""One message on its own: what came of it, whoever was quicker."""

from __future__ import annotations

from typing import Any

import pytest

from messaging import sending
from messaging.dispatch import again, pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import Actor, Attempt, Integration
from messaging.sending import Asker, Refused, Sent
from tests.factories import World, world

pytestmark = pytest.mark.django_db

SHOP = Asker(Actor.API, "Shop")


def test_a_pump_that_was_quicker_is_waited_for(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = ours.integration()
    pace.prepare(integration.pk)

    def quicker(integration: Integration, message_id: int) -> bool:
        claim(integration, limit=1, message_id=message_id)
        return False

    def answer(seconds: float) -> None:
        settle(integration, [Result(Attempt.objects.get().pk, "sent")])

    monkeypatch.setattr("messaging.sending.single.send_now", quicker)
    monkeypatch.setattr("messaging.sending.sleep", answer)

    outcome = sending.send_new(
        contact=ours.contact(), integration=integration, content=ours.text(), asker=SHOP
    )

    assert isinstance(outcome, Sent)
    assert (outcome.message.state, outcome.attempt.state) == ("sent", "sent")


def test_an_earlier_attempt_is_not_taken_for_the_one_that_was_refused(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor = world("Poor", credits=1)
    integration = poor.integration()
    pace.prepare(integration.pk)
    message = poor.message(integration=integration)
    [claimed] = claim(integration, limit=1, message_id=message.pk).attempts
    failure: dict[str, Any] = {"error_code": "whatsapp:131000", "error_class": "retry"}
    settle(integration, [Result(claimed.attempt_id, "failed", **failure)])
    again.queue_again([again.Again(message.pk, attempt_count=1)])
    Integration.objects.update(credit_price=5)

    outcome = sending.send_or_wait(message.pk, now=True, attempts_before=1)

    assert isinstance(outcome, Refused)
    assert outcome.code == "insufficient_credits"


def test_whoever_opted_out_gets_no_message(ours: World) -> None:
    outcome = sending.send_new(
        contact=ours.contact(opted_out_channels=["whatsapp"]),
        integration=ours.integration(),
        content=ours.text(),
        asker=SHOP,
    )

    assert isinstance(outcome, Refused)
    assert outcome.code == "opted_out"


def test_the_sender_is_the_oldest_that_is_switched_on(
    ours: World, theirs: World
) -> None:
    theirs.integration()
    ours.integration(state="off")
    ours.integration("smtp")
    expected = ours.integration()
    ours.integration()

    assert sending.sender_for(ours.organization, "whatsapp") == expected
    assert sending.sender_for(theirs.organization, "sms") is None

"""Refused credentials stop their integration, and burn nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging.audit import ledger_differences, tally_differences
from messaging.dispatch import circuit, pulse, pump
from messaging.dispatch.claim import claim
from messaging.dispatch.flight import FIRST
from messaging.dispatch.settle import Result, settle
from messaging.dispatch.single import send_now
from messaging.models import Attempt, Integration, Message, Pulse
from resend_admin.sandbox.log import read
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "credentials"),
    [
        ("whatsapp_cloud", {"access_token": "wrong"}),
        ("telegram_bot", {"bot_token": "1:wrong"}),
        ("twilio", {"auth_token": "wrong"}),
    ],
)
def test_refused_credentials_pause_the_integration_and_keep_its_queue(
    ours: World, sandbox: Sandbox, kind: str, credentials: dict[str, str]
) -> None:
    pulse.beat()
    sandbox.behave("auth")
    integration = ours.integration(
        kind, settings={"base_url": sandbox.base_url(kind)}, credentials=credentials
    )
    for number in range(40):
        contact = ours.contact(telegram_chat_id=f"7{number:03d}1000")
        ours.message(integration=integration, contact=contact)
    before = ours.account

    pump.run(integration.pk)
    pump.run(integration.pk)

    integration.refresh_from_db()
    assert integration.state == "paused"
    assert integration.state_reason.startswith("The provider refuses the credentials")
    assert integration.state_at is not None
    assert Message.objects.filter(state="queued").count() == 40
    assert 0 < Attempt.objects.count() <= FIRST
    assert len([one for one in read(sandbox.log) if one.accepted]) == 0
    assert (ours.account.available, ours.account.held) == (before.available, 0)
    assert tally_differences() == []
    assert ledger_differences() == []


def test_after_resuming_everything_leaves_and_no_try_was_used_up(
    ours: World, whatsapp: Integration, sandbox: Sandbox
) -> None:
    message = ours.message(integration=whatsapp)
    sandbox.behave("auth", channel="whatsapp")
    pump.run(whatsapp.pk)
    message.refresh_from_db()
    assert (message.state, message.attempt_count, message.resends) == ("queued", 1, 0)

    sandbox.reset()
    assert circuit.close_circuit(whatsapp.pk)
    pump.run(whatsapp.pk)

    message.refresh_from_db()
    assert (message.state, message.attempt_count, message.resends) == ("sent", 2, 0)
    assert not circuit.close_circuit(whatsapp.pk)


def test_a_message_sent_on_its_own_opens_the_circuit_too(
    ours: World, whatsapp: Integration, sandbox: Sandbox
) -> None:
    sandbox.behave("auth", channel="whatsapp")
    message = ours.message(integration=whatsapp)

    send_now(whatsapp, message.pk)

    message.refresh_from_db()
    whatsapp.refresh_from_db()
    assert (message.state, whatsapp.state) == ("queued", "paused")


def test_a_late_answer_about_old_credentials_pauses_nothing(
    ours: World, whatsapp: Integration
) -> None:
    ours.message(integration=whatsapp)
    [claimed] = claim(whatsapp, limit=1).attempts
    as_it_was = Integration.objects.get()
    whatsapp.credentials = {**whatsapp.credentials, "access_token": "new"}
    whatsapp.save()

    settle(
        as_it_was,
        [
            Result(
                claimed.attempt_id,
                "failed",
                error_code="whatsapp:auth_failed",
                error_class="fix_first",
                again_in=0.0,
            )
        ],
    )

    assert Integration.objects.get().state == "active"


@pytest.mark.django_db(transaction=True)
def test_a_pump_stops_claiming_with_credentials_that_were_replaced(
    ours: World, whatsapp: Integration
) -> None:
    ours.message(integration=whatsapp)
    _, version = pump._read(whatsapp.pk)
    whatsapp.credentials = {**whatsapp.credentials, "access_token": "new"}
    whatsapp.save()

    claimed = claim(whatsapp, limit=1, version=version)

    assert claimed.is_stale
    assert claimed.attempts == []


def test_what_a_paused_integration_holds_is_not_late_after_a_long_night(
    ours: World, whatsapp: Integration
) -> None:
    message = ours.message(integration=whatsapp)
    Message.objects.update(due_at=message.created_at - timedelta(hours=9))
    Integration.objects.update(state="paused")
    Pulse.objects.update(beaten_at=message.created_at - timedelta(hours=9))

    pulse.beat()

    message.refresh_from_db()
    assert message.state == "queued"

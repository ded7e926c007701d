"""The outbox: one event for each committed change, whoever makes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging import receipts, resend
from messaging.bulk import running
from messaging.channels.contract import Event, EventKind
from messaging.dispatch import pace, pulse
from messaging.dispatch.claim import claim
from messaging.dispatch.rescue import rescue
from messaging.dispatch.settle import Result, settle
from messaging.models import (
    Actor,
    Attempt,
    BulkResend,
    BulkResendItem,
    Integration,
    IntegrationState,
    Message,
    MessageState,
    WebhookDelivery,
    WebhookEvent,
)
from messaging.sending import Asker, Scheduled
from messaging.webhooks import emitting, endpoints
from tests.factories import World
from tests.messaging.views.rows import tried
from tests.messaging.webhooks.steps import (
    ALL,
    endpoint_of,
    ready,
    send,
    tell,
    told,
    types,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", ["sent", "delivered", "failed", "unknown"])
def test_what_becomes_of_a_message_is_told_once(ours: World, state: str) -> None:
    endpoint, _ = endpoint_of(ours)
    integration = ready(ours)
    message = ours.message(integration=integration, broadcast_id=None)

    send(integration, state)

    [(event_type, data)] = told()
    message.refresh_from_db()
    assert event_type == f"message.{state}"
    assert data["messageId"] == message.public_id
    assert data["externalId"] == message.contact.external_id
    assert data["integrationId"] == str(integration.uid)
    assert (data["previousState"], data["state"]) == ("sending", state)
    assert (data["channel"], data["attempt"]) == ("whatsapp", 1)
    error = {"code": "whatsapp:131026", "class": "never"}
    assert data["error"] == (error if state in {"failed", "unknown"} else None)
    [delivery] = WebhookDelivery.objects.all()
    assert delivery.endpoint == endpoint
    assert delivery.type == event_type
    assert delivery.state == "waiting"


def test_no_content_and_no_address_is_told(ours: World) -> None:
    endpoint_of(ours)
    integration = ready(ours)
    message = ours.message(integration=integration, content=ours.text("Secret words"))

    send(integration)

    written = str(told())
    assert "Secret words" not in written
    assert message.recipient.lstrip("+") not in written
    assert message.contact.name not in written


def test_what_is_rolled_back_was_never_told(ours: World) -> None:
    endpoint_of(ours)
    integration = ready(ours)
    ours.message(integration=integration)

    with transaction.atomic():
        send(integration)
        assert types() == ["message.sent"]
        transaction.set_rollback(True)

    assert types() == []
    assert not WebhookDelivery.objects.exists()


def test_a_chunk_tells_of_each_message_once(ours: World) -> None:
    endpoint_of(ours)
    integration = ready(ours)
    content = ours.text()
    for _ in range(20):
        ours.message(integration=integration, content=content)
    while claim(integration, limit=7).attempts:
        pass
    assert types() == []

    attempts = list(Attempt.objects.values_list("pk", flat=True))
    settle(integration, [Result(pk, "sent") for pk in attempts])

    names = [data["messageId"] for _, data in told()]
    assert sorted(names) == sorted(one.public_id for one in Message.objects.all())


def receipt_of(attempt_id: int, state: str) -> Event:
    return Event(
        key=f"{attempt_id}:{state}",
        kind=EventKind.STATUS,
        raw={"status": state},
        reference=f"{attempt_id}:0",
        state=state,
        error_code="131026" if state == "failed" else "",
        occurred_at=timezone.now(),
    )


def test_receipts_are_told_of_and_reading_is_no_news(ours: World) -> None:
    endpoint_of(ours)
    integration = ready(ours)
    ours.message(integration=integration)
    attempt_id = send(integration)

    for state in ("delivered", "delivered", "read"):
        receipts.store(integration, [receipt_of(attempt_id, state)])
        receipts.apply()

    assert types() == ["message.sent", "message.delivered"]


def test_read_without_delivered_counts_as_delivered(ours: World) -> None:
    endpoint_of(ours)
    integration = ready(ours)
    ours.message(integration=integration)
    attempt_id = send(integration)

    receipts.store(integration, [receipt_of(attempt_id, "read")])
    receipts.apply()

    event_type, data = told()[-1]
    assert (event_type, data["state"]) == ("message.delivered", "read")


def test_a_receipt_that_fails_a_message_is_told_of(ours: World) -> None:
    endpoint_of(ours)
    integration = ready(ours)
    ours.message(integration=integration)
    attempt_id = send(integration)

    receipts.store(integration, [receipt_of(attempt_id, "failed")])
    receipts.apply()

    event_type, data = told()[-1]
    assert (event_type, data["previousState"]) == ("message.failed", "sent")
    assert data["error"]["code"] == "whatsapp:131026"


def test_a_rescued_attempt_is_told_of(ours: World) -> None:
    endpoint_of(ours)
    integration = ready(ours)
    ours.message(integration=integration)
    claim(integration, limit=1)
    Attempt.objects.update(opened_at=timezone.now() - timedelta(hours=1))

    rescue()

    [(event_type, data)] = told()
    assert event_type == "message.unknown"
    assert data["error"]["code"] == "resend_admin:worker_lost"


def test_what_came_too_late_is_told_of(ours: World) -> None:
    endpoint_of(ours)
    ours.message(due_at=timezone.now() - timedelta(days=1))

    pulse._lapse_batch()

    [(event_type, data)] = told()
    assert (event_type, data["previousState"]) == ("message.failed", "queued")


def resend_later(message: Message, name: str) -> None:
    later = resend.Wish(at=timezone.now() + timedelta(hours=1))
    outcome = resend.resend(message, Asker(Actor.PERSON, name), later)
    assert isinstance(outcome, Scheduled)


def test_sending_again_is_told_of_with_who_and_when(ours: World) -> None:
    endpoint_of(ours)
    message = tried(ours, "failed")

    resend_later(message, ours.editor.username)

    [(event_type, data)] = told()
    message.refresh_from_db()
    assert message.due_at is not None
    assert event_type == "message.resent"
    assert data["askedBy"] == "person"
    assert data["dueAt"][:19] == message.due_at.isoformat()[:19]
    assert ours.editor.username not in str(data)


def test_a_copy_of_what_had_been_sent_is_told_as_sent_again(ours: World) -> None:
    endpoint_of(ours)
    integration = ready(ours)
    pace.pause(integration.pk, 60)
    message = ours.message(
        "delivered",
        integration=integration,
        attempt_count=1,
        delivered_at=timezone.now(),
    )

    outcome = resend.send_copy(message, Asker(Actor.PERSON, ours.editor.username))

    assert isinstance(outcome, Scheduled)
    [(event_type, data)] = told()
    message.refresh_from_db()
    assert event_type == "message.resent"
    assert data["messageId"] == outcome.message.public_id
    assert data["copyOf"] == message.public_id
    assert data["externalId"] == message.contact.external_id
    assert (data["askedBy"], data["state"], data["attempt"]) == ("person", "queued", 0)
    assert data["dueAt"][:19] == outcome.due_at.isoformat()[:19]
    assert ours.editor.username not in str(data)


def test_a_new_message_and_the_run_of_a_broadcast_are_no_copies(ours: World) -> None:
    endpoint_of(ours)
    source = ours.message("delivered", delivered_at=timezone.now())

    ours.message()
    ours.message(root=source, broadcast_id=ours.broadcast().pk)

    assert types() == []


def test_taking_a_resend_back_tells_where_the_message_stands_again(
    ours: World,
) -> None:
    endpoint_of(ours)
    message = tried(ours, "failed")
    resend_later(message, "editor")
    message.refresh_from_db()

    resend.cancel(message, Asker(Actor.PERSON, "editor"))

    assert types() == ["message.resent", "message.failed"]
    assert told()[-1][1]["previousState"] == "queued"


def test_a_bulk_resend_tells_of_each_message(ours: World) -> None:
    endpoint_of(ours)
    messages = [tried(ours, "failed") for _ in range(5)]
    bulk = BulkResend.objects.create(
        organization=ours.organization, chosen="Five", total=len(messages)
    )
    for message in messages:
        BulkResendItem.objects.create(bulk=bulk, message=message)

    running.run()

    assert types() == ["message.resent"] * 5
    assert {data["messageId"] for _, data in told()} == {
        one.public_id for one in messages
    }


def test_what_is_planned_started_skipped_or_cancelled_is_no_news(ours: World) -> None:
    endpoint_of(ours)
    message = ours.message("planned")
    for values in (
        {"state": MessageState.QUEUED, "due_at": timezone.now()},
        {"state": MessageState.SKIPPED, "due_at": None, "reason": "opted_out"},
        {"state": MessageState.CANCELLED, "reason": "cancelled"},
    ):
        Message.objects.filter(pk=message.pk).update(**values)

    assert types() == []


def test_a_change_that_is_none_is_no_news(ours: World) -> None:
    endpoint_of(ours)
    message = tried(ours, "failed")

    Message.objects.filter(pk=message.pk).update(state="failed", parts_sent=0)

    assert types() == []


def test_a_paused_integration_is_told_of_whoever_pauses_it(ours: World) -> None:
    endpoint_of(ours)
    integration = ours.integration(name="Main number")

    integration.state = IntegrationState.PAUSED
    integration.state_reason = "The token has expired."
    integration.save()
    integration.save()
    Integration.objects.filter(pk=integration.pk).update(state=IntegrationState.ACTIVE)

    [(event_type, data)] = told()
    assert event_type == "integration.paused"
    assert data["integrationId"] == str(integration.uid)
    assert data["reason"] == "The token has expired."


def test_a_recovered_retransmission_is_told_of(ours: World) -> None:
    endpoint_of(ours)

    emitting.retransmission_recovered(
        organization_id=ours.organization.pk,
        message_id="3EB0C431C26A1916E07A",
        chat_jid="233240000001@s.whatsapp.net",
        recovered_at=timezone.now(),
        external_id="M17",
        attempts=2,
    )

    [(event_type, data)] = told()
    assert event_type == "retransmission.recovered"
    assert data["messageId"] == "3EB0C431C26A1916E07A"
    assert (data["externalId"], data["attempt"]) == ("M17", 2)


def test_only_those_are_told_who_asked_for_it(ours: World, theirs: World) -> None:
    wanted, _ = endpoint_of(ours, events=["message.failed"])
    endpoint_of(ours, events=["message.sent"])
    endpoint_of(theirs)
    integration = ready(ours)
    ours.message(integration=integration)

    send(integration, "failed")

    [delivery] = WebhookDelivery.objects.all()
    assert delivery.endpoint == wanted
    assert WebhookEvent.objects.get().organization == ours.organization


def test_two_who_want_the_same_are_told_the_same_event(ours: World) -> None:
    endpoint_of(ours)
    endpoint_of(ours)
    integration = ready(ours)
    ours.message(integration=integration)

    send(integration)

    event = WebhookEvent.objects.get()
    assert [one.event_id for one in WebhookDelivery.objects.all()] == [event.pk] * 2


def test_one_that_is_off_is_told_nothing(ours: World) -> None:
    endpoint, _ = endpoint_of(ours)
    endpoints.switch_off(endpoint)
    integration = ready(ours)
    ours.message(integration=integration)

    send(integration)

    assert types() == []


def test_where_nobody_listens_nothing_is_written(ours: World, theirs: World) -> None:
    endpoint_of(theirs)
    integration = ready(ours)
    ours.message(integration=integration)

    send(integration)

    assert types() == []
    assert not WebhookDelivery.objects.exists()


def test_rare_events_go_before_frequent_ones(ours: World) -> None:
    endpoint_of(ours)
    integration = ready(ours)
    for state in ("sent", "failed"):
        ours.message(integration=integration)
        send(integration, state)
    tell(ours)

    order = WebhookDelivery.objects.order_by("priority").values_list("type", flat=True)
    assert list(order) == [
        "retransmission.recovered",
        "message.failed",
        "message.sent",
    ]


def test_a_plan_made_for_one_row_does_not_ruin_a_chunk(ours: World) -> None:
    """plpgsql keeps a plan for the session; it must not be made of the first rows."""
    endpoint_of(ours)
    integration = ready(ours)
    content = ours.text()
    contact = ours.contact()
    rows = [
        Message(
            organization=ours.organization,
            contact=contact,
            integration=integration,
            content=content,
            channel="whatsapp",
            recipient="+233240000001",
            state="sending",
            attempt_count=1,
            day=timezone.now().date(),
        )
        for _ in range(2_000)
    ]
    Message.objects.bulk_create(rows)
    ids = list(Message.objects.values_list("pk", flat=True))
    for pk in ids[:10]:
        Message.objects.filter(pk=pk).update(state="sent")

    with CaptureQueriesContext(connection) as queries:
        Message.objects.filter(pk__in=ids[10:]).update(state="sent")

    assert len(types()) == 2_000
    # A nested loop over two times 2,000 rows takes seconds.
    assert sum(float(one["time"]) for one in queries) < 1.5


def test_the_types_are_those_that_can_be_chosen(ours: World) -> None:
    assert len(ALL) == 12

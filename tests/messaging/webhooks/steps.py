"""Endpoints, changes that they are told of, and what stands in the outbox."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import (
    Integration,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from messaging.models.webhook import CHOSEN_TYPES
from messaging.webhooks import emitting, endpoints
from tests.factories import World

ALL = tuple(one.value for one in CHOSEN_TYPES)


def endpoint_of(
    world: World,
    url: str = "https://receiver.example/hooks",
    *,
    name: str = "",
    events: Sequence[str] = ALL,
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint; return it with its secret."""
    return endpoints.create(
        organization=world.organization,
        fields=endpoints.Fields(name or f"Shop {uuid.uuid4().hex[:6]}", url, events),
    )


def told() -> list[tuple[str, dict[str, Any]]]:
    """What is in the outbox, in the order in which it happened."""
    return [(one.type, one.data) for one in WebhookEvent.objects.order_by("pk")]


def types() -> list[str]:
    return [one for one, _ in told()]


def ready(world: World) -> Integration:
    """An integration whose messages this test claims."""
    integration = world.integration()
    pace.take_lease(integration.pk, uuid.uuid4())
    return integration


def send(integration: Integration, state: str = "sent") -> int:
    """Claim one due message and settle its attempt; return the attempt's id."""
    [claimed] = claim(integration, limit=1).attempts
    code = "" if state in {"sent", "delivered"} else "whatsapp:131026"
    error_class = "never" if code else ""
    settle(
        integration,
        [Result(claimed.attempt_id, state, error_code=code, error_class=error_class)],
    )
    return claimed.attempt_id


def tell(world: World, number: int = 1) -> list[WebhookDelivery]:
    """Put events into the outbox that no message stands behind."""
    for count in range(number):
        made = emitting.retransmission_recovered(
            organization_id=world.organization.pk,
            message_id=f"3EB0{count}",
            chat_jid="233240000001@s.whatsapp.net",
            recovered_at=timezone.now(),
        )
        assert made is not None
    return list(WebhookDelivery.objects.order_by("-pk")[:number])


def make_due(seconds: float = 1.0) -> None:
    """Let the time pass until everything that waits is due."""
    WebhookDelivery.objects.filter(state="waiting").update(
        due_at=timezone.now() - timedelta(seconds=seconds)
    )


def now_of_postgres() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert row
    return row[0]

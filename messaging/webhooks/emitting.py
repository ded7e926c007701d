"""Events that no trigger sees, because no row of theirs is ours to watch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from messaging.models import (
    DeliveryPriority,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookType,
)
from messaging.trail import Doer
from messaging.webhooks import doorbell, endpoints
from messaging.webhooks.bodies import wire_moment


def emit(
    *, organization_id: int, event_type: WebhookType, data: Mapping[str, Any]
) -> int | None:
    """Tell every endpoint that wants to hear of it, once this transaction commits.

    Call it in the transaction of the change that it tells of. Returns the id of
    the event, or ``None`` when nobody wants it. ``data`` has ids and states, never
    content or addresses.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT messaging_webhook_emit(%s, %s, %s::jsonb)",
            [organization_id, event_type.value, json.dumps(data)],
        )
        row = cursor.fetchone()
    made: int | None = row[0] if row else None
    if made is not None:
        doorbell.ring_on_commit()
    return made


def retransmission_recovered(
    *,
    organization_id: int,
    message_id: str,
    chat_jid: str,
    recovered_at: datetime,
    external_id: str = "",
    attempts: int = 0,
) -> int | None:
    """Tell that a message which could not be read has come in after all.

    ``message_id`` is the device's own id of it, ``attempts`` how often it was
    asked for.
    """
    return emit(
        organization_id=organization_id,
        event_type=WebhookType.RETRANSMISSION_RECOVERED,
        data={
            "messageId": message_id,
            "externalId": external_id or None,
            "chatJid": chat_jid,
            "attempt": attempts,
            "recoveredAt": wire_moment(recovered_at),
        },
    )


@transaction.atomic
def send_test(endpoint: WebhookEndpoint, *, by: Doer) -> WebhookDelivery:
    """Tell this one endpoint something that never happened."""
    event = WebhookEvent.objects.create(
        organization_id=endpoint.organization_id,
        type=WebhookType.TEST,
        data={"endpoint": endpoint.name, "note": "Nothing happened. This is a test."},
    )
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint,
        event=event,
        type=WebhookType.TEST,
        priority=DeliveryPriority.ASKED_FOR,
        asked_by_name=by.name,
    )
    link = f"/webhooks/{endpoint.pk}/deliveries/{delivery.pk}/"
    sentence = f"Sent a test event to “{endpoint.name}”."
    endpoints.record(endpoint, by, sentence, link=link)
    doorbell.ring_on_commit()
    return delivery

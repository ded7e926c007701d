"""What is done beside the couriers: take back, give up, let go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from messaging.models import (
    EndpointState,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookRecovery,
)
from messaging.webhooks import recovering, settling, statements

KEPT_FOR: Final = timedelta(days=30)
BATCH: Final = 5_000


def tend() -> None:
    """Every few seconds: whatever was left lying is picked up."""
    settling.take_back_lapsed()
    give_up_for_the_switched_off()
    recovering.run()


def give_up_for_the_switched_off(*, limit: int = BATCH) -> int:
    """Fail what waits for endpoints that are off; return how many.

    An endpoint that is switched on again meanwhile keeps what is left: each batch
    looks again.
    """
    total = 0
    for endpoint_id in WebhookEndpoint.objects.filter(
        state=EndpointState.OFF
    ).values_list("pk", flat=True):
        while given_up := _give_up(endpoint_id, limit):
            total += given_up
    return total


@transaction.atomic
def _give_up(endpoint_id: int, limit: int) -> int:
    settling.lock([endpoint_id])
    values = {"endpoint_id": endpoint_id, "limit": limit}
    return len(statements.rows("abandon", values))


def prune() -> int:
    """Let go of what is older than 30 days, and of removed endpoints.

    Returns how many deliveries went. Ids grow with time, so that the oldest rows
    are the first ones of the primary key.
    """
    horizon = timezone.now() - KEPT_FOR
    removed = _prune_table(WebhookDelivery._meta.db_table, horizon)
    _prune_table(WebhookEvent._meta.db_table, horizon - timedelta(days=1))
    WebhookRecovery.objects.filter(finished_at__lt=horizon).delete()
    for endpoint in WebhookEndpoint.objects.filter(removed_at__isnull=False):
        removed += _prune_endpoint(endpoint)
    return removed


def _prune_table(table: str, horizon: datetime) -> int:
    total = 0
    while removed := _execute(
        f"DELETE FROM {table} WHERE id IN"  # noqa: S608 - a name of ours
        f" (SELECT id FROM {table} ORDER BY id LIMIT %(limit)s)"
        " AND created_at < %(horizon)s",
        {"limit": BATCH, "horizon": horizon},
    ):
        total += removed
    return total


def _prune_endpoint(endpoint: WebhookEndpoint) -> int:
    total = 0
    while removed := _execute(
        "DELETE FROM messaging_webhookdelivery WHERE id IN"
        " (SELECT id FROM messaging_webhookdelivery"
        "  WHERE endpoint_id = %(endpoint_id)s ORDER BY id DESC LIMIT %(limit)s)",
        {"endpoint_id": endpoint.pk, "limit": BATCH},
    ):
        total += removed
    endpoint.delete()
    return total


def _execute(statement: str, values: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)

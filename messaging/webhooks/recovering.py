"""Sending again: one delivery, or everything that failed since a moment."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from messaging import trail
from messaging.models import (
    DeliveryPriority,
    DeliveryState,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookRecovery,
)
from messaging.trail import Doer
from messaging.webhooks import doorbell, endpoints, settling, statements

BATCH: Final = 1_000
COUNTED_TO: Final = 10_000
"""No page counts further than this."""


@transaction.atomic
def send_again(delivery: WebhookDelivery, *, by: Doer) -> bool:
    """Make one delivery due at once; false when it is just being sent.

    Its event keeps its id, and its tries stay on record.
    """
    changed = (
        WebhookDelivery.objects.filter(pk=delivery.pk)
        .exclude(state=DeliveryState.SENDING)
        .update(
            state=DeliveryState.WAITING,
            due_at=Now(),
            finished_at=None,
            run_tries=0,
            priority=DeliveryPriority.ASKED_FOR,
            asked_by_name=by.name,
        )
    )
    if changed:
        sentence = f"Sent a delivery to “{delivery.endpoint.name}” again."
        link = f"/webhooks/{delivery.endpoint_id}/deliveries/{delivery.pk}/"
        endpoints.record(delivery.endpoint, by, sentence, link=link)
    doorbell.ring_on_commit()
    return bool(changed)


def failed_since(endpoint: WebhookEndpoint, since: datetime) -> int:
    """Return how many deliveries have failed since; stops one behind the limit."""
    failed = WebhookDelivery.objects.filter(
        endpoint=endpoint, state=DeliveryState.FAILED, created_at__gte=since
    )
    return failed.order_by()[: COUNTED_TO + 1].count()


@transaction.atomic
def recover(endpoint: WebhookEndpoint, *, since: datetime, by: Doer) -> WebhookRecovery:
    """Freeze what has failed since a moment; it is sent again in the background.

    Whoever settles holds the same lock, so that each delivery had either failed
    before this instant or belongs to it no more.
    """
    settling.lock([endpoint.pk])
    recovery = WebhookRecovery(endpoint=endpoint, since=since, asked_by_name=by.name)
    recovery.frozen_at = _this_instant()
    recovery.save()
    moment = trail.moment(since, endpoint.organization.zone)
    sentence = f"Sent all that failed at “{endpoint.name}” since {moment} again."
    endpoints.record(endpoint, by, sentence)
    return recovery


def _this_instant() -> datetime:
    row = statements.rows("this_instant", {})[0]
    moment: datetime = row["this_instant"]
    return moment


def run() -> int:
    """Put back the next batches of whatever is frozen; return how many that were."""
    total = 0
    unfinished = WebhookRecovery.objects.filter(finished_at__isnull=True)
    for pk in unfinished.order_by("pk").values_list("pk", flat=True)[:100]:
        while put_back := _step(pk):
            total += put_back
    if total:
        doorbell.ring_on_commit()
    return total


@transaction.atomic
def _step(pk: int) -> int:
    """Put back one batch; 0 when it is finished, or in other hands."""
    recovery = (
        WebhookRecovery.objects.select_for_update(skip_locked=True)
        .filter(pk=pk, finished_at__isnull=True)
        .first()
    )
    if recovery is None:
        return 0
    [batch] = statements.rows(
        "recover",
        {
            "endpoint_id": recovery.endpoint_id,
            "from_moment": recovery.done_to or recovery.since,
            "after_id": recovery.done_to_id,
            "frozen_at": recovery.frozen_at,
            "priority": DeliveryPriority.RECOVERY,
            "asked_by_name": recovery.asked_by_name,
            "limit": BATCH,
        },
    )
    if batch["seen"]:
        recovery.done_to, recovery.done_to_id = batch["done_to"], batch["done_to_id"]
    WebhookRecovery.objects.filter(pk=pk).update(
        done_to=recovery.done_to,
        done_to_id=recovery.done_to_id,
        count=F("count") + batch["again"],
        finished_at=None if batch["seen"] == BATCH else Now(),
    )
    return int(batch["seen"] == BATCH and batch["seen"])

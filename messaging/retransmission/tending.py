"""What is done beside: requests that nobody settled, hope given up, old rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from messaging.dispatch.statements import again_after_deadlock
from messaging.models import (
    MOST_REQUESTS,
    Organization,
    RequestOutcome,
    RetransmissionRequest,
)
from messaging.retransmission import statements

LAPSED_AFTER: Final = timedelta(minutes=1)
"""A request that is open for longer has lost the process that made it."""
IN_VAIN_AFTER: Final = timedelta(hours=24)
"""So long the last allowed request may wait for its answer."""
BATCH: Final = 1_000


def tend() -> None:
    """Every minute: settle what was left open, give up what is hopeless."""
    settle_lapsed()
    expire()


def settle_lapsed() -> int:
    """Call requests unclear whose process died; return how many messages they had."""
    lapsed = RetransmissionRequest.objects.filter(
        outcome=RequestOutcome.OPEN, created_at__lt=timezone.now() - LAPSED_AFTER
    )
    values = {
        "request_ids": list(lapsed.values_list("pk", flat=True)[:BATCH]),
        "outcome": RequestOutcome.UNCLEAR.value,
        "error_code": "worker_lost",
        "error_detail": "",
    }
    return len(statements.rows("asked", values)) if values["request_ids"] else 0


def expire() -> int:
    """Give up what nobody sends again; return how many."""
    total = 0
    while given_up := _expire_batch():
        total += given_up
    return total


@again_after_deadlock
def _expire_batch() -> int:
    now = timezone.now()
    values = {
        "too_old": now - timedelta(days=settings.UNREADABLE_EXPIRES_DAYS),
        "in_vain": now - IN_VAIN_AFTER,
        "most": MOST_REQUESTS,
        "limit": BATCH,
    }
    with transaction.atomic():
        return len(statements.rows("expire", values))


def prune() -> int:
    """Let go of what is older than its organization keeps it; return how much."""
    return sum(_prune(one) for one in Organization.objects.all())


def _prune(organization: Organization) -> int:
    values = {
        "organization_id": organization.pk,
        "before": timezone.now() - timedelta(days=organization.retention_days),
        "limit": BATCH,
    }
    total = 0
    while removed := _prune_batch(values):
        total += removed
    return total


@again_after_deadlock
def _prune_batch(values: dict[str, object]) -> int:
    with transaction.atomic():
        [row] = statements.rows("prune", values)
    number: int = row["number"]
    return number

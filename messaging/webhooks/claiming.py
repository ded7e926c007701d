"""Claim: take deliveries that are due, and everything that it takes to post them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from standardwebhooks import Webhook

from messaging.models import WebhookSecret
from messaging.webhooks import statements

CAPACITY = 500
"""Deliveries that one courier holds, of whomever: under way, or in line."""
CLAIM_SECONDS = 30.0
"""What is not settled by then is due again. A try takes five seconds."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One try that is about to be made, held by one courier."""

    delivery_id: int
    endpoint_id: int
    claim: uuid.UUID
    try_count: int
    """The number of this try; with the claim it tells whether it is still ours."""
    run_tries: int
    url: str
    webhook_id: str
    event_type: str
    data: dict[str, Any]
    created_at: datetime
    signers: tuple[Webhook, ...]


class Keyring:
    """The secrets of the endpoints, each opened once for as long as a courier runs."""

    def __init__(self) -> None:
        self._signers: dict[int, Webhook] = {}

    def signers(self, endpoint_ids: Iterable[int]) -> dict[int, tuple[Webhook, ...]]:
        """Return who signs for each endpoint at this moment, the newest first."""
        found: dict[int, tuple[Webhook, ...]] = {}
        living = WebhookSecret.objects.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=Now()),
            endpoint_id__in=set(endpoint_ids),
        )
        for secret in living.order_by("-pk"):
            if secret.pk not in self._signers:
                self._signers[secret.pk] = Webhook(secret.text)
            found[secret.endpoint_id] = (
                *found.get(secret.endpoint_id, ()),
                self._signers[secret.pk],
            )
        return found


def has_work() -> bool:
    return bool(statements.rows("has_work", {})[0]["has_work"])


def claim(
    holder: uuid.UUID,
    keyring: Keyring,
    *,
    capacity: int,
    rooms: Mapping[int, int] | None = None,
) -> list[Claimed]:
    """Take up to so many due deliveries; no other courier gets the same ones.

    ``rooms`` says for how many of an endpoint there is room, where that is not
    ``WEBHOOK_CONCURRENCY``.
    """
    known = rooms or {}
    with transaction.atomic():
        rows = statements.rows(
            "claim",
            {
                "holder": holder,
                "capacity": capacity,
                "usual_room": settings.WEBHOOK_CONCURRENCY,
                "quick_ids": list(known),
                "quick_rooms": list(known.values()),
                "seconds": CLAIM_SECONDS,
            },
        )
    if not rows:
        return []
    signers = keyring.signers(row["endpoint_id"] for row in rows)
    return [
        Claimed(
            delivery_id=row["id"],
            endpoint_id=row["endpoint_id"],
            claim=holder,
            try_count=row["try_count"],
            run_tries=row["run_tries"],
            url=row["url"],
            webhook_id=f"evt_{row['event_id']}_{row['suffix']}",
            event_type=row["type"],
            data=json.loads(row["data"]),
            created_at=row["created_at"],
            signers=signers.get(row["endpoint_id"], ()),
        )
        for row in rows
    ]

"""Settle: write how tries went, in one transaction.

One try is kept as a small object: ``at``, ``ms``, ``status``, ``error``,
``answer``, ``signature``, and ``pause`` where the endpoint asked for one.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from messaging.dispatch.statements import again_after_deadlock
from messaging.webhooks import schedule, statements
from messaging.webhooks.bodies import wire_moment
from messaging.webhooks.claiming import Claimed
from messaging.webhooks.posting import Told

logger = logging.getLogger(__name__)

WORKER_LOST = "worker_lost"
KEPT_TRIES = 30
"""Of a delivery that is sent again and again, the oldest tries are let go."""
FAILING_SECONDS = 5 * 24 * 3600
"""Without one delivery for so long, an endpoint is switched off."""
LAPSED_BATCH = 500


@again_after_deadlock
def settle(told: Sequence[Told]) -> int:
    """Write the tries that are still held as they were; return how many were."""
    if not told:
        return 0
    with transaction.atomic():
        lock(sorted({one.endpoint_id for one in told}))
        rows = statements.rows_in_binary("settle", _columns(told))
        ours = {row["id"] for row in rows}
        known = [
            one for one in told if one.delivery_id in ours and one.error != WORKER_LOST
        ]
        if known:
            statements.rows("note_health", _health(known))
            _switch_off(known, rows)
    return len(rows)


def hand_back(unsent: Sequence[Claimed]) -> int:
    """Let go of what was claimed and not sent; return how many were still held."""
    if not unsent:
        return 0
    rows = statements.rows(
        "hand_back",
        {
            "delivery_id": [one.delivery_id for one in unsent],
            "claim": [one.claim for one in unsent],
            "try_count": [one.try_count for one in unsent],
        },
    )
    return len(rows)


def lock(endpoint_ids: Sequence[int]) -> None:
    """Let nobody else settle or freeze what belongs to these endpoints."""
    statements.rows("lock_health", {"endpoint_ids": list(endpoint_ids)})


def take_back_lapsed() -> int:
    """Make due again what a courier took and never settled; return how many.

    It may have been told or not: it is told once more, under the same id.
    """
    rows = statements.rows("lapsed", {"limit": LAPSED_BATCH})
    return settle(
        [
            Told(
                delivery_id=row["id"],
                endpoint_id=row["endpoint_id"],
                claim=row["claim"],
                try_count=row["try_count"],
                run_tries=row["run_tries"],
                error=WORKER_LOST,
            )
            for row in rows
        ]
    )


def _columns(told: Sequence[Told]) -> dict[str, Any]:
    return {
        "delivery_id": [one.delivery_id for one in told],
        "claim": [one.claim for one in told],
        "try_count": [one.try_count for one in told],
        "is_delivered": [one.is_delivered for one in told],
        "http_status": [one.http_status for one in told],
        "error": [one.error for one in told],
        "next_in": [_next_in(one) for one in told],
        "entry": [json.dumps(_entry(one)) for one in told],
        "kept_tries": KEPT_TRIES,
    }


def _next_in(told: Told) -> float | None:
    if told.is_delivered or told.error == "gone":
        return None
    chance = random.random()  # noqa: S311 - spreads tries, guards nothing
    delay = schedule.next_in(told.run_tries, chance, told.retry_after)
    if delay is not None and told.error == WORKER_LOST:
        return 0.0
    return delay


def _entry(told: Told) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "number": told.try_count,
        "error": told.error,
        "status": told.http_status,
        "ms": told.duration_ms,
        "at": wire_moment(told.moment) if told.moment else None,
        "answer": told.answer,
        "signature": told.signature,
    }
    if told.retry_after:
        entry["pause"] = round(told.retry_after)
    return entry


def _health(told: Sequence[Told]) -> dict[str, Any]:
    return {
        "endpoint_id": [one.endpoint_id for one in told],
        "is_delivered": [one.is_delivered for one in told],
        "http_status": [one.http_status for one in told],
        "error": [one.error for one in told],
        "pause": [min(one.retry_after, schedule.LONGEST_PAUSE) for one in told],
    }


def _switch_off(told: Sequence[Told], rows: Sequence[dict[str, Any]]) -> None:
    gone = sorted({one.endpoint_id for one in told if one.error == "gone"})
    given_up = sorted({row["endpoint_id"] for row in rows if row["state"] == "failed"})
    if not given_up:
        return
    for row in statements.rows(
        "switch_off",
        {"gone": gone, "given_up": given_up, "seconds": FAILING_SECONDS},
    ):
        logger.warning(
            "A webhook endpoint is switched off",
            extra={
                "endpoint_id": row["id"],
                "organization_id": row["organization_id"],
                "code": row["off_reason"],
            },
        )

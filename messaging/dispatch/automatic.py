"""Automatic retries: failed messages of a channel that go out again by themselves.

Off unless an organization switched them on for a channel. They use the same rows
and the same budget as the button, and stop by themselves for an error code whose
retries bring too little.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from messaging import policy
from messaging.channels.catalogue import lookup
from messaging.dispatch import again, ledger, statements
from messaging.models import Actor, Priority, StoppedRetry

LOOK_BACK = 50
"""The latest automatic retries of an error code that are judged together."""
WORTHWHILE_SHARE = 0.15
"""Below this share of deliveries, retrying that code stops."""


def retry(
    message_ids: Iterable[int], *, chance: Callable[[], float] = random.random
) -> int:
    """Queue the next try of failed messages whose organization wants it.

    Belongs into the transaction that failed them; returns how many were queued.
    """
    failed = list(message_ids)
    if not failed:
        return 0
    rows = statements.rows("automatic_candidates", {"message_ids": failed})
    stopped = _stop_what_brings_nothing(rows)
    wanted = [
        one
        for row in rows
        if _key(row) not in stopped and (one := _again(row, chance())) is not None
    ]
    return len(again.queue_again(wanted))


def _again(row: dict[str, Any], jitter: float) -> again.Again | None:
    limits = policy.RetryPolicy(
        max_resends=row["resend_limit"],
        max_age_seconds=row["resend_max_age_hours"] * 3600,
        ladder=tuple(minutes * 60 for minutes in row["resend_ladder_minutes"]),
    )
    facts = policy.Facts(
        state="failed",
        resends=row["resends"],
        age=row["age"],
        error=lookup(row["error_code"]),
        provider_pause=row["provider_pause"],
        opted_out=row["opted_out"],
    )
    decision = policy.decide(facts, limits, policy.Initiator.AUTOMATIC, jitter)
    if not decision.allowed:
        return None
    return again.Again(
        message_id=row["message_id"],
        attempt_count=row["attempt_count"],
        due_in=decision.wait,
        asked_by=Actor.AUTOMATIC,
        priority=Priority.BULK,
    )


def _stop_what_brings_nothing(rows: Sequence[dict[str, Any]]) -> set[tuple[int, str]]:
    """Stop codes whose latest retries mostly failed; return all that stand still."""
    standing_still: set[tuple[int, str]] = set()
    for key in sorted({_key(row) for row in rows}):
        organization_id, error_code = key
        if any(row["is_stopped"] for row in rows if _key(row) == key):
            standing_still.add(key)
            continue
        [latest] = statements.rows(
            "automatic_success",
            {
                "organization_id": organization_id,
                "error_code": error_code,
                "look_back": LOOK_BACK,
                "kinds_without_receipts": ledger.kinds_without_receipts(),
            },
        )
        enough = latest["tried"] >= LOOK_BACK
        if enough and latest["delivered"] < WORTHWHILE_SHARE * latest["tried"]:
            StoppedRetry.objects.bulk_create(
                [
                    StoppedRetry(
                        organization_id=organization_id,
                        error_code=error_code,
                        tried=latest["tried"],
                        delivered=latest["delivered"],
                    )
                ],
                ignore_conflicts=True,
            )
            standing_still.add(key)
    return standing_still


def _key(row: dict[str, Any]) -> tuple[int, str]:
    return row["organization_id"], row["error_code"]

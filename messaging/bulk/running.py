"""Working off what was frozen: a chunk per transaction, whole or not at all.

Several tasks share the work, because each takes items that no other holds. A kill
leaves the chunk as it was, and the next ring goes on there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence, Set
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from messaging import policy, trail
from messaging.bulk import judging, statements
from messaging.dispatch import again, doorbell
from messaging.dispatch.statements import again_after_deadlock
from messaging.models import (
    Actor,
    AuditKind,
    BulkItemState,
    BulkResend,
    BulkResendState,
    Priority,
)
from messaging.models.bulk import SETTLED
from messaging.resend import IN_PROGRESS
from messaging.standing import policy_of
from messaging.trail import Doer

logger = logging.getLogger(__name__)

TASK: Final = "messaging.tasks.run_bulk_resends"
CHUNK: Final = 500
TAKE_BACK: Final = 10_000
PRUNE: Final = 5_000
BUDGET_SECONDS: Final = 10.0
"""How long one task goes on before it rings for the next one."""

WORKING = (BulkResendState.RUNNING, BulkResendState.CANCELLED)


def ring_on_commit() -> None:
    transaction.on_commit(partial(doorbell.call, TASK))


def run(budget_seconds: float = BUDGET_SECONDS) -> int:
    """Work off what is due, one chunk of each bulk resend in turn.

    Return how many items got their outcome. Rings again when time is up.
    """
    deadline = time.monotonic() + budget_seconds
    start_due()
    settled = 0
    while time.monotonic() < deadline:
        moved = sum(_step(bulk_id) for bulk_id in _unfinished())
        if not moved:
            return settled
        settled += moved
    doorbell.call(TASK)
    return settled


def start_due() -> int:
    due = Q(scheduled_for__isnull=True) | Q(scheduled_for__lte=Now())
    frozen = BulkResend.objects.filter(due, state=BulkResendState.FROZEN)
    return frozen.update(state=BulkResendState.RUNNING, moved_at=Now())


def _unfinished() -> list[int]:
    return list(
        BulkResend.objects.filter(finished_at__isnull=True, state__in=WORKING)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _step(bulk_id: int) -> int:
    """Let no bulk resend that cannot go on hold up the others."""
    try:
        return step(bulk_id)
    except Exception:
        logger.exception(
            "A bulk resend stands still; the next ring tries",
            extra={"bulk_resend_id": bulk_id},
        )
        return 0


@again_after_deadlock
def step(bulk_id: int) -> int:
    """Settle one chunk of one bulk resend; return how many items that were.

    0 also when another task holds all that is left.
    """
    with transaction.atomic():
        rows = BulkResend.objects.select_related("organization", "content")
        bulk = rows.get(pk=bulk_id)
        if bulk.state == BulkResendState.RUNNING:
            number = _queue_chunk(bulk)
        else:
            number = _take_back(bulk)
        if not number:
            _finish(bulk_id)
    return number


def _queue_chunk(bulk: BulkResend) -> int:
    rows = _take(bulk)
    if not rows:
        return 0
    wanted, refused = _judged(bulk, rows)
    risky = bulk.accepts_duplicate
    states = again.RESENDABLE_AT_RISK if risky else again.RESENDABLE
    queued = again.queue_again(list(wanted.values()), states=states)
    left = {key for key, one in wanted.items() if one.message_id not in queued}
    if left:
        refused |= _refused_meanwhile(bulk, left)
    _settle([row["item_id"] for row in rows], refused)
    doorbell.ring_on_commit()
    return len(rows)


def _take(bulk: BulkResend) -> list[dict[str, Any]]:
    """Hold the next items; whoever asks again holds the same."""
    return statements.rows(
        "take", {**judging.moment(), "bulk_id": bulk.pk, "limit": CHUNK}
    )


def _refused_meanwhile(
    bulk: BulkResend, item_ids: Set[int]
) -> dict[int, judging.Refusal]:
    """Return why those were not queued that might have gone a moment before."""
    rows = [row for row in _take(bulk) if row["item_id"] in item_ids]
    _, refused = _judged(bulk, rows)
    came_first = judging.Refusal(IN_PROGRESS.code, IN_PROGRESS.sentence)
    return {item_id: refused.get(item_id, came_first) for item_id in item_ids}


def _judged(
    bulk: BulkResend, rows: Sequence[Mapping[str, Any]]
) -> tuple[dict[int, again.Again], dict[int, judging.Refusal]]:
    """Return, by item, what is to be queued, and why the others are not."""
    limits = policy_of(bulk.organization)
    remedy = judging.Remedy(bulk.cause, bulk.content) if bulk.cause else None
    wanted: dict[int, again.Again] = {}
    refused: dict[int, judging.Refusal] = {}
    for row in rows:
        answer = _decide(bulk, row, limits, remedy)
        if isinstance(answer, again.Again):
            wanted[row["item_id"]] = answer
        else:
            refused[row["item_id"]] = answer
    return wanted, refused


def _decide(
    bulk: BulkResend,
    row: Mapping[str, Any],
    limits: policy.RetryPolicy,
    remedy: judging.Remedy | None,
) -> again.Again | judging.Refusal:
    if row["id"] is None:
        return judging.refusal_for(judging.GONE)
    judged = judging.judge(
        row, limits, accepts_duplicate=bulk.accepts_duplicate, remedy=remedy
    )
    standing = judged.standing
    if not standing.allowed:
        return judging.refusal_of(standing)
    return again.Again(
        message_id=row["message_id"],
        attempt_count=row["attempt_count"],
        due_in=standing.wait,
        content_id=judged.content.pk if judged.content else None,
        asked_by=Actor.PERSON,
        asked_by_name=bulk.created_by_name,
        asked_reason=bulk.reason,
        priority=Priority.BULK,
        asked_in_bulk=bulk.pk,
    )


def _settle(item_ids: list[int], refused: Mapping[int, judging.Refusal]) -> None:
    nothing = judging.Refusal("", "")
    answers = [refused.get(item_id, nothing) for item_id in item_ids]
    statements.rows(
        "settle",
        {
            "item_id": item_ids,
            "state": [
                BulkItemState.REFUSED if one.code else BulkItemState.QUEUED
                for one in answers
            ],
            "code": [one.code for one in answers],
            "cause": [one.cause for one in answers],
            "sentence": [one.sentence for one in answers],
        },
    )


def _take_back(bulk: BulkResend) -> int:
    why = judging.refusal_for(judging.TAKEN_BACK)
    found = statements.rows(
        "take_back",
        {
            "bulk_id": bulk.pk,
            "limit": TAKE_BACK,
            "code": why.code,
            "sentence": why.sentence,
        },
    )
    return sum(row["number"] for row in found)


def _finish(bulk_id: int) -> None:
    """End it once every item has its outcome; cancelled ones stay cancelled."""
    ended = BulkResend.objects.filter(
        pk=bulk_id, finished_at__isnull=True, total=SETTLED
    )
    if not ended.filter(state=BulkResendState.RUNNING).update(
        state=BulkResendState.COMPLETED, finished_at=Now()
    ):
        ended.filter(state=BulkResendState.CANCELLED).update(finished_at=Now())


def cancel(bulk: BulkResend, *, by: Doer) -> bool:
    """Stop it: what waits for its turn is taken back, what is queued goes out.

    False when it had ended before.
    """
    live = BulkResend.objects.filter(
        pk=bulk.pk, state__in=[BulkResendState.FROZEN, BulkResendState.RUNNING]
    ).exclude(total=F("queued_count") + F("refused_count"))
    with transaction.atomic():
        if not live.update(state=BulkResendState.CANCELLED):
            return False
        trail.record(
            AuditKind.BULK_RESEND,
            f"Cancelled a bulk resend: {bulk.chosen}",
            organization_id=bulk.organization_id,
            doer=by,
            link=f"/messages/bulk/{bulk.pk}/",
        )
    while step(bulk.pk):
        pass
    return True


def prune() -> int:
    """Remove the items of what ended long ago; the counters stay for ever."""
    total = 0
    while removed := len(statements.rows("prune", {"limit": PRUNE})):
        total += removed
    return total

"""The one way a provider's later word changes an outcome.

Receipts come late, twice, and in the wrong order. Words have a rank, and an
attempt only ever climbs: open, unknown, sent, failed, delivered, read. So any
order of the same receipts ends in the same state, *delivered* beats a failure,
and nothing takes *delivered* back.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import (
    InterfaceError,
    OperationalError,
    ProgrammingError,
    models,
    transaction,
)

from messaging import follow_up
from messaging.channels.contract import Channel, Event, EventKind
from messaging.channels.posts import EARLIEST, LATEST, meant
from messaging.dispatch import later, statements
from messaging.dispatch.word import RANK, believable, of_receipt
from messaging.models import AttemptState, Integration, Receipt, ReceiptResult
from messaging.retransmission import taking_in

logger = logging.getLogger(__name__)

BATCH = 1_000
DEVICE_GATEWAY = "device_gateway"
ABOUT_MESSAGES = {
    EventKind.UNREADABLE,
    EventKind.MEDIA,
    EventKind.HISTORY,
    EventKind.DEVICE,
}
"""Kinds of events that a device tells of itself and of what came in, not of what we
sent."""
PATIENCE = timedelta(minutes=1)
"""How long a receipt may wait for its attempt: it can overtake the answer."""
LAST_ID = models.BigIntegerField.MAX_BIGINT
NOT_ABOUT_ONE = (InterfaceError, OperationalError, ProgrammingError)
"""Errors that no single receipt brings about: PostgreSQL is away or in the middle of
an upgrade, or two were in each other's way. Receipts wait until that has passed."""


def store(integration: Integration, events: Sequence[Event]) -> int:
    """Keep what a provider posted, as it came; return how many were new.

    A doubled post is recognised by its key and stored once.
    """
    received = [
        Receipt(
            organization_id=integration.organization_id,
            integration=integration,
            key=event.key[:200],
            kind=event.kind.value,
            state=event.state,
            reference=event.reference[:40],
            attempt_id=_attempt_id(event.reference),
            provider_id=event.provider_id[:128],
            address=event.address[:254],
            error_code=event.error_code[:80],
            error_detail=event.error_detail[:500],
            occurred_at=meant(event.occurred_at),
            raw=event.raw,
        )
        for event in events
    ]
    stored = Receipt.objects.bulk_create(received, ignore_conflicts=True)
    return len(stored)


def apply(*, limit: int = BATCH) -> int:
    """Apply every receipt that waits, in batches; return how many are done."""
    done, after = 0, 0
    while True:
        try:
            last, finished = _apply_batch(after=after, limit=limit)
        except NOT_ABOUT_ONE:
            raise
        except Exception:
            logger.exception("A batch of receipts broke; applying them one by one")
            last, finished = _apply_one_by_one(after=after, limit=limit)
        done += finished
        if last is None:
            if done:
                logger.info("Applied receipts", extra={"counts": {"receipts": done}})
            return done
        after = last


@dataclass(slots=True)
class Batch:
    """One batch while it is being understood."""

    results: dict[int, ReceiptResult] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    """The attempt that each receipt belongs to."""
    best: dict[int, dict[str, Any]] = field(default_factory=dict)
    """The highest word for each attempt."""
    told_of_parts: set[int] = field(default_factory=set)
    """Attempts of which a part was taken back, or no answer tells of every part."""
    organization_ids: set[int] = field(default_factory=set)
    """Whose attempts are spoken of."""
    members: list[dict[str, Any]] = field(default_factory=list)
    """What members did: wrote to us, opted out or in."""
    about_messages: list[dict[str, Any]] = field(default_factory=list)
    """What a device tells of messages: they came in, readable or not."""


def _apply_one_by_one(*, after: int, limit: int) -> tuple[int | None, int]:
    """Apply what a batch could not; what cannot be applied holds up no other one."""
    waiting = Receipt.objects.filter(applied_at=None, pk__gt=after).order_by("pk")
    last, done = None, 0
    for last in waiting.values_list("pk", flat=True)[:limit]:
        try:
            done += _apply_batch(after=last - 1, until=last, limit=1)[1]
        except NOT_ABOUT_ONE:
            raise
        except Exception:
            logger.exception(
                "A receipt could not be applied", extra={"receipt_id": last}
            )
            _finish(Batch({last: ReceiptResult.NOT_UNDERSTOOD}))
            done += 1
    return last, done


@statements.again_after_deadlock
def _apply_batch(
    *, after: int, limit: int, until: int = LAST_ID
) -> tuple[int | None, int]:
    with transaction.atomic():
        rows = statements.rows(
            "receipts_waiting",
            {
                "after": after,
                "until": until,
                "limit": limit,
                "patience": PATIENCE,
                "earliest": EARLIEST,
                "latest": LATEST,
            },
        )
        if not rows:
            return None, 0
        batch = Batch()
        for row in rows:
            _understand(row, batch)
        _apply_states(batch)
        _apply_members(batch)
        if batch.about_messages:
            batch.results.update(taking_in.take_in(batch.about_messages))
        _finish(batch)
    return rows[-1]["id"], len(batch.results)


def _understand(row: dict[str, Any], batch: Batch) -> None:
    """Sort one receipt: what it says, and about whom."""
    if row["kind"] == EventKind.UNKNOWN:
        batch.results[row["id"]] = ReceiptResult.NOT_UNDERSTOOD
    elif _is_about_messages(row):
        batch.about_messages.append(row)
    elif row["kind"] != EventKind.STATUS:
        batch.members.append(row)
    elif row["matched_id"] is None:
        if row["has_waited"]:
            batch.results[row["id"]] = ReceiptResult.UNMATCHED
    elif not _is_too_early(row):
        batch.attempts[row["id"]] = row["matched_id"]
        batch.results[row["id"]] = _understand_state(row, batch)


def _is_about_messages(row: dict[str, Any]) -> bool:
    """Tell whether a device speaks of messages; it keeps those it can read as well.

    They came to its own number, so they open no window of another one.
    """
    is_inbound = row["kind"] == EventKind.INBOUND
    return row["kind"] in ABOUT_MESSAGES or (
        is_inbound and row["provider"] == DEVICE_GATEWAY
    )


def _is_too_early(row: dict[str, Any]) -> bool:
    """Tell whether a part failed while others of its flow are still being sent.

    Failed now, the message could be sent again beside them. It fails as soon as
    the attempt has ended; until then the receipt waits.
    """
    is_under_way = row["attempt_state"] == AttemptState.OPEN
    return bool(row["state"] == "failed" and row["parts"] > 1 and is_under_way)


def _understand_state(row: dict[str, Any], batch: Batch) -> ReceiptResult:
    if row["state"] not in RANK:
        return ReceiptResult.NOT_UNDERSTOOD
    batch.organization_ids.add(row["organization_id"])
    is_over = row["attempt_state"] != AttemptState.OPEN
    if row["state"] == "failed" or (is_over and not row["is_whole"]):
        batch.told_of_parts.add(row["matched_id"])
    if row["state"] != "failed" and not _is_last_part(row):
        # An attempt has arrived when its last part has; a failed part fails it.
        return ReceiptResult.IGNORED
    known = batch.best.get(row["matched_id"])
    if known is None or _weight(known) < _weight(row):
        batch.best[row["matched_id"]] = row
    return ReceiptResult.APPLIED


def _weight(row: dict[str, Any]) -> tuple[int, int]:
    """Order words about one attempt: by rank, then the earliest part that failed."""
    return RANK[row["state"]], -_part(row)


def _part(row: dict[str, Any]) -> int:
    """Return the part spoken of; without a number it is the last that was sent."""
    _, _, part = row["reference"].partition(":")
    last: int = row["last_part"]
    return min(int(part), row["parts"] - 1) if part.isdecimal() else last


def _is_last_part(row: dict[str, Any]) -> bool:
    return bool(_part(row) == row["last_part"])


def _apply_states(batch: Batch) -> None:
    changed = later.apply(
        [of_receipt(attempt_id, row) for attempt_id, row in batch.best.items()],
        batch.organization_ids,
        batch.told_of_parts,
    )
    for receipt_id, attempt_id in batch.attempts.items():
        is_new = attempt_id in changed
        if batch.results[receipt_id] == ReceiptResult.APPLIED and not is_new:
            batch.results[receipt_id] = ReceiptResult.IGNORED


def _apply_members(batch: Batch) -> None:
    wrote: set[int] = set()
    for row in batch.members:
        address = row["address"]
        if row["channel"] in {Channel.WHATSAPP, Channel.SMS} and address:
            address = "+" + address.lstrip("+")
        found = address and statements.rows(
            "member_event",
            {
                "organization_id": row["organization_id"],
                "channel": row["channel"],
                "kind": row["kind"],
                "address": address,
                "at": believable(row["occurred_at"], row["received_at"]),
                "opens_window": row["provider"] != DEVICE_GATEWAY,
            },
        )
        batch.results[row["id"]] = (
            ReceiptResult.APPLIED if found else ReceiptResult.UNMATCHED
        )
        if found and row["kind"] == EventKind.INBOUND:
            wrote.update(member["id"] for member in found)
    if wrote:
        follow_up.answered(wrote)


def _finish(batch: Batch) -> None:
    receipt_ids = sorted(batch.results)
    statements.rows(
        "receipts_done",
        {
            "id": receipt_ids,
            "result": [batch.results[one].value for one in receipt_ids],
            "attempt_id": [batch.attempts.get(one) for one in receipt_ids],
            "earliest": EARLIEST,
            "latest": LATEST,
        },
    )


def _attempt_id(reference: str) -> int | None:
    number, _, _ = reference.partition(":")
    return int(number) if number.isdecimal() and len(number) < 19 else None

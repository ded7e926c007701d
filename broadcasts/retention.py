"""Rows live so many days; counters, the ledger and broadcasts live for ever."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction

from broadcasts.clock import database_now
from broadcasts.ways import rows, statement
from messaging.ages import first_number_after
from messaging.credits import release_old_holds
from messaging.dispatch.statements import again_after_deadlock
from messaging.dispatch.stopping import stopping
from messaging.models import Organization

logger = logging.getLogger(__name__)

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""No receipt is older."""
BATCH = 1_000
"""Rows per transaction, so that nobody waits long for a lock."""
REST = 2.0
"""Seconds of rest after each second of work: what is being sent goes first."""
LONGEST_REST = 5.0


def prune_all() -> int:
    """Prune every organization; return how many messages went.

    One that cannot be pruned is logged and holds up no other.
    """
    removed = 0
    for organization in Organization.objects.all():
        if stopping.is_set():
            break
        try:
            removed += prune(organization)
        except DatabaseError:
            logger.exception(
                "The rows of an organization could not be pruned",
                extra={"organization_id": organization.pk},
            )
    return removed


def prune(organization: Organization) -> int:
    """Remove what is older than the organization keeps it; return how many went.

    What still waits or is under way stays, however old. The tallies note how
    many of the messages they count have no row any more.
    """
    # A pruned attempt could not give its credits back any more.
    _release(organization)
    before = database_now() - timedelta(days=organization.retention_days)
    values = {"organization_id": organization.pk, "before": before}
    below = first_number_after(organization, before)
    messages = _prune("prune", {**values, "since": 0, "below": below})
    receipts = _prune("prune_receipts", {**values, "since": FIRST})
    if messages or receipts:
        logger.info(
            "Removed rows from before %s",
            before.date(),
            extra={
                "organization_id": organization.pk,
                "counts": {"messages": messages, "receipts": receipts},
            },
        )
    return messages


def _release(organization: Organization) -> None:
    """Give old holds back, batch after batch."""
    while True:
        begun = time.monotonic()
        released = release_old_holds(organization, limit=BATCH)
        if not released.goes_on or _stops_after_rest(begun):
            return


def _prune(name: str, values: Mapping[str, Any]) -> int:
    """Remove batch after batch; end early when the worker stops, for the next time."""
    total, since = 0, values["since"]
    while True:
        begun = time.monotonic()
        removed, last = _batch(name, {**values, "since": since, "limit": BATCH})
        total += removed
        if removed < BATCH or _stops_after_rest(begun):
            return total
        since = last


def _stops_after_rest(begun: float) -> bool:
    """Rest after what began then; tell whether the worker stops."""
    return stopping.wait(min(REST * (time.monotonic() - begun), LONGEST_REST))


@again_after_deadlock
def _batch(name: str, values: Mapping[str, Any]) -> tuple[int, Any]:
    """Remove what comes first after ``since``; return how many, and where it ended."""
    with transaction.atomic():
        (result,) = rows(statement(name), values)
    return result["number"], result["last"]

"""Rows live so many days; counters, the ledger and broadcasts live for ever."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, transaction

from broadcasts.clock import database_now
from broadcasts.ways import rows, statement
from messaging.credits import release_old_holds
from messaging.dispatch.statements import again_after_deadlock
from messaging.dispatch.stopping import stopping
from messaging.models import Organization

logger = logging.getLogger(__name__)

BATCH = 1_000
"""Rows per transaction, so that nobody waits long for a lock."""
REST = 2.0
"""Seconds of rest after each second of work: what is being sent goes first."""
LONGEST_REST = 5.0
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing here is older."""


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
    while release_old_holds(organization):
        """Another batch."""
    before = database_now() - timedelta(days=organization.retention_days)
    messages = _prune("prune", organization, before)
    receipts = _prune("prune_receipts", organization, before)
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


def _prune(name: str, organization: Organization, before: datetime) -> int:
    """Remove batch after batch; end early when the worker stops, for the next time."""
    total, since = 0, FIRST
    while True:
        begun = time.monotonic()
        removed, since = _batch(name, organization.pk, since, before)
        total += removed
        rest = min(REST * (time.monotonic() - begun), LONGEST_REST)
        if not removed or stopping.wait(rest):
            return total


@again_after_deadlock
def _batch(
    name: str, organization_id: int, since: datetime, before: datetime
) -> tuple[int, datetime]:
    """Remove what is oldest from ``since`` on; return how many, and the last's age."""
    with transaction.atomic():
        (result,) = rows(
            statement(name),
            {
                "organization_id": organization_id,
                "since": since,
                "before": before,
                "limit": BATCH,
            },
        )
    return result["number"], result["last"] or since

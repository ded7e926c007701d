"""Rescue: attempts that nobody waits for any more become unknown."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.db import transaction

from messaging.dispatch import later, ledger, statements
from resend_admin.logs import log_each

logger = logging.getLogger(__name__)

BATCH = 1_000


def rescue() -> int:
    """Close what a dead worker left open; return how many attempts that were.

    They are never sent again by themselves: a receipt or a person settles them.
    """
    total = 0
    while lost := _rescue_batch():
        names = ("attempt_id", "message_id", "organization_id", "integration_id")
        log_each(
            logger,
            logging.WARNING,
            "An attempt that nobody waits for any more is unknown",
            [{name: one[name] for name in names} for one in lost],
        )
        total += len(lost)
    return total


@statements.again_after_deadlock
def _rescue_batch() -> list[dict[str, Any]]:
    wanted = {"seconds": settings.RESCUE_AFTER_SECONDS, "limit": BATCH}
    with transaction.atomic():
        # First, as everywhere: accounts, then chains, then attempts, then messages.
        owners = statements.rows("owners_of_lost_flows", wanted)
        ledger.lock_all(row["organization_id"] for row in owners)
        lost = statements.rows("rescue", wanted)
        # What receipts told of parts while they were being sent counts from now on.
        flows = [row for row in lost if row["parts"] > 1]
        later.apply(
            [],
            [row["organization_id"] for row in flows],
            told_of_parts=[row["attempt_id"] for row in flows],
        )
    return lost

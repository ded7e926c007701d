"""Rescue: attempts that nobody waits for any more become unknown."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction

from messaging.dispatch import statements

logger = logging.getLogger(__name__)

BATCH = 1_000


def rescue() -> int:
    """Close what a dead worker left open; return how many attempts that were.

    They are never sent again by themselves: a receipt or a person settles them.
    """
    total = 0
    while number := _rescue_batch():
        total += number
    if total:
        logger.warning(
            "Attempts that nobody waited for any more are unknown",
            extra={"counts": {"unknown": total}},
        )
    return total


@statements.again_after_deadlock
def _rescue_batch() -> int:
    with transaction.atomic():
        rows = statements.rows(
            "rescue", {"seconds": settings.RESCUE_AFTER_SECONDS, "limit": BATCH}
        )
    return len(rows)

"""Rescue: attempts that nobody waits for any more become unknown."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.db import transaction

from messaging.dispatch import statements
from resend_admin.logs import log_each

logger = logging.getLogger(__name__)

BATCH = 1_000


def rescue() -> int:
    """Close what a dead worker left open; return how many attempts that were.

    They are never sent again by themselves: a receipt or a person settles them.
    """
    total = 0
    while lost := _rescue_batch():
        log_each(
            logger,
            logging.WARNING,
            "An attempt that nobody waits for any more is unknown",
            lost,
        )
        total += len(lost)
    return total


@statements.again_after_deadlock
def _rescue_batch() -> list[dict[str, Any]]:
    with transaction.atomic():
        return statements.rows(
            "rescue", {"seconds": settings.RESCUE_AFTER_SECONDS, "limit": BATCH}
        )

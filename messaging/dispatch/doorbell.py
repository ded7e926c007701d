"""The doorbell: tell a worker that there is work.

PostgreSQL holds the work; a lost ring costs at most the second until beat rings.
"""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from messaging.dispatch import statements
from messaging.models import Priority

logger = logging.getLogger(__name__)

DISPATCH = "messaging.tasks.dispatch"
APPLY_RECEIPTS = "messaging.tasks.apply_receipts"
SECONDS_WORTH_ANSWERING = 30


def ring_on_commit() -> None:
    """Wake the pumps once the present transaction is committed."""
    transaction.on_commit(ring)


def ring() -> int:
    """Wake a pump for every integration with due messages; return how many."""
    integration_ids = integrations_with_work()
    for integration_id in integration_ids:
        call(DISPATCH, integration_id)
    return len(integration_ids)


def call(task: str, *arguments: int) -> None:
    """Send one ring. A broker that is away is logged and forgiven."""
    try:
        current_app.send_task(
            task, args=arguments, expires=SECONDS_WORTH_ANSWERING, retry=False
        )
    except (OperationalError, OSError) as error:
        logger.warning(
            "The broker did not take a ring: %s", error, extra={"task": task}
        )


def integrations_with_work() -> list[int]:
    """Return the integrations that have due messages and no living pump.

    One look into an index for each priority of each, however long the queues are and
    whenever they are due.
    """
    rows = statements.rows(
        "integrations_with_work", {"priorities": list(Priority.values)}
    )
    return [row["id"] for row in rows]

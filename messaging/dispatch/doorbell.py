"""The doorbell: tell a worker that there is work.

PostgreSQL holds the work; a lost ring costs at most the second until beat rings.
"""

from __future__ import annotations

import logging

from celery import current_app
from django.db import connection, transaction
from kombu.exceptions import OperationalError

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

    A loose index scan: one probe per integration, however long the queues are.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT integration.id
            FROM messaging_integration AS integration
            LEFT JOIN messaging_integrationpace AS pace
              ON pace.integration_id = integration.id
            WHERE integration.state <> 'paused'
              AND (pace.lease_until IS NULL OR pace.lease_until < clock_timestamp())
              AND (pace.paused_until IS NULL OR pace.paused_until < clock_timestamp())
              AND EXISTS (
                  SELECT FROM messaging_message AS message
                  WHERE message.integration_id = integration.id
                    AND message.state = 'queued'
                    AND message.due_at <= clock_timestamp()
              )
            ORDER BY integration.id
            """
        )
        return [row[0] for row in cursor.fetchall()]

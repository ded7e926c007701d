"""Tell a late message from a lost evening.

Every second somebody beats the pulse. A gap longer than ``LATE_AFTER_SECONDS``
means that nothing was sent in between; what was due then is failed with a cause
that a person can retry, and only after that the engine claims again.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import connection, transaction

from messaging.channels.catalogue import ErrorClass
from messaging.dispatch import statements
from messaging.models import MessageState, SkipReason

logger = logging.getLogger(__name__)

BATCH = 5_000
MISSED_TIME = "resend_admin:missed_time"


def beat() -> None:
    """Say that the engine is alive; after a gap, first fail what came too late."""
    if _go_on():
        return
    failed = 0
    while number := _lapse_batch():
        failed += number
    _begin_again()
    if failed:
        logger.warning(
            "The engine was down for more than %s s: messages that were due meanwhile"
            " have failed and wait for a person to retry them",
            settings.LATE_AFTER_SECONDS,
            extra={"counts": {"failed": failed}},
        )


def _go_on() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_pulse SET beaten_at = clock_timestamp()"
            " WHERE id = 1 AND beaten_at"
            "     > clock_timestamp() - %s * interval '1 second'",
            [settings.LATE_AFTER_SECONDS],
        )
        return bool(cursor.rowcount == 1)


@statements.again_after_deadlock
def _lapse_batch() -> int:
    with transaction.atomic():
        statements.find_in_order()
        late = statements.rows(
            "lapse",
            {
                "seconds": settings.LATE_AFTER_SECONDS,
                "limit": BATCH,
                "state": MessageState.FAILED,
                "reason": "",
                "held_back_by": SkipReason.MISSED_TIME,
                "error_code": MISSED_TIME,
                "error_class": ErrorClass.RETRY,
            },
        )
    return len(late)


def _begin_again() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_pulse (id, beaten_at)"
            " VALUES (1, clock_timestamp())"
            " ON CONFLICT (id) DO UPDATE SET beaten_at = excluded.beaten_at"
        )

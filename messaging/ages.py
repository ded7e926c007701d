"""How old messages are, by their numbers.

Numbers are given out in the order of time, so the numbers of a day are found by halves,
a probe for each. An index by age would be written with whatever happens to a message.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

from messaging.models import Organization

SLACK: Final = timedelta(hours=1)
"""Longer than any transaction: of those that ran side by side, the one that began later
may have the lower numbers."""

HALVES: Final = """
    WITH RECURSIVE half (older, newer) AS (
        SELECT 0::bigint, coalesce(max(id), 0) + 1
        FROM messaging_message
        WHERE organization_id = %(organization)s
        UNION ALL
        SELECT CASE WHEN found.is_older THEN least(found.id, newer - 1) ELSE older END,
               CASE WHEN found.is_older THEN newer ELSE middle.id END
        FROM half
        CROSS JOIN LATERAL (SELECT (older + newer) / 2 AS id) AS middle
        LEFT JOIN LATERAL (
            SELECT message.id, message.created_at < %(moment)s AS is_older
            FROM messaging_message AS message
            WHERE message.organization_id = %(organization)s
              AND message.id >= middle.id
            ORDER BY message.id
            LIMIT 1
        ) AS found ON true
        WHERE newer - older > 1
    )
    SELECT older, newer FROM half ORDER BY newer - older LIMIT 1
"""
"""The number of the last message made before a moment, and that of the first one made
from then on, or else the next one."""


def last_number_before(organization: Organization, moment: datetime) -> int:
    """Return a number that every message made at ``moment`` or later is above."""
    return _around(organization, moment - SLACK)[0]


def first_number_after(organization: Organization, moment: datetime) -> int | None:
    """Return a number that every message made before ``moment`` is below, if any.

    There is none as long as such a message may still be made.
    """
    if moment + SLACK > timezone.now():
        return None
    return _around(organization, moment + SLACK)[1]


def _around(organization: Organization, moment: datetime) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(HALVES, {"organization": organization.pk, "moment": moment})
        older, newer = cursor.fetchone()
    return older, newer

"""How old messages are, by their numbers.

Numbers are given out in the order of time. So a day is found by its numbers, in the
order of every list, and its first and last by a milestone: every sixty-first message or
so. To index the age of all would be an entry written with whatever happens to one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from messaging.models import Message, Organization
from messaging.models.message import IS_MILESTONE

SLACK: Final = timedelta(hours=1)
"""Longer than any transaction: of those that ran side by side, the one that began later
may have the lower numbers."""


def last_number_before(organization: Organization, moment: datetime) -> int:
    """Return a number that every message made at ``moment`` or later is above."""
    older = _milestones(organization).filter(created_at__lt=moment - SLACK)
    return older.order_by("-created_at").values_list("pk", flat=True).first() or 0


def first_number_after(organization: Organization, moment: datetime) -> int | None:
    """Return a number that every message made before ``moment`` is below, if any."""
    newer = _milestones(organization).filter(created_at__gte=moment + SLACK)
    return newer.order_by("created_at").values_list("pk", flat=True).first()


def _milestones(organization: Organization) -> QuerySet[Message]:
    return Message.objects.filter(IS_MILESTONE, organization=organization)

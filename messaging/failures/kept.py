"""Failures by cause, as far as their rows are kept."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from messaging.channels.catalogue import lookup
from messaging.models import (
    BulkResend,
    BulkResendState,
    Message,
    MessageState,
    Organization,
)

MOST_COUNTED: Final = 1_000
"""Failures after a fix that are counted one by one; beyond that it is "1,000+"."""
SLACK: Final = timedelta(days=2)
"""Days are those of the organization, and pruning comes round after a while."""

FOLDER: Final = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True)
class Failures:
    """So many messages that failed alike and have a row.

    ``code`` is the spelling in the rows. ``is_spent`` tells that the limits of the
    organization allow no resend of them any more; what is not spent by its day may
    still be by its hour.
    """

    broadcast_id: int | None
    code: str
    channel: str
    integration_id: int | None
    is_spent: bool
    number: int


def kept_failures(
    organization: Organization, outcome: MessageState = MessageState.FAILED
) -> list[Failures]:
    """Return what is kept of everything that failed, by one query of the tallies.

    Or of everything that is *unknown*, which failed as far as anybody can tell.
    """
    now = timezone.now().astimezone(organization.zone)
    oldest = now - timedelta(days=organization.retention_days) - SLACK
    young = (now - timedelta(hours=organization.resend_max_age_hours)).date()
    rows = _rows(
        "kept",
        {
            "organization_id": organization.pk,
            "outcome": outcome.value,
            "oldest": oldest.date(),
            "young": young,
            "resend_limit": organization.resend_limit,
        },
    )
    return [Failures(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Moments:
    """When messages of one spelling failed. ``again`` of them failed after the fix."""

    first: datetime | None
    last: datetime | None
    again: int = 0


def moments(
    organization: Organization, fixed_at: Mapping[str, datetime | None]
) -> dict[str, Moments]:
    """Return when the rows of each spelling failed, and how many since its fix."""
    if not fixed_at:
        return {}
    rows = _rows(
        "moments",
        {
            "organization_id": organization.pk,
            "codes": list(fixed_at),
            "fixed_at": list(fixed_at.values()),
            "limit": MOST_COUNTED + 1,
        },
    )
    return {row[0]: Moments(*row[1:]) for row in rows}


def seen_to(organization: Organization) -> dict[str, BulkResend]:
    """Return, by cause, the latest time that somebody saw to it and did not cancel."""
    found = (
        BulkResend.objects.filter(organization=organization)
        .exclude(cause="")
        .exclude(state=BulkResendState.CANCELLED)
        .order_by("cause", "-pk")
        .distinct("cause")
    )
    return {one.cause: one for one in found}


def failed_of(
    organization: Organization, spellings: Sequence[str]
) -> QuerySet[Message]:
    """Return the failed rows with one of these spellings, through their index."""
    return Message.objects.filter(
        organization=organization,
        state=MessageState.FAILED,
        error_code__in=list(spellings),
    )


def spellings_of(organization: Organization, cause: str) -> list[str]:
    """Return the spellings under which the catalogue's ``cause`` is kept in rows."""
    codes = {one.code for one in kept_failures(organization)}
    return sorted(code for code in codes if lookup(code).code == cause)


@functools.cache
def _text(verb: str) -> str:
    return (FOLDER / f"{verb}.sql").read_text()


def _rows(verb: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_text(verb), parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found

"""Failures by cause, as far as their rows are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from messaging.channels.catalogue import lookup
from messaging.models import (
    BulkResend,
    BulkResendState,
    Message,
    MessageState,
    Organization,
    Tally,
    TallyUnit,
)
from messaging.models.message import COVERING_STATES, LOST_STATES
from messaging.sql_files import SqlFiles

MOST_COUNTED: Final = 1_000
"""Failures after a fix that are counted one by one; beyond that it is "1,000+"."""
SLACK: Final = timedelta(days=2)
"""Days are those of the organization, and pruning comes round after a while."""
NO_BROADCAST: Final = 0
"""Stands in ``kept.sql`` for the broadcast of messages on their own."""

FILES: Final = SqlFiles(__file__)


@dataclass(frozen=True, slots=True)
class Failures:
    """What failed with one spelling of a cause, went one way, and has a row.

    Those that are ``is_spent`` may not be resent any more by the limits of the
    organization, as far as their day tells; by their hour it may be more. ``held`` is
    how many are in each broadcast; ``singles`` are in none.
    """

    code: str
    channel: str
    integration_id: int | None
    is_spent: bool
    singles: int
    held: Mapping[int, int]

    @property
    def number(self) -> int:
        return self.singles + sum(self.held.values())


TakenOver = Mapping[tuple[int, str], int]
"""How many failures of a broadcast and spelling belong to a later run."""


def oldest_kept(organization: Organization) -> date:
    """Return a day before which no row is kept."""
    now = timezone.now().astimezone(organization.zone)
    return (now - timedelta(days=organization.retention_days) - SLACK).date()


def kept_failures(
    organization: Organization,
    taken_over: TakenOver | None = None,
) -> list[Failures]:
    """Return what is kept of everything that failed, by one query of the tallies.

    Whoever a later run took over does not count; the oldest are taken off first.
    """
    now = timezone.now().astimezone(organization.zone)
    rows = _rows(
        "kept",
        {
            "organization_id": organization.pk,
            "outcome": MessageState.FAILED.value,
            "oldest": oldest_kept(organization),
            "young": (now - timedelta(hours=organization.resend_max_age_hours)).date(),
            "resend_limit": organization.resend_limit,
        },
    )
    taken: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for (broadcast_id, code), number in (taken_over or {}).items():
        taken[code][broadcast_id] = number
    found = []
    # Those that begin with "true" are spent: the oldest come first.
    for way, broadcasts, by_broadcast in sorted(rows, key=itemgetter(0), reverse=True):
        is_spent, channel, integration_id, code = way.split(" ", 3)
        held: dict[int, int] = {}
        of = held.get
        for broadcast_id, number in zip(broadcasts, by_broadcast, strict=True):
            held[broadcast_id] = of(broadcast_id, 0) + number
        singles = held.pop(NO_BROADCAST, 0)
        _take_off(held, taken[code])
        if singles or held:
            line = Failures(
                code,
                channel,
                int(integration_id) if integration_id else None,
                is_spent == "true",
                singles,
                held,
            )
            found.append(line)
    return found


def _take_off(held: dict[int, int], taken: dict[int, int]) -> None:
    """Leave in both what the other one does not cover."""
    for broadcast_id in held.keys() & taken.keys():
        number = min(held[broadcast_id], taken[broadcast_id])
        taken[broadcast_id] -= number
        held[broadcast_id] -= number
        if not held[broadcast_id]:
            del held[broadcast_id]


def kept_unknown(organization: Organization) -> int:
    """Return how many messages are *unknown* and have a row."""
    tallies = Tally.objects.filter(
        organization=organization,
        unit=TallyUnit.MESSAGE,
        outcome=MessageState.UNKNOWN,
        day__gte=oldest_kept(organization),
        count__gt=F("pruned"),
    )
    number: int = tallies.aggregate(number=Sum(F("count") - F("pruned")))["number"] or 0
    return number


@dataclass(frozen=True, slots=True)
class Moments:
    """When the first and the last kept row of one spelling failed."""

    first: datetime
    last: datetime


def moments(organization: Organization, codes: Collection[str]) -> dict[str, Moments]:
    """Return when the rows of each spelling failed; nothing of one without rows."""
    if not codes:
        return {}
    rows = _rows("moments", {"organization_id": organization.pk, "codes": list(codes)})
    return {code: Moments(first, last) for code, first, last in rows}


def failed_since(
    organization: Organization, fixed_at: Mapping[str, datetime]
) -> dict[str, int]:
    """Return how many of each spelling failed after its fix, up to a limit."""
    if not fixed_at:
        return {}
    rows = _rows(
        "failed_since",
        {
            "organization_id": organization.pk,
            "codes": list(fixed_at),
            "fixed_at": list(fixed_at.values()),
            "limit": MOST_COUNTED + 1,
        },
    )
    return dict(rows)


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
    """Return the failed rows with one of these spellings, through their index.

    Without those whose person a later run of the broadcast took over.
    """
    failed = Message.objects.filter(
        organization=organization,
        state=MessageState.FAILED,
        error_code__in=list(spellings),
    )
    return failed.exclude(Q(broadcast_id__isnull=False) & _is_taken_over())


def _is_taken_over() -> Q:
    """The condition of ``dispatch/sql/taken_over_by.sql``, for a list of messages."""
    covers = Q(state__in=COVERING_STATES) | Q(
        state__in=LOST_STATES, pk__gt=OuterRef("pk")
    )
    others = Message.objects.filter(covers, broadcast_id__isnull=False)
    root = Coalesce(OuterRef("root_id"), OuterRef("pk"))
    in_chain = others.filter(root_id=root).exclude(pk=OuterRef("pk"))
    return Q(Exists(in_chain)) | Q(Exists(others.filter(pk=OuterRef("root_id"))))


def spellings_of(organization: Organization, cause: str) -> list[str]:
    """Return the spellings under which the catalogue's ``cause`` is kept in rows."""
    codes = {one.code for one in kept_failures(organization)}
    return sorted(code for code in codes if lookup(code).code == cause)


def _rows(verb: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(FILES.text(verb), parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found

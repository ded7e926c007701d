"""Whom retries took over from earlier runs, by what they wrote down about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from django.db.models import Q, Sum

from broadcasts.models import Broadcast, FrozenMembers
from messaging.models import (
    MessageState,
    Organization,
    SkipReason,
    Tally,
    TallyUnit,
)

Stand = tuple[str, str]
"""A state, and the cause or reason behind it."""

NEW: Final = "new"
"""Stands for the state of members who were in no run before a list named them."""

GIVEN_BACK = Q(outcome=MessageState.CANCELLED) & ~Q(
    error_code=SkipReason.ALREADY_REACHED
)
"""Tallies of the rows that a retry took back: their members stand where they stood."""


def shares(took_over: list[list[Any]], kept: int) -> list[tuple[int, Stand, int]]:
    """Return where those stood whom a retry took over and kept.

    Until it has settled, whoever it is giving back is only known by number.
    """
    entries = sorted(took_over, key=lambda one: (one[1], -one[3]))
    given_back = max(sum(number for *_, number in entries) - kept, 0)
    taken = []
    for run_id, state, code, number in entries:
        returned = min(number, given_back)
        given_back -= returned
        taken.append((run_id, (state, code), number - returned))
    return taken


def failures_taken_over(
    organization: Organization, since: date
) -> Counter[tuple[int, str]]:
    """Return how many failures of each broadcast and cause a retry has taken over.

    By the retries made since that day, for two queries, however many rows they have.
    """
    found: Counter[tuple[int, str]] = Counter()
    retries = Broadcast.objects.filter(
        organization=organization, retry_of__isnull=False, created_at__date__gte=since
    ).exclude(took_over=[])
    rows = list(retries.values_list("pk", "took_over"))
    if not rows:
        return found
    kept = _members_kept(pk for pk, _ in rows)
    for pk, took_over in rows:
        for run_id, (state, code), number in shares(took_over, kept[pk]):
            if state == MessageState.FAILED:
                found[run_id, code] += number
    return found


def is_written_down(retry: Broadcast) -> bool:
    """Whether it has noted as many members as its rows cover, by the tallies.

    It has not when it gave some of them back.
    """
    noted = sum(number for *_, number in retry.took_over)
    return bool(noted == _members_kept([retry.pk])[retry.pk])


def _members_kept(retry_ids: Iterable[int]) -> Counter[int]:
    """Return how many members each retry has that it did not give back."""
    wanted = list(retry_ids)
    tallies = Tally.objects.filter(
        broadcast_id__in=wanted, unit=TallyUnit.MESSAGE
    ).exclude(GIVEN_BACK)
    sums = tallies.values_list("broadcast_id").annotate(number=Sum("count"))
    written_down = FrozenMembers.objects.filter(broadcast_id__in=wanted)
    lacking = written_down.values_list("broadcast_id").annotate(number=Sum("size"))
    kept: Counter[int] = Counter()
    for retry_id, number in sums.union(lacking, all=True):
        kept[retry_id] += number
    return kept

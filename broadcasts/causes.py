"""Failures by cause, across all broadcasts and single messages of an organization.

A cause stands for as long as rows of it are kept. Whoever was taken over by another
run of a broadcast belongs to that run and counts here no more. When somebody has seen
to a cause, only what fails afterwards asks for a person again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final, NamedTuple

from django.db.models.functions import Coalesce

from broadcasts.models import Broadcast, BroadcastState
from broadcasts.taken_over import failures_taken_over
from messaging.channels.catalogue import CatalogueEntry, ErrorClass, lookup
from messaging.failures.kept import (
    MOST_COUNTED,
    Failures,
    Moments,
    kept_failures,
    moments,
    oldest_kept,
    seen_to,
)
from messaging.models import BulkResend, Organization

NAMED: Final = 2
"""Broadcasts of a cause that a line names."""
RETRYABLE: Final = (BroadcastState.COMPLETED, BroadcastState.CANCELLED)


class Help(StrEnum):
    """What sending again takes, the most urgent first."""

    FIX = "fix"
    NOW = "now"
    UNCLEAR = "unclear"
    NEVER = "never"


_HELP: Final[Mapping[ErrorClass, Help]] = {
    ErrorClass.FIX_FIRST: Help.FIX,
    ErrorClass.RETRY: Help.NOW,
    ErrorClass.WAIT: Help.NOW,
    ErrorClass.UNKNOWN: Help.UNCLEAR,
    ErrorClass.NEVER: Help.NEVER,
}


class Run(NamedTuple):
    """What a page of causes says of a broadcast."""

    pk: int
    name: str
    state: str
    started_at: datetime | None
    created_at: datetime

    @property
    def is_retryable(self) -> bool:
        return self.state in RETRYABLE

    @property
    def begun_at(self) -> datetime:
        return self.started_at or self.created_at


@dataclass(frozen=True, slots=True)
class Place:
    """How many failures of a cause one broadcast still holds.

    ``is_about`` tells that a retry took over some of them, so that a late receipt
    may have moved one of those.
    """

    run: Run
    number: int
    is_about: bool


@dataclass(frozen=True, slots=True)
class Group:
    """All that failed of one cause. ``codes`` are the spellings in the rows.

    ``spent`` of them are surely beyond what a resend of the message allows; a
    broadcast that holds them may still be retried. ``held`` is how many each broadcast
    holds; ``order`` has the most first, of equals the newest. ``about`` are the
    broadcasts of which a retry took over some, ``retryable`` those that are over. Of
    the largest ones ``runs`` says more.
    ``seen`` is the latest time that somebody saw to the cause, and ``again`` how many
    failed since.
    """

    entry: CatalogueEntry
    codes: tuple[str, ...]
    number: int
    spent: int
    singles: int
    held: Mapping[int, int]
    order: Sequence[int]
    about: frozenset[int]
    retryable: Set[int]
    runs: Mapping[int, Run]
    channels: Mapping[str, int]
    integration_ids: tuple[int, ...] = ()
    seen: BulkResend | None = None
    again: int = 0
    first: datetime | None = None
    last: datetime | None = None

    @property
    def help(self) -> Help:
        return _HELP[self.entry.error_class]

    @property
    def is_about(self) -> bool:
        return bool(self.about)

    @property
    def places(self) -> Sequence[Place]:
        """Those that are known by name, the most first."""
        return [
            Place(run, self.held[pk], pk in self.about) for pk, run in self.runs.items()
        ]

    @property
    def retried_first(self) -> Run | None:
        """The largest of those that may be retried."""
        found = (self.runs.get(pk) for pk in self.retryable_largest)
        return next(found, None)

    @property
    def retryable_largest(self) -> list[int]:
        """Its number, if there is one."""
        return list(islice((pk for pk in self.order if pk in self.retryable), 1))

    def largest(self, number: int) -> list[int]:
        """Return which broadcasts hold the most of them, the most first."""
        return [*self.order[:number]]

    @property
    def fails_again(self) -> bool:
        """Whether messages failed since somebody saw to it."""
        return self.seen is not None and self.again > 0

    @property
    def is_settled(self) -> bool:
        """Whether somebody saw to it, and nothing has failed since."""
        return self.seen is not None and not self.again

    @property
    def wanting(self) -> int:
        """How many ask for a person: all, or those that failed since."""
        return self.number if self.seen is None else min(self.again, self.number)

    @property
    def resendable(self) -> int:
        """How many may be sent again as they are, unless their hour is over."""
        return self.number - self.spent

    @property
    def needs_a_person(self) -> bool:
        """Whether there is a step to take now."""
        if not self.wanting or self.help is Help.NEVER:
            return False
        if self.help is Help.FIX or self.resendable > 0:
            return True
        return bool(self.retryable)

    @property
    def ready_at(self) -> datetime | None:
        """When the last of them has waited for what its provider demands."""
        if not self.entry.wait_seconds or self.last is None:
            return None
        return self.last + timedelta(seconds=self.entry.wait_seconds)


def groups(organization: Organization, *, named: int = NAMED) -> list[Group]:
    """Return every cause with rows that are kept, the most urgent first.

    A handful of queries, whatever there is: tallies, runs, and probes of an index.
    Of each cause so many broadcasts are known by name.
    """
    found = _grouped(organization)
    unfinished = _unfinished(organization)
    seen = seen_to(organization)
    fixed_at = {
        code: seen[cause].created_at if cause in seen else None
        for cause, gathered in found.items()
        for code in gathered.codes
    }
    when = moments(organization, fixed_at)
    made = [
        one.group(unfinished, seen.get(cause), [when[code] for code in one.codes])
        for cause, one in found.items()
    ]
    return sorted(_with_names(organization, made, named), key=_urgency)


def _with_names(
    organization: Organization, made: Sequence[Group], named: int
) -> list[Group]:
    """Look up the largest broadcasts of all of them together."""
    wanted = [one.largest(named) + one.retryable_largest for one in made]
    runs = _runs(organization, set().union(*wanted))
    return [
        replace(one, runs={pk: runs[pk] for pk in ids if pk in runs})
        for one, ids in zip(made, wanted, strict=True)
    ]


def _urgency(group: Group) -> tuple[bool, int, int, str]:
    order = list(Help).index(group.help)
    return group.is_settled, order, -group.wanting, group.entry.code


@dataclass(slots=True)
class _Gathered:
    """A cause while its spellings are added up."""

    entry: CatalogueEntry
    codes: set[str] = field(default_factory=set)
    number: int = 0
    spent: int = 0
    channels: Counter[str] = field(default_factory=Counter)
    integrations: Counter[int] = field(default_factory=Counter)
    held: Counter[int] = field(default_factory=Counter)
    about: set[int] = field(default_factory=set)

    def add(self, line: Failures, taken_from: Set[int]) -> None:
        number = line.number
        self.codes.add(line.code)
        self.number += number
        if line.is_spent:
            self.spent += number
        self.channels[line.channel] += number
        if line.integration_id is not None:
            self.integrations[line.integration_id] += number
        self.held.update(line.held)
        self.about |= taken_from & line.held.keys()

    def group(
        self,
        unfinished: Set[int],
        seen: BulkResend | None,
        when: Sequence[Moments],
    ) -> Group:
        held = self.held
        # Thousands of broadcasts: to sort numbers twice is quicker than pairs once.
        newest_first = sorted(held, reverse=True)
        most_first = sorted(newest_first, key=held.__getitem__, reverse=True)
        firsts = [one.first for one in when if one.first]
        lasts = [one.last for one in when if one.last]
        return Group(
            entry=self.entry,
            codes=tuple(sorted(self.codes)),
            number=self.number,
            spent=self.spent,
            singles=self.number - sum(held.values()),
            held=held,
            order=most_first,
            about=frozenset(self.about),
            retryable=held.keys() - unfinished,
            runs={},
            channels=dict(self.channels.most_common()),
            integration_ids=tuple(one for one, _ in self.integrations.most_common()),
            seen=seen,
            again=min(sum(one.again for one in when), MOST_COUNTED + 1),
            first=min(firsts, default=None),
            last=max(lasts, default=None),
        )


def _grouped(organization: Organization) -> dict[str, _Gathered]:
    taken_over = failures_taken_over(organization, oldest_kept(organization))
    taken_from: defaultdict[str, set[int]] = defaultdict(set)
    for run_id, code in taken_over:
        taken_from[code].add(run_id)
    found: dict[str, _Gathered] = {}
    for line in kept_failures(organization, taken_over):
        entry = lookup(line.code)
        if entry.code not in found:
            found[entry.code] = _Gathered(entry)
        found[entry.code].add(line, taken_from[line.code])
    return found


def _unfinished(organization: Organization) -> frozenset[int]:
    """Return the broadcasts that may not be retried, or not yet."""
    rows = Broadcast.objects.filter(organization=organization)
    return frozenset(rows.exclude(state__in=RETRYABLE).values_list("pk", flat=True))


def _runs(organization: Organization, ids: Collection[int]) -> dict[int, Run]:
    if not ids:
        return {}
    rows = Broadcast.objects.filter(organization=organization, pk__in=ids)
    return {row[0]: Run(*row) for row in rows.values_list(*Run._fields)}


def runs_begun(
    organization: Organization, since: datetime, before: datetime
) -> list[Run]:
    """Return the broadcasts that are over and began in that time, the oldest first."""
    rows = (
        Broadcast.objects.filter(organization=organization, state__in=RETRYABLE)
        .annotate(begun_at=Coalesce("started_at", "created_at"))
        .filter(begun_at__gte=since, begun_at__lt=before)
        .order_by("begun_at", "pk")
    )
    return [Run(*row) for row in rows.values_list(*Run._fields)]

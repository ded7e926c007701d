"""Failures by cause, across all broadcasts and single messages of an organization.

A cause stands for as long as rows of it are kept. Whoever was taken over by another
run of a broadcast belongs to that run and counts here no more. When somebody has seen
to a cause, only what fails afterwards asks for a person again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from heapq import nlargest
from typing import Final, NamedTuple

from django.db.models.functions import Coalesce

from broadcasts.models import Broadcast, BroadcastState
from broadcasts.taken_over import failures_taken_over
from messaging.channels.catalogue import CatalogueEntry, ErrorClass, lookup
from messaging.failures.kept import (
    MOST_COUNTED,
    Failures,
    Moments,
    failed_since,
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


@dataclass(frozen=True)
class Group:
    """All that failed of one cause. ``codes`` are the spellings in the rows.

    ``spent`` of them are surely beyond what a resend of the message allows; a
    broadcast that holds them may still be retried. ``held`` is how many each broadcast
    holds; ``about`` are those of which a retry took over some, ``unfinished`` whatever
    may not be retried, or not yet. ``seen`` is the latest time that somebody saw to the
    cause, and ``again`` how many failed since.
    """

    entry: CatalogueEntry
    codes: tuple[str, ...]
    number: int
    spent: int
    singles: int
    held: Mapping[int, int]
    about: Set[int]
    unfinished: Set[int]
    channels: Mapping[str, int]
    integration_ids: tuple[int, ...] = ()
    seen: BulkResend | None = None
    again: int = 0

    @property
    def help(self) -> Help:
        return _HELP[self.entry.error_class]

    @property
    def is_about(self) -> bool:
        return bool(self.about)

    @cached_property
    def retryable(self) -> Set[int]:
        """The broadcasts that hold some of them and are over."""
        return self.held.keys() - self.unfinished

    @cached_property
    def largest_retryable(self) -> int | None:
        """Of those that hold as many the newest, as everywhere here."""
        largest = self.largest(1)
        if self.unfinished.isdisjoint(largest):
            return next(iter(largest), None)
        sizes = ((self.held[pk], pk) for pk in self.retryable)
        return max(sizes, default=(0, None))[1]

    def largest(self, number: int) -> list[int]:
        """Return which broadcasts hold the most of them, the most first."""
        sizes = zip(self.held.values(), self.held, strict=True)
        return [pk for _, pk in nlargest(number, sizes)]

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


@dataclass(frozen=True)
class DetailedGroup(Group):
    """A group with what has to be looked up for each of them.

    ``runs`` says more of its largest broadcasts; ``first`` and ``last`` are when the
    first and the last kept row of it failed.
    """

    runs: Mapping[int, Run] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None

    @property
    def places(self) -> Sequence[Place]:
        """Those that are known by name, the most first."""
        return [
            Place(run, self.held[pk], pk in self.about) for pk, run in self.runs.items()
        ]

    @property
    def retried_first(self) -> Run | None:
        """The largest of those that may be retried."""
        largest = self.largest_retryable
        return None if largest is None else self.runs.get(largest)

    @property
    def ready_at(self) -> datetime | None:
        """When the last of them has waited for what its provider demands."""
        if not self.entry.wait_seconds or self.last is None:
            return None
        return self.last + timedelta(seconds=self.entry.wait_seconds)


def groups(organization: Organization) -> list[Group]:
    """Return every cause with rows that are kept, the most urgent first.

    A handful of queries, whatever there is: tallies, runs, and probes of an index.
    """
    found = _grouped(organization)
    unfinished = _unfinished(organization)
    seen = {
        cause: one for cause, one in seen_to(organization).items() if cause in found
    }
    fixed_at = {
        code: one.created_at
        for cause, one in seen.items()
        for code in found[cause].codes
    }
    since = failed_since(organization, fixed_at)
    made = [
        one.group(
            unfinished, seen.get(cause), sum(since.get(code, 0) for code in one.codes)
        )
        for cause, one in found.items()
    ]
    return sorted(made, key=_urgency)


def detailed(
    organization: Organization, groups: Sequence[Group], *, named: int = NAMED
) -> list[DetailedGroup]:
    """Look up when they failed and where, for as many as a page shows.

    Of each cause so many broadcasts are known by name, and the one to retry first.
    """
    wanted = [
        dict.fromkeys(filter(None, (*one.largest(named), one.largest_retryable)))
        for one in groups
    ]
    runs = _runs(organization, set().union(*wanted))
    when = moments(organization, [code for one in groups for code in one.codes])
    return [
        _detailed(
            one,
            {pk: runs[pk] for pk in ids if pk in runs},
            [when[code] for code in one.codes if code in when],
        )
        for one, ids in zip(groups, wanted, strict=True)
    ]


def _detailed(
    group: Group, runs: Mapping[int, Run], when: Sequence[Moments]
) -> DetailedGroup:
    known = {one.name: getattr(group, one.name) for one in fields(group)}
    return DetailedGroup(
        **known,
        runs=runs,
        first=min((one.first for one in when), default=None),
        last=max((one.last for one in when), default=None),
    )


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
    singles: int = 0
    channels: Counter[str] = field(default_factory=Counter)
    integrations: Counter[int] = field(default_factory=Counter)
    held: dict[int, int] = field(default_factory=dict)
    about: set[int] = field(default_factory=set)

    def add(self, line: Failures, taken_from: Set[int]) -> None:
        number = line.number
        self.codes.add(line.code)
        self.number += number
        self.singles += line.singles
        if line.is_spent:
            self.spent += number
        self.channels[line.channel] += number
        if line.integration_id is not None:
            self.integrations[line.integration_id] += number
        held, of = self.held, self.held.get
        for broadcast_id, its_number in line.held.items():
            held[broadcast_id] = of(broadcast_id, 0) + its_number
        if taken_from:
            self.about |= taken_from & line.held.keys()

    def group(self, unfinished: Set[int], seen: BulkResend | None, again: int) -> Group:
        return Group(
            entry=self.entry,
            codes=tuple(sorted(self.codes)),
            number=self.number,
            spent=self.spent,
            singles=self.singles,
            held=self.held,
            about=self.about,
            unfinished=unfinished,
            channels=dict(self.channels.most_common()),
            integration_ids=tuple(one for one, _ in self.integrations.most_common()),
            seen=seen,
            again=min(again, MOST_COUNTED + 1),
        )


def _grouped(organization: Organization) -> dict[str, _Gathered]:
    taken_over = failures_taken_over(organization, oldest_kept(organization))
    taken_from: dict[str, set[int]] = {}
    for run_id, code in taken_over:
        taken_from.setdefault(code, set()).add(run_id)
    found: dict[str, _Gathered] = {}
    for line in kept_failures(organization, taken_over):
        entry = lookup(line.code)
        if entry.code not in found:
            found[entry.code] = _Gathered(entry)
        found[entry.code].add(line, taken_from.get(line.code, frozenset()))
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

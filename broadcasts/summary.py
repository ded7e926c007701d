"""Counters of broadcasts, read from the tallies: never by counting rows."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import BigIntegerField, DateField, F, Value

from broadcasts.models import Broadcast, FrozenMembers
from messaging.channels.catalogue import CatalogueEntry, lookup
from messaging.models import MessageState, Tally, TallyUnit
from messaging.models.message import ARRIVED_STATES, LOST_STATES
from messaging.reasons import reason_in_words
from resend_admin.ui.progress import Progress, Segment

KEY = (
    "outcome",
    "error_class",
    "error_code",
    "attempt_number",
    "reached_before",
    "channel",
)
REST = ("day", "first_day", "integration_id", "cause_code")
"""What else tells tallies apart, for an order that is always the same."""
PLANNED: Mapping[str, Value] = {
    "outcome": Value(MessageState.PLANNED),
    "error_class": Value(""),
    "error_code": Value(""),
    "attempt_number": Value(0),
    "reached_before": Value(False),
    "channel": Value(""),
    "pruned": Value(0),
    "day": Value(None, DateField()),
    "first_day": Value(None, DateField()),
    "integration_id": Value(None, BigIntegerField()),
    "cause_code": Value(""),
}
"""The columns of a tally as they are for whoever has no row yet."""


class Line(NamedTuple):
    """So many messages of one broadcast that stand alike.

    ``code`` is the cause of a failure, or the reason of a skip. ``pruned`` of them
    have no row any more.
    """

    outcome: str
    error_class: str
    code: str
    attempt_number: int
    reached_before: bool
    channel: str
    number: int
    pruned: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Why messages failed, and how many of them.

    ``codes`` are the spellings in the rows, to filter by; ``code`` is the
    catalogue's.
    """

    code: str
    count: int
    entry: CatalogueEntry
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skips:
    """Why messages were left out on purpose, and how many of them."""

    reason: str
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Counters:
    """Where the messages of one broadcast stand now. Every message is in one."""

    lines: tuple[Line, ...] = ()
    delivered: int = field(init=False)
    """Arrived, read or not."""
    delivered_later: int = field(init=False)
    """Arrived, but not by the first attempt; part of ``delivered``."""
    read: int = field(init=False)
    """Read; part of ``delivered``."""
    sent: int = field(init=False)
    """A provider accepted it; no word about its arrival."""
    sending: int = field(init=False)
    waiting: int = field(init=False)
    """Waits for another try."""
    untried: int = field(init=False)
    """Planned, or queued for its first try."""
    failed: int = field(init=False)
    unknown: int = field(init=False)
    skipped: int = field(init=False)
    cancelled: int = field(init=False)
    kept_failed: int = field(init=False)
    """Failed, and the row still exists; part of ``failed``."""
    kept_unknown: int = field(init=False)

    def __post_init__(self) -> None:
        sums: Counter[str] = Counter()
        for line in self.lines:
            sums[_kind(line)] += line.number
            if line.outcome == MessageState.READ:
                sums["read"] += line.number
            if line.outcome in ARRIVED_STATES and line.attempt_number > 1:
                sums["delivered_later"] += line.number
            if line.outcome in LOST_STATES:
                sums[f"kept_{line.outcome}"] += line.number - line.pruned
        for name in _NUMBERS:
            object.__setattr__(self, name, sums[name])

    @property
    def total(self) -> int:
        return sum(line.number for line in self.lines)

    @property
    def unsettled(self) -> int:
        return self.sending + self.waiting + self.untried

    @property
    def causes(self) -> list[Cause]:
        """Failures by cause, the commonest first."""
        return causes_of(
            (line.code, line.number)
            for line in self.lines
            if line.outcome == MessageState.FAILED
        )

    @property
    def skips(self) -> list[Skips]:
        """What was left out on purpose, by its reason, the commonest first."""
        numbers: Counter[str] = Counter()
        for line in self.lines:
            if line.outcome == MessageState.SKIPPED:
                numbers[line.code] += line.number
        return [
            Skips(reason, reason_in_words(reason), number)
            for reason, number in numbers.most_common()
            if number
        ]

    @property
    def progress(self) -> Progress:
        """The bar; see ``Segment`` for what its colours mean."""
        segments = [
            Segment("Delivered", self.delivered - self.delivered_later, "d1"),
            Segment("Sent, not confirmed", self.sent, "d1"),
            Segment("Delivered after a retry", self.delivered_later, "d2"),
            Segment("Waiting to retry", self.waiting, "d3"),
            Segment("Sending", self.sending, "d3"),
            Segment("Failed", self.failed, "d4"),
            Segment("Unknown", self.unknown, "idle"),
            Segment("Skipped", self.skipped, "idle"),
            Segment("Cancelled", self.cancelled, "idle"),
            Segment("Not tried yet", self.untried, "rest"),
        ]
        return Progress(self.total, [one for one in segments if one.value])

    @property
    def mark(self) -> str:
        """Changes whenever any of the counters does; for polling."""
        text = repr(self.lines).encode()
        return hashlib.blake2b(text, digest_size=6).hexdigest()


_NUMBERS = tuple(
    name for name, one in Counters.__dataclass_fields__.items() if not one.init
)
_KINDS: Mapping[str, str] = {
    MessageState.PLANNED: "untried",
    MessageState.DELIVERED: "delivered",
    MessageState.READ: "delivered",
}


def _kind(line: Line) -> str:
    if line.outcome == MessageState.QUEUED:
        return "waiting" if line.attempt_number else "untried"
    return _KINDS.get(line.outcome, line.outcome)


def counters(broadcast_ids: Iterable[int]) -> dict[int, Counters]:
    """Return the counters of all these broadcasts by one query.

    Members of a retry who are written down and have no row yet count as planned.
    """
    wanted = list(broadcast_ids)
    lines: dict[int, list[Line]] = defaultdict(list)
    columns = ("broadcast_id", *KEY, "count", "pruned", *REST)
    tallies = Tally.objects.filter(
        broadcast_id__in=wanted, unit=TallyUnit.MESSAGE, count__gt=0
    ).values_list(*columns)
    written_down = (
        FrozenMembers.objects.filter(broadcast_id__in=wanted)
        .annotate(**PLANNED, count=F("size"))
        .values_list(*columns)
    )
    found = tallies.union(written_down, all=True)
    for row in found.order_by("broadcast_id", *KEY, *REST):
        lines[row[0]].append(Line(*row[1 : -len(REST)]))
    return {one: Counters(tuple(lines[one])) for one in wanted}


def counters_of(broadcast: Broadcast) -> Counters:
    return counters([broadcast.pk])[broadcast.pk]


def causes_of(numbers: Iterable[tuple[str, int]]) -> list[Cause]:
    """Group failures by what the catalogue knows them as, the commonest first.

    Codes that it does not list stay apart, each as the provider sent it.
    """
    found: Counter[str] = Counter()
    entries: dict[str, CatalogueEntry] = {}
    spellings: dict[str, dict[str, None]] = defaultdict(dict)
    for code, number in numbers:
        entry = lookup(code)
        entries.setdefault(entry.code, entry)
        spellings[entry.code][code] = None
        found[entry.code] += number
    return [
        Cause(code, number, entries[code], tuple(spellings[code]))
        for code, number in found.most_common()
        if number
    ]

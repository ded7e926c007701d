"""The numbers of the reports page, by two grouped queries over counters."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from messaging.channels.catalogue import CatalogueEntry, lookup
from messaging.figures import scale, statements
from messaging.figures.days import DayOutcomes, outcomes_by_day
from messaging.figures.scope import Scope
from messaging.models import FigureKind
from resend_admin.ui.numbers import percent_text

Part = tuple[str, int | None]
"""A channel and an integration."""

LAST_NUMBER: Final = 5
"""Resends above this one count together with it."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Tries, and what became of them.

    ``arrived``: delivered or read; *sent* where the provider has no receipts.
    ``failed``: a provider, or we, said so. The rest is undecided: *sent* without a
    receipt so far, or *unknown*. Tries that never left (see ``messaging_is_try``)
    are no tries.
    """

    arrived: int = 0
    failed: int = 0
    undecided: int = 0

    @property
    def tries(self) -> int:
        return self.arrived + self.failed + self.undecided

    @property
    def decided(self) -> int:
        return self.arrived + self.failed

    @property
    def share(self) -> float | None:
        """The success rate, 0 to 1: of the decided tries, those that arrived."""
        return self.arrived / self.decided if self.decided else None

    @property
    def percent(self) -> str:
        """``82 %``, or a dash when nothing is decided."""
        return percent_text(self.arrived, self.decided)

    def __add__(self, other: Rate) -> Rate:
        return Rate(
            self.arrived + other.arrived,
            self.failed + other.failed,
            self.undecided + other.undecided,
        )


@dataclass(frozen=True, slots=True)
class ResendRate:
    """The success rate of one resend number along the chain; 0 is the first send."""

    number: int
    rate: Rate

    @property
    def label(self) -> str:
        if not self.number:
            return "First send"
        later = " or later" if self.number == LAST_NUMBER else ""
        return f"Resend {self.number}{later}"


@dataclass(frozen=True, slots=True)
class CauseFigures:
    """One cause: how many tries failed for it, and what retrying it brought."""

    entry: CatalogueEntry
    failures: int
    retried: Rate

    @property
    def code(self) -> str:
        return self.entry.code


@dataclass(frozen=True, slots=True)
class Span:
    """Recovered messages whose time was at least ``lower`` and under ``upper`` seconds.

    ``upper`` is None for the last one.
    """

    lower: float
    upper: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """Messages that arrived after a failure; see ``messaging.models.Recovery``."""

    buckets: Mapping[int, int] = field(default_factory=dict)
    """How many there are in each bucket of ``messaging.figures.scale``."""
    credits: int = 0

    @property
    def count(self) -> int:
        return sum(self.buckets.values())

    @property
    def cost_of_one(self) -> float | None:
        """Credits for one recovered message."""
        return self.credits / self.count if self.count else None

    @property
    def median(self) -> float | None:
        """Seconds within which half of them arrived; None without any."""
        return scale.quantile(self.buckets, 0.5)

    @property
    def p90(self) -> float | None:
        """Seconds within which nine of ten arrived."""
        return scale.quantile(self.buckets, 0.9)

    @property
    def spans(self) -> list[Span]:
        """The distribution over ``scale.EDGES``, empty spans included."""
        counts = [0] * (len(scale.EDGES) + 1)
        for bucket, number in self.buckets.items():
            seconds = scale.middle(bucket)
            counts[sum(edge <= seconds for edge in scale.EDGES)] += number
        lowers = (0.0, *scale.EDGES)
        uppers = (*scale.EDGES, None)
        return [Span(*one) for one in zip(lowers, uppers, counts, strict=True)]


@dataclass(frozen=True, slots=True)
class PartFigures:
    """One integration; or what was counted before integrations were, per channel."""

    channel: str
    integration_id: int | None
    first: Rate
    resends: Rate
    recovered: Recovered


@dataclass(frozen=True)
class Report:
    """Everything that ``/reports/`` shows. See ``messaging.figures.words``."""

    scope: Scope
    by_number: tuple[ResendRate, ...]
    """First send, then resend 1 to ``LAST_NUMBER``; those without tries included."""
    days: tuple[DayOutcomes, ...]
    """Every day of the period, empty ones included."""
    causes: tuple[CauseFigures, ...]
    """The commonest first."""
    parts: tuple[PartFigures, ...]
    """By channel and integration, the busiest first."""

    @property
    def first_send(self) -> Rate:
        return self.by_number[0].rate

    @property
    def first_retry(self) -> Rate:
        """The headline: how often the first resend arrives."""
        return self.by_number[1].rate

    @property
    def resends(self) -> Rate:
        """All resends together."""
        return sum((one.rate for one in self.by_number[1:]), Rate())

    @cached_property
    def recovered(self) -> Recovered:
        """The headline time is its ``median``."""
        return _together(part.recovered for part in self.parts)

    @cached_property
    def channels(self) -> tuple[PartFigures, ...]:
        """``parts`` added up per channel."""
        found: dict[str, list[PartFigures]] = {}
        for part in self.parts:
            found.setdefault(part.channel, []).append(part)
        added = (
            PartFigures(
                channel=channel,
                integration_id=None,
                first=sum((one.first for one in parts), Rate()),
                resends=sum((one.resends for one in parts), Rate()),
                recovered=_together(one.recovered for one in parts),
            )
            for channel, parts in found.items()
        )
        return tuple(sorted(added, key=_busiest))

    @property
    def is_empty(self) -> bool:
        return not self.first_send.tries and not any(one.total for one in self.days)


def report(scope: Scope) -> Report:
    """Return the figures of a scope, by two queries that read only counters."""
    rows = statements.rows("rates", scope.parameters)
    return Report(
        scope=scope,
        by_number=_by_number(rows),
        days=outcomes_by_day(scope),
        causes=_causes(rows),
        parts=_parts(rows),
    )


def _together(several: Iterable[Recovered]) -> Recovered:
    buckets: Counter[int] = Counter()
    credits = 0
    for one in several:
        buckets.update(one.buckets)
        credits += one.credits
    return Recovered(dict(buckets), credits)


def _rate(row: Mapping[str, Any]) -> Rate:
    return Rate(**{row["outcome"]: row["count"]})


def _by_number(rows: Sequence[Mapping[str, Any]]) -> tuple[ResendRate, ...]:
    rates = [Rate() for _ in range(LAST_NUMBER + 1)]
    for row in rows:
        if row["kind"] == FigureKind.TRY:
            number = min(max(row["number"] - 1, 0), LAST_NUMBER)
            rates[number] += _rate(row)
    return tuple(ResendRate(number, rate) for number, rate in enumerate(rates))


def _causes(rows: Sequence[Mapping[str, Any]]) -> tuple[CauseFigures, ...]:
    failures: Counter[str] = Counter()
    retried: dict[str, Rate] = {}
    entries: dict[str, CatalogueEntry] = {}
    for row in rows:
        if row["kind"] in {FigureKind.FAILURE, FigureKind.ANSWER}:
            entry = lookup(row["code"])
            entries[entry.code] = entry
            if row["kind"] == FigureKind.FAILURE:
                failures[entry.code] += row["count"]
            else:
                known = retried.get(entry.code, Rate())
                retried[entry.code] = known + _rate(row)
    found = (
        CauseFigures(entry, failures[code], retried.get(code, Rate()))
        for code, entry in entries.items()
    )
    return tuple(sorted(found, key=lambda one: (-one.failures, -one.retried.tries)))


def _parts(rows: Sequence[Mapping[str, Any]]) -> tuple[PartFigures, ...]:
    firsts: dict[Part, Rate] = defaultdict(Rate)
    resends: dict[Part, Rate] = defaultdict(Rate)
    recovered: dict[Part, Recovered] = {}
    for row in rows:
        part = (row["channel"], row["integration_id"])
        if row["kind"] == FigureKind.TRY:
            rates = firsts if row["number"] == 1 else resends
            rates[part] += _rate(row)
        elif row["kind"] == FigureKind.RECOVERED:
            known = recovered.get(part, Recovered())
            recovered[part] = Recovered(
                {**known.buckets, row["number"]: row["count"]},
                known.credits + row["credits"],
            )
    found = (
        PartFigures(
            *part, firsts[part], resends[part], recovered.get(part, Recovered())
        )
        for part in {**firsts, **resends, **recovered}
    )
    return tuple(sorted(found, key=_busiest))


def _busiest(part: PartFigures) -> tuple[int, str, int]:
    tries = part.first.tries + part.resends.tries
    return -tries, part.channel, part.integration_id or 0

"""What would become of a selection: counted per cause, before anybody confirms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from messaging import policy
from messaging.bulk import judging, statements
from messaging.bulk.selection import MOST, Selection
from messaging.channels.catalogue import CatalogueEntry, lookup
from messaging.figures.forecast import Group
from messaging.models import MessageState, Organization
from messaging.models.message import LOST_STATES
from messaging.standing import policy_of

QUEUED: Final = "queued"
RISKY: Final = policy.Reason.MAY_HAVE_ARRIVED.value


@dataclass(frozen=True, slots=True)
class Line:
    """Messages that get the same answer for the same cause.

    ``code`` is *queued*, *may_have_arrived* (queued when the risk of a duplicate is
    accepted), or why not. ``wait`` is how many seconds the last of them waits for
    what its error demands.
    """

    code: str
    sentence: str
    count: int
    error: CatalogueEntry | None = None
    wait: float = 0.0

    @property
    def is_queued(self) -> bool:
        return self.code == QUEUED

    @property
    def is_risky(self) -> bool:
        return self.code == RISKY


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the dialog shows, and hands back when it is confirmed.

    ``candidates`` failed or are unknown: they are what is frozen to wait for its
    turn. ``cost`` is what the queued ones cost when they arrive. Where messages are
    too old, the last of them could be sent again until ``latest``.
    """

    lines: tuple[Line, ...]
    shown_at: datetime
    candidates: int
    cost: int = 0
    credits: int | None = None
    groups: tuple[Group, ...] = ()
    """The queued ones by error and way, for a forecast."""
    risky_groups: tuple[Group, ...] = ()
    latest: datetime | None = None
    queued: int = field(init=False)
    risky: int = field(init=False)
    total: int = field(init=False)

    def __post_init__(self) -> None:
        sums = {
            "queued": (line.count for line in self.lines if line.is_queued),
            "risky": (line.count for line in self.lines if line.is_risky),
            "total": (line.count for line in self.lines),
        }
        for name, counts in sums.items():
            object.__setattr__(self, name, sum(counts))

    @property
    def is_capped(self) -> bool:
        """Whether older messages of the selection were left out."""
        return self.total >= MOST

    @property
    def longest_wait(self) -> float:
        """Seconds that the last of the queued ones waits for what its error demands."""
        return max((line.wait for line in self.lines if line.is_queued), default=0.0)

    @property
    def lacks_credits(self) -> bool:
        return self.credits is not None and self.cost > self.credits


def verdict(
    selection: Selection,
    organization: Organization,
    at: datetime | None = None,
    remedy: judging.Remedy | None = None,
) -> Verdict:
    """Judge a selection as of now, or as of ``at``, with a remedy applied.

    The clock is read first: what fails after that is no part of the selection.
    """
    shown_at = _database_now()
    later = max(0.0, (at - shown_at).total_seconds()) if at else 0.0
    limits = policy_of(organization)
    rows = statements.rows(
        "verdict",
        {
            **judging.moment(later),
            "oldest": limits.max_age_seconds,
            "most_resends": limits.max_resends,
        },
        selection.ids(shown_at),
    )
    judged = [(row, _line(row, limits, remedy)) for row in rows]
    priced = [row for row, line in judged if line.is_queued]
    return Verdict(
        lines=tuple(_together(line for _, line in judged)),
        shown_at=shown_at,
        candidates=sum(row["number"] for row in rows if _is_candidate(row)),
        cost=sum(row["number"] * row["price"] for row in priced),
        credits=max((row["credits"] for row in priced), default=None),
        groups=tuple(_group(row) for row in priced),
        risky_groups=tuple(_group(row) for row, line in judged if line.is_risky),
        latest=_latest(rows, limits, remedy, shown_at + timedelta(seconds=later)),
    )


def _latest(
    rows: Iterable[Mapping[str, Any]],
    limits: policy.RetryPolicy,
    remedy: judging.Remedy | None,
    moment: datetime,
) -> datetime | None:
    """Return until when one could be sent again that is too old by that moment."""
    only_old = [
        row["youngest"]
        for row in rows
        if row["youngest"] > limits.max_age_seconds
        and _line({**row, "age": 0.0}, limits, remedy).is_queued
    ]
    if not only_old:
        return None
    return moment - timedelta(seconds=min(only_old) - limits.max_age_seconds)


def _group(row: Mapping[str, Any]) -> Group:
    return Group(
        row["error_code"], row["way_channel"], row["integration_id"], row["number"]
    )


def _is_candidate(row: Mapping[str, Any]) -> bool:
    failed = row["state"] in LOST_STATES
    return failed and not row["is_elsewhere"]


def _line(
    row: Mapping[str, Any],
    limits: policy.RetryPolicy,
    remedy: judging.Remedy | None,
) -> Line:
    number: int = row["number"]
    if row["is_elsewhere"]:
        refused = judging.refusal_for(judging.ELSEWHERE)
        return Line(refused.code, refused.sentence, number)
    standing = judging.judge(
        row, limits, accepts_duplicate=True, remedy=remedy
    ).standing
    if not standing.allowed:
        refused = judging.refusal_of(standing)
        error = lookup(refused.cause) if refused.cause else None
        return Line(refused.code, refused.sentence, number, error)
    if row["state"] == MessageState.UNKNOWN:
        risk = policy.decide(policy.Facts(state=MessageState.UNKNOWN))
        return Line(RISKY, risk.sentence, number, wait=standing.wait)
    advice = standing.error.advice if standing.error else standing.sentence
    return Line(QUEUED, advice, number, standing.error, standing.wait)


def _together(lines: Iterable[Line]) -> list[Line]:
    """Add up what has the same answer; what is queued first, the commonest first."""
    found: dict[tuple[str, str], Line] = {}
    for line in lines:
        key = (line.code, line.error.code if line.error else "")
        known = found.get(key)
        found[key] = (
            replace(
                known,
                count=known.count + line.count,
                wait=max(known.wait, line.wait),
            )
            if known
            else line
        )
    order = {QUEUED: 0, RISKY: 1}
    return sorted(found.values(), key=lambda one: (order.get(one.code, 2), -one.count))


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [now] = cursor.fetchone()
    moment: datetime = now
    return moment

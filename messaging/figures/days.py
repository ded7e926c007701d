"""Where the messages of each day stand now, each person counted once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from messaging.channels.contract import IN_DOUBT
from messaging.figures import statements
from messaging.figures.scope import Scope


@dataclass(frozen=True, slots=True)
class DayOutcomes:
    """Where the messages first sent on a day stand now; each person counts once.

    The parts add up to ``total``. ``unconfirmed`` was accepted and has no receipt
    yet. ``failed`` is failed for good as things stand: nothing of it waits.
    """

    day: date
    delivered_first: int = 0
    delivered_later: int = 0
    """By another attempt, or by a retry of the broadcast."""
    unconfirmed: int = 0
    waiting: int = 0
    unknown: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        return sum(getattr(self, name) for name in PARTS)


PARTS: Final = (
    "delivered_first",
    "delivered_later",
    "unconfirmed",
    "waiting",
    "unknown",
    "failed",
    "skipped",
    "cancelled",
)
FIRST_RUN: Final = 0
REACHED_BEFORE: Final = 2
"""Numbers of a figure of the kind *standing*; see ``messaging.models.FigureKind``."""
PART_OF: Final = {
    "delivered": "delivered_first",
    "sent": "unconfirmed",
    "sent_later": "unconfirmed",
}
CERTAIN_FIRST: Final = (
    *("delivered_first", "delivered_later", "unconfirmed", "waiting"),
    *("skipped", "cancelled", "unknown"),
)
"""Which part keeps its number when they are more than those aimed at."""


def outcomes_by_day(scope: Scope) -> tuple[DayOutcomes, ...]:
    """Return every day of the scope, empty ones included.

    As in ``broadcasts.chain``: whoever is reached by any run is reached; a retry
    takes over members of the run before, so the rest of those aimed at, who neither
    wait nor were left out, have failed or are unknown.
    """
    rows = statements.rows("standing", scope.parameters)
    has_first_runs = any(row["number"] == FIRST_RUN for row in rows)
    aimed: Counter[date] = Counter()
    parts: dict[date, Counter[str]] = defaultdict(Counter)
    for row in rows:
        # The scope may be one retry alone: then its members are those aimed at.
        is_first = row["number"] == FIRST_RUN or not has_first_runs
        if is_first:
            aimed[row["day"]] += row["count"]
        parts[row["day"]].update(_part(row, is_first=is_first))
    return tuple(_levelled(day, aimed[day], parts[day]) for day in scope.days)


def _part(row: Mapping[str, Any], *, is_first: bool) -> dict[str, int]:
    outcome, count = row["outcome"], row["count"]
    parts: dict[str, int] = {}
    if not is_first:
        if outcome == "cancelled":
            # Given back: its member stands where the run before left them.
            return parts
        if row["code"].rpartition(":")[2] in IN_DOUBT:
            # The run before left them unknown; now they stand where this one did.
            parts["unknown"] = -count
        if row["number"] == REACHED_BEFORE:
            return parts
    part = PART_OF.get(outcome, outcome)
    parts[part] = parts.get(part, 0) + count
    return parts


def _levelled(day: date, aimed: int, parts: Mapping[str, int]) -> DayOutcomes:
    """Make the parts add up to the members aimed at; what is certain stands first."""
    rest = aimed
    fitted: dict[str, int] = {}
    for name in CERTAIN_FIRST:
        fitted[name] = min(max(parts.get(name, 0), 0), max(rest, 0))
        rest -= fitted[name]
    return DayOutcomes(day, failed=max(rest, 0), **fitted)

"""Where the messages of a broadcast stand, in words, figures and one bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from broadcasts.models import Broadcast
from broadcasts.summary import Cause, Counters
from broadcasts.views.links import failed_rows, messages_of, unknown_of
from messaging.channels.catalogue import CatalogueEntry, Fix
from resend_admin.ui.progress import Progress, Segment

CODES_SHOWN = 3
"""Answers of a provider that one row of causes repeats at most."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One figure below the bar, and the rows behind it."""

    label: str
    value: int
    colour: str
    href: str
    always: bool = False


def outcomes(broadcast: Broadcast, counters: Counters) -> list[Outcome]:
    """Return the figures: the usual ones always, the others when there are any."""
    moving, later = counters.unsettled > 0, counters.delivered_later
    rows = [
        ("Delivered", counters.delivered - later, "d1", "delivered", True),
        ("After retry", later, "d2", "delivered", False),
        ("Sent", counters.sent, "d1", "sent", False),
        ("Sending", counters.sending, "d3", "sending", False),
        ("Waiting to retry", counters.waiting, "d3", "waiting", moving),
        ("Failed", counters.failed, "d4", "failed", True),
        ("Unknown", counters.unknown, "idle", "unknown", False),
        ("Skipped", counters.skipped, "idle", "skipped", not moving),
        ("Cancelled", counters.cancelled, "idle", "cancelled", False),
        ("Not tried yet", counters.untried, "rest", "", moving),
    ]
    return [
        Outcome(
            label,
            value,
            colour,
            _address(broadcast.pk, state),
            always,
        )
        for label, value, colour, state, always in rows
        if value or always
    ]


def _address(broadcast_id: int, state: str) -> str:
    if state == "unknown":
        return unknown_of(broadcast_id)
    return messages_of(broadcast_id, **({"state": state} if state else {}))


def bar(counters: Counters) -> Progress:
    """Return the bar; neighbours of one colour are drawn as one piece."""
    source = counters.progress
    pieces = [
        Segment(" or ".join(one.label.lower() for one in same), _sum(same), colour)
        for colour, same in (
            (colour, list(group))
            for colour, group in groupby(source.segments, key=lambda one: one.colour)
        )
    ]
    return Progress(source.total, pieces, source.noun)


def _sum(segments: Sequence[Segment]) -> int:
    return sum(one.value for one in segments)


@dataclass(frozen=True, slots=True)
class CauseRow:
    """A cause with the answers it came in, and the way to its rows."""

    cause: Cause
    href: str

    @property
    def title(self) -> str:
        return short_title(self.cause.entry)

    @property
    def needs_fallback(self) -> bool:
        """Whether a template as fallback is what makes it go away."""
        return self.cause.entry.fix is Fix.TEMPLATE

    @property
    def codes(self) -> tuple[str, ...]:
        return self.cause.codes[:CODES_SHOWN]

    @property
    def more_codes(self) -> int:
        return len(self.cause.codes[CODES_SHOWN:])


def cause_rows(broadcast: Broadcast, causes: Iterable[Cause]) -> list[CauseRow]:
    return [CauseRow(cause, failed_rows(broadcast, cause.code)) for cause in causes]


def short_title(entry: CatalogueEntry) -> str:
    """Return the title without the code, where the page shows that beside it."""
    return entry.title.removesuffix(f": {entry.code}")


@dataclass(frozen=True, slots=True)
class Arrived:
    """How many got it, and how sure that is: for one cell of a list."""

    count: int | None
    note: str = ""


def arrived(counters: Counters) -> Arrived:
    """Sent counts as well, and says so: not every provider confirms delivery."""
    if not counters.total:
        return Arrived(None)
    if not counters.delivered and counters.sent:
        return Arrived(counters.sent, "sent")
    if counters.sent:
        return Arrived(counters.delivered, f"+ {counters.sent:,} sent")
    return Arrived(counters.delivered)

"""What a retry is likely to bring, by what earlier retries of the same errors brought.

The history is that of the organization's own tries of the last ``HISTORY_DAYS`` days
that answered the error: how many of them arrived, of those whose outcome is known. It
is kept per error, channel and integration; the integration's own counts where it is
worth ``ENOUGH_OF_ITS_OWN`` tries, else the channel's. Below ``FEWEST`` tries nothing is
guessed. See ``chances`` for how that becomes a number with a range.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from messaging.channels.catalogue import CatalogueEntry, lookup
from messaging.figures import statements
from messaging.figures.chances import (
    Day,
    Outlook,
    chance_from,
    outlook,
    together,
)
from messaging.figures.scope import final_when_sent
from messaging.models import Integration, IntegrationState, Organization

HISTORY_DAYS: Final = 90
FEWEST: Final = 20
"""Earlier tries below which there is no forecast."""
ENOUGH_OF_ITS_OWN: Final = 50
"""Earlier tries from which an integration is judged by itself."""


@dataclass(frozen=True, slots=True)
class Group:
    """Messages to send again that are alike: the same error on the same way."""

    error_code: str
    channel: str
    integration_id: int | None
    count: int


@dataclass(frozen=True, slots=True)
class CauseForecast:
    """What retrying one cause is likely to bring.

    ``expected``, ``low`` and ``high`` are about ``judged`` of the ``count`` messages:
    those with a history; 0 judged means that nothing can be said. ``tries`` is how
    many earlier tries that rests on.
    """

    code: str
    count: int
    judged: int = 0
    expected: int = 0
    low: int = 0
    high: int = 0
    tries: int = 0

    @property
    def entry(self) -> CatalogueEntry:
        return lookup(self.code)

    @property
    def is_known(self) -> bool:
        return self.judged > 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a retry is likely to bring, cause by cause and together.

    ``most_credits`` is what it costs when all of them arrive. ``leaves_by`` is when
    the last one will have left, by the rates of the integrations and what waits
    there before; empty when an integration is paused or off, for nobody knows.
    """

    causes: tuple[CauseForecast, ...] = ()
    count: int = 0
    judged: int = 0
    expected: int = 0
    low: int = 0
    high: int = 0
    most_credits: int = 0
    leaves_by: datetime | None = None
    standing_still: tuple[str, ...] = field(default=())
    """Integrations that let nothing leave at the moment, by name."""

    @property
    def is_known(self) -> bool:
        return self.judged > 0

    @property
    def unknown_count(self) -> int:
        """Messages of which nothing can be said."""
        return self.count - self.judged

    def of(self, code: str) -> CauseForecast | None:
        """Return the line of a cause, by the catalogue's code."""
        return next((one for one in self.causes if one.code == code), None)

    @property
    def as_json(self) -> dict[str, Any]:
        """What is stored with a retry when it is confirmed."""
        stored = asdict(self)
        stored["leaves_by"] = self.leaves_by.isoformat() if self.leaves_by else None
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Forecast | None:
        """Return what was stored; None for what was confirmed without a forecast."""
        if not stored:
            return None
        leaves_by = stored["leaves_by"]
        return cls(
            **{
                **stored,
                "causes": tuple(CauseForecast(**one) for one in stored["causes"]),
                "leaves_by": datetime.fromisoformat(leaves_by) if leaves_by else None,
                "standing_still": tuple(stored["standing_still"]),
            }
        )


History = dict[tuple[str, str, int | None], list[Day]]
"""Days by catalogue code, channel and integration; all of a channel under None."""


def forecast(
    organization: Organization,
    groups: Iterable[Group],
    *,
    starts_at: datetime | None = None,
    wait: float = 0.0,
) -> Forecast:
    """Return what sending these again is likely to bring, by three queries.

    ``starts_at`` is when it begins (now, if empty); the last one waits at least
    ``wait`` seconds from then.
    """
    asked = [one for one in groups if one.count]
    history = _history(organization) if asked else {}
    outlooks: dict[str, list[tuple[Group, Outlook | None, int]]] = defaultdict(list)
    for group in asked:
        days = _days_for(group, history)
        tries = sum(one.tries for one in days)
        found = outlook(group.count, chance_from(days)) if tries >= FEWEST else None
        outlooks[lookup(group.error_code).code].append((group, found, tries))
    causes = [_cause(code, parts) for code, parts in outlooks.items()]
    known = [one for parts in outlooks.values() for _, one, _ in parts if one]
    total = together(known) if known else None
    low, high = total.interval if total else (0, 0)
    ways = _ways(organization, asked)
    return Forecast(
        causes=tuple(sorted(causes, key=lambda one: -one.count)),
        count=sum(one.count for one in asked),
        judged=total.number if total else 0,
        expected=total.expected if total else 0,
        low=low,
        high=high,
        most_credits=sum(way.count * way.price for way in ways),
        leaves_by=_leaves_by(ways, starts_at, wait),
        standing_still=tuple(way.name for way in ways if way.stands_still),
    )


def _cause(
    code: str, parts: Sequence[tuple[Group, Outlook | None, int]]
) -> CauseForecast:
    known = [one for _, one, _ in parts if one]
    count = sum(group.count for group, _, _ in parts)
    if not known:
        return CauseForecast(code, count)
    whole = together(known)
    low, high = whole.interval
    return CauseForecast(
        code=code,
        count=count,
        judged=whole.number,
        expected=whole.expected,
        low=low,
        high=high,
        tries=max(tries for _, one, tries in parts if one),
    )


def _history(organization: Organization) -> History:
    today = timezone.now().astimezone(organization.zone).date()
    rows = statements.rows(
        "answers",
        {
            "organization_id": organization.pk,
            "first": today - timedelta(days=HISTORY_DAYS),
            "sent_is_final": final_when_sent(organization),
        },
    )
    counted: dict[tuple[str, str, int | None], dict[Any, list[int]]] = defaultdict(
        lambda: defaultdict(lambda: [0, 0])
    )
    for row in rows:
        code = lookup(row["code"]).code
        for integration_id in {row["integration_id"], None}:
            day = counted[code, row["channel"], integration_id][row["day"]]
            day[0] += row["arrived"]
            day[1] += row["failed"]
    return {
        key: [Day(max(arrived, 0), max(failed, 0)) for arrived, failed in days.values()]
        for key, days in counted.items()
    }


def _days_for(group: Group, history: History) -> list[Day]:
    code = lookup(group.error_code).code
    own = history.get((code, group.channel, group.integration_id), [])
    if group.integration_id is not None:
        if sum(one.tries for one in own) >= ENOUGH_OF_ITS_OWN:
            return own
        return history.get((code, group.channel, None), [])
    return own


@dataclass(frozen=True, slots=True)
class _Way:
    """One integration, and what leaves by it."""

    name: str
    count: int
    price: int
    rate: float
    queued: int
    stands_still: bool


def _ways(organization: Organization, groups: Iterable[Group]) -> list[_Way]:
    counts: dict[int, int] = defaultdict(int)
    for group in groups:
        if group.integration_id is not None:
            counts[group.integration_id] += group.count
    if not counts:
        return []
    queued = {
        row["integration_id"]: row["count"]
        for row in statements.rows(
            "queued",
            {"organization_id": organization.pk, "integration_ids": list(counts)},
        )
    }
    found = Integration.objects.filter(organization=organization, pk__in=counts)
    return [
        _Way(
            name=one.name,
            count=counts[one.pk],
            price=one.credit_price,
            rate=one.rate_per_second,
            queued=queued.get(one.pk, 0),
            stands_still=one.state != IntegrationState.ACTIVE,
        )
        for one in found
    ]


def _leaves_by(
    ways: Sequence[_Way], starts_at: datetime | None, wait: float
) -> datetime | None:
    """Return when the last one has left at the latest, if the providers keep up.

    What waits now is taken as going first, as far as it is still there by then.
    """
    if not ways or any(way.stands_still for way in ways):
        return None
    now = timezone.now()
    start = max(starts_at or now, now)
    ahead = (start - now).total_seconds()
    seconds = max(
        max(way.queued / way.rate - ahead, 0.0) + way.count / way.rate for way in ways
    )
    return start + timedelta(seconds=max(seconds, wait))

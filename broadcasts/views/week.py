"""How the last seven days went, read from the tallies."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum
from django.utils import timezone

from messaging.models import MessageState, Organization, Tally, TallyUnit
from messaging.models.message import ARRIVED_STATES, REACHED_STATES
from resend_admin.ui.numbers import percent_text
from resend_admin.ui.time_zones import zone_named

DAYS = 7


@dataclass(frozen=True, slots=True)
class Week:
    """Messages of the last seven days, today included, as they stand now."""

    total: int
    reached: int
    delivered: int
    saved: int
    """Delivered, but not by the first attempt."""
    failed: int

    @property
    def reached_percent(self) -> str:
        """The share of those that have come to rest."""
        return percent_text(self.reached, self.reached + self.failed)


def figures(organization: Organization) -> Week:
    """Add up the tallies of the days, in the organization's own zone."""
    here = zone_named(organization.time_zone)
    first = timezone.localdate(timezone=here) - timedelta(days=DAYS - 1)
    numbers: Counter[str] = Counter()
    saved = 0
    tallies = Tally.objects.filter(
        organization=organization, unit=TallyUnit.MESSAGE, day__gte=first
    )
    for outcome, attempt, number in tallies.values_list(
        "outcome", "attempt_number"
    ).annotate(number=Sum("count")):
        numbers[outcome] += number
        if outcome in ARRIVED_STATES and attempt > 1:
            saved += number
    return Week(
        total=numbers.total(),
        reached=sum(numbers[one] for one in REACHED_STATES),
        delivered=sum(numbers[one] for one in ARRIVED_STATES),
        saved=saved,
        failed=numbers[MessageState.FAILED],
    )

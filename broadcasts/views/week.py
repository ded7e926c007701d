"""How the last seven days went, read from the tallies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils import timezone

from messaging.figures import Rate, Report, Scope, report
from messaging.models import Organization
from resend_admin.ui.numbers import percent_text

DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Week:
    """The last seven days, today included, each person once, as they stand now."""

    found: Report

    @property
    def total(self) -> int:
        return self._sum("total")

    @property
    def reached(self) -> int:
        """Sent, delivered or read, as in ``broadcasts.chain``."""
        return self._sum("delivered_first", "delivered_later", "unconfirmed")

    @property
    def reached_percent(self) -> str:
        """The share of everyone aimed at; who waits for another try is not reached."""
        return percent_text(self.reached, self.total)

    @property
    def first_retry(self) -> Rate:
        return self.found.first_retry

    @property
    def recovered(self) -> int:
        return self.found.recovered.count

    def _sum(self, *names: str) -> int:
        return sum(getattr(day, name) for day in self.found.days for name in names)


def figures(organization: Organization) -> Week:
    """Read the figures of the days, in the organization's own zone."""
    today = timezone.localdate(timezone=organization.zone)
    first = today - timedelta(days=DAYS - 1)
    return Week(report(Scope(organization, first, today)))

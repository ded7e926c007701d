"""What figures are about: an organization, a period, and what narrows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from messaging.dispatch import ledger
from messaging.models import Integration, Organization


@dataclass(frozen=True)
class Scope:
    """Days of the organization's own zone, both included.

    ``broadcast_ids`` narrows to these broadcasts: give a whole chain to see each
    person once, or one run to see that run. The numbers are believed here, so they
    must be of this organization; nothing else of another one can be reached anyway.
    """

    organization: Organization
    first: date
    last: date
    channel: str = ""
    integration_id: int | None = None
    broadcast_ids: tuple[int, ...] | None = None

    @property
    def days(self) -> list[date]:
        number = (self.last - self.first).days + 1
        return [self.first + timedelta(days=one) for one in range(max(number, 0))]

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """For the statements of this package."""
        broadcasts = self.broadcast_ids
        return {
            "organization_id": self.organization.pk,
            "first": self.first,
            "last": self.last,
            "channel": self.channel,
            "integration_id": self.integration_id,
            "broadcast_ids": list(broadcasts) if broadcasts is not None else None,
            "sent_is_final": final_when_sent(self.organization),
        }


def final_when_sent(organization: Organization) -> list[int]:
    """Return the integrations whose providers have no receipts.

    There *sent* is the last word, it is what credits are charged for, and so it
    counts as arrived.
    """
    return list(
        Integration.objects.filter(
            organization=organization, kind__in=ledger.kinds_without_receipts()
        ).values_list("pk", flat=True)
    )

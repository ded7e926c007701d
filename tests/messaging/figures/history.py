"""A past, as the tallies remember it: tries that answered an error."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from messaging.models import Integration, Tally, TallyUnit
from tests.factories import World


def remember(
    world: World,
    code: str,
    arrived: int,
    failed: int,
    *,
    integration: Integration | None = None,
    channel: str = "whatsapp",
    days_ago: int = 3,
    spread_over: int = 5,
) -> None:
    """Let so many tries of this organization have answered an error, over some days."""
    for day in range(spread_over):
        for outcome, number in (("delivered", arrived), ("failed", failed)):
            part = number // spread_over + (day < number % spread_over)
            if part:
                Tally.objects.create(
                    organization=world.organization,
                    integration_id=integration.pk if integration else None,
                    day=timezone.now().date() - timedelta(days=days_ago + day),
                    count=part,
                    # They have no rows; what is pruned differs from none.
                    pruned=part,
                    attempt_number=2,
                    unit=TallyUnit.ATTEMPT,
                    channel=channel,
                    outcome=outcome,
                    error_class="retry" if outcome == "failed" else "",
                    error_code=code if outcome == "failed" else "",
                    cause_code=code,
                )

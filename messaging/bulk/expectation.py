"""What a bulk resend was likely to bring, and what it brought."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from messaging.bulk.verdict import Verdict
from messaging.channels.catalogue import lookup
from messaging.figures.comparison import Comparison, Standing, compare
from messaging.figures.forecast import Forecast, forecast
from messaging.figures.scope import final_when_sent
from messaging.models import AttemptState, BulkResend, BulkResendState, Organization

PATIENCE: Final = timedelta(hours=1)
"""How long after the last one has left it counts as under way."""
PATIENCE_WITHOUT_END: Final = timedelta(days=1)
"""The same, where nobody could tell when the last one leaves."""


def of_verdict(
    organization: Organization,
    found: Verdict,
    at: datetime | None = None,
    *,
    accepts_duplicate: bool = False,
) -> Forecast:
    """Return what the messages that will be queued are likely to bring."""
    risky = found.risky_groups if accepts_duplicate else ()
    return forecast(
        organization,
        (*found.groups, *risky),
        starts_at=at,
        wait=found.longest_wait,
    )


def comparison(bulk: BulkResend) -> Comparison | None:
    """Put the forecast of a bulk resend beside what its tries brought.

    Counted by what triggers keep per cause. None without a forecast, and for what
    was cancelled. What was refused when its turn came brings nothing; as nobody
    counts that by cause, it is open until the last one must have left.
    """
    told = Forecast.from_json(bulk.forecast)
    if told is None or not told.count or bulk.state == BulkResendState.CANCELLED:
        return None
    certain = set(final_when_sent(bulk.organization))
    arrived: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for one in bulk.outcomes.all():
        code = lookup(one.cause_code).code
        is_sent = one.state == AttemptState.SENT
        if one.state in {AttemptState.DELIVERED, AttemptState.READ} or (
            is_sent and one.integration_id in certain
        ):
            arrived[code] += one.count
        elif not is_sent:
            ended[code] += one.count
    is_over = _is_over(bulk, told)
    return compare(
        told,
        {
            cause.code: Standing(
                arrived[cause.code],
                0
                if is_over
                else max(cause.count - arrived[cause.code] - ended[cause.code], 0),
            )
            for cause in told.causes
        },
    )


def _is_over(bulk: BulkResend, told: Forecast) -> bool:
    if bulk.finished_at is None:
        return False
    if told.leaves_by is None:
        return timezone.now() > bulk.finished_at + PATIENCE_WITHOUT_END
    return timezone.now() > max(bulk.finished_at, told.leaves_by) + PATIENCE

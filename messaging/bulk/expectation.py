"""What a bulk resend was likely to bring, and what it brought."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from messaging.bulk.verdict import Verdict
from messaging.channels.catalogue import lookup
from messaging.figures.comparison import Compared, Comparison, Standing, compare
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
    counts that by cause, it may be open until the last one must have left. Once all
    had their turn no more are open than were queued and have no outcome yet.
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
    most = _most_open(bulk, told, arrived.total() + ended.total())
    open_ones = {
        one.code: min(max(one.count - arrived[one.code] - ended[one.code], 0), most)
        for one in told.causes
    }
    found = compare(
        told,
        {
            code: Standing(arrived[code], undecided)
            for code, undecided in open_ones.items()
        },
    )
    return replace(found, whole=_at_most(found.whole, most))


def _most_open(bulk: BulkResend, told: Forecast, decided: int) -> int:
    """Return how many can still arrive, whatever they answer."""
    if _is_over(bulk, told):
        return 0
    if bulk.finished_at is None:
        return told.count
    return max(bulk.queued_count - decided, 0)


def _at_most(whole: Compared, most: int) -> Compared:
    """Causes may each have all that is open; together there are no more than that."""
    judged = whole.judged
    return replace(
        whole,
        standing=_capped(whole.standing, most),
        judged=None if judged is None else _capped(judged, most),
    )


def _capped(standing: Standing, most: int) -> Standing:
    return replace(standing, undecided=min(standing.undecided, most))


def _is_over(bulk: BulkResend, told: Forecast) -> bool:
    if bulk.finished_at is None:
        return False
    if told.leaves_by is None:
        return timezone.now() > bulk.finished_at + PATIENCE_WITHOUT_END
    return timezone.now() > max(bulk.finished_at, told.leaves_by) + PATIENCE

"""What a retry of a broadcast was likely to bring, and what it brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db.models import Sum

from broadcasts.models import Broadcast, BroadcastState
from broadcasts.retry import RetryOffer
from broadcasts.ways import rows, statement
from messaging.channels.catalogue import lookup
from messaging.figures.comparison import Comparison, Standing, compare
from messaging.figures.forecast import Forecast, Group, forecast
from messaging.figures.scope import final_when_sent
from messaging.models import MessageState, SkipReason, Tally, TallyUnit
from messaging.models.message import ARRIVED_STATES, WAITING_STATES

ENDED_EARLY = (BroadcastState.CANCELLED, BroadcastState.FAILED)
UNDECIDED = (*WAITING_STATES, MessageState.SENDING, MessageState.SENT)


def of_offer(broadcast: Broadcast, offer: RetryOffer) -> Forecast:
    """Return what the retry that a dialog offers is likely to bring."""
    return forecast(broadcast.organization, offer.groups, starts_at=offer.run_at)


def keep(retry: Broadcast) -> None:
    """Write down what a retry is likely to bring, for exactly its frozen members.

    Those that have a row are counted by the tallies, the others by the rows that they
    are taken from.
    """
    planned = (
        Tally.objects.filter(broadcast_id=retry.pk, unit=TallyUnit.MESSAGE)
        .values_list("cause_code", "channel", "integration_id")
        .annotate(number=Sum("count"))
    )
    others = rows(statement("frozen_causes"), {"broadcast_id": retry.pk})
    groups = [Group(*one) for one in planned]
    groups += [Group(*one.values()) for one in others]
    tell(retry, groups)


def tell(retry: Broadcast, groups: Iterable[Group]) -> None:
    """Write down what a retry of these is likely to bring."""
    told = forecast(retry.organization, groups, starts_at=retry.run_at)
    retry.forecast = told.as_json
    retry.save(update_fields=["forecast"])


def comparison(retry: Broadcast) -> Comparison | None:
    """Put the forecast of a retry beside what came of it, by the tallies.

    None for what has no forecast, or was ended before its time. Whoever an earlier
    run reached after all has arrived as well, so nobody is left to wait for.
    """
    told = Forecast.from_json(retry.forecast)
    if told is None or retry.state in ENDED_EARLY:
        return None
    certain = set(final_when_sent(retry.organization))
    arrived: Counter[str] = Counter()
    undecided: Counter[str] = Counter()
    without_row = _without_row(retry, told)
    tallies = (
        Tally.objects.filter(broadcast_id=retry.pk, unit=TallyUnit.MESSAGE)
        .values_list("cause_code", "outcome", "error_code", "integration_id")
        .annotate(number=Sum("count"))
    )
    for cause, outcome, code, integration_id, number in tallies:
        cause = lookup(cause).code
        without_row[cause] -= number
        is_sent = outcome == MessageState.SENT and integration_id in certain
        if outcome in ARRIVED_STATES or is_sent or code == SkipReason.ALREADY_REACHED:
            arrived[cause] += number
        elif outcome in UNDECIDED:
            undecided[cause] += number
    undecided.update(+without_row)
    return compare(
        told,
        {
            code: Standing(arrived[code], undecided[code])
            for code in {**arrived, **undecided}
        },
    )


def _without_row(retry: Broadcast, told: Forecast) -> Counter[str]:
    """Return the members of each cause, those with a row and without, or nothing.

    Nothing, when all of them have theirs.
    """
    is_complete = retry.is_filled or not retry.frozen_members.exists()
    return Counter({} if is_complete else {one.code: one.count for one in told.causes})

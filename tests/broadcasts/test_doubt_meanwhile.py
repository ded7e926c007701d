"""Who comes to be in doubt after a retry was confirmed is sent to only when asked for.

Between confirming and starting, a row may be resent alone, and end so that nobody can
tell whether it arrived.
"""

from __future__ import annotations

import pytest
from django.utils import timezone

from broadcasts import chain, listing, retry, run
from broadcasts.models import Broadcast
from messaging import audit
from messaging.models import Message, MessageState, SkipReason
from tests.broadcasts.factories import (
    LATER,
    SOON,
    finished,
    only,
    outcomes,
    retried,
    rows_of,
    stand,
    started,
    states_of,
)
from tests.factories import World

pytestmark = pytest.mark.django_db


def reasons_of(broadcast: Broadcast) -> list[tuple[str, str]]:
    return [(one.state, one.reason) for one in rows_of(broadcast)]


IN_DOUBT = (MessageState.CANCELLED, SkipReason.IN_DOUBT)


@pytest.mark.usefixtures("two_to_a_page")
def test_before_its_row_is_made(ours: World) -> None:
    source = finished(ours, *["failed"] * 5)
    made = retried(source, ours, ahead=LATER)
    stand(only(rows_of(source), 4), MessageState.UNKNOWN)
    run.tick()

    assert reasons_of(made)[4] == IN_DOUBT
    started(made)
    assert states_of(made) == [MessageState.QUEUED] * 4 + [MessageState.CANCELLED]
    summary = chain.summary(source)
    assert (summary.waiting, summary.unknown) == (4, 1)


@pytest.mark.usefixtures("two_to_a_page")
def test_before_its_row_is_made_by_a_later_run(ours: World) -> None:
    source = finished(ours, *["failed"] * 3)
    first = started(retried(source, ours))
    outcomes(first, *["failed"] * 3)
    made = retried(source, ours, ahead=LATER)
    stand(only(rows_of(first), 0), MessageState.UNKNOWN)
    run.tick()

    assert reasons_of(made)[0] == IN_DOUBT
    assert states_of(made)[1:] == [MessageState.PLANNED] * 2


@pytest.mark.usefixtures("each_way_of_making")
@pytest.mark.parametrize("place", [0, 1])
def test_after_it_was_confirmed(ours: World, place: int) -> None:
    source = finished(ours, "failed", "failed")
    first = started(retried(source, ours))
    outcomes(first, "failed", "failed")
    made = retried(source, ours)
    stand(only(rows_of((source, first)[place]), 0), MessageState.UNKNOWN)

    started(made)

    assert reasons_of(made) == [IN_DOUBT, (MessageState.QUEUED, "")]
    stand(only(rows_of(made), 1), MessageState.DELIVERED)
    run.tick()
    assert audit.tally_differences() == audit.figure_differences() == []


@pytest.mark.usefixtures("each_way_of_making")
def test_it_goes_out_where_those_in_doubt_were_included(ours: World) -> None:
    source = finished(ours, "failed", "failed", "unknown")
    made = retried(source, ours, include_unknown=True)
    stand(only(rows_of(source), 0), MessageState.UNKNOWN)
    run.tick()
    started(made)

    assert states_of(made) == [MessageState.QUEUED] * 3


@pytest.mark.usefixtures("each_way_of_making")
def test_an_older_doubt_that_a_retry_has_answered_holds_nobody_back(
    ours: World,
) -> None:
    source = finished(ours, "unknown", "failed")
    first = started(retried(source, ours, include_unknown=True))
    outcomes(first, "failed", "failed")

    second = started(retried(first, ours))

    assert not second.includes_unknown
    assert states_of(second) == [MessageState.QUEUED] * 2


def test_who_is_named_on_a_list_goes_out_where_doubt_is_included(ours: World) -> None:
    source = finished(ours, "unknown")
    made = listing.create(
        broadcast=source,
        person=ours.editor,
        run_at=timezone.now() + SOON,
        time_zone="UTC",
        contact_ids=[rows_of(source).get().contact_id],
        include_unknown=True,
    )

    assert states_of(started(made)) == [MessageState.QUEUED]


@pytest.mark.usefixtures("each_way_of_making")
def test_it_can_be_retried_once_the_doubt_is_over(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    made = retried(source, ours)
    resent = rows_of(source)[0]
    stand(Message.objects.filter(pk=resent.pk), MessageState.UNKNOWN)
    started(made)
    stand(only(rows_of(made), 1), MessageState.DELIVERED)
    run.tick()
    assert not retry.state(source).enabled

    stand(Message.objects.filter(pk=resent.pk), MessageState.FAILED)

    again = started(retried(source, ours))
    assert [one.contact_id for one in rows_of(again)] == [resent.contact_id]

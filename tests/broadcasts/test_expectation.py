"""A retry is confirmed with a forecast, and stands beside it afterwards."""

from __future__ import annotations

import pytest
from django.test import Client

from broadcasts import expectation, retry, schedule
from broadcasts.models import Broadcast
from messaging.channels.catalogue import lookup
from messaging.figures.comparison import Outcome
from messaging.figures.forecast import Forecast
from messaging.figures.shown import results
from tests.broadcasts.factories import (
    BLOCKED,
    TIMED_OUT,
    finished,
    outcomes,
    retried,
    rows_of,
    stand,
    started,
)
from tests.broadcasts.views.pages import text_of, url_of
from tests.factories import World
from tests.messaging.figures.history import remember

pytestmark = pytest.mark.django_db

BLOCKED_BY_USER = lookup(BLOCKED).code


def told_of(made: Broadcast) -> Forecast:
    told = Forecast.from_json(made.forecast)
    assert told is not None
    return told


def missed_by_two_causes(world: World) -> Broadcast:
    made = finished(world, "delivered", "failed", "failed", "failed", "unknown")
    stand(rows_of(made).filter(pk=rows_of(made)[1].pk), "failed", BLOCKED)
    return made


def test_the_dialog_tells_what_each_cause_will_bring(ours: World) -> None:
    remember(ours, TIMED_OUT, arrived=90, failed=10)
    source = missed_by_two_causes(ours)

    told = expectation.of_offer(source, retry.offer(source))

    assert told.count == 3
    timed_out = told.of(TIMED_OUT)
    assert timed_out is not None
    assert (timed_out.judged, timed_out.expected) == (2, 2)
    blocked = told.of(BLOCKED_BY_USER)
    assert blocked is not None
    assert not blocked.is_known


def test_unknown_ones_are_part_of_it_only_when_they_are_ticked(ours: World) -> None:
    source = missed_by_two_causes(ours)

    without = retry.offer(source)
    with_them = retry.offer(source, include_unknown=True)

    assert expectation.of_offer(source, without).count == 3
    assert expectation.of_offer(source, with_them).count == 4


def test_confirming_keeps_the_forecast_of_the_frozen_members(ours: World) -> None:
    remember(ours, TIMED_OUT, arrived=90, failed=10)
    source = missed_by_two_causes(ours)

    made = retried(source, ours)
    made.refresh_from_db()

    told = told_of(made)
    assert (told.count, told.judged) == (3, 2)
    assert {one.code: one.count for one in told.causes} == {
        TIMED_OUT: 2,
        BLOCKED_BY_USER: 1,
    }
    assert told.leaves_by is not None
    assert made.run_at is not None
    assert told.leaves_by >= made.run_at


def test_a_retry_of_a_retry_has_its_own(ours: World) -> None:
    source = finished(ours, "failed", "failed", "failed")
    first = started(retried(source, ours))
    outcomes(first, "delivered", "failed", "failed")

    second = retried(first, ours)
    offered = expectation.of_offer(source, retry.offer(source))

    assert told_of(second).count == 2
    # While it is scheduled, nobody of the source is left to retry.
    assert offered.count == 0


def test_afterwards_forecast_and_result_stand_side_by_side(ours: World) -> None:
    remember(ours, TIMED_OUT, arrived=90, failed=10)
    source = missed_by_two_causes(ours)
    made = started(retried(source, ours))

    under_way = expectation.comparison(made)
    assert under_way is not None
    assert under_way.whole.standing.undecided == 3

    by_cause = {row.earlier_error: row for row in rows_of(made)}
    for row in rows_of(made):
        arrives = row.earlier_error == TIMED_OUT
        stand(rows_of(made).filter(pk=row.pk), "delivered" if arrives else "failed")
    made.refresh_from_db()
    found = expectation.comparison(made)

    assert found is not None
    assert set(by_cause) == {TIMED_OUT, BLOCKED}
    timed_out, blocked = found.causes
    assert (timed_out.standing.arrived, timed_out.standing.undecided) == (2, 0)
    assert timed_out.outcome is Outcome.AS_EXPECTED
    assert (blocked.standing.arrived, blocked.outcome) == (0, Outcome.NOT_TOLD)
    assert [line.title for line in results(found)][-1] == "All together"


def test_what_was_cancelled_is_not_compared(ours: World) -> None:
    source = missed_by_two_causes(ours)
    made = retried(source, ours)
    schedule.cancel(broadcast=made, person=ours.editor)
    made.refresh_from_db()

    assert expectation.comparison(made) is None
    assert expectation.comparison(source) is None


def test_the_pages_say_it(ours: World, client: Client) -> None:
    remember(ours, TIMED_OUT, arrived=900, failed=100)
    source = missed_by_two_causes(ours)
    client.force_login(ours.editor)

    dialog = text_of(client.get(url_of("retry", source)))
    made = started(retried(source, ours))
    page = text_of(client.get(url_of("detail", made)))

    assert "About 2 of 2 will arrive" in dialog
    assert "from 1,000 earlier retries" in dialog
    assert "It costs 3 credits at most" in dialog
    assert "What was expected, and what came" in page
    assert "0 so far, 2 still open" in page
    assert "What was expected" not in text_of(client.get(url_of("detail", source)))

"""A large retry that starts soon: each row is made once, when it starts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from broadcasts import (
    chain,
    expectation,
    fill,
    freezing,
    retention,
    retry,
    retrying,
    run,
    schedule,
)
from broadcasts.models import Broadcast, BroadcastState, FrozenMembers
from broadcasts.summary import counters_of
from broadcasts.taken_over import failures_taken_over
from messaging import audit
from messaging.figures.forecast import Forecast
from messaging.models import MessageState, SkipReason
from tests.at_once import somebody_waits_for_us
from tests.broadcasts.factories import (
    LATER,
    SOON,
    TIMED_OUT,
    age,
    finished,
    make_due,
    only,
    outcomes,
    retried,
    rows_of,
    stand,
    started,
    states_of,
)
from tests.factories import World
from tests.messaging.dispatch.test_concurrency import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("two_to_a_page")]
QUEUED, CANCELLED = MessageState.QUEUED, MessageState.CANCELLED


@pytest.fixture
def source(ours: World) -> Broadcast:
    return finished(ours, *["failed"] * 5, "delivered")


def begun(made: Broadcast, *, pages: int) -> Broadcast:
    """Let it start, and make so many pages of its rows."""
    make_due(made)
    run.start_due()
    for _ in range(pages):
        assert fill.fill_page(made.pk)
    made.refresh_from_db()
    return made


def no_differences() -> bool:
    return audit.tally_differences() == audit.figure_differences() == []


def test_nothing_is_planned_and_everybody_counts(
    ours: World, source: Broadcast
) -> None:
    made = retried(source, ours)
    run.tick()

    assert rows_of(made).count() == 0
    counters = counters_of(made)
    assert (counters.total, counters.untried) == (5, 5)
    summary = chain.summary(source)
    assert (summary.aimed, summary.reached, summary.waiting) == (6, 1, 5)


def test_each_row_is_written_once_as_it_goes_out(
    ours: World, source: Broadcast
) -> None:
    made = started(retried(source, ours))

    failed = rows_of(source).filter(state=MessageState.FAILED)
    assert [one.contact_id for one in rows_of(made)] == [
        one.contact_id for one in failed
    ]
    for row, original in zip(rows_of(made), failed, strict=True):
        assert (row.state, row.due_at) == (QUEUED, made.run_at)
        assert row.state_at == row.created_at
        assert (row.root_id, row.earlier_error) == (original.pk, TIMED_OUT)
        assert (row.earlier_tries, row.first_day) == (1, original.day)
        assert row.content_id == original.content_id
        assert row.recipient == original.recipient
        assert row.parameters == original.parameters
    assert not FrozenMembers.objects.exists()
    assert (made.state, made.is_filled) == (BroadcastState.SENDING, True)
    assert made.took_over == [[source.pk, "failed", TIMED_OUT, 5]]
    assert no_differences()


def test_what_was_noted_before_is_what_the_rows_say(ours: World) -> None:
    source = finished(ours, *["failed"] * 3, "unknown", "failed")
    first = started(retried(source, ours))
    outcomes(first, "failed", "delivered", "failed", "failed")
    made = retried(source, ours, include_unknown=True)
    run.tick()
    made.refresh_from_db()
    noted = made.took_over
    assert {run_id for run_id, *_ in noted} == {source.pk, first.pk}

    made = started(made)

    assert made.took_over == noted
    chain.keep_where_members_stood(made)
    made.refresh_from_db()
    assert made.took_over == noted


def test_what_it_is_about_to_take_over_needs_nobody_any_more(
    ours: World, source: Broadcast
) -> None:
    today = timezone.now().date()
    made = retried(source, ours)

    taken = failures_taken_over(ours.organization, today - timedelta(days=1))

    assert taken == {(source.pk, TIMED_OUT): 5}
    made.refresh_from_db()
    assert made.took_over == [[source.pk, "failed", TIMED_OUT, 5]]


def test_whoever_fails_while_it_is_confirmed_is_not_foretold(
    ours: World, source: Broadcast
) -> None:
    offer = retry.offer(source)
    stand(only(rows_of(source), 5), MessageState.FAILED)
    made = retrying.create(
        broadcast=source,
        person=ours.editor,
        run_at=timezone.now() + SOON,
        time_zone="UTC",
        shown_count=offer.count,
        shown_at=offer.shown_at,
    )
    assert made.forecast == {}
    run.tick()
    made.refresh_from_db()

    told = Forecast.from_json(made.forecast)
    assert told is not None
    assert told.count == 5
    assert made.took_over == [[source.pk, "failed", TIMED_OUT, 5]]


def test_the_forecast_is_told_before_it_starts(ours: World, source: Broadcast) -> None:
    made = retried(source, ours)
    run.tick()
    made.refresh_from_db()

    told = Forecast.from_json(made.forecast)
    assert told is not None
    assert [(one.code, one.count) for one in told.causes] == [(TIMED_OUT, 5)]
    compared = expectation.comparison(made)
    assert compared is not None
    assert compared.whole.standing.undecided == 5


def test_the_forecast_says_what_each_failed_with_last(ours: World) -> None:
    source = finished(ours, *["failed"] * 3)
    first = started(retried(source, ours))
    outcomes(first, *["failed"] * 3)
    stand(only(rows_of(first), 1), MessageState.FAILED, "whatsapp:131047")
    made = retried(source, ours)
    run.tick()
    made.refresh_from_db()

    told = Forecast.from_json(made.forecast)
    assert told is not None
    assert {one.code: one.count for one in told.causes} == {
        TIMED_OUT: 2,
        "whatsapp:131047": 1,
    }
    started(made)
    assert sorted(one.earlier_error for one in rows_of(made)) == [
        TIMED_OUT,
        TIMED_OUT,
        "whatsapp:131047",
    ]


def test_half_way_those_without_a_row_are_undecided(
    ours: World, source: Broadcast
) -> None:
    made = begun(retried(source, ours), pages=1)
    stand(rows_of(made), MessageState.DELIVERED)

    compared = expectation.comparison(made)

    assert compared is not None
    standing = compared.whole.standing
    assert (standing.arrived, standing.undecided) == (2, 3)
    assert counters_of(made).untried == 3


def test_cancelled_before_it_starts_it_leaves_nothing(
    ours: World, source: Broadcast
) -> None:
    made = retried(source, ours)
    run.tick()
    schedule.cancel(broadcast=made, person=ours.editor)
    run.tick()

    assert rows_of(made).count() == counters_of(made).total == 0
    assert not FrozenMembers.objects.exists()
    made.refresh_from_db()
    assert (made.state, made.is_settling) == (BroadcastState.CANCELLED, False)
    assert retry.state(source).count == 5
    assert states_of(started(retried(source, ours))) == [QUEUED] * 5


def test_cancelled_half_way_no_more_rows_are_made(
    ours: World, source: Broadcast
) -> None:
    made = begun(retried(source, ours), pages=1)
    stand(only(rows_of(made), 0), MessageState.DELIVERED)
    schedule.cancel(broadcast=made, person=ours.editor)
    run.tick()

    assert states_of(made) == [MessageState.DELIVERED, CANCELLED]
    assert not FrozenMembers.objects.exists()
    made.refresh_from_db()
    assert not made.is_settling
    assert chain.summary(source).reached == 2
    assert retry.state(source).count == 4
    assert no_differences()


def test_moved_away_it_is_planned_and_moved_back_the_rest_is_made_when_it_starts(
    ours: World, source: Broadcast
) -> None:
    made = retried(source, ours)
    later = timezone.now() + LATER
    schedule.schedule(broadcast=made, person=ours.editor, run_at=later, time_zone="UTC")
    assert freezing.fill_page(made.pk)
    assert states_of(made) == [MessageState.PLANNED] * 2
    soon = timezone.now() + SOON
    schedule.schedule(broadcast=made, person=ours.editor, run_at=soon, time_zone="UTC")
    run.tick()
    assert states_of(made) == [MessageState.PLANNED] * 2

    made = started(made)

    assert states_of(made) == [QUEUED] * 5
    assert set(rows_of(made).values_list("due_at", flat=True)) == {made.run_at}
    assert made.took_over == [[source.pk, "failed", TIMED_OUT, 5]]
    told = Forecast.from_json(made.forecast)
    assert told is not None
    assert told.count == 5
    assert no_differences()


def test_forgotten_half_way_nobody_is_sent_to_late(
    ours: World, source: Broadcast
) -> None:
    made = begun(retried(source, ours), pages=1)
    stand(only(rows_of(made), 0), MessageState.DELIVERED)
    Broadcast.objects.filter(pk=made.pk).update(
        filled_at=timezone.now() - timedelta(hours=5)
    )
    run.tick()

    assert states_of(made) == [MessageState.DELIVERED, CANCELLED]
    made.refresh_from_db()
    assert made.state == BroadcastState.COMPLETED
    assert retry.state(source).count == 4


def test_planned_rows_that_were_forgotten_half_way_are_taken_back(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    made = retried(source, ours)
    make_due(made)
    run.start_due()
    fill.fill_page(made.pk, page=1)
    assert states_of(made) == [QUEUED, MessageState.PLANNED]
    stand(only(rows_of(made), 0), MessageState.DELIVERED)
    Broadcast.objects.filter(pk=made.pk).update(
        filled_at=timezone.now() - timedelta(hours=5)
    )
    run.tick()

    assert states_of(made) == [MessageState.DELIVERED, CANCELLED]
    made.refresh_from_db()
    assert made.state == BroadcastState.COMPLETED
    assert retry.state(source).count == 1


def test_due_while_nothing_ran_it_fails_and_everybody_can_be_retried(
    ours: World, source: Broadcast
) -> None:
    made = retried(source, ours)
    run.tick()
    Broadcast.objects.filter(pk=made.pk).update(
        run_at=timezone.now() - timedelta(hours=5)
    )
    run.tick()

    made.refresh_from_db()
    assert made.state == BroadcastState.FAILED
    assert not FrozenMembers.objects.exists()
    assert retry.state(source).count == 5


def test_a_page_that_breaks_is_undone_and_made_again(
    ours: World, source: Broadcast, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = begun(retried(source, ours), pages=1)
    with monkeypatch.context() as patch:
        patch.setattr(FrozenMembers, "delete", lambda _: 1 / 0)
        run.tick()
    assert (rows_of(made).count(), freezing.members_without_row(made)) == (2, 3)

    run.tick()

    assert states_of(made) == [QUEUED] * 5
    made.refresh_from_db()
    assert made.took_over == [[source.pk, "failed", TIMED_OUT, 5]]


@pytest.mark.parametrize("state", [QUEUED, MessageState.SENDING])
def test_who_is_on_the_way_is_left_to_that(
    ours: World, source: Broadcast, state: str
) -> None:
    made = retried(source, ours)
    stand(only(rows_of(source), 2), state)
    made = started(made)

    row = rows_of(made)[2]
    assert (row.state, row.reason) == (CANCELLED, SkipReason.ON_ITS_WAY)
    assert states_of(made).count(QUEUED) == 4
    assert made.took_over == [[source.pk, "failed", TIMED_OUT, 4]]


def test_members_are_kept_as_long_as_their_rows_are_to_be_made(
    ours: World, source: Broadcast
) -> None:
    made = retried(source, ours)
    age(source)

    assert retention.prune(ours.organization) == 0
    assert states_of(started(made)) == [QUEUED] * 5
    assert retention.prune(ours.organization) == 6


def test_its_page_and_its_dialog_say_how_many_and_when(
    ours: World, source: Broadcast, client: Client
) -> None:
    client.force_login(ours.editor)
    made = retried(source, ours)
    run.tick()

    page = client.get(f"/broadcasts/{made.pk}/").content.decode()
    assert 'id="listed"' in page
    assert 'id="preparing"' not in page
    assert "<strong>5</strong>" in page
    assert "their messages are made when it starts" in page
    make_due(made)
    run.start_due()
    page = client.get(f"/broadcasts/{made.pk}/").content.decode()
    assert 'id="listed"' not in page
    assert "0 of 5 messages settled" in page


@pytest.mark.django_db(transaction=True)
def test_two_workers_make_every_row_once(ours: World, source: Broadcast) -> None:
    made = begun(retried(source, ours), pages=0)

    def work(_: int) -> None:
        until(lambda: not fill.fill_page(made.pk) and is_filled(made))

    at_once(2, work)

    assert states_of(made) == [QUEUED] * 5
    made.refresh_from_db()
    assert made.took_over == [[source.pk, "failed", TIMED_OUT, 5]]
    assert no_differences()


@pytest.mark.django_db(transaction=True)
def test_who_is_resent_in_that_very_moment_gets_it_once(
    ours: World, source: Broadcast
) -> None:
    made = begun(retried(source, ours), pages=0)
    resent = only(rows_of(source), 1)

    def work() -> None:
        fill.fill_page(made.pk)
        connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        stand(resent, QUEUED)
        thread.start()
        until(somebody_waits_for_us)
    thread.join()

    assert [(one.state, one.reason) for one in rows_of(made)] == [
        (QUEUED, ""),
        (CANCELLED, SkipReason.ON_ITS_WAY),
    ]


def until(happens: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_filled(made: Broadcast) -> bool:
    return Broadcast.objects.get(pk=made.pk).is_filled

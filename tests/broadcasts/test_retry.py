"""The retry button: when it works, and its reason when it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadcasts import retention, retry, run, schedule
from broadcasts.models import Broadcast
from broadcasts.problems import ProblemCode
from messaging.models import MessageState
from tests.broadcasts.factories import (
    BLOCKED,
    age,
    finished,
    only,
    refusal,
    retried,
    rows_of,
    scheduled,
    stand,
    started,
)
from tests.factories import World

pytestmark = pytest.mark.django_db


def draft_state(world: World) -> Broadcast:
    return world.broadcast("draft")


def pruned(world: World) -> Broadcast:
    made = finished(world, "failed", "delivered")
    age(made, 31)
    retention.prune(world.organization)
    return made


def partly_pruned(world: World) -> Broadcast:
    made = finished(world, "failed", "failed", "delivered")
    only(rows_of(made), 0).update(created_at=timezone.now() - timedelta(days=31))
    Broadcast.objects.filter(pk=made.pk).update(started_at=None)
    retention.prune(world.organization)
    return made


def cancelled_midway(world: World) -> Broadcast:
    for _ in range(2):
        world.contact()
    made = started(scheduled(world))
    stand(only(rows_of(made), 0), MessageState.FAILED)
    return schedule.cancel(broadcast=made, person=world.editor)


def with_scheduled_retry(world: World) -> Broadcast:
    made = finished(world, "failed")
    retried(made, world)
    return made


def with_sending_retry(world: World) -> Broadcast:
    made = with_scheduled_retry(world)
    started(made.retries.get())
    return made


def with_cancelled_retry(world: World) -> Broadcast:
    made = with_scheduled_retry(world)
    schedule.cancel(broadcast=made.retries.get(), person=world.editor)
    return made


def with_retry_that(state: str) -> Callable[[World], Broadcast]:
    def make(world: World) -> Broadcast:
        made = with_sending_retry(world)
        again = made.retries.get()
        stand(rows_of(again), state)
        run.tick()
        return made

    return make


def reached_late_by_its_source(world: World) -> Broadcast:
    """A retry whose only failure was reached by the source after all."""
    made = with_retry_that("failed")(world)
    stand(rows_of(made), MessageState.DELIVERED)
    return made.retries.get()


TABLE = [
    (draft_state, False, "This is a draft", 0),
    (scheduled, False, "It has not run yet. Wait", 0),
    (lambda world: started(scheduled_to_one(world)), False, "still sending. Wait", 0),
    (lambda world: world.broadcast("failed"), False, "Clone it", 0),
    (lambda world: finished(world, "delivered", "sent"), False, "Nothing failed", 0),
    (lambda world: finished(world, "skipped", "delivered"), False, "Nothing failed", 0),
    (lambda world: finished(world, "unknown"), False, "nobody can tell yet", 0),
    (lambda world: finished(world, "failed", "unknown", "failed"), True, "", 2),
    (cancelled_midway, True, "", 1),
    (pruned, False, "older than 30 days", 0),
    (partly_pruned, True, "", 1),
    (with_scheduled_retry, False, "is already scheduled for", 0),
    (with_sending_retry, False, "is sending to them now", 0),
    (with_cancelled_retry, True, "", 1),
    (with_retry_that("failed"), True, "", 1),
    (with_retry_that("skipped"), True, "", 1),
    (with_retry_that("delivered"), False, "sent to again in another run", 0),
    (with_retry_that("sent"), False, "sent to again in another run", 0),
    (with_retry_that("unknown"), False, "sent to again in another run", 0),
    (reached_late_by_its_source, False, "sent to again in another run", 0),
]


def scheduled_to_one(world: World) -> Broadcast:
    world.contact()
    return scheduled(world)


@pytest.mark.parametrize(("make", "enabled", "words", "count"), TABLE)
def test_the_button_and_its_reason(
    ours: World,
    make: Callable[[World], Broadcast],
    enabled: bool,
    words: str,
    count: int,
) -> None:
    broadcast = make(ours)
    broadcast.refresh_from_db()

    state = retry.state(broadcast)

    assert (state.enabled, state.count) == (enabled, count)
    assert bool(state.reason) is not enabled
    assert words in state.reason
    # Whoever presses all the same is told the same.
    if not enabled:
        problem = refusal(lambda: retried(broadcast, ours))
        assert problem.sentence == state.reason
        is_live = state.live_retry is not None
        expected = ProblemCode.CONFLICT if is_live else ProblemCode.BAD_USER_INPUT
        assert problem.code == expected


def test_the_dialog_shows_members_by_cause(ours: World) -> None:
    source = finished(ours, "failed", "failed", "failed", "unknown", "delivered")
    stand(only(rows_of(source), 0), "failed", BLOCKED)

    offer = retry.offer(source)

    assert (offer.count, offer.unknown_count) == (3, 1)
    assert [(one.count, one.entry.error_class) for one in offer.causes] == [
        (2, "retry"),
        (1, "never"),
    ]
    assert offer.run_at >= offer.shown_at + timedelta(minutes=2)
    assert offer.run_at <= offer.shown_at + timedelta(minutes=3)
    assert (offer.run_at.second, offer.run_at.microsecond) == (0, 0)
    assert retry.offer(source, include_unknown=True).count == 4


def test_a_page_looks_at_some_rows_and_the_dialog_at_all(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "LOOKED_AT", 3)
    source = finished(ours, *["failed"] * 5)
    assert retry.state(source).number == "5"
    again = started(retried(source, ours))
    stand(rows_of(again), MessageState.FAILED)
    stand(only(rows_of(again), 0), MessageState.DELIVERED)
    run.tick()

    monkeypatch.setattr(retry, "CAP", 10)
    assert (retry.state(source).enabled, retry.state(source).number) == (True, "")
    monkeypatch.setattr(retry, "CAP", 2)
    assert retry.state(source).number == "2+"
    assert retry.offer(source).count == 4
    assert rows_of(retried(source, ours)).count() == 4


def test_of_many_who_were_all_reached_none_is_offered(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = finished(ours, *["failed"] * 5, "skipped", "delivered")
    again = started(retried(source, ours))
    monkeypatch.setattr(retry, "LOOKED_AT", 3)

    stand(rows_of(again), MessageState.DELIVERED)
    stand(only(rows_of(again), 4), MessageState.FAILED)
    run.tick()
    # The last of them is behind those that a page looks at, but the dialog finds it.
    assert retry.state(source).enabled
    assert retry.offer(source).count == 1

    stand(rows_of(again), MessageState.DELIVERED)
    assert retry.state(source).reason == retry.SENT_AGAIN
    assert retry.offer(source).state.reason == retry.SENT_AGAIN


def test_nobody_is_no_retry_even_where_a_page_could_not_tell(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = finished(ours, *["failed"] * 5, "unknown")
    again = started(retried(source, ours))
    stand(rows_of(again), MessageState.DELIVERED)
    run.tick()
    monkeypatch.setattr(retry, "LOOKED_AT", 3)
    assert retry.state(source).enabled

    assert not retry.offer(source).state.enabled
    problem = refusal(lambda: retried(source, ours))

    assert problem.code == ProblemCode.CONFLICT
    assert "nobody is left to retry" in problem.sentence
    assert source.retries.count() == 1


def test_a_page_reads_no_more_rows_than_it_may(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "LOOKED_AT", 3)
    source = finished(ours, *["failed"] * 5)
    again = started(retried(source, ours))
    stand(rows_of(again), MessageState.FAILED)
    run.tick()

    with CaptureQueriesContext(connection) as queries:
        retry.state(source)

    counting = [
        one["sql"]
        for one in queries
        if "EXISTS(" in one["sql"] and "COUNT(" in one["sql"]
    ]
    assert len(counting) == 1
    assert "LIMIT 3" in counting[0]

"""Two retries of one chain, of whichever of its runs, never take the same person."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from broadcasts import chain, fill, freezing, listing, retry, retrying, run, schedule
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.problems import Problem, ProblemCode
from messaging import audit
from messaging.models import Message, MessageState, SkipReason
from tests.at_once import somebody_waits_for_us
from tests.broadcasts.factories import (
    LATER,
    SOON,
    finished,
    make_due,
    only,
    outcomes,
    refusal,
    retried,
    rows_of,
    stand,
    started,
    states_of,
)
from tests.factories import World

pytestmark = pytest.mark.django_db


def failed_twice(world: World, number: int = 5) -> tuple[Broadcast, Broadcast]:
    """A broadcast and its retry, both over, that reached nobody."""
    source = finished(world, *["failed"] * number)
    first = started(retried(source, world))
    outcomes(first, *["failed"] * number)
    assert first.state == BroadcastState.COMPLETED
    return source, first


def listed(world: World, source: Broadcast) -> Broadcast:
    return listing.create(
        broadcast=source,
        person=world.editor,
        run_at=timezone.now() + SOON,
        time_zone="UTC",
        contact_ids=[one.contact_id for one in rows_of(source)],
    )


@pytest.mark.parametrize("create", [lambda w, s: retried(s, w), listed])
@pytest.mark.usefixtures("two_to_a_page")
def test_nobody_is_taken_over_while_a_list_is_not_complete(
    ours: World, create: Callable[[World, Broadcast], Broadcast]
) -> None:
    source, first = failed_twice(ours)
    other = retried(source, ours, ahead=LATER)

    standing = retry.state(first)
    problem = refusal(lambda: create(ours, first))

    assert (standing.enabled, standing.live_retry) == (False, other)
    assert (problem.code, problem.sentence) == (ProblemCode.CONFLICT, standing.reason)
    assert f"“{other.name}” is taking over" in problem.sentence
    assert "Try again in a minute, or cancel that one first." in problem.sentence
    run.tick()
    assert retry.state(first).reason == retry.SENT_AGAIN
    assert first.retries.count() == 0


@pytest.mark.usefixtures("two_to_a_page")
def test_nobody_is_taken_over_before_one_that_starts_soon(ours: World) -> None:
    source, first = failed_twice(ours)
    other = retried(source, ours)
    run.tick()

    problem = refusal(lambda: retried(first, ours))

    assert problem.code == ProblemCode.CONFLICT
    assert "is complete when it starts, on" in problem.sentence
    assert "Try again then, or cancel that one first." in problem.sentence
    started(other)
    assert retry.state(first).reason == retry.SENT_AGAIN


@pytest.mark.usefixtures("two_to_a_page")
def test_nobody_is_taken_over_while_its_rows_are_being_made(ours: World) -> None:
    source, first = failed_twice(ours)
    other = retried(source, ours)
    make_due(other)
    run.start_due()
    fill.fill_page(other.pk)

    standing = retry.state(first)

    assert (standing.enabled, standing.live_retry) == (False, other)
    assert "is complete in a moment" in standing.reason


@pytest.mark.usefixtures("two_to_a_page")
def test_a_cancelled_retry_is_in_nobodys_way(ours: World) -> None:
    source, first = failed_twice(ours)
    other = retried(source, ours)
    schedule.cancel(broadcast=other, person=ours.editor)

    assert retried(first, ours)


@pytest.mark.usefixtures("two_to_a_page")
@pytest.mark.parametrize("state", [MessageState.QUEUED, MessageState.SENDING])
def test_who_another_run_sends_to_before_the_list_is_complete_is_left_to_it(
    ours: World, state: str
) -> None:
    source, first = failed_twice(ours)
    made = retried(source, ours, ahead=LATER)
    resent = rows_of(first)[1]
    stand(Message.objects.filter(pk=resent.pk), state)

    run.tick()

    row = rows_of(made).get(contact_id=resent.contact_id)
    assert (row.state, row.reason) == (MessageState.CANCELLED, SkipReason.ON_ITS_WAY)
    assert states_of(made).count(MessageState.PLANNED) == 4


@pytest.mark.usefixtures("each_way_of_making")
def test_who_another_run_sends_to_when_it_starts_is_left_to_it(ours: World) -> None:
    source, first = failed_twice(ours, 2)
    made = retried(source, ours)
    stand(only(rows_of(first), 0), MessageState.QUEUED)

    started(made)

    assert [(one.state, one.reason) for one in rows_of(made)] == [
        (MessageState.CANCELLED, SkipReason.ON_ITS_WAY),
        (MessageState.QUEUED, ""),
    ]
    # The member stands where the other run leaves them.
    stand(only(rows_of(first), 0), MessageState.DELIVERED)
    stand(only(rows_of(made), 1), MessageState.FAILED)
    run.tick()
    summary = chain.summary(source)
    assert (summary.aimed, summary.reached, summary.failed) == (2, 1, 1)
    assert audit.tally_differences() == audit.figure_differences() == []


def planned_twice(world: World) -> tuple[Broadcast, Broadcast]:
    """Two retries with a planned row each for the same member; no service does it."""
    source, first = failed_twice(world, 1)
    older = retried(source, world)
    newer = retrying.new_retry(
        first, world.editor, timezone.now() + SOON, "UTC", includes_unknown=False
    )
    retrying.copy_routes(first, newer)
    row = rows_of(older).get()
    row.pk = None
    row.broadcast_id = newer.pk
    row._state.adding = True
    row.save()
    return older, newer


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_rows_that_wait_the_older_one_goes(
    ours: World, order: tuple[int, int]
) -> None:
    both = planned_twice(ours)
    for place in order:
        started(both[place])

    older, newer = (rows_of(one).get() for one in both)
    assert older.state == MessageState.QUEUED
    assert (newer.state, newer.reason) == (
        MessageState.CANCELLED,
        SkipReason.ON_ITS_WAY,
    )


@pytest.mark.django_db(transaction=True)
def test_of_two_who_retry_two_runs_at_once_one_comes_too_late(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, first = failed_twice(ours, 2)
    refused: list[Problem] = []
    freeze = freezing.freeze

    def second() -> None:
        try:
            retried(first, ours)
        except Problem as problem:
            refused.append(problem)
        finally:
            connection.close()

    thread = threading.Thread(target=second)

    def meanwhile(*arguments: Any) -> int:
        """Let the second one come as far as it gets before the first one is through."""
        monkeypatch.setattr(freezing, "freeze", freeze)
        number = freeze(*arguments)
        thread.start()
        while thread.is_alive() and not somebody_waits_for_us():
            time.sleep(0.01)
        return number

    monkeypatch.setattr(freezing, "freeze", meanwhile)
    made = retried(source, ours)
    thread.join()

    assert rows_of(made).count() == 2
    assert first.retries.count() == 0
    assert [one.sentence for one in refused] == [retry.SENT_AGAIN]

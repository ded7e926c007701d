"""A chain counts each person once, whatever happened in which order."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadcasts import chain, freezing, retry, run, schedule
from broadcasts.models import Broadcast
from messaging.dispatch.chain import cancel_waiting_tries, note_reached
from messaging.models import Message, MessageState, SkipReason
from messaging.models.message import REACHED_STATES
from tests.broadcasts.factories import (
    BLOCKED,
    finished,
    outcomes,
    retried,
    rows_of,
    stand,
    started,
)
from tests.factories import World, world

pytestmark = pytest.mark.django_db

PARTS = ("reached", "waiting", "unknown", "failed", "skipped", "cancelled")
WAITING = (MessageState.PLANNED, MessageState.QUEUED, MessageState.SENDING)


def parts(broadcast: Broadcast) -> dict[str, int]:
    summary = chain.summary(broadcast)
    numbers = {name: getattr(summary, name) for name in PARTS}
    assert sum(numbers.values()) == summary.aimed
    return {name: number for name, number in numbers.items() if number}


def by_rows(root: Broadcast) -> dict[str, int]:
    """Count people the slow way, row by row."""
    people: dict[int, list[Message]] = defaultdict(list)
    runs = [root.pk, *root.chain.values_list("pk", flat=True)]
    for row in Message.objects.filter(broadcast_id__in=runs).order_by("pk"):
        people[row.root_id or row.pk].append(row)
    return dict(Counter(standing(rows, root) for rows in people.values()))


def standing(rows: list[Message], root: Broadcast) -> str:
    if any(row.state in REACHED_STATES for row in rows):
        return "reached"
    if any(row.state in WAITING for row in rows):
        return "waiting"
    last = [
        row
        for row in rows
        if row.reason != SkipReason.ALREADY_REACHED
        and (row.state != MessageState.CANCELLED or row.broadcast_id == root.pk)
    ][-1]
    return last.state


def arrive_late(row: Message) -> None:
    """A receipt says that it was delivered after all."""
    stand(Message.objects.filter(pk=row.pk), MessageState.DELIVERED)
    cancel_waiting_tries([row.pk])
    note_reached([row.pk])


def run_to(broadcast: Broadcast, *states: str) -> Broadcast:
    started(broadcast)
    outcomes(broadcast, *states)
    return broadcast


def test_the_example_of_everybody_but_one(ours: World) -> None:
    source = finished(ours, *["delivered"] * 7, "failed", "failed", "failed")
    first = run_to(retried(source, ours), "delivered", "failed", "failed")
    second = started(retried(first, ours))
    reached, blocked = rows_of(second)
    stand(Message.objects.filter(pk=reached.pk), "delivered")
    stand(Message.objects.filter(pk=blocked.pk), "failed", BLOCKED)
    run.tick()

    for one in (source, first, second):
        summary = chain.summary(one)
        title = summary.causes[0].entry.title
        assert summary.sentence == (
            f"10 aimed, 9 reached in 3 runs, 1 failed ({title})"
        )
        assert [each.broadcast for each in summary.runs] == [source, first, second]
        assert [each.is_current for each in summary.runs].index(True) == (
            [source, first, second].index(one)
        )
        assert [each.reached_first for each in summary.runs] == [7, 1, 1]


def test_a_broadcast_without_retries_is_its_own_chain(ours: World) -> None:
    source = finished(ours, "delivered", "skipped", "failed")

    summary = chain.summary(source)

    assert not summary.is_chain
    assert parts(source) == {"reached": 1, "skipped": 1, "failed": 1}
    assert summary.sentence.startswith("3 aimed, 1 reached, 1 failed (")


def test_unknown_ones_that_were_sent_again_count_once(ours: World) -> None:
    source = finished(ours, "failed", "unknown", "unknown", "unknown")
    again = retried(source, ours, include_unknown=True)
    assert parts(source) == {"waiting": 4}

    run_to(again, "delivered", "delivered", "failed", "unknown")

    assert parts(source) == {"reached": 2, "failed": 1, "unknown": 1}
    # One of them had the first message after all: twice reached, once counted.
    arrive_late(rows_of(source)[1])
    assert parts(source) == {"reached": 2, "failed": 1, "unknown": 1}


def test_a_receipt_after_the_retry_was_sent_reaches_nobody_twice(
    ours: World,
) -> None:
    source = finished(ours, "failed", "failed", "failed", "delivered")
    run_to(retried(source, ours), "delivered", "failed", "failed")

    arrive_late(rows_of(source)[0])
    assert parts(source) == {"reached": 2, "failed": 2}

    arrive_late(rows_of(source)[1])
    assert parts(source) == {"reached": 3, "failed": 1}


@pytest.mark.usefixtures("each_way_of_making")
def test_a_receipt_before_the_retry_leaves_withholds_it(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    again = retried(source, ours)

    arrive_late(rows_of(source)[0])

    assert parts(source) == {"reached": 1, "waiting": 1}
    started(again)
    outcomes(again, "cancelled", "failed")
    Message.objects.filter(pk=rows_of(again)[0].pk).update(
        reason=SkipReason.ALREADY_REACHED
    )
    assert parts(source) == {"reached": 1, "failed": 1}


@pytest.mark.usefixtures("each_way_of_making")
def test_two_retries_of_one_source_take_each_member_once(ours: World) -> None:
    source = finished(ours, "failed", "failed", "failed")
    run_to(retried(source, ours), "delivered", "skipped", "failed")
    assert parts(source) == {"reached": 1, "skipped": 1, "failed": 1}

    second = retried(source, ours)
    assert parts(source) == {"reached": 1, "waiting": 2}

    run_to(second, "delivered", "failed")
    assert parts(source) == {"reached": 2, "failed": 1}


@pytest.mark.usefixtures("each_way_of_making")
def test_a_cancelled_retry_gives_its_members_back(ours: World) -> None:
    source = finished(ours, "failed", "unknown", "delivered")
    before = parts(source)
    again = retried(source, ours, include_unknown=True)

    schedule.cancel(broadcast=again, person=ours.editor)

    assert parts(source) == before == {"failed": 1, "unknown": 1, "reached": 1}
    assert chain.summary(source).causes[0].count == 1


OUTCOMES = st.sampled_from(["delivered", "sent", "failed", "unknown", "skipped"])
STEP = st.fixed_dictionaries(
    {
        "source": st.integers(0, 3),
        "include_unknown": st.booleans(),
        "planned": st.booleans(),
        "cancelled": st.sampled_from(["no", "no", "before", "midway"]),
        "outcomes": st.lists(OUTCOMES, min_size=6, max_size=6),
        "late": st.lists(st.integers(0, 20), max_size=2),
    }
)
SLOW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def take(step: dict[str, Any], runs: list[Broadcast], ours: World) -> None:
    """Retry one of the runs, and let it go as the step says."""
    source = runs[step["source"] % len(runs)]
    source.refresh_from_db()
    if not retry.state(source).enabled:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(freezing, "PAGE", 2)
        patch.setattr(freezing, "AT_ONCE", 100 if step["planned"] else 0)
        made = retried(source, ours, include_unknown=step["include_unknown"])
    runs.append(made)
    if step["cancelled"] == "before":
        schedule.cancel(broadcast=made, person=ours.editor)
        return
    started(made)
    rows = list(rows_of(made).filter(state=MessageState.QUEUED))
    if step["cancelled"] == "midway":
        rows = rows[: len(rows) // 2]
    for row, state in zip(rows, step["outcomes"], strict=False):
        stand(Message.objects.filter(pk=row.pk), state)
    note_reached([row.pk for row in rows])
    if step["cancelled"] == "midway":
        schedule.cancel(broadcast=made, person=ours.editor)
    run.tick()


@SLOW
@given(
    first=st.lists(OUTCOMES, min_size=3, max_size=6),
    steps=st.lists(STEP, max_size=4),
)
def test_tallies_count_as_rows_do(
    db: None, first: list[str], steps: list[dict[str, Any]]
) -> None:
    ours = world("Ours", credits=0)
    root = finished(ours, *first)
    runs = [root]
    for step in steps:
        take(step, runs, ours)
        assert parts(root) == by_rows(root)


@SLOW
@given(
    first=st.lists(OUTCOMES, min_size=3, max_size=6),
    steps=st.lists(STEP, max_size=4),
)
def test_late_receipts_never_count_anybody_twice(
    db: None, first: list[str], steps: list[dict[str, Any]]
) -> None:
    ours = world("Ours", credits=0)
    root = finished(ours, *first)
    runs = [root]
    for step in steps:
        take(step, runs, ours)
        for place in step["late"]:
            rows = Message.objects.filter(
                broadcast_id__in=[one.pk for one in runs],
                state__in=["failed", "unknown"],
            ).order_by("pk")
            if place < len(rows):
                arrive_late(rows[place])
        counted, expected = parts(root), by_rows(root)
        assert counted.get("reached") == expected.get("reached")
        assert counted.get("waiting") == expected.get("waiting")

"""Chunks, kills, cancelling, and tasks side by side."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.audit import tally_differences
from messaging.bulk import running
from messaging.models import (
    BulkResend,
    Message,
)
from messaging.trail import by_person
from tests.factories import World
from tests.messaging.bulk.steps import (
    Fail,
    answers,
    counts_match_items,
    frozen,
    shown,
    worked_off,
)
from tests.messaging.dispatch.test_concurrency import at_once

pytestmark = pytest.mark.django_db


def test_a_scheduled_one_waits_for_its_time(ours: World, fail: Fail) -> None:
    message = fail()
    bulk = frozen(ours, at=timezone.now() + timedelta(hours=2))

    assert worked_off(bulk).state == "frozen"
    BulkResend.objects.update(scheduled_for=timezone.now() - timedelta(seconds=1))
    assert worked_off(bulk).state == "completed"

    assert answers(bulk) == {message.pk: ("queued", "")}


def test_a_kill_between_chunks_loses_and_doubles_nothing(
    ours: World, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        fail()
    monkeypatch.setattr(running, "CHUNK", 3)
    bulk = frozen(ours)
    running.start_due()
    running.step(bulk.pk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.queued_count) == ("running", 3)

    def killed(*arguments: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(running, "_settle", killed)
        with pytest.raises(SystemExit):
            running.step(bulk.pk)

    bulk.refresh_from_db()
    assert bulk.queued_count == 3
    assert Message.objects.filter(state="queued").count() == 3

    worked_off(bulk)
    assert (bulk.state, bulk.queued_count) == ("completed", 7)
    assert Message.objects.filter(state="queued").count() == 7
    counts_match_items(bulk)
    assert tally_differences() == []


def test_it_is_on_record_when_one_last_moved(
    ours: World, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        fail()
    monkeypatch.setattr(running, "CHUNK", 2)
    bulk = frozen(ours)
    assert bulk.moved_at is None

    running.start_due()
    bulk.refresh_from_db()
    started_at = bulk.moved_at
    assert started_at is not None

    running.step(bulk.pk)
    bulk.refresh_from_db()
    moved_at = bulk.moved_at
    assert moved_at is not None
    assert moved_at > started_at

    def fails(*arguments: Any) -> None:
        raise ValueError

    monkeypatch.setattr(running, "_queue_chunk", fails)
    assert running.run(budget_seconds=0.1) == 0
    bulk.refresh_from_db()
    assert bulk.moved_at == moved_at


def test_running_what_has_ended_changes_nothing(ours: World, fail: Fail) -> None:
    message = fail()
    bulk = worked_off(frozen(ours))
    due_at = Message.objects.get().due_at

    assert running.run() == 0

    assert Message.objects.get().due_at == due_at
    assert answers(bulk) == {message.pk: ("queued", "")}


def test_cancelling_takes_back_what_waits_and_leaves_what_is_queued(
    ours: World, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [fail() for _ in range(5)]
    monkeypatch.setattr(running, "CHUNK", 2)
    bulk = frozen(ours)
    running.start_due()
    running.step(bulk.pk)

    assert running.cancel(bulk, by=by_person(ours.editor))

    bulk.refresh_from_db()
    assert (bulk.state, bulk.queued_count, bulk.cancelled_count) == ("cancelled", 2, 3)
    assert bulk.finished_at is not None
    assert Counter(answers(bulk).values()) == {
        ("queued", ""): 2,
        ("cancelled", "taken_back"): 3,
    }
    assert Message.objects.filter(state="failed").count() == len(messages) - 2
    counts_match_items(bulk)
    assert not running.cancel(bulk, by=by_person(ours.editor))
    # What was taken back is free for the next one.
    assert shown(ours).candidates == 3


def test_a_kill_while_cancelling_is_made_good_by_the_next_ring(
    ours: World, fail: Fail
) -> None:
    for _ in range(3):
        fail()
    bulk = frozen(ours)
    BulkResend.objects.filter(pk=bulk.pk).update(state="cancelled")

    worked_off(bulk)

    assert (bulk.state, bulk.cancelled_count) == ("cancelled", 3)
    assert bulk.finished_at is not None
    counts_match_items(bulk)


def test_what_has_ended_cannot_be_cancelled(ours: World, fail: Fail) -> None:
    fail()
    bulk = worked_off(frozen(ours))

    assert not running.cancel(bulk, by=by_person(ours.editor))

    bulk.refresh_from_db()
    assert bulk.state == "completed"


def test_the_cost_of_a_chunk_does_not_grow_with_its_rows(
    ours: World, fail: Fail
) -> None:
    def cost() -> int:
        bulk = frozen(ours)
        running.start_due()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            running.step(bulk.pk)
        return len(queries)

    fail()
    few = cost()
    for _ in range(30):
        fail()

    assert cost() == few


def test_items_go_when_their_time_is_over_and_the_figures_stay(
    ours: World, fail: Fail
) -> None:
    fail()
    bulk = worked_off(frozen(ours))
    assert running.prune() == 0

    BulkResend.objects.update(finished_at=timezone.now() - timedelta(days=31))

    assert running.prune() == 1
    bulk.refresh_from_db()
    assert (bulk.total, bulk.queued_count) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_tasks_side_by_side_queue_each_message_once(
    ours: World, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(60):
        fail()
    fail("whatsapp:131026")
    monkeypatch.setattr(running, "CHUNK", 5)
    bulk = frozen(ours)

    settled = at_once(4, lambda index: running.run())

    running.run()
    bulk.refresh_from_db()
    assert sum(settled) == 61
    assert (bulk.state, bulk.queued_count, bulk.refused_count) == ("completed", 60, 1)
    assert Message.objects.filter(state="queued").count() == 60
    counts_match_items(bulk)
    assert tally_differences() == []


def test_one_that_cannot_go_on_holds_up_no_other(
    ours: World, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail()
    broken = frozen(ours)
    fail()
    fine = frozen(ours)
    step = running.step

    def breaks(bulk_id: int) -> int:
        if bulk_id == broken.pk:
            raise ValueError("broken")
        return step(bulk_id)

    monkeypatch.setattr(running, "step", breaks)

    assert worked_off(fine).state == "completed"
    broken.refresh_from_db()
    assert broken.state == "running"

"""A retry is a new broadcast to exactly the failed; the source stays."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from broadcasts import retry, retrying, run, schedule
from broadcasts.fields import fields_of
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.problems import Problem, ProblemCode
from messaging.models import Attempt, AuditEntry, AuditKind, Message, MessageState
from tests.broadcasts.factories import (
    SOON,
    finished,
    only,
    refusal,
    retried,
    rows_of,
    stand,
    started,
)
from tests.factories import World

pytestmark = pytest.mark.django_db


def test_a_retry_is_the_same_to_exactly_the_failed(ours: World) -> None:
    source = finished(ours, "delivered", "failed", "skipped", "unknown", "failed")
    _, first, _, _, second = rows_of(source)
    Message.objects.filter(pk=second.pk).update(parts_sent=2)

    made = retried(source, ours)

    assert (made.state, made.retry_of, made.root) == ("scheduled", source, source)
    assert made.name == f"Retry of {source.name}"
    assert fields_of(made).routes == fields_of(source).routes
    assert (made.kind, made.flow, made.content) == (
        source.kind,
        source.flow,
        source.content,
    )
    rows = list(rows_of(made))
    assert [row.contact_id for row in rows] == [first.contact_id, second.contact_id]
    assert [row.root_id for row in rows] == [first.pk, second.pk]
    for row, original in zip(rows, (first, second), strict=True):
        assert row.state == MessageState.PLANNED
        assert row.content_id == original.content_id
        assert row.integration_id == original.integration_id
        assert row.recipient == original.recipient
        assert row.parameters == original.parameters
    assert rows[1].parts_sent == 2


def everything(broadcast: Broadcast) -> list[list[Any]]:
    return [
        list(Broadcast.objects.filter(pk=broadcast.pk).values()),
        list(broadcast.routes.values()),
        list(rows_of(broadcast).values()),
        list(Attempt.objects.filter(message__in=rows_of(broadcast)).values()),
    ]


def test_the_source_stays_as_it_is_in_every_column(ours: World) -> None:
    source = finished(ours, "delivered", "failed", "unknown")
    before = everything(source)

    made = retried(source, ours, include_unknown=True)
    started(made)
    stand(rows_of(made), MessageState.DELIVERED)
    run.tick()

    assert everything(source) == before


def test_unknown_ones_are_sent_again_only_on_request(ours: World) -> None:
    source = finished(ours, "failed", "unknown")

    made = retried(source, ours, include_unknown=True)

    assert rows_of(made).count() == 2


def test_a_retry_of_a_retry_takes_only_what_is_left(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    first = started(retried(source, ours))
    stand(only(rows_of(first), 0), MessageState.DELIVERED)
    stand(only(rows_of(first), 1), MessageState.FAILED)
    run.tick()
    first.refresh_from_db()

    second = retried(first, ours)

    assert second.name == f"Retry 2 of {source.name}"
    assert (second.retry_of, second.root) == (first, source)
    (row,) = rows_of(second)
    assert row.root_id == list(rows_of(source))[1].pk
    # The source offers nobody: one was reached, the other is planned.
    assert not retry.state(source).enabled


def test_a_second_retry_knows_the_parts_that_the_first_one_sent(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    first = started(retried(source, ours))
    stand(rows_of(first), MessageState.FAILED)
    rows_of(first).update(parts_sent=1)
    other = rows_of(first)[1]
    Message.objects.filter(pk=other.pk).update(content=ours.text("Something else"))
    Broadcast.objects.filter(pk=first.pk).update(
        state=BroadcastState.COMPLETED, finished_at=timezone.now()
    )

    second = retried(source, ours)

    assert [row.parts_sent for row in rows_of(second)] == [1, 0]
    assert [row.parts_sent for row in rows_of(source)] == [0, 0]


def test_what_fails_after_the_dialog_opened_is_not_part_of_it(ours: World) -> None:
    source = finished(ours, "failed", "sent", "failed")
    offer = retry.offer(source)
    stand(only(rows_of(source), 1), MessageState.FAILED)

    made = retrying.create(
        broadcast=source,
        person=ours.editor,
        run_at=timezone.now() + SOON,
        time_zone="UTC",
        shown_count=offer.count,
        shown_at=offer.shown_at,
    )

    assert rows_of(made).count() == 2


def test_who_was_reached_meanwhile_makes_the_person_look_again(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    offer = retry.offer(source)
    stand(only(rows_of(source), 1), MessageState.DELIVERED)

    problem = refusal(
        lambda: retrying.create(
            broadcast=source,
            person=ours.editor,
            run_at=timezone.now() + SOON,
            time_zone="UTC",
            shown_count=offer.count,
            shown_at=offer.shown_at,
        )
    )

    assert problem.code == ProblemCode.CONFLICT
    assert "now it is 1 member" in problem.sentence
    assert not source.retries.exists()


def test_the_time_is_checked_with_a_little_tolerance(ours: World) -> None:
    source = finished(ours, "failed")
    offer = retry.offer(source)

    def at(seconds: int) -> Broadcast:
        return retrying.create(
            broadcast=source,
            person=ours.editor,
            run_at=timezone.now() + timedelta(seconds=seconds),
            time_zone="Africa/Accra",
            shown_count=offer.count,
            shown_at=offer.shown_at,
        )

    problem = refusal(lambda: at(85))
    assert (problem.code, problem.field) == (ProblemCode.BAD_USER_INPUT, "run_at")
    assert "(Africa/Accra)" in problem.sentence
    assert at(100).state == BroadcastState.SCHEDULED


def test_a_retry_takes_a_slot_of_the_quota(ours: World) -> None:
    source = finished(ours, "failed")
    ours.organization.broadcast_quota = 1
    ours.organization.save()
    ours.broadcast("draft", name="In the way")

    problem = refusal(lambda: retried(source, ours))

    assert problem.code == ProblemCode.QUOTA_EXCEEDED
    assert "delete the oldest draft, “In the way”" in problem.sentence


def test_strangers_and_agents_retry_nothing(ours: World, theirs: World) -> None:
    source = finished(theirs, "failed")
    own = finished(ours, "failed")
    offer = retry.offer(own)

    def by(person: Any, broadcast: Broadcast) -> Broadcast:
        return retrying.create(
            broadcast=broadcast,
            person=person,
            run_at=timezone.now() + SOON,
            time_zone="UTC",
            shown_count=offer.count,
            shown_at=offer.shown_at,
        )

    assert refusal(lambda: by(ours.editor, source)).code == ProblemCode.NOT_FOUND
    assert refusal(lambda: by(ours.agent, own)).code == ProblemCode.FORBIDDEN
    assert not Broadcast.objects.filter(retry_of__isnull=False).exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_who_press_at_once_one_gets_the_retry(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    offer = retry.offer(source)
    refused: list[Problem] = []
    start = threading.Barrier(4)

    def press() -> None:
        try:
            start.wait()
            retrying.create(
                broadcast=source,
                person=ours.editor,
                run_at=timezone.now() + SOON,
                time_zone="UTC",
                shown_count=offer.count,
                shown_at=offer.shown_at,
            )
        except Problem as problem:
            refused.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    made = source.retries.get()
    assert rows_of(made).count() == 2
    assert [one.code for one in refused] == [ProblemCode.CONFLICT] * 3
    assert all("is already scheduled for" in one.sentence for one in refused)


@pytest.mark.parametrize("slow", ["freeze", "move"])
def test_what_touches_every_row_may_take_minutes(
    ours: World, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    """Of a million rows, that is; only in its own transaction, though."""
    source = finished(ours, "failed")
    made = retried(source, ours) if slow == "move" else None
    allowed: list[str] = []

    def look(execute: Any, sql: str, *rest: Any) -> Any:
        touches = "INSERT INTO messaging_message\n" in sql or (
            sql.startswith('UPDATE "messaging_message"')
        )
        if touches:
            with connection.connection.cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                allowed.append(cursor.fetchone()[0])
        return execute(sql, *rest)

    with connection.execute_wrapper(look):
        if made is None:
            retried(source, ours)
        else:
            schedule.schedule(
                broadcast=made,
                person=ours.editor,
                run_at=timezone.now() + 2 * SOON,
                time_zone="UTC",
            )

    assert allowed == ["5min"]


def test_a_retry_is_on_record_with_who_wanted_it(ours: World) -> None:
    source = finished(ours, "failed", "failed", "delivered")

    made = retried(source, ours)

    entry = AuditEntry.objects.latest("pk")
    assert (entry.kind, entry.person_id) == (AuditKind.BROADCAST, ours.editor.pk)
    assert entry.sentence == f"Scheduled “{made.name}” for 2 failed members."
    assert entry.link == f"/broadcasts/{made.pk}/"

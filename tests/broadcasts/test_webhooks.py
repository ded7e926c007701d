"""What becomes of a broadcast is told to webhooks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from broadcasts import run, schedule
from broadcasts.models import Broadcast
from messaging.models import MessageState
from tests.broadcasts.factories import (
    draft,
    finished,
    retried,
    rows_of,
    scheduled,
    stand,
    started,
)
from tests.factories import World
from tests.messaging.webhooks.steps import endpoint_of, told, types

pytestmark = pytest.mark.django_db

BROADCASTS = [
    f"broadcast.{one}"
    for one in ("scheduled", "started", "completed", "cancelled", "failed")
]


@pytest.fixture(autouse=True)
def endpoint(ours: World) -> None:
    endpoint_of(ours, events=BROADCASTS)


def test_a_life_is_told_in_its_steps_and_with_what_came_out(ours: World) -> None:
    ours.contact()
    ours.contact()
    broadcast = scheduled(ours)
    begun = started(broadcast)
    stand(rows_of(begun), MessageState.DELIVERED)
    run.tick()

    # The test itself moved its time, which is told like any other time.
    assert types() == [
        "broadcast.scheduled",
        "broadcast.scheduled",
        "broadcast.started",
        "broadcast.completed",
    ]
    first, last = told()[0][1], told()[-1][1]
    broadcast.refresh_from_db()
    assert broadcast.run_at is not None
    assert first["broadcastId"] == str(broadcast.pk)
    assert first["name"] == broadcast.name
    assert "messages" not in first
    assert last["state"] == "completed"
    assert last["messages"] == {"delivered": 2}


def test_a_draft_is_nobodys_business(ours: World) -> None:
    draft(ours)

    assert types() == []


def test_another_time_is_told_again(ours: World) -> None:
    broadcast = scheduled(ours)

    schedule.schedule(
        broadcast=broadcast,
        person=ours.editor,
        run_at=timezone.now() + timedelta(hours=3),
        time_zone="UTC",
    )
    broadcast.refresh_from_db()
    broadcast.save()

    assert types() == ["broadcast.scheduled"] * 2
    assert told()[0][1]["runAt"] < told()[1][1]["runAt"]


def test_cancelling_is_told(ours: World) -> None:
    schedule.cancel(broadcast=scheduled(ours), person=ours.editor)

    assert types() == ["broadcast.scheduled", "broadcast.cancelled"]


def test_one_that_could_not_run_is_told_with_the_reason(ours: World) -> None:
    broadcast = scheduled(ours)
    Broadcast.objects.filter(pk=broadcast.pk).update(
        run_at=timezone.now() - timedelta(days=1)
    )

    run.fail_late()

    event_type, data = told()[-1]
    assert event_type == "broadcast.failed"
    assert "nothing was running" in data["reason"]


def test_a_retry_names_its_source(ours: World) -> None:
    source = finished(ours, "failed", "delivered")
    before = len(types())

    retry = retried(source, ours)

    new = told()[before:]
    assert [event_type for event_type, _ in new] == ["broadcast.scheduled"]
    assert new[0][1]["retryOfBroadcastId"] == str(source.pk)
    assert new[0][1]["broadcastId"] == str(retry.pk)


def test_what_is_rolled_back_was_never_told(ours: World) -> None:
    with transaction.atomic():
        scheduled(ours)
        assert types() == ["broadcast.scheduled"]
        transaction.set_rollback(True)

    assert types() == []


def test_another_organization_hears_nothing(theirs: World) -> None:
    scheduled(theirs)

    assert types() == []

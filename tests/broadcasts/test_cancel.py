"""Taking a broadcast back: at once, and to the last row."""

from __future__ import annotations

import uuid
from dataclasses import replace
from importlib import import_module

import pytest
from django.db import connection, transaction

from broadcasts import fill, run, schedule
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.problems import ProblemCode
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import (
    AutomaticRetry,
    EndedBroadcast,
    Integration,
    Message,
    MessageState,
)
from tests.at_once import begun_elsewhere
from tests.broadcasts.factories import (
    TIMED_OUT,
    make_due,
    only,
    refusal,
    retried,
    route,
    rows_of,
    scheduled,
    stand,
    started,
    states_of,
)
from tests.factories import World
from tests.messaging.test_receipts import tell, told


@pytest.mark.django_db
def test_a_scheduled_broadcast_is_cancelled_at_once(ours: World) -> None:
    ours.contact()
    broadcast = schedule.cancel(broadcast=scheduled(ours), person=ours.editor)

    assert broadcast.state == BroadcastState.CANCELLED
    assert not broadcast.is_settling
    make_due(broadcast)
    run.tick()
    assert not rows_of(broadcast).exists()


@pytest.mark.django_db
def test_cancelling_while_sending_keeps_what_left_and_takes_back_the_rest(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(6):
        ours.contact()
    broadcast = started(scheduled(ours))
    first, second, third, *_ = rows_of(broadcast)
    stand(Message.objects.filter(pk=first.pk), MessageState.SENT)
    stand(Message.objects.filter(pk=second.pk), MessageState.SENDING)
    stand(Message.objects.filter(pk=third.pk), MessageState.FAILED)
    monkeypatch.setattr("broadcasts.settling.BATCH", 2)
    monkeypatch.setattr("broadcasts.schedule.CANCEL_BATCHES", 1)

    broadcast = schedule.cancel(broadcast=broadcast, person=ours.editor)

    assert broadcast.state == BroadcastState.CANCELLED
    assert broadcast.is_settling
    left = ["sent", "sending", "failed"]
    assert states_of(broadcast) == [*left, "cancelled", "cancelled", "queued"]
    run.tick()
    assert states_of(broadcast) == [*left, "cancelled", "cancelled", "cancelled"]

    # The open attempt fails and would be tried again: not any more.
    stand(Message.objects.filter(pk=second.pk), MessageState.QUEUED)
    run.tick()
    assert states_of(broadcast)[1] == "cancelled"
    broadcast.refresh_from_db()
    assert not broadcast.is_settling


@pytest.mark.django_db
def test_cancelling_midway_stops_the_filling(ours: World) -> None:
    for _ in range(4):
        ours.contact()
    broadcast = scheduled(ours)
    make_due(broadcast)
    run.start_due()
    fill.fill_page(broadcast.pk, page=2)

    schedule.cancel(broadcast=broadcast, person=ours.editor)
    run.tick()

    assert states_of(broadcast) == ["cancelled", "cancelled"]


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["draft", "completed", "cancelled", "failed"])
def test_only_what_is_live_can_be_cancelled(ours: World, state: str) -> None:
    broadcast = ours.broadcast(state)

    problem = refusal(lambda: schedule.cancel(broadcast=broadcast, person=ours.editor))

    assert problem.code == ProblemCode.CONFLICT


def fails_late(integration: Integration, message: Message) -> None:
    """The provider takes a message that was sent back, by a receipt."""
    attempt = message.attempts.latest("number")
    event = replace(told(attempt, "failed"), error_code="131016")
    tell(integration, [event])


def tried_once(world: World) -> tuple[Integration, Broadcast]:
    """A broadcast to two that retries by itself: one failed and waits, one was sent."""
    AutomaticRetry.objects.create(
        organization=world.organization, channel="whatsapp", is_on=True
    )
    integration = world.integration()
    pace.take_lease(integration.pk, uuid.uuid4())
    for _ in range(2):
        world.contact()
    routes = [route(integration, world.template())]
    broadcast = started(scheduled(world, routes=routes))
    for state, code, error_class in (("failed", TIMED_OUT, "retry"), ("sent", "", "")):
        [claimed] = claim(integration, limit=1).attempts
        settle(integration, [Result(claimed.attempt_id, state, code, error_class)])
    assert states_of(broadcast) == ["queued", "sent"]
    return integration, broadcast


@pytest.mark.django_db
def test_what_fails_late_is_retried_by_itself(ours: World) -> None:
    integration, broadcast = tried_once(ours)

    fails_late(integration, rows_of(broadcast)[1])

    assert states_of(broadcast) == ["queued", "queued"]


@pytest.mark.django_db
def test_nothing_of_a_cancelled_broadcast_begins_again_by_itself(ours: World) -> None:
    integration, broadcast = tried_once(ours)
    schedule.cancel(broadcast=broadcast, person=ours.editor)
    run.tick()
    # Nothing was cancelled of it: all that waited had been tried before.
    assert states_of(broadcast) == ["failed", "sent"]

    fails_late(integration, rows_of(broadcast)[1])

    assert states_of(broadcast) == ["failed", "failed"]


@pytest.mark.django_db(transaction=True)
def test_what_fails_in_the_moment_of_a_cancellation_does_not_either(
    ours: World,
) -> None:
    integration, broadcast = tried_once(ours)
    # Nothing of it waits, so that nothing has to be taken back.
    stand(only(rows_of(broadcast), 0), "delivered")

    with transaction.atomic():
        fails_late(integration, rows_of(broadcast)[1])
        cancelling = begun_elsewhere(
            lambda: schedule.cancel(broadcast=broadcast, person=ours.editor)
        )
    cancelling.join()
    run.tick()

    assert states_of(broadcast) == ["delivered", "failed"]


@pytest.mark.django_db
def test_a_retry_of_a_cancelled_broadcast_is_one_of_its_own(ours: World) -> None:
    integration, broadcast = tried_once(ours)
    cancelled = schedule.cancel(broadcast=broadcast, person=ours.editor)
    made = started(retried(cancelled, ours))
    ours.rest()
    [claimed] = claim(integration, limit=1).attempts
    settle(integration, [Result(claimed.attempt_id, "sent")])

    fails_late(integration, rows_of(made).get())

    assert states_of(made) == ["queued"]


@pytest.mark.django_db
def test_those_that_were_cancelled_before_are_known_too(ours: World) -> None:
    cancelled = ours.broadcast("cancelled")
    ours.broadcast("completed")
    EndedBroadcast.objects.all().delete()

    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(
                import_module("broadcasts.migrations.0008_ended_broadcasts").CANCELLED
            )

    known = EndedBroadcast.objects.get()
    assert known.broadcast_id == cancelled.pk
    assert known.organization == ours.organization

"""Taking a broadcast back: at once, and to the last row."""

from __future__ import annotations

import pytest

from broadcasts import fill, run, schedule
from broadcasts.models import BroadcastState
from broadcasts.problems import ProblemCode
from messaging.models import Message, MessageState
from tests.broadcasts.factories import (
    make_due,
    refusal,
    rows_of,
    scheduled,
    stand,
    started,
    states_of,
)
from tests.factories import World


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

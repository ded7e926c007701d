"""Runs of a chain pass on which parts of a flow have arrived, and which were lost."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from broadcasts import freezing, run
from broadcasts.audience import Audience
from broadcasts.models import Broadcast
from messaging import receipts
from messaging.dispatch import pace, pulse
from messaging.models import Contact, Message
from tests.at_once import begun_elsewhere
from tests.broadcasts.factories import (
    LATER,
    SOON,
    flow_broadcast,
    published_flow,
    retried,
    rows_of,
    started,
)
from tests.factories import World
from tests.messaging.dispatch.flows import (
    NO_SUCH_NUMBER,
    THROTTLED,
    TIMED_OUT,
    answered,
    first,
    opened,
    standing,
    tell,
    told,
)

pytestmark = pytest.mark.django_db


def flow_begun(world: World, members: int = 1) -> Broadcast:
    """Start a broadcast of a flow in two parts to so many members."""
    pulse.beat()
    made = [world.contact() for _ in range(members)]
    Contact.objects.filter(pk__in=[one.pk for one in made]).update(
        tags=["one"], whatsapp_inbound_at=timezone.now()
    )
    flow = published_flow(world, world.text("a"), world.text("b"))
    begun = started(flow_broadcast(world, flow, audience=Audience(tags=("one",))))
    for message in rows_of(begun):
        assert message.integration_id is not None
        pace.prepare(message.integration_id)
    return begun


def failed_at_the_second_part(world: World) -> Message:
    begun = flow_begun(world)
    [message] = rows_of(begun)
    answered(opened(message).attempt_id, "failed", 0b01, THROTTLED)
    run.tick()
    return message


def run_of(message: Message) -> Broadcast:
    assert message.broadcast_id is not None
    return Broadcast.objects.get(pk=message.broadcast_id)


def retry_of(message: Message, world: World, ahead: timedelta = SOON) -> Broadcast:
    return retried(
        run_of(message),
        world,
        include_unknown=True,
        ahead=ahead,
    )


def followed_by(message: Message, world: World, ahead: timedelta = SOON) -> Message:
    [row] = rows_of(retry_of(message, world, ahead))
    return row


def begin(retry: Broadcast) -> None:
    """Let a retry begin at a time that is over in the transaction of the test, too."""
    rows = rows_of(started(retry)).filter(state="queued")
    rows.update(due_at=timezone.now() - timedelta(hours=1))


def leaving(world: World, row: Message) -> list[int]:
    """Return the parts that the next attempt of a row of a retry sends."""
    begin(run_of(row))
    world.rest()
    claimed = opened(row)
    return [part for part in range(claimed.parts) if not claimed.parts_sent >> part & 1]


@pytest.mark.parametrize("ahead", [SOON, LATER])
def test_a_retry_that_waits_sends_what_was_taken_back_meanwhile(
    ours: World, ahead: timedelta
) -> None:
    message = failed_at_the_second_part(ours)
    row = followed_by(message, ours, ahead)
    assert row.parts_sent == 0b01

    tell(first(message), (0, "failed"))

    assert standing(message)[:2] == ("failed", 0)
    assert leaving(ours, row) == [0, 1]


def test_a_retry_that_waits_leaves_out_what_turned_out_to_have_left(
    ours: World,
) -> None:
    begun = flow_begun(ours, 2)
    other, message = rows_of(begun)
    answered(opened(other).attempt_id, "failed", 0, NO_SUCH_NUMBER)
    answered(opened(message).attempt_id, "unknown", 0, TIMED_OUT)
    run.tick()
    row = rows_of(retry_of(message, ours)).get(root_id=message.pk)
    assert row.parts_sent == 0

    tell(first(message), (0, "sent"))

    assert leaving(ours, row) == [1]


def test_what_two_runs_say_of_parts_is_not_added_up_to_a_whole(ours: World) -> None:
    """The part that is missing leaves, and the one that is there does not."""
    begun = flow_begun(ours, 2)
    other, message = rows_of(begun)
    answered(opened(other).attempt_id, "failed", 0, NO_SUCH_NUMBER)
    answered(opened(message).attempt_id, "unknown", 0b01, TIMED_OUT)
    run.tick()
    retry = retry_of(message, ours)
    begin(retry)
    row = rows_of(retry).get(root_id=message.pk)
    ours.rest()
    again = rows_of(retry).get(root_id=other.pk)
    answered(opened(again).attempt_id, "failed", 0, NO_SUCH_NUMBER)
    answered(opened(row).attempt_id, "failed", 0b01, THROTTLED)

    tell(first(message), (1, "sent"), (0, "failed"))

    assert standing(message)[:2] == ("failed", 0b10)
    assert standing(row)[:2] == ("failed", 0b10)
    run.tick()
    last = rows_of(retry_of(row, ours)).get(root_id=message.pk)
    assert leaving(ours, last) == [0]


def test_a_later_run_that_lost_a_part_does_not_take_it_from_the_first(
    ours: World,
) -> None:
    message = failed_at_the_second_part(ours)
    row = followed_by(message, ours)
    assert leaving(ours, row) == [1]
    answered(first(row).pk, "sent", 0b11)

    tell(first(row), (1, "failed"))

    assert standing(row)[:2] == ("failed", 0b01)
    assert standing(message)[:2] == ("failed", 0b01)


@pytest.mark.django_db(transaction=True)
def test_a_part_taken_back_while_the_rows_are_made_is_missing_in_them(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipt waits for the rows, and finds them."""
    message = failed_at_the_second_part(ours)
    attempt = first(message)
    receipts.store(attempt.integration, [told(attempt, 0, "failed")])
    threads: list[threading.Thread] = []
    plan_rows = freezing.plan_rows

    def planned(name: str, retry: Broadcast, **values: list[int]) -> None:
        plan_rows(name, retry, **values)
        threads.append(begun_elsewhere(receipts.apply))

    monkeypatch.setattr(freezing, "plan_rows", planned)
    row = followed_by(message, ours)
    for thread in threads:
        thread.join()

    row.refresh_from_db()
    assert row.parts_sent == 0
    assert standing(message)[1] == 0

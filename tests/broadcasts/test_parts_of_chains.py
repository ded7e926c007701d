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
from messaging.dispatch.claim import claim
from messaging.models import AutomaticRetry, Contact, Message
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
    asked_again,
    first,
    given_back,
    given_up,
    opened,
    standing,
    tell,
    told,
)

pytestmark = pytest.mark.django_db


def flow_begun(world: World, members: int = 1, parts: int = 2) -> Broadcast:
    """Start a broadcast of a flow in so many parts to so many members."""
    pulse.beat()
    made = [world.contact() for _ in range(members)]
    Contact.objects.filter(pk__in=[one.pk for one in made]).update(
        tags=["one"], whatsapp_inbound_at=timezone.now()
    )
    texts = [world.text(f"Part {number}") for number in range(parts)]
    flow = published_flow(world, *texts)
    begun = started(flow_broadcast(world, flow, audience=Audience(tags=("one",))))
    for message in rows_of(begun):
        assert message.integration_id is not None
        pace.prepare(message.integration_id)
    return begun


def fail_the_other(message: Message) -> None:
    other = rows_of(run_of(message)).exclude(pk=message.pk).get()
    answered(opened(other).attempt_id, "failed", 0, NO_SUCH_NUMBER)


def in_doubt_and_followed(
    world: World, parts: int, ahead: timedelta = SOON, is_lost: bool = False
) -> tuple[Message, Message]:
    """Return a message whose last part nobody knows of, and its row in a retry.

    Somebody else failed beside it, so that there is something to retry.
    """
    _, message = rows_of(flow_begun(world, 2, parts))
    fail_the_other(message)
    if is_lost:
        given_up(message)
    else:
        before = (1 << parts - 1) - 1
        answered(opened(message).attempt_id, "unknown", before, TIMED_OUT)
    run.tick()
    row = rows_of(retry_of(message, world, ahead)).get(root_id=message.pk)
    return message, row


def begun_in_doubt(
    world: World, parts: int, *, is_lost: bool = False
) -> tuple[Message, Message]:
    """Return the same two when the retry has begun."""
    message, row = in_doubt_and_followed(world, parts, is_lost=is_lost)
    begin(run_of(row))
    world.rest()
    return message, row


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
    return leaving_now(world, row)


def leaving_now(world: World, row: Message) -> list[int]:
    """Return the same of a row that waits for nothing but a worker."""
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
    message, row = in_doubt_and_followed(ours, 2, is_lost=True)
    assert row.parts_sent == 0

    tell(first(message), (0, "sent"))

    assert leaving(ours, row) == [1]


def test_what_two_runs_say_of_parts_is_not_added_up_to_a_whole(ours: World) -> None:
    """The part that is missing leaves, and the one that is there does not."""
    message, row = begun_in_doubt(ours, 2)
    fail_the_other(row)
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


@pytest.mark.parametrize("parts", [1, 2])
def test_a_retry_that_waits_is_taken_back_when_a_provider_has_the_first_try(
    ours: World, parts: int
) -> None:
    message, row = begun_in_doubt(ours, parts)

    tell(first(message), (parts - 1, "sent"))

    assert standing(message)[0] == "sent"
    assert standing(row) == ("cancelled", row.parts_sent, [])
    assert row.reason == "already_reached"


@pytest.mark.parametrize("ahead", [SOON, LATER])
@pytest.mark.parametrize("then", ["sent", "failed"])
def test_a_retry_that_has_not_begun_judges_when_it_does(
    ours: World, then: str, ahead: timedelta
) -> None:
    """What a provider has may fail until then."""
    message, row = in_doubt_and_followed(ours, 1, ahead)

    tell(first(message), (0, "sent"))
    if then == "failed":
        tell(first(message), (0, "failed"))
    begin(run_of(row))

    assert standing(row)[0] == ("queued" if then == "failed" else "skipped")
    assert row.reason == ("" if then == "failed" else "already_reached")


@pytest.mark.parametrize("parts", [1, 2])
def test_an_automatic_try_of_a_row_is_taken_back_as_well(
    ours: World, parts: int
) -> None:
    AutomaticRetry.objects.create(
        organization=ours.organization, channel="whatsapp", is_on=True
    )
    message, row = begun_in_doubt(ours, parts, is_lost=True)
    sent = (1 << parts - 1) - 1
    answered(opened(row).attempt_id, "failed", sent, ("whatsapp:131016", "retry"))
    assert standing(row)[0] == "queued"

    tell(first(message), (parts - 1, "sent"))

    assert standing(row)[0] == "cancelled"
    assert row.reason == "already_reached"


def test_a_retry_that_comes_back_stays_away_when_a_provider_has_the_first_try(
    ours: World,
) -> None:
    message, row = begun_in_doubt(ours, 1)
    claimed = opened(row)
    tell(first(message), (0, "sent"))

    given_back(claimed.attempt_id)

    assert standing(row)[0] == "cancelled"
    assert row.reason == "already_reached"


def test_what_a_retry_tried_before_still_counts_when_a_provider_has_the_first_try(
    ours: World,
) -> None:
    """It may have arrived, and what is only sent may fail."""
    message, row = begun_in_doubt(ours, 1)
    answered(opened(row).attempt_id, "unknown", 0, TIMED_OUT)
    asked_again(ours, row)

    tell(first(message), (0, "sent"))

    assert standing(row)[0] == "queued"


def test_a_retry_of_what_two_runs_got_through_together_sends_nothing(
    ours: World,
) -> None:
    message, row = begun_in_doubt(ours, 2, is_lost=True)
    fail_the_other(row)
    answered(opened(row).attempt_id, "failed", 0b01, THROTTLED)
    run.tick()
    last = rows_of(retry_of(row, ours)).get(root_id=message.pk)
    begin(run_of(last))
    ours.rest()
    tell(first(message), (0, "failed"), (1, "sent"))
    assert standing(message)[0] == "failed"

    assert last.integration is not None
    assert claim(last.integration, limit=1, message_id=last.pk).attempts == []

    assert standing(last) == ("skipped", 0b11, [])
    assert last.reason == "already_reached"


@pytest.mark.parametrize("is_in_doubt", [False, True])
@pytest.mark.parametrize("words", [[(1, "sent")], [(0, "failed"), (1, "sent")]])
def test_a_tried_row_does_not_begin_anew_when_another_run_fills_it(
    ours: World, words: list[tuple[int, str]], is_in_doubt: bool
) -> None:
    """Somebody asked for what was missing, and not for all of it."""
    message, row = begun_in_doubt(ours, 2, is_lost=True)
    outcome = (
        ("unknown", 0b01, TIMED_OUT) if is_in_doubt else ("failed", 0b01, THROTTLED)
    )
    answered(opened(row).attempt_id, *outcome)
    asked_again(ours, row)

    tell(first(message), *words)

    assert row.integration is not None
    assert claim(row.integration, limit=1, message_id=row.pk).attempts == []
    assert standing(row)[0] in {"cancelled", "failed", "unknown"}


@pytest.mark.usefixtures("each_way_of_making")
def test_a_retry_goes_back_to_what_has_arrived_of_its_own_words(ours: World) -> None:
    """The message was sent again with others in between, and that failed, too."""
    message = failed_at_the_second_part(ours)
    asked_again(ours, message, ours.text("Other"))
    answered(opened(message).attempt_id, "failed", 0, NO_SUCH_NUMBER)
    run.tick()
    retry = retry_of(message, ours)

    begin(retry)

    [row] = rows_of(retry)
    assert row.parts_sent == 0b01
    assert leaving_now(ours, row) == [1]


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

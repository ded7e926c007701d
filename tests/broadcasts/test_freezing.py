"""The members of a large retry are fixed at once, and their rows planned in pages."""

from __future__ import annotations

import pytest
from django.test import Client

from broadcasts import freezing, run, schedule
from broadcasts.models import Broadcast, FrozenMembers
from messaging.models import Message, MessageState
from tests.broadcasts.factories import (
    LATER,
    SOON,
    finished,
    only,
    retried,
    rows_of,
    stand,
    started,
    states_of,
)
from tests.factories import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("two_to_a_page")]


@pytest.fixture
def source(ours: World) -> Broadcast:
    return finished(ours, *["failed"] * 5, "delivered")


def members(rows: object) -> set[int]:
    return set(rows.values_list("contact_id", flat=True))  # type: ignore[attr-defined]


def test_no_row_is_made_while_somebody_waits(ours: World, source: Broadcast) -> None:
    made = retried(source, ours, ahead=LATER)

    assert rows_of(made).count() == 0
    assert freezing.members_without_row(made) == 5


def test_the_tick_makes_every_row(ours: World, source: Broadcast) -> None:
    made = retried(source, ours, ahead=LATER)
    run.tick()

    failed = rows_of(source).filter(state=MessageState.FAILED)
    assert members(rows_of(made)) == members(failed)
    assert states_of(made) == [MessageState.PLANNED] * 5
    assert not FrozenMembers.objects.exists()
    made.refresh_from_db()
    assert sum(number for *_, number in made.took_over) == 5


def test_a_page_is_made_at_a_time_and_once(ours: World, source: Broadcast) -> None:
    made = retried(source, ours, ahead=LATER)
    numbers = []
    while freezing.fill_page(made.pk):
        numbers.append(rows_of(made).count())

    assert numbers == [2, 4, 5]


def test_what_fails_or_recovers_meanwhile_changes_nothing(
    ours: World, source: Broadcast
) -> None:
    failed = members(rows_of(source).filter(state=MessageState.FAILED))
    made = retried(source, ours, ahead=LATER)
    freezing.fill_page(made.pk)
    stand(only(rows_of(source), 5), MessageState.FAILED)
    stand(only(rows_of(source), 4), MessageState.DELIVERED)
    run.tick()

    assert members(rows_of(made)) == failed


def test_who_was_reached_meanwhile_is_left_in_peace(
    ours: World, source: Broadcast
) -> None:
    made = retried(source, ours, ahead=LATER)
    stand(only(rows_of(source), 4), MessageState.DELIVERED)
    run.tick()
    started(made)

    assert states_of(made) == [MessageState.QUEUED] * 4 + [MessageState.SKIPPED]


def test_a_row_that_is_on_its_way_again_goes_alone(
    ours: World, source: Broadcast
) -> None:
    made = retried(source, ours, ahead=LATER)
    stand(only(rows_of(source), 2), MessageState.QUEUED)
    run.tick()

    states = states_of(made)
    assert states.count(MessageState.PLANNED) == 4
    assert states.count(MessageState.CANCELLED) == 1


def test_a_new_time_holds_for_every_row(ours: World, source: Broadcast) -> None:
    made = retried(source, ours, ahead=LATER)
    freezing.fill_page(made.pk)
    assert made.run_at is not None
    moved = schedule.schedule(
        broadcast=made,
        person=ours.editor,
        run_at=made.run_at + SOON,
        time_zone="UTC",
    )
    run.tick()

    assert set(rows_of(made).values_list("due_at", flat=True)) == {moved.run_at}


def test_cancelled_half_way_it_makes_no_more_rows(
    ours: World, source: Broadcast
) -> None:
    made = retried(source, ours, ahead=LATER)
    freezing.fill_page(made.pk)
    schedule.cancel(broadcast=made, person=ours.editor)
    run.tick()

    assert states_of(made) == [MessageState.CANCELLED] * 2
    assert not FrozenMembers.objects.exists()
    made.refresh_from_db()
    assert not made.is_settling


def test_its_page_tells_how_far_the_list_is(
    ours: World, source: Broadcast, client: Client
) -> None:
    client.force_login(ours.editor)
    made = retried(source, ours, ahead=LATER)
    freezing.fill_page(made.pk)

    page = client.get(f"/broadcasts/{made.pk}/").content.decode()
    assert 'id="preparing"' in page
    assert "<strong>2</strong>" in page
    assert "of 5 members are in the list" in page
    assert "every 2s" in page

    run.tick()
    page = client.get(f"/broadcasts/{made.pk}/").content.decode()
    assert 'id="preparing"' not in page


def test_a_pruned_message_gets_no_row(ours: World, source: Broadcast) -> None:
    made = retried(source, ours, ahead=LATER)
    Message.objects.filter(pk=rows_of(source)[0].pk).delete()
    run.tick()

    assert rows_of(made).count() == 4

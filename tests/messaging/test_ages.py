"""Numbers tell the age of messages, between milestones."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from messaging.ages import first_number_after, last_number_before
from messaging.models import Message, MessageState
from tests.factories import World
from tests.plans import plan_of, recorded

pytestmark = pytest.mark.django_db

HOURS = 20
AN_HOUR = 6


def one_in_ten_minutes(world: World, now: datetime) -> list[Message]:
    contact, integration, content = (
        world.contact(),
        world.integration(),
        world.text(),
    )
    return [
        world.message(
            MessageState.SKIPPED,
            reason="opted_out",
            contact=contact,
            integration=integration,
            content=content,
            created_at=now - timedelta(minutes=10 * number),
        )
        for number in range(HOURS * AN_HOUR, 0, -1)
    ]


def test_bounds_keep_all_that_was_made_in_time(ours: World, theirs: World) -> None:
    now = timezone.now()
    theirs.message()
    made = one_in_ten_minutes(ours, now)
    theirs.message()

    for hours in range(3, HOURS + 5):
        moment = now - timedelta(hours=hours, minutes=35)
        below = last_number_before(ours.organization, moment)
        above = first_number_after(ours.organization, moment)
        older = [one.pk for one in made if one.created_at < moment]
        newer = [one.pk for one in made if one.created_at >= moment]
        assert all(above is None or number < above for number in older)
        assert all(number > below for number in newer)
        # An hour of slack on each side and a way to the next milestone, no more.
        assert sum(number > below for number in older) <= AN_HOUR + 61 + 1
        within = [number for number in newer if above is None or number < above]
        assert len(within) <= AN_HOUR + 61 + 1


def test_where_no_milestone_is_nothing_bounds_them(ours: World) -> None:
    ours.message()
    long_ago = timezone.now() - timedelta(days=9)
    assert last_number_before(ours.organization, long_ago) == 0
    assert first_number_after(ours.organization, timezone.now()) is None


def test_one_milestone_is_read(ours: World) -> None:
    """Told not to read a small table from end to end."""
    now = timezone.now()
    one_in_ten_minutes(ours, now)
    with recorded() as statements:
        last_number_before(ours.organization, now - timedelta(hours=5))
        first_number_after(ours.organization, now - timedelta(hours=15))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert [plan_of(one).read for one in statements] == [1, 1]

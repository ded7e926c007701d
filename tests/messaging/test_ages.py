"""Numbers tell the age of messages, by a few probes."""

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

HOURS = 60


def one_an_hour(world: World, now: datetime) -> list[Message]:
    """Make messages of the last days, with other numbers in between."""
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
            created_at=now - timedelta(hours=HOURS - number),
        )
        for number in range(HOURS)
    ]


def test_bounds_keep_all_that_was_made_in_time(ours: World, theirs: World) -> None:
    now = timezone.now()
    theirs.message()
    made = one_an_hour(ours, now)
    theirs.message()

    for hours in range(3, HOURS + 5):
        moment = now - timedelta(hours=hours, minutes=30)
        below = last_number_before(ours.organization, moment)
        above = first_number_after(ours.organization, moment)
        assert above is not None
        older = [one.pk for one in made if one.created_at < moment]
        newer = [one.pk for one in made if one.created_at >= moment]
        assert all(number < above for number in older)
        assert all(number > below for number in newer)
        # An hour of slack on each side, and no more.
        assert sum(number <= below for number in older) >= len(older) - 2
        assert sum(number >= above for number in newer) >= len(newer) - 2


def test_while_such_messages_may_still_come_nothing_bounds_them(ours: World) -> None:
    ours.message()
    tomorrow = timezone.now() + timedelta(days=1)
    assert first_number_after(ours.organization, tomorrow) is None
    assert first_number_after(ours.organization, timezone.now()) is None


def test_without_messages_there_is_nothing_to_be_above(ours: World) -> None:
    long_ago = timezone.now() - timedelta(days=9)
    assert last_number_before(ours.organization, long_ago) == 0
    assert first_number_after(ours.organization, long_ago) == 1


def test_a_bound_takes_a_few_probes(ours: World) -> None:
    now = timezone.now()
    one_an_hour(ours, now)
    with recorded() as statements:
        last_number_before(ours.organization, now - timedelta(hours=30))
    [asked] = statements
    # A table of sixty rows is read from end to end rather than probed.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    assert plan_of(asked).read < HOURS / 2

"""When it runs, and what may still be changed."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from broadcasts import drafts, schedule
from broadcasts.audience import Audience
from broadcasts.clock import check_lead, local_moment
from broadcasts.fields import fields_of
from broadcasts.models import Broadcast, BroadcastKind, BroadcastState
from broadcasts.problems import ProblemCode
from tests.broadcasts.factories import (
    SOON,
    draft,
    flow_fields,
    published_flow,
    refusal,
    scheduled,
    template_fields,
)
from tests.factories import World

AMSTERDAM = "Europe/Amsterdam"


def at(world: World, broadcast: Broadcast, run_at: datetime, zone: str) -> Broadcast:
    return schedule.schedule(
        broadcast=broadcast, person=world.editor, run_at=run_at, time_zone=zone
    )


@pytest.mark.django_db
def test_a_wall_clock_counts_in_its_named_zone(ours: World) -> None:
    wall = datetime(2031, 7, 1, 9, 30)

    made = at(ours, draft(ours), wall, AMSTERDAM)

    assert made.state == BroadcastState.SCHEDULED
    assert made.run_at == wall.replace(tzinfo=ZoneInfo(AMSTERDAM))
    assert made.time_zone == AMSTERDAM


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wall", "words"),
    [
        (datetime(2031, 3, 30, 2, 30), "02:30 does not exist on that day"),
        (datetime(2031, 10, 26, 2, 30), "02:30 happens twice on that day"),
    ],
)
def test_wall_clocks_that_summer_time_skips_or_repeats_are_refused(
    wall: datetime, words: str
) -> None:
    problem = refusal(lambda: local_moment(wall, AMSTERDAM))

    assert words in problem.sentence
    assert (problem.code, problem.field) == (ProblemCode.BAD_USER_INPUT, "run_at")


def test_the_hour_after_a_gap_is_proposed() -> None:
    problem = refusal(lambda: local_moment(datetime(2031, 3, 30, 2, 30), AMSTERDAM))

    assert "Choose 03:30" in problem.sentence


@pytest.mark.django_db
def test_a_time_too_near_is_refused_in_the_named_zone(ours: World) -> None:
    soon = timezone.now() + timedelta(seconds=110)

    problem = refusal(lambda: at(ours, draft(ours), soon, AMSTERDAM))

    assert problem.field == "run_at"
    assert "at least 2 minutes ahead" in problem.sentence
    assert f"({AMSTERDAM}) or later" in problem.sentence
    check_lead(soon, AMSTERDAM, timedelta(seconds=30))


@pytest.mark.django_db
def test_an_unknown_zone_is_refused(ours: World) -> None:
    problem = refusal(
        lambda: at(ours, draft(ours), timezone.now() + SOON, "Mars/Olympus")
    )

    assert problem.field == "time_zone"


@pytest.mark.django_db
def test_a_draft_without_routes_cannot_be_scheduled(ours: World) -> None:
    problem = refusal(
        lambda: at(ours, draft(ours, routes=[]), timezone.now() + SOON, "UTC")
    )

    assert problem.field == "routes"


@pytest.mark.django_db
def test_scheduled_broadcasts_change_in_everything_but_their_kind(
    ours: World,
) -> None:
    broadcast = scheduled(ours)
    flow = published_flow(ours)
    later = timezone.now() + timedelta(days=2)
    changed = dataclasses.replace(
        fields_of(broadcast),
        name="New name",
        run_at=later,
        audience=Audience(tags=("vip",)),
    )

    edited = schedule.edit(broadcast=broadcast, person=ours.editor, fields=changed)

    assert fields_of(edited) == changed
    problem = refusal(
        lambda: schedule.edit(
            broadcast=broadcast,
            person=ours.editor,
            fields=flow_fields(ours, flow, run_at=later),
        )
    )
    assert problem.field == "kind"
    other_kind = schedule.edit(
        broadcast=draft(ours), person=ours.editor, fields=flow_fields(ours, flow)
    )
    assert other_kind.kind == BroadcastKind.FLOW


@pytest.mark.django_db
def test_an_edit_does_not_move_it_into_the_past(ours: World) -> None:
    broadcast = scheduled(ours)
    past = timezone.now() - timedelta(hours=1)
    fields = dataclasses.replace(fields_of(broadcast), run_at=past)

    problem = refusal(
        lambda: schedule.edit(broadcast=broadcast, person=ours.editor, fields=fields)
    )

    assert problem.field == "run_at"
    assert "at least 2 minutes ahead" in problem.sentence


@pytest.mark.django_db
def test_an_unchanged_time_may_come_near_while_something_else_is_edited(
    ours: World,
) -> None:
    broadcast = scheduled(ours)
    near = timezone.now() + timedelta(seconds=20)
    Broadcast.objects.filter(pk=broadcast.pk).update(run_at=near)
    broadcast.refresh_from_db()

    edited = schedule.edit(
        broadcast=broadcast,
        person=ours.editor,
        fields=dataclasses.replace(fields_of(broadcast), name="Typo corrected"),
    )

    assert edited.name == "Typo corrected"


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["sending", "completed", "cancelled", "failed"])
def test_what_has_started_is_not_edited(ours: World, state: str) -> None:
    broadcast = ours.broadcast(state)
    fields = template_fields(ours, run_at=timezone.now() + SOON)

    for call in (
        lambda: schedule.edit(broadcast=broadcast, person=ours.editor, fields=fields),
        lambda: at(ours, broadcast, timezone.now() + SOON, "UTC"),
        lambda: drafts.delete_draft(broadcast=broadcast, person=ours.editor),
    ):
        assert refusal(call).code == ProblemCode.CONFLICT


@pytest.mark.django_db
def test_an_end_before_the_start_is_refused(ours: World) -> None:
    soon = timezone.now() + SOON
    problem = refusal(
        lambda: draft(ours, run_at=soon, expires_at=soon - timedelta(seconds=1))
    )
    assert problem.field == "expires_at"

    ends_first = draft(ours, expires_at=soon)
    problem = refusal(lambda: at(ours, ends_first, soon + SOON, "UTC"))
    assert problem.field == "expires_at"

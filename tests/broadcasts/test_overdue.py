"""A broadcast whose rows cannot be made keeps nobody up, and is not forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from broadcasts import fill, overdue, run
from broadcasts.models import Broadcast
from messaging import diagnosis
from messaging.diagnosis import Cause
from messaging.dispatch import engine
from messaging.models import Pulse
from tests.broadcasts.factories import scheduled
from tests.factories import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def stuck(ours: World, monkeypatch: pytest.MonkeyPatch) -> Broadcast:
    """A broadcast that has started and whose pages fail, with an engine that beats."""
    made = scheduled(ours, name="Autumn newsletter")
    Broadcast.objects.filter(pk=made.pk).update(run_at=timezone.now())

    def fails(*arguments: object) -> bool:
        raise RuntimeError

    monkeypatch.setattr(run, "fill_page", fails)
    run.tick(budget_seconds=0.1)
    Pulse.objects.update_or_create(id=1, defaults={"beaten_at": timezone.now()})
    return made


def moved(broadcast: Broadcast, ago: timedelta) -> None:
    at = timezone.now() - ago
    Broadcast.objects.filter(pk=broadcast.pk).update(started_at=at, filled_at=at)


def alarms(world: World) -> list[diagnosis.Holdup]:
    starts = overdue.starts(world.organization.pk)
    return diagnosis.holdups(world.organization.pk, starts)


def test_one_whose_pages_fail_for_long_is_told(
    ours: World, theirs: World, stuck: Broadcast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "what_is_away", lambda: None)
    moved(stuck, timedelta(minutes=20))

    [alarm] = alarms(ours)

    assert alarm.cause is Cause.NOT_TAKEN
    assert "“Autumn newsletter” waits to go on. Nothing of it moved since" in (
        alarm.sentence
    )
    assert "look at the log of the worker" in alarm.advice
    assert alarms(theirs) == []


def test_one_that_is_just_slow_is_no_alarm(ours: World, stuck: Broadcast) -> None:
    moved(stuck, timedelta(minutes=10))

    assert alarms(ours) == []


def test_one_whose_pages_can_be_made_again_is_none_either(
    ours: World, stuck: Broadcast, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved(stuck, timedelta(minutes=20))
    monkeypatch.setattr(run, "fill_page", fill.fill_page)

    run.tick(budget_seconds=5)

    assert alarms(ours) == []

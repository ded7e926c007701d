"""Why nothing is being sent, cause by cause, and that a long queue is no alarm."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from celery.contrib.testing.worker import start_worker
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging import diagnosis
from messaging.diagnosis import Cause
from messaging.dispatch import engine, pace, pulse
from messaging.models import BulkResend, Integration, IntegrationPace, Pulse
from tests.factories import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_was_asked_yet() -> None:
    engine.forget()


def late_message(ours: World, **values: Any) -> Integration:
    message = ours.message(due_at=timezone.now() - timedelta(minutes=5), **values)
    assert message.integration is not None
    return message.integration


def pace_of(integration: Integration, **seconds: float) -> None:
    """Set moments of the pace, each so many seconds from now."""
    pace.prepare(integration.pk)
    now = timezone.now()
    IntegrationPace.objects.filter(pk=integration.pk).update(
        **{name: now + timedelta(seconds=value) for name, value in seconds.items()}
    )


def only(ours: World) -> diagnosis.Holdup:
    [found] = diagnosis.holdups(ours.organization.pk)
    return found


@pytest.fixture
def broker_nobody_answers() -> Iterator[None]:
    """Point Celery at a port where nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    yield from broker_at(f"redis://127.0.0.1:{port}/0")


@pytest.fixture
def broker_hangs() -> Iterator[None]:
    """Point Celery at a port that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        yield from broker_at(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")


def broker_at(url: str) -> Iterator[None]:
    before = current_app.conf.broker_write_url
    current_app.conf.broker_write_url = url
    yield
    current_app.conf.broker_write_url = before


def test_all_is_well_without_anything_due(ours: World) -> None:
    ours.message("planned")
    ours.message(due_at=timezone.now() + timedelta(hours=1))

    assert diagnosis.holdups(ours.organization.pk) == []


def test_a_message_due_for_less_than_a_minute_is_not_late(ours: World) -> None:
    ours.message(due_at=timezone.now() - timedelta(seconds=50))

    assert diagnosis.holdups(ours.organization.pk) == []


def test_a_paused_integration_says_why_and_how_to_go_on(ours: World) -> None:
    pulse.beat()
    integration = late_message(
        ours,
        integration=ours.integration(
            name="Front desk", state="paused", state_reason="The token has expired."
        ),
    )

    found = only(ours)

    assert found.cause is Cause.PAUSED
    assert found.sentence == "“Front desk” is paused. The token has expired."
    assert found.integration_id == integration.pk
    assert found.is_alarm


def test_a_provider_that_asked_for_silence_is_named_with_its_time(ours: World) -> None:
    pulse.beat()
    pace_of(late_message(ours), paused_until=600)

    found = only(ours)

    assert found.cause is Cause.PROVIDER_SILENCE
    assert found.until is not None
    assert found.until > timezone.now()


def test_a_long_queue_that_moves_is_no_alarm_and_says_how_long(ours: World) -> None:
    pulse.beat()
    integration = ours.integration(name="Slow lane", rate_per_second=0.5)
    for _ in range(60):
        late_message(ours, integration=integration)
    pace_of(integration, paid_until=1)

    found = only(ours)

    assert found.cause is Cause.RATE
    assert not found.is_alarm
    assert found.sentence == (
        "“Slow lane” sends one message every 2 seconds and 60 messages wait: the last"
        " one leaves in about 2 minutes."
    )


def test_a_provider_that_answers_nothing_is_called_slow(ours: World) -> None:
    pulse.beat()
    integration = late_message(ours)
    pace_of(integration, paid_until=-90)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_integrationpace SET lease_holder = gen_random_uuid(),"
            " lease_until = now() + interval '10 seconds' WHERE integration_id = %s",
            [integration.pk],
        )

    assert only(ours).cause is Cause.PROVIDER_SLOW


def test_an_engine_that_lives_but_takes_nothing_is_said_so(ours: World) -> None:
    pulse.beat()
    late_message(ours)

    found = only(ours)

    assert found.cause is Cause.NOT_TAKEN
    assert found.is_alarm


def test_a_broker_that_is_away_is_told_from_a_worker_that_is(
    ours: World, broker_nobody_answers: None
) -> None:
    late_message(ours)

    found = only(ours)

    assert found.cause is Cause.BROKER_AWAY
    assert found.integration_id is None


def test_a_broker_that_hangs_does_not_hang_the_page(
    ours: World, broker_hangs: None
) -> None:
    late_message(ours)
    found: list[engine.Part] = []
    asking = threading.Thread(target=lambda: found.append(engine.missing_part()))
    asking.start()
    asking.join(timeout=8)

    assert found == [engine.Part.BROKER]


def test_no_worker_and_no_pulse_means_that_it_never_ran(ours: World) -> None:
    late_message(ours)

    assert only(ours).cause is Cause.NEVER_RAN


def test_no_worker_after_a_pulse_says_when_it_was_last_heard(ours: World) -> None:
    Pulse.objects.create(beaten_at=timezone.now() - timedelta(hours=2))
    late_message(ours)
    late_message(ours)

    found = only(ours)

    assert found.cause is Cause.NO_WORKER
    assert found.sentence.startswith("Sending stopped on ")
    assert found.sentence.endswith(". 2 messages wait to be sent.")
    assert found.advice == (
        "Nothing is lost: it goes out when sending runs again. What is then more than"
        " 5 minutes late is kept instead, to be sent again by a person. Tell whoever"
        " runs this server: no worker answers; start a worker."
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_answers_without_a_pulse_means_that_beat_is_away(
    ours: World,
) -> None:
    Pulse.objects.create(beaten_at=timezone.now() - timedelta(hours=2))
    late_message(ours)

    with start_worker(
        current_app, pool="solo", perform_ping_check=False, shutdown_timeout=20
    ):
        found = only(ours)

    assert found.cause is Cause.NO_BEAT


def test_the_engine_explains_all_but_what_has_a_reason_of_its_own(ours: World) -> None:
    late_message(ours)
    late_message(ours, integration=ours.integration(state="paused"))

    found = {one.cause: one for one in diagnosis.holdups(ours.organization.pk)}

    assert set(found) == {Cause.NEVER_RAN, Cause.PAUSED}
    assert "1 message waits to be sent." in found[Cause.NEVER_RAN].sentence


def test_a_clock_of_postgresql_that_is_behind_is_named(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.beat()
    ours.message(due_at=timezone.now() + timedelta(minutes=3))
    ahead = timezone.now() + timedelta(minutes=10)
    monkeypatch.setattr(timezone, "now", lambda: ahead)

    found = only(ours)

    assert found.cause is Cause.CLOCKS_DIFFER
    assert "10 minutes behind" in found.sentence


def test_alarms_come_before_queues_that_move(ours: World) -> None:
    pulse.beat()
    moving = ours.integration(rate_per_second=1)
    ours.message(integration=moving, due_at=timezone.now() - timedelta(hours=1))
    pace_of(moving, paid_until=0)
    late_message(ours)

    causes = [one.cause for one in diagnosis.holdups(ours.organization.pk)]

    assert causes == [Cause.NOT_TAKEN, Cause.RATE]


def test_broker_and_workers_are_asked_once_for_pages_that_look_again(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def answer() -> engine.Part:
        asked.append(1)
        return engine.Part.WORKER

    monkeypatch.setattr(engine, "missing_part", answer)
    late_message(ours)

    for _ in range(3):
        only(ours)

    assert asked == [1]


def test_another_organization_is_not_spoken_of(ours: World, theirs: World) -> None:
    pulse.beat()
    late_message(theirs)

    assert diagnosis.holdups(ours.organization.pk) == []
    assert len(diagnosis.holdups()) == 1


def test_a_healthy_system_pays_two_statements(ours: World) -> None:
    ours.message(due_at=timezone.now())

    with CaptureQueriesContext(connection) as queries:
        diagnosis.holdups(ours.organization.pk)

    assert len(queries) == 2


# What should have started


def bulk_resend(world: World, state: str = "frozen", **values: Any) -> BulkResend:
    long_ago = timezone.now() - timedelta(minutes=4)
    return BulkResend.objects.create(
        **{
            "organization": world.organization,
            "state": state,
            "total": 75,
            "created_at": long_ago,
            "chosen": "Everything that failed",
            **values,
        }
    )


def heard_before(minutes: float) -> None:
    moment = timezone.now() - timedelta(minutes=minutes)
    Pulse.objects.update_or_create(id=1, defaults={"beaten_at": moment})


def test_a_bulk_resend_that_nobody_starts_is_a_standstill(ours: World) -> None:
    heard_before(3)
    bulk = bulk_resend(ours)

    found = only(ours)

    assert found.cause is Cause.NO_WORKER
    assert found.sentence.endswith("The bulk resend of 75 messages waits to start.")
    assert "messages wait to be sent" not in found.sentence
    assert found.url == f"/messages/bulk/{bulk.pk}/"


def test_a_bulk_resend_that_nobody_goes_on_with_is_a_standstill(ours: World) -> None:
    heard_before(3)
    bulk_resend(ours, "running", queued_count=60)

    assert "The bulk resend of 15 messages waits to go on." in only(ours).sentence


@pytest.mark.parametrize("state", ["running", "cancelled"])
def test_a_bulk_resend_that_is_worked_on_is_no_alarm(ours: World, state: str) -> None:
    heard_before(0)
    bulk_resend(ours, state)

    assert diagnosis.holdups(ours.organization.pk) == []


def test_a_bulk_resend_that_fails_on_every_tick_is_told_of_after_a_while(
    ours: World,
) -> None:
    """The engine beats and goes on with everything else; the log alone has it."""
    heard_before(0)
    now = timezone.now()
    bulk = bulk_resend(
        ours,
        "running",
        queued_count=60,
        created_at=now - timedelta(hours=3),
        moved_at=now - timedelta(minutes=14),
    )
    assert diagnosis.holdups(ours.organization.pk) == []

    BulkResend.objects.update(moved_at=now - timedelta(minutes=16))

    found = only(ours)
    assert found.cause is Cause.NOT_TAKEN
    assert "The bulk resend of 15 messages waits to go on." in found.sentence
    assert "Nothing of it moved since" in found.sentence
    assert "look at the log of the worker" in found.advice
    assert found.url == f"/messages/bulk/{bulk.pk}/"


def test_a_bulk_resend_whose_time_has_not_come_is_no_alarm(ours: World) -> None:
    heard_before(10)
    bulk_resend(ours, scheduled_for=timezone.now() + timedelta(hours=1))
    bulk_resend(ours, scheduled_for=timezone.now() - timedelta(seconds=50))

    assert diagnosis.holdups(ours.organization.pk) == []


def test_a_bulk_resend_that_a_living_engine_leaves_alone_is_told_of(
    ours: World,
) -> None:
    pulse.beat()
    bulk_resend(ours)

    found = only(ours)

    assert (found.cause, found.integration_id) == (Cause.NOT_TAKEN, None)
    assert found.is_alarm


def test_bulk_resends_of_another_organization_are_not_spoken_of(
    ours: World, theirs: World
) -> None:
    heard_before(3)
    bulk_resend(theirs)

    assert diagnosis.holdups(ours.organization.pk) == []
    assert len(diagnosis.holdups()) == 1


def test_each_integration_has_its_own_queue(ours: World) -> None:
    first, second = ours.integration(name="One"), ours.integration(name="Two")
    for integration in (first, first, second):
        ours.message(integration=integration)

    assert diagnosis.waiting(ours.organization.pk) == {first.pk: 2, second.pk: 1}

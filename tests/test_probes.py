"""Ready means: PostgreSQL is there and migrated; and the answer is quick."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from messaging.dispatch import pulse
from messaging.models import Pulse
from resend_admin import probes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def as_if_just_started() -> Iterator[None]:
    probes._migrated.clear()
    yield
    probes._migrated.clear()


def ask() -> tuple[int, dict[str, Any]]:
    response = Client().get("/readyz")
    return response.status_code, response.json()


def test_all_is_well() -> None:
    pulse.beat()

    assert ask() == (200, {"status": "ok", "engine": "ok"})
    assert ask() == (200, {"status": "ok", "engine": "ok"})


def test_an_engine_that_is_away_is_said_and_changes_nothing() -> None:
    status, said = ask()

    assert (status, said["status"]) == (200, "ok")
    assert said["engine"] == "The engine has never run. Start a worker and beat."


def test_an_engine_that_stopped_is_said_with_its_time() -> None:
    Pulse.objects.create(beaten_at=timezone.now() - timedelta(hours=2))

    _, said = ask()

    assert said["engine"].startswith("The engine was last heard on ")


def test_migrations_that_are_pending_are_named() -> None:
    applied = MigrationRecorder(connection).migration_qs
    last = applied.filter(app="messaging").order_by("-name")[0]
    last.delete()
    try:
        assert ask() == (503, {"status": probes.PENDING})
    finally:
        MigrationRecorder(connection).record_applied("messaging", last.name)

    assert ask()[0] == 200


def test_without_postgresql_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(look: probes.Look) -> probes.Readiness:
        raise OperationalError

    monkeypatch.setattr(probes, "_ask", away)

    assert ask() == (503, {"status": probes.AWAY})


def test_a_postgresql_that_goes_during_the_first_look_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def goes() -> bool:
        raise OperationalError

    monkeypatch.setattr(probes, "_is_pending", goes)

    assert ask() == (503, {"status": probes.AWAY})


def test_a_postgresql_that_hangs_after_the_look_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_go_on, has_ended = threading.Event(), threading.Event()

    def hang() -> str:
        may_go_on.wait(10)
        has_ended.set()
        return ""

    monkeypatch.setattr(probes, "_is_pending", lambda: False)
    monkeypatch.setattr("messaging.diagnosis.pulse_sentence", hang)

    assert ask() == (503, {"status": probes.AWAY})
    may_go_on.set()
    assert has_ended.wait(10)


def test_a_first_look_that_takes_long_does_not_send_people_to_postgresql(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_go_on, has_ended = threading.Event(), threading.Event()
    look_at_all = probes._ask

    def take_long() -> bool:
        assert may_go_on.wait(10)
        return False

    def look_and_tell(look: probes.Look) -> probes.Readiness:
        try:
            return look_at_all(look)
        finally:
            has_ended.set()

    monkeypatch.setattr(probes, "_is_pending", take_long)
    monkeypatch.setattr(probes, "_ask", look_and_tell)

    assert ask() == (503, {"status": probes.LOOKING})
    may_go_on.set()
    assert has_ended.wait(10)
    assert ask()[0] == 200


def test_a_postgresql_that_hangs_does_not_hang_the_probe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hang(look: probes.Look) -> probes.Readiness:
        time.sleep(3)
        return probes.Readiness("ok", "ok")

    monkeypatch.setattr(probes, "_ask", hang)
    began = time.monotonic()

    answers = [ask() for _ in range(3)]

    assert answers == [(503, {"status": probes.AWAY})] * 3
    assert time.monotonic() - began < 3 * (probes.SECONDS + 0.5)


def test_the_process_lives_whatever_postgresql_does() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}

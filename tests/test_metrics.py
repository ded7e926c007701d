"""``/metrics``: for whoever has the token, right for any process, without tenants."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from broadcasts.models import Broadcast
from broadcasts.retention import prune
from messaging import metering
from messaging.dispatch import pace, pulse, statements
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import (
    Attempt,
    BulkResend,
    Integration,
    Message,
    Meter,
    Priority,
    Pulse,
)
from tests.broadcasts.factories import scheduled
from tests.factories import World
from tests.messaging.test_doubt import count, tell, unknown
from tests.messaging.views.rows import receipt, tried

pytestmark = pytest.mark.django_db

TOKEN = "a-token-that-nobody-guesses-0123456789"


@pytest.fixture
def integration(ours: World) -> Integration:
    made = ours.integration(name="Secret name of a tenant")
    pulse.beat()
    pace.take_lease(made.pk, uuid.uuid4())
    return made


@pytest.fixture
def token(settings: Settings) -> str:
    settings.METRICS_TOKEN = TOKEN
    return TOKEN


def ask(token: str) -> Any:
    return Client().get("/metrics", headers={"Authorization": f"Bearer {token}"})


def samples(token: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample as Prometheus' own parser reads it."""
    response = ask(token)
    assert response.status_code == 200
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(response.content.decode())
        for one in family.samples
    }


def value(token: str, name: str, **labels: str) -> float | None:
    return samples(token).get((f"resend_admin_{name}", tuple(sorted(labels.items()))))


def test_without_a_setting_there_is_no_such_page(settings: Settings) -> None:
    settings.METRICS_TOKEN = ""

    assert ask("").status_code == 404
    assert Client().get("/metrics").status_code == 404


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "ü"]
)
def test_another_token_is_refused(token: str, header: str) -> None:
    response = Client().get("/metrics", headers={"Authorization": header})

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert b"resend_admin_" not in response.content


def test_no_log_in_opens_it(ours: World, token: str) -> None:
    client = Client()
    client.force_login(ours.admin)

    assert client.get("/metrics").status_code == 401


def test_a_post_is_refused(token: str) -> None:
    assert Client().post("/metrics").status_code == 405


def test_it_speaks_the_text_format_and_is_kept_by_nobody(token: str) -> None:
    response = ask(token)

    assert response["Content-Type"].startswith("text/plain; version=")
    assert "no-store" in response["Cache-Control"]


def test_messages_are_counted_each_time_they_come_to_an_outcome(
    ours: World, integration: Integration, token: str
) -> None:
    message = unknown(ours, integration)
    count(message)
    tell(unknown(ours, integration), "failed")
    ours.message("skipped", integration=integration, reason="opted_out")

    found = {
        outcome: value(token, "messages_total", channel="whatsapp", outcome=outcome)
        for outcome in ("unknown", "delivered", "failed", "skipped")
    }

    assert found == {"unknown": 2, "delivered": 1, "failed": 1, "skipped": 1}
    assert value(token, "messages_unknown", channel="whatsapp") == 0


def test_counters_never_fall(ours: World, integration: Integration, token: str) -> None:
    message = unknown(ours, integration)
    before = value(token, "messages_total", channel="whatsapp", outcome="unknown")
    tell(message, "delivered")
    Message.objects.update(created_at=timezone.now() - timedelta(days=90))
    assert prune(ours.organization) == 1

    assert before == 1
    after = value(token, "messages_total", channel="whatsapp", outcome="unknown")
    assert after == 1
    assert value(token, "messages_unknown", channel="whatsapp") == 0


def test_what_stands_is_what_the_rows_say(
    ours: World, theirs: World, integration: Integration
) -> None:
    for world in (ours, theirs):
        for state in ("sent", "delivered", "read", "failed", "unknown"):
            tried(world, state)
        world.message("skipped", reason="opted_out")
        world.message("planned")
    unknown(ours, integration)
    Message.objects.filter(state="unknown").last().delete()  # type: ignore[union-attr]

    for meter in Meter.objects.filter(series="message"):
        standing = Message.objects.filter(
            organization=meter.organization, state=meter.label, channel=meter.channel
        )
        assert meter.came - meter.gone == standing.count(), str(meter)


def durations_settled(
    ours: World, integration: Integration, milliseconds: list[int]
) -> None:
    for _ in milliseconds:
        ours.message(integration=integration)
    attempts = claim(integration, limit=100).attempts
    settle(
        integration,
        [
            Result(one.attempt_id, "sent", duration_ms=duration)
            for one, duration in zip(attempts, milliseconds, strict=True)
        ],
    )


def test_durations_stand_in_the_bucket_that_just_holds_them(
    ours: World, integration: Integration, token: str
) -> None:
    durations_settled(ours, integration, [0, 50, 51, 9_999, 60_000, 61_000])

    found = {
        bound: value(token, "dispatch_seconds_bucket", channel="whatsapp", le=bound)
        for bound in ("0.05", "0.1", "5.0", "10.0", "60.0", "+Inf")
    }

    assert found == {
        "0.05": 2,
        "0.1": 3,
        "5.0": 3,
        "10.0": 4,
        "60.0": 5,
        "+Inf": 6,
    }
    assert value(token, "dispatch_seconds_count", channel="whatsapp") == 6
    total = value(token, "dispatch_seconds_sum", channel="whatsapp")
    assert total == pytest.approx(131.1)


def test_an_attempt_closed_by_a_receipt_counts_once_its_answer_is_in(
    ours: World, integration: Integration, token: str
) -> None:
    ours.message(integration=integration)
    [claimed] = claim(integration, limit=1).attempts
    message = Message.objects.get()
    tell(message, "delivered")
    assert value(token, "dispatch_seconds_count", channel="whatsapp") is None

    settle(
        integration, [Result(claimed.attempt_id, "sent", answer="{}", duration_ms=7)]
    )

    assert value(token, "dispatch_seconds_count", channel="whatsapp") == 1


def test_what_waits_and_what_is_under_way(
    ours: World, integration: Integration, token: str
) -> None:
    for _ in range(3):
        ours.message(integration=integration)
    claim(integration, limit=2)
    receipt(tried(ours, "sent").attempts.get(), "delivered", result="")
    ours.integration(state="paused")

    assert value(token, "attempts_open") == 2
    assert value(token, "receipts_waiting") == 1
    assert value(token, "integrations", state="paused") == 1
    oldest = value(token, "oldest_due_seconds")
    assert oldest is not None
    assert 55 < oldest < 90
    assert (value(token, "pulse_age_seconds") or 99) < 60


def test_what_holds_messages_up_is_named_by_its_cause(
    ours: World, integration: Integration, token: str
) -> None:
    due = timezone.now() - timedelta(minutes=10)
    ours.message(integration=ours.integration(state="paused"), due_at=due)

    assert value(token, "holdups", cause="paused") == 1
    assert value(token, "holdups", cause="no_worker") == 0


def test_what_nobody_starts_is_due_as_well(ours: World, token: str) -> None:
    now = timezone.now()
    Pulse.objects.update_or_create(
        id=1, defaults={"beaten_at": now - timedelta(minutes=4)}
    )
    overdue = scheduled(ours)
    Broadcast.objects.filter(pk=overdue.pk).update(run_at=now - timedelta(minutes=2))
    assert 110 < (value(token, "oldest_due_seconds") or 0) < 150
    assert value(token, "holdups", cause="no_worker") == 1

    BulkResend.objects.create(
        organization=ours.organization,
        total=75,
        created_at=now - timedelta(minutes=3),
        chosen="Everything that failed",
    )
    assert 170 < (value(token, "oldest_due_seconds") or 0) < 210

    BulkResend.objects.update(state="running")
    Broadcast.objects.update(state="sending", started_at=now - timedelta(minutes=2))
    pulse.beat()
    assert (value(token, "oldest_due_seconds") or 0) < 60
    assert value(token, "holdups", cause="not_taken") == 0


def test_no_tenant_and_no_person_is_named(
    ours: World, integration: Integration, token: str
) -> None:
    contact = ours.contact(name="Ama Owusu")
    ours.message(
        integration=integration,
        contact=contact,
        due_at=timezone.now() - timedelta(hours=1),
    )

    text = ask(token).content.decode()

    for private in ("Ama Owusu", contact.phone, "Secret name", "Ours"):
        assert private not in text


def test_without_postgresql_it_answers_503(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(broadcasts: object) -> metering.Readings:
        raise OperationalError

    monkeypatch.setattr("resend_admin.metrics.readings", away)

    response = ask(token)

    assert response.status_code == 503
    assert response.content == b"PostgreSQL does not answer.\n"


# Plans


@pytest.fixture
def crowd(ours: World, integration: Integration) -> None:
    """Many rows that are long done, so that a scan of them would show."""
    done = tried(ours, "delivered", integration=integration)
    receipt(done.attempts.get(), "delivered")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_receipt (organization_id, integration_id, key, kind,"
            " state, reference, provider_id, address, error_code, error_detail, result,"
            " applied_at, raw) SELECT organization_id, integration_id, 'n' || n, kind,"
            " state, reference, provider_id, address, error_code, error_detail, result,"
            " applied_at, raw FROM messaging_receipt, generate_series(1, 20000) AS n"
        )
        cursor.execute("ANALYZE messaging_receipt, messaging_message")


def scanned(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for child in plan.get("Plans", ()):
        yield from scanned(child)


def test_no_big_table_is_scanned(crowd: None) -> None:
    verbs: dict[str, dict[str, Any]] = {
        "meters": {},
        "standing_now": {"most": 100_000, "priorities": Priority.values},
        "integration_states": {},
        "oldest_due": {"organization_id": None, "priorities": Priority.values},
    }
    found: set[str] = set()
    with connection.cursor() as cursor:
        # Small tables tempt the planner; on big ones it chooses the same.
        cursor.execute("SET LOCAL enable_seqscan = off")
        for verb, parameters in verbs.items():
            text = statements.part(verb)
            cursor.execute(f"EXPLAIN (FORMAT JSON) {text}", parameters)
            [(plans,)] = cursor.fetchall()
            plans = json.loads(plans) if isinstance(plans, str) else plans
            found |= set(scanned(plans[0]["Plan"]))

    big = {"messaging_message", "messaging_attempt", "messaging_receipt"}
    assert found & (big | {"messaging_tally"}) == set()
    assert Attempt.objects.exists()

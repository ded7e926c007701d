"""Counters that lie are found and set right, also while messages move."""

from __future__ import annotations

import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

import messaging.migrations
from messaging import audit
from messaging.dispatch import again, pace, pulse
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import (
    BulkResendOutcome,
    CreditAccount,
    DailyFigure,
    Integration,
    Message,
    Meter,
    Recovery,
    Tally,
)
from tests.factories import World
from tests.messaging.test_doubt import count, tell, unknown

pytestmark = pytest.mark.django_db

SQL = Path(messaging.migrations.__file__).parent / "sql"


@pytest.fixture
def integration(ours: World) -> Integration:
    made = ours.integration()
    pulse.beat()
    pace.take_lease(made.pk, uuid.uuid4())
    return made


def check(*arguments: str) -> tuple[str, str]:
    """Run the command; return what it said on both ways out."""
    out, error = StringIO(), StringIO()
    call_command("check_tallies", *arguments, stdout=out, stderr=error)
    return out.getvalue(), error.getvalue()


def nothing_differs() -> bool:
    return [one for counter in audit.COUNTERS for one in counter.differences()] == []


def lie(table: str, change: str) -> None:
    """Change a counter behind the back of the triggers on it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE {table} SET {change}")  # noqa: S608 - written here
        cursor.execute("SET LOCAL session_replication_role = origin")


def recovered(ours: World, integration: Integration) -> None:
    """Let messages arrive at once, after a doubt and after a failure; one fails."""
    message = ours.message(integration=integration)
    for state, code in (("failed", "whatsapp:131000"), ("delivered", "")):
        [claimed] = claim(integration, limit=1, message_id=message.pk).attempts
        result = Result(
            claimed.attempt_id,
            state,
            error_code=code,
            error_class="retry" if code else "",
            duration_ms=5,
        )
        settle(integration, [result])
        again.queue_again([again.Again(message.pk, 1)])
    count(unknown(ours, integration))
    tell(unknown(ours, integration), "delivered")
    tell(unknown(ours, integration), "failed")


def test_counters_that_agree_are_left_alone(
    ours: World, integration: Integration
) -> None:
    recovered(ours, integration)

    assert check() == ("Every tally agrees with its rows.\n", "")
    assert check("--repair") == ("Every tally agrees with its rows.\n", "")


def test_a_lie_is_an_error_and_says_how_to_set_it_right(
    ours: World, integration: Integration
) -> None:
    recovered(ours, integration)
    Tally.objects.filter(unit="message", outcome="delivered").update(count=40)

    with pytest.raises(CommandError, match=r"check_tallies --repair") as caught:
        check()

    assert caught.value.returncode == 1
    assert Tally.objects.filter(count=40).exists()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("messaging_tally", "count = count + 7"),
        ("messaging_tally", "count = 0"),
        ("messaging_recovery", "count = count + 3, credits = 0"),
        ("messaging_dailyfigure", "count = count - 1"),
        ("messaging_meter", "came = came + 5"),
        ("messaging_meter", "gone = gone + 5"),
    ],
)
def test_every_kind_of_counter_is_set_right(
    ours: World, integration: Integration, table: str, change: str
) -> None:
    recovered(ours, integration)
    lie(table, change)
    assert not nothing_differs()

    out, error = check("--repair")

    assert nothing_differs()
    assert "counters differed from their rows. Now they agree." in out
    assert "tallied" in error
    assert "found" in error
    assert check() == ("Every tally agrees with its rows.\n", "")


def test_counters_that_are_gone_come_back(
    ours: World, integration: Integration
) -> None:
    recovered(ours, integration)
    for model in (Tally, Recovery, DailyFigure, BulkResendOutcome):
        model._default_manager.all().delete()
    Meter.objects.filter(series="message").delete()

    check("--repair")

    assert nothing_differs()


def test_what_metrics_count_never_falls(ours: World, integration: Integration) -> None:
    recovered(ours, integration)
    lie("messaging_meter", "came = came + 5")
    before = dict(Meter.objects.values_list("pk", "came"))

    check("--repair")

    after = dict(Meter.objects.values_list("pk", "came"))
    assert all(after[pk] >= came for pk, came in before.items())
    assert nothing_differs()


def test_only_what_differs_is_written(
    ours: World, theirs: World, integration: Integration
) -> None:
    recovered(ours, integration)
    other = theirs.integration()
    pace.take_lease(other.pk, uuid.uuid4())
    recovered(theirs, other)
    mine = Tally.objects.filter(organization=ours.organization)
    mine.filter(outcome="failed").update(count=9)

    _, error = check("--repair")

    assert f"organization {ours.organization.pk}," in error
    assert f"organization {theirs.organization.pk}," not in error


@pytest.mark.django_db(transaction=True)
def test_a_repair_while_messages_move_loses_none_of_their_changes(
    ours: World, integration: Integration
) -> None:
    content = ours.text()
    broadcast = ours.broadcast("sending")
    for _ in range(300):
        ours.message(
            integration=integration, content=content, broadcast_id=broadcast.pk
        )
    done = threading.Event()

    def move() -> int:
        settled = 0
        try:
            while attempts := claim(integration, limit=6).attempts:
                states = random.choices(["sent", "delivered", "unknown"], k=6)  # noqa: S311
                results = [
                    Result(
                        one.attempt_id,
                        state,
                        error_code="whatsapp:timeout" if state == "unknown" else "",
                        error_class="unknown" if state == "unknown" else "",
                        duration_ms=9,
                    )
                    for one, state in zip(attempts, states, strict=False)
                ]
                settled += settle(integration, results)
        finally:
            done.set()
            connection.close()
        return settled

    def lie_and_repair() -> int:
        rounds = 0
        try:
            while not done.is_set() or not rounds:
                Tally.objects.filter(unit="message", outcome="queued").update(count=7)
                Meter.objects.filter(label="delivered").update(came=1)
                for counter in audit.COUNTERS:
                    list(audit.repair(counter))
                rounds += 1
        finally:
            connection.close()
        return rounds

    with ThreadPoolExecutor(3) as pool:
        moved = pool.submit(move)
        repairs = [pool.submit(lie_and_repair) for _ in range(2)]
        rounds = sum(one.result() for one in repairs)

    assert moved.result() == 300
    assert rounds >= 2
    check("--repair")
    assert nothing_differs()


@pytest.mark.django_db(transaction=True)
def test_two_repairs_at_once_add_what_is_missing_once(
    ours: World, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovered(ours, integration)
    Tally.objects.update(count=50)
    both_have_looked = threading.Barrier(2)
    look = audit.Counter.differences

    def look_together(counter: audit.Counter) -> list[audit.Difference]:
        found = look(counter)
        with suppress(threading.BrokenBarrierError):
            both_have_looked.wait(timeout=1)
        return found

    def repair(_: int) -> int:
        try:
            return len(list(audit.repair(audit.TALLIES)))
        finally:
            connection.close()

    monkeypatch.setattr(audit.Counter, "differences", look_together)
    with ThreadPoolExecutor(2) as pool:
        numbers = sorted(pool.map(repair, range(2)))

    assert numbers[0] == 0
    assert numbers[1] > 0
    assert look(audit.TALLIES) == []


def test_the_ledger_is_never_repaired_and_says_so(ours: World) -> None:
    CreditAccount.objects.filter(organization=ours.organization).update(available=3)

    with pytest.raises(CommandError, match=r"Nothing is repaired here"):
        call_command("check_ledger", stderr=StringIO())
    assert ours.account.available == 3


def test_messages_that_were_given_back_move_to_the_number_of_their_tries(
    ours: World,
) -> None:
    """As the migration finds them: counted by every attempt that was opened."""
    integration = ours.integration()
    for state, attempts in (("queued", 1), ("sent", 3), ("sent", 3)):
        message = ours.message(state, integration=integration, attempt_count=attempts)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            Message.objects.filter(pk=message.pk).update(given_back=1)
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    assert not nothing_differs()

    with connection.cursor() as cursor:
        cursor.execute((SQL / "tally_counts_tries.sql").read_text())

    assert nothing_differs()

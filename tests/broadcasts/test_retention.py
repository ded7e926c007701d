"""Rows go after so many days; counters stay for ever and still add up."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Count
from django.utils import timezone

from broadcasts import chain, retention
from broadcasts.summary import counters_of
from broadcasts.ways import rows
from messaging.audit import ledger_differences
from messaging.credits import release_old_holds
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import (
    Attempt,
    Message,
    MessageState,
    Organization,
    Receipt,
    ReceiptResult,
    Tally,
    TallyUnit,
)
from tests.broadcasts.factories import (
    age,
    finished,
    retried,
    rows_of,
    scheduled,
    started,
)
from tests.factories import World
from tests.plans import Statement, plan_of

pytestmark = pytest.mark.django_db


def assert_tallies_match_rows() -> None:
    """Each count that is not pruned has its row, and the other way round."""
    counted = Message.objects.values("broadcast_id", "state").annotate(n=Count("pk"))
    rows = {(one["broadcast_id"], one["state"]): one["n"] for one in counted}
    tallies: dict[tuple[int | None, str], int] = {}
    for tally in Tally.objects.filter(unit=TallyUnit.MESSAGE):
        key = (tally.broadcast_id, tally.outcome)
        tallies[key] = tallies.get(key, 0) + tally.count - tally.pruned
    assert {key: n for key, n in tallies.items() if n} == rows


def test_rows_go_and_counters_and_chain_stay(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    source = finished(ours, "delivered", "failed", "failed", "unknown", "skipped")
    again = started(retried(source, ours))
    before = chain.summary(source)
    counters = counters_of(source)
    age(source)

    assert retention.prune(ours.organization) == 5

    assert not rows_of(source).exists()
    assert rows_of(again).count() == 2
    after = counters_of(source)
    assert (after.total, after.failed, after.delivered) == (5, 2, 1)
    assert (counters.kept_failed, after.kept_failed) == (2, 0)
    assert chain.summary(source).sentence == before.sentence
    assert_tallies_match_rows()


def test_what_still_waits_stays_however_old(ours: World) -> None:
    for _ in range(2):
        ours.contact()
    broadcast = started(scheduled(ours))
    rows_of(broadcast)[:1].get()
    Message.objects.filter(pk=rows_of(broadcast)[0].pk).update(
        state=MessageState.SENDING, attempt_count=1, due_at=None
    )
    source = finished(ours, "failed")
    planned = retried(source, ours)
    for one in (broadcast, planned):
        age(one, 400)

    assert retention.prune(ours.organization) == 0


def test_each_organization_keeps_its_own_days(ours: World, theirs: World) -> None:
    theirs.organization.retention_days = 90
    theirs.organization.save()
    old, kept = finished(ours, "failed"), finished(theirs, "failed")
    for one in (old, kept):
        age(one)

    assert retention.prune_all() == 1

    assert not rows_of(old).exists()
    assert rows_of(kept).exists()


def test_a_retry_planned_long_ago_ages_from_its_start(ours: World) -> None:
    broadcast = finished(ours, "failed")
    rows_of(broadcast).update(created_at=timezone.now() - timedelta(days=40))

    assert retention.prune(ours.organization) == 0


def test_receipts_go_too_once_they_were_applied(ours: World) -> None:
    integration = ours.integration()
    now = timezone.now()
    old = now - timedelta(days=31)
    for number, (received, applied) in enumerate([(old, now), (old, None), (now, now)]):
        Receipt.objects.create(
            organization=ours.organization,
            integration=integration,
            key=str(number),
            kind="status",
            raw={},
            received_at=received,
            applied_at=applied,
            result=ReceiptResult.IGNORED if applied else "",
        )

    retention.prune(ours.organization)

    keys = Receipt.objects.order_by("key").values_list("key", flat=True)
    assert list(keys) == ["1", "2"]


@pytest.mark.django_db
def test_a_message_stays_until_its_credits_went_back(ours: World) -> None:
    integration = ours.integration()
    pace.prepare(integration.pk)
    message = ours.message(integration=integration)
    [claimed] = claim(integration, limit=1).attempts
    settle(integration, [Result(claimed.attempt_id, "sent")])
    now = timezone.now()
    Message.objects.filter(pk=message.pk).update(created_at=now - timedelta(days=31))
    Attempt.objects.update(opened_at=now - timedelta(days=29))

    assert retention.prune(ours.organization) == 0
    Attempt.objects.update(opened_at=now - timedelta(days=31))
    assert retention.prune(ours.organization) == 1

    assert (ours.account.available, ours.account.held) == (1_000_000, 0)
    assert ledger_differences() == []


@pytest.mark.django_db
def test_old_holds_go_back_batch_after_batch_with_rests_between(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = ours.integration()
    pace.prepare(integration.pk)
    for _ in range(5):
        ours.message(integration=integration)
    attempts = claim(integration, limit=5).attempts
    settle(integration, [Result(one.attempt_id, "sent") for one in attempts])
    Attempt.objects.update(opened_at=timezone.now() - timedelta(days=31))
    rests: list[float] = []

    def rest(seconds: float) -> bool:
        rests.append(seconds)
        return len(rests) == 2

    said = SimpleNamespace(is_set=lambda: False, wait=rest)
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "stopping", said)

    retention.prune(ours.organization)
    # A line for the top-up, and three holds.
    assert ours.account.held == 2
    retention.prune(ours.organization)
    assert ours.account.held == 0
    assert all(rest > 0 for rest in rests)


@pytest.mark.django_db
def test_one_organization_that_fails_holds_up_no_other(
    ours: World, theirs: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruned: list[int] = []

    def prune(organization: Organization) -> int:
        if organization == ours.organization:
            raise DatabaseError("canceling statement due to statement timeout")
        pruned.append(organization.pk)
        return 1

    monkeypatch.setattr(retention, "prune", prune)

    assert retention.prune_all() == 1
    assert pruned == [theirs.organization.pk]


@pytest.mark.parametrize(("rows_known", "pages_known"), [(-1, 0), (3, 300)])
def test_a_batch_does_not_walk_through_what_an_earlier_one_had_to_leave(
    rows_known: int, pages_known: int, ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vacuum may be kept away for hours, and so may what waits: both count once.

    So it is when PostgreSQL believes the table to be nearly empty, too, as it does of
    one that filled after it had been emptied.
    """
    waiting, batches = 300, 6
    old = timezone.now() - timedelta(days=40)
    contact, integration, content = ours.contact(), ours.integration(), ours.text()
    for number in range(waiting + 10 * batches):
        ours.message(
            MessageState.QUEUED if number < waiting else MessageState.SKIPPED,
            contact=contact,
            integration=integration,
            content=content,
            reason="" if number < waiting else "opted_out",
            created_at=old + timedelta(seconds=number),
        )
    walked: list[int] = []
    run = rows

    def watched(sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        with transaction.atomic():
            plan = plan_of(Statement(sql, parameters))
            transaction.set_rollback(True)
        walked.append(plan.read)
        return run(sql, parameters)

    monkeypatch.setattr(retention, "rows", watched)
    monkeypatch.setattr(retention, "BATCH", 10)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(
            "UPDATE pg_class SET reltuples = %s, relpages = %s"
            " WHERE relname IN ('messaging_message', 'messaging_attempt')",
            [rows_known, pages_known],
        )

    assert retention.prune(ours.organization) == 10 * batches

    first, *later = walked[:batches]
    assert first >= waiting
    assert max(later) < waiting / 3


def test_a_worker_that_stops_ends_after_the_batch_and_leaves_the_rest(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = iter((number, retention.FIRST) for number in (1, 1, 1, 0))
    rests: list[float] = []

    def rest(seconds: float) -> bool:
        rests.append(seconds)
        return len(rests) == 2

    said = SimpleNamespace(is_set=lambda: len(rests) >= 2, wait=rest)
    release_old_holds(ours.organization)
    monkeypatch.setattr(retention, "BATCH", 1)
    monkeypatch.setattr(retention, "_batch", lambda *_: next(batches))
    monkeypatch.setattr(retention, "stopping", said)
    assert retention.prune_all() == 2
    assert all(0 <= seconds <= retention.LONGEST_REST for seconds in rests)

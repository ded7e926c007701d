"""Organizations full of realistic data, as large as a benchmark asks for.

Rows are made by statements over sets, with the real triggers, so that tallies and
ledger are what they would be had every message been sent. Only the checks of foreign
keys are left out while a superuser fills, and for many rows the indexes are made anew
behind them, exactly as they were.

Nothing here is random: the same size makes the same data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction

from benchmarks.bulk_load import bulk_load, without_indexes
from benchmarks.causes import failing_columns, outcome_columns
from benchmarks.owners import Owner, make_owner
from benchmarks.plan import Batch, batches_of, largest_lot, make_plan
from broadcasts.chain import keep_where_members_stood
from broadcasts.models import Broadcast, BroadcastState
from messaging.models import Message

FOLDER: Final = Path(__file__).parent / "sql"
SHARES: Final = (("Northwind Health", 80), ("Accra Water", 15), ("Bakery Lam", 5))
"""Organizations, and how many percent of the messages each has."""
TABLES: Final = (
    "messaging_contact",
    "messaging_message",
    "messaging_attempt",
    "messaging_creditentry",
    "messaging_receipt",
    "messaging_bulkresenditem",
)
MOST_TRIES: Final = 3
MANY: Final = 100_000
"""Messages from which on making the indexes anew is quicker."""


@dataclass(frozen=True, slots=True)
class Population:
    """What was made; the first owner is the largest."""

    owners: tuple[Owner, ...]

    @property
    def largest(self) -> Owner:
        return self.owners[0]


def populate(messages: int) -> Population:
    """Make so many messages (about), with everything that belongs to them."""
    now = _now()
    owners = [make_owner(name, messages * share // 100, now) for name, share in SHARES]
    with bulk_load(TABLES):
        if messages < MANY:
            _fill_all(owners, now)
        else:
            with without_indexes(TABLES):
                _fill_all(owners, now)
            analyze()
        for owner in owners:
            with transaction.atomic():
                _add_to_history(owner, now)
    analyze()
    return Population(tuple(owners))


def analyze() -> None:
    """Bring statistics up to date, as autovacuum does within minutes."""
    with connection.cursor() as cursor:
        if connection.in_atomic_block:
            cursor.execute("ANALYZE")
        else:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("RESET statement_timeout")


def _analyze(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        [now] = cursor.fetchone()
    moment: datetime = now
    return moment


def _fill_all(owners: list[Owner], now: datetime) -> None:
    for owner in owners:
        _run("members", owner_values(owner))
        owner.first_member_id = _least_member(owner)
        with transaction.atomic():
            lots = make_plan(owner, now)
        for batch in batches_of(lots):
            with transaction.atomic():
                _fill_batch(owner, batch, now)


def _add_to_history(owner: Owner, now: datetime) -> None:
    _retry_largest(owner, now)
    _run("bulk_resends", owner_values(owner))
    _run("follow_ups", owner_values(owner))


def owner_values(owner: Owner) -> dict[str, Any]:
    return {
        "organization_id": owner.organization.pk,
        "members": owner.members,
        "messages": owner.messages,
        "first_member_id": owner.first_member_id,
    }


def _least_member(owner: Owner) -> int:
    first = owner.organization.contacts.order_by("pk").first()
    assert first is not None, "it has members now"
    return first.pk


def _fill_batch(owner: Owner, batch: Batch, now: datetime) -> None:
    before = _last_id()
    _make_messages(owner, batch, outcome_columns(), now)
    _add_history(owner, before, _last_id(), now)


def _make_messages(
    owner: Owner, batch: Batch, outcomes: dict[str, Any], now: datetime
) -> None:
    _run("messages", {**owner_values(owner), **batch.columns(), **outcomes, "now": now})


def one_broadcast(members: int, failed_percent: int) -> Owner:
    """Make an organization with one broadcast to all members, and nothing else.

    Of its messages so many failed, the rest arrived. They have no attempts: for
    benchmarks that only read and write messages.
    """
    now = _now()
    owner = make_owner("Northwind Health", 4 * members, now)
    with bulk_load(TABLES):
        with without_indexes(TABLES):
            _run("members", owner_values(owner))
            owner.first_member_id = _least_member(owner)
            lot = largest_lot(owner, now - timedelta(hours=2))
            for batch in batches_of([lot]):
                with transaction.atomic():
                    _make_messages(owner, batch, failing_columns(failed_percent), now)
        analyze()
    return owner


def _add_history(owner: Owner, before: int, last: int, now: datetime) -> None:
    """Give the messages with these ids their attempts, credits and receipts.

    Statistics that do not know of the new rows would let each of them look at all.
    """
    values = {
        **owner_values(owner),
        "first": before + 1,
        "last": last,
        "now": now,
    }
    _analyze("messaging_message")
    for number in range(1, MOST_TRIES + 1):
        _run("attempts_open", {**values, "number": number})
        _analyze("messaging_attempt")
        _run("attempts_close", {**values, "number": number})
    _run("ledger", values)
    _run("receipts", values)


def _retry_largest(owner: Owner, now: datetime) -> None:
    """Let the largest broadcast have been retried, in full."""
    source = owner.largest_broadcast
    retry = Broadcast.objects.create(
        organization=owner.organization,
        name=f"Retry of {source.name}",
        kind=source.kind,
        state=BroadcastState.COMPLETED,
        retry_of=source,
        root=source,
        run_at=now - timedelta(days=1),
        started_at=now - timedelta(days=1),
        finished_at=now - timedelta(hours=23),
        is_filled=True,
    )
    before = _last_id()
    _run(
        "retry_messages",
        {
            **owner_values(owner),
            **outcome_columns(),
            "source_id": source.pk,
            "broadcast_id": retry.pk,
            "at": retry.run_at,
            "now": now,
        },
    )
    _add_history(owner, before, _last_id(), now)
    keep_where_members_stood(retry)


def _last_id() -> int:
    """Return the last number of messages and attempts, which share theirs."""
    newest = Message.objects.order_by("-pk").values_list("pk", flat=True).first()
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM messaging_attempt")
        [attempt] = cursor.fetchone()
    return max(newest or 0, attempt or 0)


@cache
def _text(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


def _run(name: str, values: dict[str, Any]) -> None:
    text = _text(name).replace("/* outcomes */", _text("outcomes"))
    with connection.cursor() as cursor:
        cursor.execute(text, values)

"""Proof, by recomputing from rows, that counters and credits tell the truth.

Counters that do not can be set right while everything goes on: what is wrong with one
is the same before and after any message moves, because rows and counters change in
one transaction. So the difference is added, and nothing is overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from django.db import connection, transaction

from messaging.dispatch import ledger, statements

Difference = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counter:
    """One kind of counters: where they stand, and what makes one of them.

    ``owner`` is the first column of the key, one transaction for each of its values.
    """

    name: str
    verb: str
    table: str
    key: tuple[str, ...]

    @property
    def owner(self) -> str:
        return self.key[0]

    def differences(self) -> list[Difference]:
        """Return every counter that differs from its rows; none is the only good
        answer. Reads every row once: for operators, never part of a page."""
        return statements.rows(self.verb, {})

    def changes(self, one: Difference) -> dict[str, int]:
        """Return what to add to the columns of the counter."""
        missing = {"count": one["counted"] - one["tallied"]}
        if "counted_credits" in one:
            missing["credits"] = one["counted_credits"] - one["tallied_credits"]
        return missing


class Gauge(Counter):
    """Two counters that only ever grow, and whose difference is what stands."""

    def changes(self, one: Difference) -> dict[str, int]:
        missing = one["counted"] - one["tallied"]
        return {"came": max(missing, 0), "gone": max(-missing, 0)}


TALLIES: Final = Counter(
    "tally",
    "tally_differences",
    "messaging_tally",
    (
        "organization_id",
        "broadcast_id",
        "unit",
        "day",
        "first_day",
        "channel",
        "integration_id",
        "attempt_number",
        "outcome",
        "error_class",
        "error_code",
        "cause_code",
        "reached_before",
    ),
)
RECOVERIES: Final = Counter(
    "recovery",
    "recovery_differences",
    "messaging_recovery",
    (
        "organization_id",
        "broadcast_id",
        "day",
        "channel",
        "integration_id",
        "resend_number",
        "bucket",
    ),
)
DAILY_FIGURES: Final = Counter(
    "daily figure",
    "figure_differences",
    "messaging_dailyfigure",
    (
        "organization_id",
        "kind",
        "day",
        "channel",
        "integration_id",
        "number",
        "outcome",
        "code",
    ),
)
BULK_OUTCOMES: Final = Counter(
    "outcome of a bulk resend",
    "bulk_outcome_differences",
    "messaging_bulkresendoutcome",
    ("bulk_id", "integration_id", "cause_code", "state"),
)
METERS: Final = Gauge(
    "meter",
    "meter_differences",
    "messaging_meter",
    ("organization_id", "series", "channel", "label"),
)
COUNTERS: Final = (TALLIES, RECOVERIES, DAILY_FIGURES, BULK_OUTCOMES, METERS)
"""In this order: what adds others up comes after them."""


def tally_differences() -> list[Difference]:
    """Return every tally that differs from its rows."""
    return TALLIES.differences()


def recovery_differences() -> list[Difference]:
    """Return every count of recovered messages that differs from its rows."""
    return RECOVERIES.differences()


def figure_differences() -> list[Difference]:
    """Return every daily figure that differs from the tallies it adds up."""
    return DAILY_FIGURES.differences()


def bulk_outcome_differences() -> list[Difference]:
    """Return what bulk resends brought, where it differs from their attempts."""
    return BULK_OUTCOMES.differences()


def meter_differences() -> list[Difference]:
    """Return what metrics say of messages, where it differs from the rows."""
    return METERS.differences()


def repair(counter: Counter) -> Iterator[Difference]:
    """Set the counters of one kind right, and yield what each of them was.

    One transaction for each organization. Messages may move meanwhile; a second
    repair waits for the first.
    """
    with _alone():
        found = counter.differences()
        for _, of_one in groupby(found, key=lambda one: one[counter.owner]):
            batch = list(of_one)
            _add(counter, batch)
            yield from batch


@statements.again_after_deadlock
def _add(counter: Counter, batch: Sequence[Difference]) -> None:
    """Add what is missing, in the order of the key, as the triggers write."""
    with transaction.atomic(), connection.cursor() as cursor:
        for one in batch:
            changes = counter.changes(one)
            row = {name: one[name] for name in counter.key} | changes
            cursor.execute(_upsert(counter, changes), row)


def _upsert(counter: Counter, changes: Mapping[str, int]) -> str:
    """Return the statement; names of columns come from here, values from rows."""
    columns = [*counter.key, *changes]
    values = ", ".join(f"%({name})s" for name in columns)
    added = ", ".join(f"{name} = it.{name} + excluded.{name}" for name in changes)
    return (
        f"INSERT INTO {counter.table} AS it ({', '.join(columns)})"  # noqa: S608
        f" VALUES ({values})"
        f" ON CONFLICT ({', '.join(counter.key)}) DO UPDATE SET {added}"
    )


@contextmanager
def _alone() -> Iterator[None]:
    """Let nobody else repair at the same time: what is missing is added once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('messaging.audit'))")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('messaging.audit'))")


def take_your_time() -> None:
    """Let this connection read every row, however long that takes."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")


def ledger_differences() -> list[Difference]:
    """Return the accounts and attempts whose ledger does not add up."""
    return statements.rows(
        "ledger_differences",
        {"kinds_without_receipts": ledger.kinds_without_receipts()},
    )

"""What PostgreSQL really does for a page: every statement, planned and run again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

BIG_TABLES = frozenset(
    f"messaging_{name}"
    for name in (
        "message",
        "attempt",
        "receipt",
        "creditentry",
        "tally",
        "bulkresenditem",
        "auditentry",
    )
)
"""Tables that grow with what is sent. Members do not stand here: the data set has seven
thousand, which the planner rather reads from end to end than probes, or does not, as
statistics fall. tests/messaging/views/test_members.py judges the searches for them."""
MOST_READ = 1_000
"""Rows of big tables that one statement may read, …"""
MOST_READ_PER_ROW = 4
"""… and so many more for each row that it returns."""


READS = re.compile(r"(?:\s|--[^\n]*\n)*\(*(?:SELECT|WITH)\b", re.IGNORECASE)
"""The beginning of a statement that reads; many begin with a comment."""


@dataclass(frozen=True, slots=True)
class Statement:
    sql: str
    parameters: Any


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Gather the statements that run meanwhile and only read."""
    found: list[Statement] = []

    def keep(
        execute: Callable[..., Any],
        sql: Any,
        parameters: Any,
        many: bool,
        context: Mapping[str, Any],
    ) -> Any:
        text = str(sql)
        if READS.match(text):
            found.append(Statement(text, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(keep):
        yield found


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan that reads a table."""

    node: str
    table: str
    read: int
    """Rows that were looked at, those thrown away included."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a statement was run. ``returned`` counts its rows."""

    statement: Statement
    steps: tuple[Step, ...]
    returned: int

    @property
    def scans(self) -> list[str]:
        """The big tables that were read from end to end."""
        return [
            step.table
            for step in self.steps
            if step.node == "Seq Scan" and step.table in BIG_TABLES
        ]

    @property
    def read(self) -> int:
        return sum(step.read for step in self.steps if step.table in BIG_TABLES)

    @property
    def complaint(self) -> str:
        """What is wrong with it; empty when it will be as quick on a large table."""
        if self.scans:
            return f"scans {', '.join(self.scans)}: {self.statement.sql}"
        most = MOST_READ + MOST_READ_PER_ROW * self.returned
        if self.read > most:
            return (
                f"reads {self.read:,} rows for {self.returned:,}:"
                f" {self.statement.sql} {self.statement.parameters}"
            )
        return ""


def plan_of(statement: Statement) -> Plan:
    """Run a statement once more, and see how."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement.sql}",
            statement.parameters,
        )
        [[answer]] = cursor.fetchall()
    tree = json.loads(answer) if isinstance(answer, str) else answer
    top = tree[0]["Plan"]
    return Plan(statement, tuple(_steps(top)), round(top["Actual Rows"]))


def _steps(node: Mapping[str, Any], table: str = "") -> Iterator[Step]:
    """Yield what reads. What a bitmap was made of is read with its table, once."""
    table = node.get("Relation Name", table)
    below = [step for child in node.get("Plans", ()) for step in _steps(child, table)]
    if node["Node Type"] == "Bitmap Heap Scan":
        bitmap = sum(step.read for step in below if step.node == "Bitmap Index Scan")
        below = [step for step in below if step.node != "Bitmap Index Scan"]
        yield Step("Bitmap Heap Scan", table, max(bitmap, _read_by(node)))
    elif "Scan" in node["Node Type"]:
        yield Step(node["Node Type"], table, _read_by(node))
    yield from below


def _read_by(node: Mapping[str, Any]) -> int:
    rows: float = node["Actual Rows"] + sum(
        node.get(f"Rows Removed by {reason}", 0)
        for reason in ("Filter", "Index Recheck", "Join Filter")
    )
    loops: float = node["Actual Loops"]
    return round(rows * loops)

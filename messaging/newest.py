"""The newest messages that match, whatever is asked for, by probes of an index.

PostgreSQL walks an index in the order of a list only while every column in front of
that order is fixed. A list asks for some of them: "failed", of any integration. So
each value that is left open is tried: one short probe per state and integration,
each ordered by itself, and the newest of what they find is the page. Twenty probes
read some five hundred entries of an index, be there thousands of messages or
millions, and one that finds nothing costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from messaging.models import Message

TYPES: Final = {
    "state": "text",
    "contact_id": "bigint",
    "integration_id": "bigint",
    "error_class": "text",
    "error_code": "text",
}
"""Columns that a probe may fix, and what PostgreSQL calls their types."""


@dataclass(frozen=True, slots=True)
class Road:
    """An index to go by: its open columns, and the values to try.

    ``condition`` names what else the index asks for, such as the state of a partial
    one. Together the roads of a list lead to every message that matches, each to
    others.
    """

    columns: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    condition: Q = field(default_factory=Q)

    @classmethod
    def over(cls, condition: Q | None = None, **open_columns: Iterable[Any]) -> Road:
        """Return the road that tries every combination."""
        values = tuple(product(*open_columns.values()))
        return cls(tuple(open_columns), values, condition or Q())


@dataclass(frozen=True, slots=True)
class Roads:
    """How ``keyset_page`` takes the first messages of a list."""

    roads: Sequence[Road]

    def take(self, rows: QuerySet[Message], number: int) -> list[Message]:
        """Return the first so many of ``rows``, which are ordered by their id."""
        if rows.query.is_empty():
            return []
        probes = [
            _probe(rows, road, number, f"road_{place}")
            for place, road in enumerate(self.roads)
            if road.values
        ]
        if not probes:
            return []
        backwards = not str(rows.query.order_by[0]).startswith("-")
        text = (
            f"SELECT id FROM ({' UNION '.join(sql for sql, _ in probes)})"  # noqa: S608 - Statements that Django wrote.
            f" AS found (id) ORDER BY id {'ASC' if backwards else 'DESC'} LIMIT %s"
        )
        values = [value for _, values in probes for value in values]
        with connection.cursor() as cursor:
            cursor.execute(text, [*values, number])
            ids = [row[0] for row in cursor.fetchall()]
        return list(rows.filter(pk__in=ids))


def _probe(
    rows: QuerySet[Message], road: Road, number: int, name: str
) -> tuple[str, list[Any]]:
    """Return the statement that tries all values of a road, and its parameters."""
    fixed = {column: _column(f"{name}.{column}") for column in road.columns}
    inner = rows.filter(road.condition, **fixed).values("pk")[:number]
    sql, inner_values = inner.query.sql_with_params()
    if not road.columns:
        return f"({sql})", list(inner_values)
    arrays = ", ".join(f"%s::{TYPES[column]}[]" for column in road.columns)
    text = (
        f"SELECT {name}_found.id"  # noqa: S608 - Names of columns, and nothing typed.
        f" FROM unnest({arrays}) AS {name} ({', '.join(road.columns)})"
        f" CROSS JOIN LATERAL ({sql}) AS {name}_found (id)"
    )
    columns = [list(column) for column in zip(*road.values, strict=True)]
    return text, [*columns, *inner_values]


def _column(name: str) -> RawSQL:
    return RawSQL(name, ())  # noqa: S611 - A name of ours.

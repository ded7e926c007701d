"""Quicker ways to fill tables; afterwards all is as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection


@contextmanager
def bulk_load(tables: Sequence[str]) -> Iterator[None]:
    """Leave out the checks of foreign keys, if we may, and fire all other triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SHOW is_superuser")
        [superuser] = cursor.fetchone()
    if superuser != "on":
        yield
        return
    triggers = _own_triggers(tables)
    _begin(triggers)
    try:
        yield
    finally:
        if not connection.needs_rollback:
            _end(triggers)


def _begin(triggers: Sequence[tuple[str, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, name in triggers:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
        cursor.execute("SET session_replication_role = replica")


def _end(triggers: Sequence[tuple[str, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")
        for table, name in triggers:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")
        cursor.execute("RESET synchronous_commit")
        cursor.execute("RESET statement_timeout")


def _own_triggers(tables: Sequence[str]) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgenabled = 'O'"
            "   AND tgrelid = ANY (%s::regclass[])",
            [list(tables)],
        )
        return [(str(table), str(name)) for table, name in cursor.fetchall()]


@contextmanager
def without_indexes(tables: Sequence[str]) -> Iterator[None]:
    """Fill without indexes but those of constraints, and make the same ones again."""
    found = _indexes(tables)
    with connection.cursor() as cursor:
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _, definition in found:
            cursor.execute(definition)
        cursor.execute("RESET maintenance_work_mem")


def _indexes(tables: Sequence[str]) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT class.relname, pg_get_indexdef(index.indexrelid)
            FROM pg_index AS index
            JOIN pg_class AS class ON class.oid = index.indexrelid
            WHERE index.indrelid = ANY (%s::regclass[])
              AND NOT EXISTS (
                  SELECT FROM pg_constraint
                  WHERE conindid = index.indexrelid
              )
            ORDER BY class.relname
            """,
            [list(tables)],
        )
        return [(str(name), str(text)) for name, text in cursor.fetchall()]

"""Statements that stand in files of their own, and their rows as dictionaries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psycopg
from django.db import connection

AS_IN: Final = re.compile(r"/\* as in (\w+)\.sql \*/")


class SqlFiles:
    """The folder ``sql`` beside a module: ``SqlFiles(__file__)``. Each is read once."""

    def __init__(self, module: str) -> None:
        self.folder = Path(module).parent / "sql"
        self._texts: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Return ``sql/<name>.sql``.

        ``/* as in other.sql */`` stands for that file: a rule is written down once,
        wherever a statement needs it.
        """
        if name not in self._texts:
            text = (self.folder / f"{name}.sql").read_text()
            self._texts[name] = AS_IN.sub(lambda other: self.text(other[1]), text)
        return self._texts[name]

    def rows(self, name: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run ``sql/<name>.sql`` and return its rows as dictionaries."""
        return rows_of(self.text(name), parameters)

    def rows_in_binary(
        self, name: str, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Run ``sql/<name>.sql``, whose placeholders end in ``b``; return its rows.

        Its arrays travel beside the text and not inside of it. To escape five hundred
        answers of somebody else takes longer than to write them down.
        """
        connection.ensure_connection()
        with (
            connection.wrap_database_errors,
            psycopg.Cursor(connection.connection) as cursor,
        ):
            cursor.execute(self.text(name), parameters)
            return dictionaries(cursor)


def rows_of(text: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run a statement and return its rows as dictionaries, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        return dictionaries(cursor)


def dictionaries(cursor: Any) -> list[dict[str, Any]]:
    """Return what a cursor has found, a dictionary for each row."""
    if cursor.description is None:
        return []
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

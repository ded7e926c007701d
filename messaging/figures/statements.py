"""The statements of the figures, a file each in ``sql/``; they read tallies only."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import connection

FOLDER = Path(__file__).parent / "sql"


@functools.cache
def _text(name: str) -> str:
    text = (FOLDER / f"{name}.sql").read_text()
    return text.replace("/* within the scope */", (FOLDER / "scope.sql").read_text())


def rows(name: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run ``sql/<name>.sql`` and return its rows as dictionaries."""
    with connection.cursor() as cursor:
        cursor.execute(_text(name), parameters)
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

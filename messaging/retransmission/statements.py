"""The statements about messages that came in, a file per verb in ``sql/``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import connection

FOLDER = Path(__file__).parent / "sql"


@functools.cache
def _text(verb: str) -> str:
    return (FOLDER / f"{verb}.sql").read_text()


def rows(verb: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run ``sql/<verb>.sql`` and return its rows as dictionaries."""
    with connection.cursor() as cursor:
        cursor.execute(_text(verb), parameters)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

"""How long a statement may take: less than usual where somebody waits for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from django.db import OperationalError, connection, transaction
from psycopg import errors

OPENING: Final = timedelta(milliseconds=200)
"""A dialog that cannot be told in this time opens without its figures."""


class TooLongError(Exception):
    """PostgreSQL was not done within the time that was left to it."""


@contextmanager
def at_most(longest: timedelta) -> Iterator[None]:
    """Leave so much time to each statement in here, and no other.

    Raises:
        TooLongError: one of them was not done by then; nothing it did remains.
    """
    is_inside = connection.in_atomic_block
    usual = _limit() if is_inside else ""
    try:
        with transaction.atomic():
            _set_limit(f"{round(longest.total_seconds() * 1_000)}ms")
            yield
            if is_inside:
                _set_limit(usual)
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise TooLongError from error
        raise


def _limit() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        limit: str = cursor.fetchone()[0]
    return limit


def _set_limit(limit: str) -> None:
    """Set it for the rest of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [limit])

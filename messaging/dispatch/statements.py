"""The statements of the engine, a file per verb in ``sql/``."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from django.db import OperationalError, connection
from psycopg import errors

from messaging.sql_files import SqlFiles, rows_of

FILES = SqlFiles(__file__)
rows_in_binary = FILES.rows_in_binary
TRIES = 5

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


def part(name: str) -> str:
    """Return ``sql/<name>.sql`` to be put in the place of a comment."""
    return FILES.text(name)


def rows(
    verb: str, parameters: Mapping[str, Any], **comments: str
) -> list[dict[str, Any]]:
    """Run ``sql/<verb>.sql`` and return its rows as dictionaries.

    ``comments`` put SQL in the place of a comment of that name, with underscores
    for the spaces: a condition that must not be there when it is not wanted.
    """
    text = FILES.text(verb)
    for name, condition in comments.items():
        text = text.replace(f"/* {name.replace('_', ' ')} */", condition)
    return rows_of(text, parameters)


def find_in_order() -> None:
    """Let the rest of this transaction find rows in the order of an index.

    Who takes the first thousand of a long queue reads a thousand rows by its index.
    PostgreSQL would rather read and sort the whole queue, each time, when statistics
    were taken while it was short.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")


def again_after_deadlock(
    function: Callable[Parameters, Returned],
) -> Callable[Parameters, Returned]:
    """Run a whole transaction again when PostgreSQL chose it as the victim.

    The order of locks makes deadlocks rare, not impossible: foreign keys and a
    person in Django admin take locks of their own. Only for functions that open
    and close their transaction themselves.
    """

    @functools.wraps(function)
    def wrapped(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        for number in range(1, TRIES + 1):
            try:
                return function(*args, **kwargs)
            except OperationalError as error:
                victim = isinstance(
                    error.__cause__,
                    errors.DeadlockDetected | errors.SerializationFailure,
                )
                if not victim or connection.in_atomic_block or number == TRIES:
                    raise
                time.sleep(0.02 * number)
        raise AssertionError

    return wrapped

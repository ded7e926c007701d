"""Leave for the few statements that touch every row of a large broadcast."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

LONGEST = timedelta(minutes=5)
"""A million rows are frozen or moved as a whole or not at all, and with their
indexes and tallies that takes a few minutes; every other statement has to be done
within ``STATEMENT_TIMEOUT_MS``."""


def wait_longer() -> None:
    """Let the statements of this transaction, and no others, take so long.

    See :mod:`messaging.patience` for those that somebody waits for.
    """
    milliseconds = round(LONGEST.total_seconds() * 1_000)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}")

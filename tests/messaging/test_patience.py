"""A statement that somebody waits for is ended when it takes too long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DataError, connection, transaction

from messaging.models import Organization
from messaging.patience import TooLongError, at_most

SHORT = timedelta(milliseconds=50)


def limit() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        found: str = cursor.fetchone()[0]
    return found


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_what_takes_too_long_is_undone() -> None:
    def make_one_slowly() -> None:
        with at_most(SHORT):
            Organization.objects.create(name="Half-way")
            run("SELECT pg_sleep(30)")

    with pytest.raises(TooLongError):
        make_one_slowly()
    assert not Organization.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [0, 30])
def test_afterwards_statements_may_take_as_long_as_before(seconds: int) -> None:
    before = limit()
    with transaction.atomic():
        try:
            with at_most(SHORT):
                run(f"SELECT pg_sleep({seconds})")
        except TooLongError:
            assert seconds
        assert limit() == before


@pytest.mark.django_db(transaction=True)
def test_other_errors_are_what_they_are() -> None:
    with pytest.raises(DataError), at_most(SHORT):
        run("SELECT 1 / 0")

"""A database that is away is said in words; any other fault stays a fault."""

from __future__ import annotations

import base64
from collections.abc import Callable

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, OperationalError
from django.test import Client
from psycopg import errors
from psycopg_pool import PoolTimeout

from resend_admin.ui import outage


def caused_by(cause: psycopg.Error) -> OperationalError:
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


AWAY = [
    caused_by(psycopg.OperationalError("connection refused")),
    caused_by(PoolTimeout("no connection came free")),
    caused_by(errors.AdminShutdown()),
    caused_by(errors.CannotConnectNow()),
    caused_by(errors.TooManyConnections()),
    InterfaceError("connection already closed"),
]
THERE = [
    caused_by(errors.QueryCanceled()),
    caused_by(errors.DeadlockDetected()),
    DatabaseError("no such thing"),
    ValueError("a fault of ours"),
    None,
]


@pytest.mark.parametrize("error", AWAY, ids=repr)
def test_a_database_that_is_away_is_recognised(error: BaseException) -> None:
    assert outage.is_away(error)


@pytest.mark.parametrize("error", THERE, ids=repr)
def test_a_refused_statement_is_no_outage(error: BaseException | None) -> None:
    assert not outage.is_away(error)


def broken_by(error: BaseException) -> Callable[..., object]:
    def fail(*args: object, **kwargs: object) -> object:
        raise error

    return fail


@pytest.mark.django_db
def test_a_page_says_that_the_database_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a" * 32
    monkeypatch.setattr(
        "django.db.backends.utils.CursorWrapper.execute", broken_by(AWAY[0])
    )

    answer = client.get("/broadcasts/")

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "The database does not answer" in answer.content.decode()


@pytest.mark.django_db
def test_a_fault_of_ours_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a" * 32
    monkeypatch.setattr(
        "django.db.backends.utils.CursorWrapper.execute", broken_by(THERE[0] or AWAY[0])
    )

    answer = client.get("/broadcasts/")

    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()


@pytest.mark.django_db
def test_a_program_is_told_in_its_own_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = base64.b64encode(b"key:secret").decode()
    client = Client(raise_request_exception=False)
    monkeypatch.setattr(
        "django.db.backends.utils.CursorWrapper.execute", broken_by(AWAY[2])
    )

    answer = client.get(
        "/v1/whatsapp/status/ra_whatsapp_1_abcdef012",
        headers={"Authorization": f"Basic {pair}"},
    )

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer.json()["code"] == "unavailable"
    assert "Ask for the state" in answer.json()["message"]

"""Who gets in: keys, tokens, access, limits; and what is kept of a secret."""

from __future__ import annotations

import logging
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application

from messaging import api_clients
from messaging.models import ApiAccess, ApiClient, ApiClientPace
from tests.factories import World
from tests.messaging.api.callers import RESEND, STATUS, Caller, caller, problem
from tests.messaging.api.conftest import Fail

pytestmark = pytest.mark.django_db

UNKNOWN = f"{STATUS}/ra_whatsapp_1_abc123def"
TOKEN = "/oauth/token"


def basic(pair: str) -> str:
    return f"Basic {b64encode(pair.encode()).decode()}"


def ask(authorization: str) -> Any:
    return Client().get(UNKNOWN, headers={"Authorization": authorization})


def ask_for_token(program: Caller, **more: str) -> Any:
    return Client().post(
        TOKEN,
        {"grant_type": "client_credentials", **more},
        headers={"Authorization": program.basic},
    )


def token_of(program: Caller, **more: str) -> str:
    response = ask_for_token(program, **more)
    assert response.status_code == 200, response.content
    token: str = response.json()["access_token"]
    return token


def bearer(program: Caller, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(program, **more)}"}


def test_the_right_pair_gets_in(writer: Caller) -> None:
    assert problem(ask(writer.basic), 404) == "message_not_found"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YTpi",
        "Bearer",
        "Bearer nonsense",
        "Bearer \u00fc",
        "Digest abc",
        basic(":"),
        basic("nobody:secret"),
        basic("a\x00b:secret"),
        "Basic " + b64encode(b"\xff\xfe:x").decode(),
    ],
)
def test_wrong_credentials_are_401(db: None, authorization: str) -> None:
    response = ask(authorization)

    assert problem(response, 401) == "unauthorized"
    assert response["WWW-Authenticate"].startswith("Basic ")


def test_a_wrong_secret_is_401(writer: Caller, stranger: Caller) -> None:
    for secret in ("", "wrong", stranger.secret, writer.client.secret_hash):
        assert problem(ask(basic(f"{writer.client.key}:{secret}")), 401)


def test_the_session_of_a_person_opens_no_door(ours: World) -> None:
    browser = Client()
    browser.force_login(ours.admin)

    assert problem(browser.get(UNKNOWN), 401) == "unauthorized"


def test_read_may_ask_and_not_resend(
    failed: Fail, reader: Caller, nobody: Caller
) -> None:
    message = failed()
    path = f"{STATUS}/{message.public_id}"

    assert reader.get(path).status_code == 200
    assert problem(nobody.get(path), 403) == "access_denied"
    for program in (reader, nobody):
        response = program.post(RESEND, {"messageId": message.public_id})
        assert problem(response, 403) == "access_denied"
        assert problem(program.post(RESEND, "nonsense"), 403) == "access_denied"
    assert message.attempts.count() == 1


def test_a_revoked_client_stays_out(writer: Caller) -> None:
    headers = bearer(writer)

    api_clients.revoke(writer.client)

    assert problem(ask(writer.basic), 401)
    assert problem(Client().get(UNKNOWN, headers=headers), 401)
    assert ask_for_token(writer).status_code == 401


def test_rotating_leaves_the_old_secret_and_its_tokens_for_a_day(
    writer: Caller,
) -> None:
    headers, before = bearer(writer), writer.basic

    writer.secret = api_clients.rotate(writer.client)

    for living in (before, writer.basic):
        assert problem(ask(living), 404)
    assert problem(Client().get(UNKNOWN, headers=headers), 404)
    ApiClient.objects.update(former_secret_until=timezone.now())
    assert problem(ask(before), 401)
    assert problem(ask(writer.basic), 404)


def test_a_secret_that_somebody_else_may_have_stops_at_once(writer: Caller) -> None:
    headers, before = bearer(writer), writer.basic

    writer.secret = api_clients.rotate(writer.client, at_once=True)

    assert problem(ask(before), 401)
    assert problem(Client().get(UNKNOWN, headers=headers), 401)
    assert problem(ask(writer.basic), 404)


def test_a_token_does_what_the_key_does(failed: Fail, writer: Caller) -> None:
    message = failed()

    response = Client().post(
        "/v2/communications/resend",
        {"messageId": message.pk},
        content_type="application/json",
        headers=bearer(writer),
    )

    assert response.status_code == 200
    attempt = message.attempts.get(number=2)
    assert response.json()["resentMessageId"] == attempt.pk
    assert attempt.actor_name == writer.client.name


def test_a_token_names_its_scope_and_its_hour(writer: Caller, reader: Caller) -> None:
    body = ask_for_token(writer).json()
    both = "communication.read communication.write"

    assert (body["token_type"], body["expires_in"], body["scope"]) == (
        "Bearer",
        3600,
        both,
    )
    assert "refresh_token" not in body
    assert ask_for_token(reader).json()["scope"] == "communication.read"


def test_the_secret_may_stand_in_the_form(writer: Caller) -> None:
    response = Client().post(
        TOKEN,
        {
            "grant_type": "client_credentials",
            "client_id": writer.client.key,
            "client_secret": writer.secret,
        },
    )

    assert response.status_code == 200


def test_scopes_go_no_further_than_the_access(
    reader: Caller, nobody: Caller, writer: Caller
) -> None:
    refused = ask_for_token(reader, scope="communication.write")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    assert ask_for_token(nobody, scope="communication.read").status_code == 400
    assert ask_for_token(writer, scope="everything").status_code == 400


def test_a_token_without_the_write_scope_does_not_resend(
    failed: Fail, writer: Caller
) -> None:
    message = failed()
    headers = bearer(writer, scope="communication.read")

    asked = Client().get(f"{STATUS}/{message.public_id}", headers=headers)
    resent = Client().post(f"{RESEND}/{message.public_id}", headers=headers)

    assert asked.status_code == 200
    assert problem(resent, 403) == "insufficient_scope"


def test_taking_access_away_binds_tokens_too(failed: Fail, writer: Caller) -> None:
    message = failed()
    headers = bearer(writer)
    ApiClient.objects.update(access=ApiAccess.READ)

    resent = Client().post(f"{RESEND}/{message.public_id}", headers=headers)

    assert problem(resent, 403) == "access_denied"


def test_a_token_expires_and_is_swept_away_by_the_next(writer: Caller) -> None:
    headers = bearer(writer)
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))

    assert problem(Client().get(UNKNOWN, headers=headers), 401)
    token_of(writer)
    assert AccessToken.objects.count() == 1


def test_expired_tokens_are_swept_away_in_any_case(writer: Caller) -> None:
    token_of(writer)
    assert api_clients.prune_tokens() == 0
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))

    assert api_clients.prune_tokens() == 1


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"grant_type": "password", "username": "a", "password": "b"},
        {"grant_type": "authorization_code", "code": "x"},
        {"grant_type": "refresh_token", "refresh_token": "x"},
        {"grant_type": "client_credentials", "client_id": "a\x00b"},
    ],
)
def test_there_is_no_other_grant(writer: Caller, form: dict[str, str]) -> None:
    response = Client().post(TOKEN, form)

    assert response.status_code in {400, 401}
    assert "error" in response.json()


def test_wrong_pairs_get_no_token(writer: Caller, stranger: Caller) -> None:
    writer.secret = stranger.secret

    assert ask_for_token(writer).status_code == 401
    unused = Caller(writer.client, writer.client.application.client_secret)
    assert ask_for_token(unused).status_code == 401


def test_too_many_requests_are_asked_to_come_back(ours: World) -> None:
    program = caller(ours, requests_per_minute=3)

    statuses = [program.get(UNKNOWN).status_code for _ in range(3)]
    fourth = program.get(UNKNOWN)

    assert statuses == [404, 404, 404]
    assert problem(fourth, 429) == "rate_limited"
    assert 1 <= int(fourth["Retry-After"]) <= 20
    communications = program.post("/v2/communications/resend", {"messageId": 1})
    assert communications.status_code == 429
    assert "Retry-After" in communications


def test_the_limit_is_per_client_and_what_is_refused_costs_nothing(
    ours: World,
) -> None:
    one, other = (caller(ours, name=name, requests_per_minute=2) for name in "ab")
    for _ in range(5):
        one.get(UNKNOWN)

    assert other.get(UNKNOWN).status_code == 404
    ApiClientPace.objects.filter(client=one.client).update(
        paid_until=timezone.now() + timedelta(seconds=29)
    )
    assert one.get(UNKNOWN).status_code == 404


def test_the_last_use_is_noted_once_a_minute(writer: Caller) -> None:
    writer.get(UNKNOWN)
    first = ApiClient.objects.get().last_used_at
    writer.get(UNKNOWN)

    assert first is not None
    assert ApiClient.objects.get().last_used_at == first
    ApiClient.objects.update(last_used_at=first - timedelta(seconds=61))
    writer.get(UNKNOWN)
    again = ApiClient.objects.get().last_used_at
    assert again is not None
    assert again > first - timedelta(seconds=61)


def test_secrets_stand_nowhere_in_the_database(writer: Caller) -> None:
    token = token_of(writer)
    tables = [ApiClient, Application, AccessToken]

    for model in tables:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT t::text FROM {model._meta.db_table} t")  # noqa: S608
            rows = " ".join(row[0] for row in cursor.fetchall())
        assert writer.client.key in rows or model is AccessToken
        assert writer.secret not in rows
        assert token not in rows


def test_secrets_stand_in_no_log(
    writer: Caller, failed: Fail, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    message = failed()
    token = token_of(writer)

    writer.post(RESEND, {"messageId": message.public_id})
    Client().get(UNKNOWN, headers={"Authorization": f"Bearer {token}"})
    Client().get(UNKNOWN, headers={"Authorization": f"Basic {writer.secret}"})
    ask(basic(f"nobody:{writer.secret}"))

    assert caplog.text
    assert writer.secret not in caplog.text
    assert token not in caplog.text
    assert writer.basic not in caplog.text


def test_keys_and_secrets_are_random_and_long(ours: World) -> None:
    made = [
        api_clients.create(organization=ours.organization, name=str(number))
        for number in range(3)
    ]

    assert len({client.key for client, _ in made}) == 3
    assert len({secret for _, secret in made}) == 3
    assert all(len(secret) >= 43 for _, secret in made)
    assert all(client.access == "read" for client, _ in made)


def test_the_toolkits_tables_are_as_its_models_say(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)

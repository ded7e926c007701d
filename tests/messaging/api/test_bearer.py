"""Bearer tokens of API clients: a UUID of version 4 that is kept as a hash."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from messaging import api_clients
from messaging.models import ApiAccess, ApiClient
from tests.factories import World
from tests.messaging.api.callers import RESEND, STATUS, Caller, caller, problem
from tests.messaging.api.conftest import Fail

pytestmark = pytest.mark.django_db

UNKNOWN = f"{STATUS}/ra_whatsapp_1_abc123def"


def ask(token: str) -> Any:
    return Client().get(UNKNOWN, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def token(writer: Caller) -> str:
    return api_clients.rotate_bearer(writer.client)


def test_it_is_a_random_uuid_of_version_4(writer: Caller, reader: Caller) -> None:
    made = [api_clients.rotate_bearer(one.client) for one in (writer, reader, writer)]

    assert len(set(made)) == 3
    assert {uuid.UUID(one).version for one in made} == {4}
    assert {uuid.UUID(one).variant for one in made} == {uuid.RFC_4122}


def test_it_opens_every_door_with_the_access_of_its_client(
    failed: Fail, ours: World, token: str
) -> None:
    message = failed()
    reading = caller(ours, ApiAccess.READ, name="Reads")
    nothing = caller(ours, ApiAccess.NONE, name="Nothing")
    path = f"{STATUS}/{message.public_id}"

    def answers(token: str) -> tuple[int, int]:
        headers = {"Authorization": f"bearer {token.upper()}"}
        read = Client().get(path, headers=headers)
        resent = Client().post(
            f"{RESEND}/{message.public_id}",
            content_type="application/json",
            headers=headers,
        )
        return read.status_code, resent.status_code

    assert answers(api_clients.rotate_bearer(nothing.client)) == (403, 403)
    assert answers(api_clients.rotate_bearer(reading.client)) == (200, 403)
    assert answers(token) == (200, 200)
    assert message.attempts.get(number=2).actor_name == "Shop (write)"


def test_messages_of_others_are_not_found(failed: Fail, stranger: Caller) -> None:
    token = api_clients.rotate_bearer(stranger.client)
    headers = {"Authorization": f"Bearer {token}"}
    path = f"{STATUS}/{failed().public_id}"

    assert problem(Client().get(path, headers=headers), 404) == "message_not_found"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "6f1c2a54-9b1e-4c0e-8d53-2f6a3f1f7b1",
        "6f1c2a54-9b1e-1c0e-8d53-2f6a3f1f7b10",
        "6f1c2a54-9b1e-4c0e-cd53-2f6a3f1f7b10",
        "6f1c2a549b1e4c0e8d532f6a3f1f7b10",
        "{6f1c2a54-9b1e-4c0e-8d53-2f6a3f1f7b10}",
        "6f1c2a54-9b1e-4c0e-8d53-2f6a3f1f7b10 ",
        "6f1c2a54-9b1e-4c0e-8d53-2f6a3f1f7b1\u0661",
        "\u0000" * 36,
    ],
)
def test_what_is_no_uuid_of_version_4_is_nobodys(
    wrong: str, ours: World, django_assert_num_queries: Any
) -> None:
    client = caller(ours).client
    ApiClient.objects.filter(pk=client.pk).update(
        bearer_hash=api_clients._hash_of_bearer(wrong)
    )

    with django_assert_num_queries(0):
        assert api_clients.with_bearer(wrong) is None
    with pytest.raises(ValueError, match="UUID"):
        api_clients.rotate_bearer(client, wrong or "none")


def test_an_unknown_one_is_401(token: str) -> None:
    assert problem(ask(token), 404) == "message_not_found"
    assert problem(ask(str(uuid.uuid4())), 401) == "unauthorized"


def test_rotating_leaves_the_old_one_for_a_day_and_the_secret(
    writer: Caller, token: str
) -> None:
    other = api_clients.rotate_bearer(writer.client)

    for living in (token, other):
        assert problem(ask(living), 404)
    assert problem(writer.get(UNKNOWN), 404)

    ApiClient.objects.update(former_bearer_until=timezone.now())
    assert problem(ask(token), 401)
    assert problem(ask(other), 404)


def test_only_the_last_one_before_lives_on(writer: Caller, token: str) -> None:
    second = api_clients.rotate_bearer(writer.client)
    third = api_clients.rotate_bearer(writer.client)

    assert problem(ask(token), 401)
    for living in (second, third):
        assert problem(ask(living), 404)


def test_one_that_somebody_else_may_have_stops_at_once(
    writer: Caller, token: str
) -> None:
    second = api_clients.rotate_bearer(writer.client)
    third = api_clients.rotate_bearer(writer.client, at_once=True)

    for stopped in (token, second):
        assert problem(ask(stopped), 401)
    assert problem(ask(third), 404)


def test_of_two_who_rotate_from_one_page_both_tokens_live(
    writer: Caller, token: str
) -> None:
    first, second = (ApiClient.objects.get(pk=writer.client.pk) for _ in range(2))
    made = [api_clients.rotate_bearer(one) for one in (first, second)]

    assert problem(ask(token), 401)
    for living in made:
        assert problem(ask(living), 404)


def test_rotating_the_secret_leaves_the_bearer_token(
    writer: Caller, token: str
) -> None:
    api_clients.rotate(writer.client)

    assert problem(ask(token), 404)


def test_it_can_be_removed(writer: Caller, token: str) -> None:
    other = api_clients.rotate_bearer(writer.client)
    api_clients.remove_bearer(writer.client)

    for removed in (token, other):
        assert problem(ask(removed), 401)


def test_a_revoked_client_stays_out(writer: Caller, token: str) -> None:
    other = api_clients.rotate_bearer(writer.client)
    api_clients.revoke(writer.client)

    for revoked in (token, other):
        assert api_clients.with_bearer(revoked) is None
        assert problem(ask(revoked), 401)


def test_its_use_is_noted_and_its_pace_is_the_clients(ours: World) -> None:
    client = caller(ours, requests_per_minute=2).client
    token = api_clients.rotate_bearer(client)

    statuses = [ask(token).status_code for _ in range(3)]

    client.refresh_from_db()
    assert statuses == [404, 404, 429]
    assert client.last_used_at is not None


def test_it_stands_nowhere_in_the_database(token: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM messaging_apiclient t")
        rows = " ".join(row[0] for row in cursor.fetchall())

    assert token not in rows
    assert api_clients._hash_of_bearer(token) in rows

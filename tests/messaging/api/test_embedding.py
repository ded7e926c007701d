"""``POST /embed/tokens``: what another product's server asks for."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Contact
from tests.factories import World
from tests.messaging.api.callers import Caller
from tests.messaging.api.test_auth import bearer

pytestmark = pytest.mark.django_db

TOKENS = "/embed/tokens"


@pytest.fixture
def member(ours: World) -> Contact:
    return ours.contact(external_id="M/1042 ü", name="Greta Petrov")


def asked(program: Caller, member: Contact, **values: Any) -> Any:
    return program.post(TOKENS, {"externalId": member.external_id, **values})


def opened(url: str) -> str:
    path = url.removeprefix("http://127.0.0.1:8000")
    assert path.startswith("/embed/members/")
    answer = Client().get(path)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def test_the_address_opens_the_tab(reader: Caller, member: Contact) -> None:
    response = asked(reader, member)

    assert response.status_code == 200
    body = response.json()
    assert body["success"] is True
    assert "Communication with Greta Petrov" in opened(body["data"]["url"])
    left = datetime.fromisoformat(body["data"]["expiresAt"]) - timezone.now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    assert response["Cache-Control"] == "no-store"


def test_nobody_gives_more_than_they_have(
    reader: Caller, writer: Caller, nobody: Caller, member: Contact
) -> None:
    assert asked(writer, member, access="write").status_code == 200
    refused = asked(reader, member, access="write")
    assert refused.status_code == 403
    assert refused.json()["code"] == "access_denied"
    assert asked(nobody, member).status_code == 403


def test_a_bearer_of_the_read_scope_does_not_get_to_write(
    writer: Caller, member: Contact
) -> None:
    for scope, status in (("communication.read", 403), ("communication.write", 200)):
        headers = bearer(writer, scope=scope)
        body = json.dumps({"externalId": member.external_id, "access": "write"})
        response = Client().post(
            TOKENS, body, content_type="application/json", headers=headers
        )
        assert response.status_code == status


def test_a_member_of_somebody_else_is_not_known(
    theirs: World, reader: Caller, member: Contact
) -> None:
    response = asked(reader, theirs.contact(external_id="Theirs"))

    assert response.status_code == 404
    assert response.json()["code"] == "member_not_found"


@pytest.mark.parametrize(
    "values",
    [
        {"minutes": 0},
        {"minutes": 61},
        {"minutes": "10"},
        {"access": "all"},
        {"person": "x" * 61},
        {"externalId": ""},
        {"externalId": "a\x00b"},
        {"externalId": "\ud800"},
        {"host": "CareDesk"},
    ],
)
def test_what_makes_no_sense_is_refused(
    reader: Caller, member: Contact, values: dict[str, Any]
) -> None:
    response = asked(reader, member, **values)

    assert response.status_code == 400
    assert response.json()["success"] is False

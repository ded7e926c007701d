"""API clients in the admin: the secret is on one page, once, and nowhere else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from oauth2_provider.models import AccessToken, Application

from messaging import api_clients
from messaging.models import ApiClient, AuditEntry, Session
from messaging.models.session import SessionStore
from tests.factories import World
from tests.messaging.admin.rows import text_of, url

VALUES = {"name": "Shop", "access": "write", "requests_per_minute": "60"}


def secret_on(response: Any) -> str:
    found = re.search(r"<code>([\w-]{43})</code>", response.content.decode())
    assert found, response.content
    return found[1]


@pytest.fixture
def shop(ours: World) -> ApiClient:
    client, _ = api_clients.create(organization=ours.organization, name="Shop")
    return client


def test_the_secret_of_a_new_client_is_shown_once(ours: World, manager: Client) -> None:
    response = manager.post(url(ApiClient, "add"), VALUES)

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    secret = secret_on(response)
    client = ApiClient.objects.get()
    assert api_clients.with_secret(client.key, secret) == client
    assert (client.organization, client.access) == (ours.organization, "write")
    assert client.requests_per_minute == 60
    for address in (url(ApiClient, "change", client.pk), url(ApiClient, "changelist")):
        assert secret not in text_of(manager, address)
    logged = " ".join(
        f"{one.object_repr}{one.change_message}" for one in LogEntry.objects.all()
    )
    assert LogEntry.objects.count() == 1
    assert secret not in logged
    kept = [SessionStore(one.session_key).load() for one in Session.objects.all()]
    assert kept
    assert secret not in str(kept)
    assert secret not in str(response.cookies)


def test_names_are_once_per_organization(manager: Client, shop: ApiClient) -> None:
    response = manager.post(url(ApiClient, "add"), VALUES)

    assert response.status_code == 200
    assert "errornote" in response.content.decode()
    assert ApiClient.objects.count() == 1


def test_access_and_limit_can_be_changed(manager: Client, shop: ApiClient) -> None:
    before = shop.secret_hash

    response = manager.post(url(ApiClient, "change", shop.pk), VALUES)

    shop.refresh_from_db()
    assert response.status_code == 302
    assert (shop.access, shop.requests_per_minute) == ("write", 60)
    assert shop.secret_hash == before


def test_a_secret_is_rotated_after_asking(manager: Client, shop: ApiClient) -> None:
    address = url(ApiClient, "rotate", shop.pk)
    assert "go on working for 24 hours" in text_of(manager, address)
    shop.refresh_from_db()
    assert shop.rotated_at is None

    first = secret_on(manager.post(address))
    second = secret_on(manager.post(address))

    for living in (first, second):
        assert api_clients.with_secret(shop.key, living) == shop
    third = secret_on(manager.post(address, {"at_once": "on"}))
    assert api_clients.with_secret(shop.key, second) is None
    assert api_clients.with_secret(shop.key, third) == shop
    told = AuditEntry.objects.latest("pk").sentence
    assert told.endswith("Rotated the secret. The former one stopped at once.")


def test_a_client_is_revoked_after_asking(manager: Client, shop: ApiClient) -> None:
    address = url(ApiClient, "revoke", shop.pk)
    assert "for good" in text_of(manager, address)

    assert manager.post(address).status_code == 302

    shop.refresh_from_db()
    assert shop.is_revoked
    assert manager.post(address).status_code == 403
    page = text_of(manager, url(ApiClient, "change", shop.pk))
    assert url(ApiClient, "rotate", shop.pk) not in page


def bearer_on(response: Any) -> str:
    found = re.search(r"<code>([0-9a-f-]{36})</code>", response.content.decode())
    assert found, response.content
    return found[1]


def test_a_bearer_token_is_made_rotated_and_removed(
    manager: Client, shop: ApiClient
) -> None:
    change = url(ApiClient, "change", shop.pk)
    assert "Make a bearer token" in text_of(manager, change)
    address = url(ApiClient, "bearer", shop.pk)
    assert "stay as they are" in text_of(manager, address)
    shop.refresh_from_db()
    assert not shop.has_bearer

    response = manager.post(address)

    first = bearer_on(response)
    assert "no-store" in response["Cache-Control"]
    assert api_clients.with_bearer(first) == shop
    assert "Rotate the bearer token" in text_of(manager, change)
    assert "goes on working for 24 hours" in text_of(manager, address)
    second = bearer_on(manager.post(address))
    for living in (first, second):
        assert api_clients.with_bearer(living) == shop
    for page in (change, url(ApiClient, "changelist")):
        assert second not in text_of(manager, page)
    assert manager.post(url(ApiClient, "bearer_remove", shop.pk)).status_code == 302
    assert api_clients.with_bearer(second) is None
    told = [one.change_message for one in LogEntry.objects.order_by("pk")]
    assert told == [
        "Made a bearer token.",
        "Rotated the bearer token.",
        "Removed the bearer token.",
    ]


@pytest.mark.parametrize("verb", ["rotate", "revoke", "bearer", "bearer_remove"])
def test_clients_of_others_are_not_found(
    theirs: World, manager: Client, verb: str
) -> None:
    other, _ = api_clients.create(organization=theirs.organization, name="Theirs")
    address = url(ApiClient, verb, other.pk)

    assert manager.get(address).status_code == 404
    assert manager.post(address).status_code == 404
    other.refresh_from_db()
    assert not other.is_revoked
    assert other.rotated_at is None
    assert other.bearer_changed_at is None


def test_the_toolkits_own_pages_are_not_there(operator: Client) -> None:
    for model in (Application, AccessToken):
        assert not admin.site.is_registered(model)

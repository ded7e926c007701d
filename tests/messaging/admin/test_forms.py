"""Forms: secrets stay secret, content stays, credits go through the ledger."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from messaging.models import (
    Content,
    CreditAccount,
    CreditEntry,
    Integration,
    Organization,
    Role,
    User,
)
from tests.factories import World
from tests.messaging.admin.rows import text_of, url


def test_secrets_are_written_and_never_shown(ours: World, manager: Client) -> None:
    integration = ours.integration(credentials={"access_token": "very-secret"})
    address = url(Integration, "change", integration.pk)

    page = text_of(manager, address)
    assert "very-secret" not in page
    assert "Set. Leave it empty to keep it." in page
    assert integration.hook_url in page

    saved = manager.post(
        address,
        {
            "name": "Renamed",
            "state": "active",
            "rate_per_second": "7",
            "credit_price": "1",
            "own_phone_number_id": "42",
            "own_base_url": "https://graph.example.org",
            "own_access_token": "",
            "own_app_secret": "new-secret",
            "own_verify_token": "",
        },
    )

    integration.refresh_from_db()
    assert saved.status_code == 302
    assert integration.name == "Renamed"
    assert integration.settings["phone_number_id"] == "42"
    assert integration.credentials == {
        "access_token": "very-secret",
        "app_secret": "new-secret",
        "verify_token": "verify-me",
    }


def test_an_integration_is_added_in_two_steps(ours: World, manager: Client) -> None:
    address = url(Integration, "add")
    assert f"{address}?kind=smtp" in text_of(manager, address)
    values = {
        "name": "Mail",
        "state": "active",
        "rate_per_second": "5",
        "credit_price": "0",
        "own_host": "mail.example.org",
        "own_port": "not a port",
        "own_security": "starttls",
        "own_from_address": "us@example.org",
        "own_username": "us",
        "own_password": "hunter2",
    }

    refused = manager.post(f"{address}?kind=smtp", values)
    saved = manager.post(f"{address}?kind=smtp", {**values, "own_port": "587"})

    assert refused.status_code == 200
    assert "errornote" in refused.content.decode()
    assert "hunter2" not in refused.content.decode()
    assert saved.status_code == 302
    made = Integration.objects.get(name="Mail")
    assert made.organization == ours.organization
    assert (made.kind, made.channel) == ("smtp", "email")
    assert made.credentials["password"] == "hunter2"
    assert "hunter2" not in made.encrypted_credentials


def test_an_optional_secret_can_be_forgotten(ours: World, manager: Client) -> None:
    stored = {"username": "us", "password": "hunter2"}
    integration = ours.integration("smtp", credentials=stored)
    address = url(Integration, "change", integration.pk)
    assert "Forget the stored password" in text_of(manager, address)

    manager.post(
        address,
        {
            "name": integration.name,
            "state": "active",
            "rate_per_second": "5",
            "credit_price": "0",
            "own_host": "mail.example.org",
            "own_port": "587",
            "own_security": "none",
            "own_from_address": "us@example.org",
            "forget_password": "on",
        },
    )

    integration.refresh_from_db()
    assert integration.credentials["password"] == ""
    assert "Forget the stored" not in text_of(manager, address)


def test_credentials_that_no_key_opens_are_explained(
    ours: World, manager: Client
) -> None:
    integration = ours.integration()
    Integration.objects.update(encrypted_credentials="gibberish")

    page = text_of(manager, url(Integration, "change", integration.pk))

    assert "No key in CREDENTIAL_KEYS opens the stored credentials" in page


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("text", {"subject": "x"}, "“text” is missing"),
        ("text", {"text": 5}, "must be a text"),
        ("text", {"text": "Hi", "txt": "x"}, "“txt” is unknown"),
        ("text", {"text": " "}, "is empty"),
        ("text", ["Hi"], "must be a JSON object"),
        ("image", {"url": "ftp://x"}, "must start with http"),
        ("interactive", {"body": "x", "buttons": []}, "at least one button"),
        (
            "template",
            {"name": "a", "language": "en", "category": "utility", "body": ""},
            "is empty",
        ),
        (
            "template",
            {
                "name": "a",
                "language": "en",
                "category": "utility",
                "body": "x",
                "parameters": [1],
            },
            "list of texts",
        ),
    ],
)
def test_content_that_no_channel_carries_is_refused(
    ours: World, manager: Client, kind: str, payload: object, words: str
) -> None:
    response = manager.post(
        url(Content, "add"),
        {"kind": kind, "name": "x", "payload": json.dumps(payload)},
    )

    assert response.status_code == 200
    assert words in html.unescape(response.content.decode())
    assert not Content.objects.exists()


def test_content_is_added_and_archived_and_never_changed(
    ours: World, manager: Client
) -> None:
    values = {"kind": "text", "name": "Hello", "payload": '{"text": "Hi {{name}}"}'}
    assert manager.post(url(Content, "add"), values).status_code == 302
    made = Content.objects.get()

    changed = manager.post(
        url(Content, "change", made.pk),
        {"name": "Other", "payload": '{"text": "Changed"}', "archived": "on"},
    )

    made.refresh_from_db()
    assert changed.status_code == 302
    assert made.name == "Hello"
    assert made.payload == {"text": "Hi {{name}}"}
    assert made.archived_at is not None

    manager.post(url(Content, "change", made.pk), {})
    made.refresh_from_db()
    assert made.archived_at is None
    assert manager.post(url(Content, "delete", made.pk)).status_code == 403


def test_credits_are_topped_up_through_the_ledger(
    ours: World, operator: Client
) -> None:
    address = reverse(
        "admin:messaging_creditaccount_top_up", args=[ours.organization.pk]
    )
    before = ours.account.available
    for model in (CreditAccount, Organization):
        page = url(model, "change", ours.organization.pk)
        assert address in text_of(operator, page)

    assert operator.post(address, {"amount": "0"}).status_code == 200
    done = operator.post(address, {"amount": "500", "note": "Invoice 7"})

    assert done.status_code == 302
    assert ours.account.available == before + 500
    line = CreditEntry.objects.filter(organization=ours.organization).latest("pk")
    assert (line.step, line.amount) == ("top_up", 500)
    assert line.note == "operator: Invoice 7"
    new = Organization.objects.create(name="New")
    first = reverse("admin:messaging_creditaccount_top_up", args=[new.pk])
    assert operator.post(first, {"amount": "5"}).status_code == 302
    assert CreditAccount.objects.get(pk=new.pk).available == 5


def test_nobody_grants_credits_to_their_own_organization(
    ours: World, theirs: World, manager: Client
) -> None:
    before = ours.account.available
    for world, status in ((ours, 403), (theirs, 404)):
        number = world.organization.pk
        address = reverse("admin:messaging_creditaccount_top_up", args=[number])
        assert manager.get(address).status_code == status
        assert manager.post(address, {"amount": "500"}).status_code == status
    for model in (CreditAccount, Organization):
        page = text_of(manager, url(model, "change", ours.organization.pk))
        assert "top-up" not in page

    assert ours.account.available == before


def test_nobody_makes_their_own_messages_cheaper(ours: World, manager: Client) -> None:
    integration = ours.integration(credit_price=3)
    address = url(Integration, "change", integration.pk)
    values = {
        "name": "Renamed",
        "state": "active",
        "rate_per_second": "7",
        "credit_price": "0",
        "own_phone_number_id": "42",
        "own_base_url": "https://graph.example.org",
    }

    assert manager.post(address, values).status_code == 302

    integration.refresh_from_db()
    assert (integration.name, integration.credit_price) == ("Renamed", 3)


def test_a_manager_adds_colleagues_to_the_own_organization(
    ours: World, theirs: World, manager: Client
) -> None:
    response = manager.post(
        url(User, "add"),
        {
            "username": "colleague",
            "usable_password": "true",
            "password1": "correct-horse-9",
            "password2": "correct-horse-9",
            "organization": theirs.organization.pk,
            "role": "admin",
            "is_superuser": "on",
        },
    )

    assert response.status_code == 302
    made = User.objects.get(username="colleague")
    assert made.organization == ours.organization
    assert made.is_staff
    assert not made.is_superuser

    manager.post(
        url(User, "change", made.pk),
        {"username": "colleague", "role": "agent", "is_active": "on"},
    )
    made.refresh_from_db()
    assert made.role == Role.AGENT
    assert not made.is_staff


def test_an_organization_is_set_up_by_its_manager(ours: World, manager: Client) -> None:
    organization = ours.organization
    page = text_of(manager, url(Organization, "change", organization.pk))
    values = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', page))

    saved = manager.post(
        url(Organization, "change", organization.pk),
        {**values, "name": "Renamed", "time_zone": "Africa/Accra"}
        | {"broadcast_quota": "9999"},
    )

    organization.refresh_from_db()
    assert saved.status_code == 302
    assert organization.name == "Renamed"
    assert organization.broadcast_quota == 25
    assert manager.get(url(Organization, "add")).status_code == 403
    deleted = manager.post(url(Organization, "delete", organization.pk))
    assert deleted.status_code == 403

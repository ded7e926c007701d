"""What lets somebody in somewhere can be read on no page of Django admin."""

from __future__ import annotations

import re
from base64 import b32encode

import pytest
from django.db import connection
from django.test import Client

from messaging import api_clients, second_factor
from messaging.models import (
    Attempt,
    Content,
    Message,
    Receipt,
    SecondFactor,
    Session,
)
from tests.factories import World
from tests.messaging.admin.rows import OWNED, fill, rows_of, text_of, url
from tests.messaging.test_second_factor import code_of
from tests.messaging.views.rows import receipt, tried
from tests.messaging.webhooks.steps import endpoint_of


def secrets_of(world: World) -> list[str]:
    """Return all there is to steal, as it is used and as it is kept."""
    person = world.editor
    factor = second_factor.begin(person)
    found = [b32encode(factor.secret).decode(), second_factor.typed_secret(factor)]
    found += second_factor.confirm(person, code_of(person))
    client, secret = api_clients.create(organization=world.organization, name="Till")
    found += [secret, api_clients.rotate_bearer(client)]
    found += [endpoint_of(world)[1]]
    found += [one.session_key for one in Session.objects.all()]
    kept = (
        "SELECT sealed_secret FROM messaging_secondfactor"
        " UNION SELECT code_hash FROM messaging_recoverycode"
        " UNION SELECT secret_hash FROM messaging_apiclient"
        " UNION SELECT bearer_hash FROM messaging_apiclient"
        " UNION SELECT encrypted_credentials FROM messaging_integration"
        " UNION SELECT session_data FROM messaging_session"
        " UNION SELECT encrypted FROM messaging_webhooksecret"
    )
    with connection.cursor() as cursor:
        cursor.execute(kept)
        found += [row[0] for row in cursor.fetchall() if row[0]]
    return found


def test_no_page_shows_what_opens_something(ours: World, operator: Client) -> None:
    """Not even to operators, who see whatever anybody sees."""
    fill(ours)
    secrets = secrets_of(ours)
    assert len(secrets) > 20
    assert SecondFactor.objects.filter(confirmed_at__isnull=False).count() == 2
    for model in OWNED:
        keys = rows_of(model, ours).values_list("pk", flat=True)[:3]
        addresses = [
            url(model, "changelist"),
            *(url(model, "change", one) for one in keys),
        ]
        for address in [*addresses, url(model, "history", keys[0])]:
            text = text_of(operator, address)
            assert [one for one in secrets if one in text] == [], address


@pytest.fixture
def told(ours: World) -> Message:
    """A code that was sent, and repeated by whoever passed it on."""
    content = ours.text("Your code is {{code}}.")
    message = tried(
        ours,
        "failed",
        content=content,
        parameters={"code": "482913", "name": "Ama 1984"},
        error_detail="Rejected: “Your code is 482913.”",
        answer='{"error": "Your code is 482913.", "code": 131000}',
    )
    made = receipt(message.attempts.get(), "failed")
    Receipt.objects.filter(pk=made.pk).update(
        raw={"text": "Your code is 482913."}, error_detail="482913 is no good"
    )
    return message


def test_a_code_that_was_sent_is_hidden_from_everybody(
    told: Message, manager: Client, operator: Client
) -> None:
    for client in (manager, operator):
        for row in (told, told.attempts.get(), Receipt.objects.get()):
            text = text_of(client, url(type(row), "change", row.pk))
            assert "482913" not in text, row
            assert "••••••" in text, row
    assert "Ama 1984" in text_of(manager, url(Message, "change", told.pk))
    attempt = text_of(manager, url(Attempt, "change", told.attempts.get().pk))
    assert "131000" in re.sub(r"<[^>]+>", "", attempt)


def test_a_code_that_stands_in_a_content_is_hidden(
    ours: World, manager: Client
) -> None:
    content = ours.text("Your code is 482913, until noon.")
    page = text_of(manager, url(Content, "change", content.pk))

    assert "482913" not in page
    assert "Your code is ••••••, until noon." in page


def test_what_fills_an_authentication_template_is_hidden(
    ours: World, manager: Client
) -> None:
    content = Content.objects.create(
        organization=ours.organization,
        kind="template",
        name="otp",
        payload={
            "name": "otp",
            "language": "en",
            "category": "authentication",
            "body": "Copy it from the button.",
            "parameters": [],
        },
    )
    message = ours.message(content=content, parameters={"1": "482913"})
    page = text_of(manager, url(Message, "change", message.pk))

    assert "482913" not in page

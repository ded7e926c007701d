"""Where providers post: believed by signature, kept raw, answered at once."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import Settings

from messaging import receipts
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import Attempt, Integration, Message, Receipt
from tests.factories import CREDENTIALS, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Client:
    """A provider has no session and no CSRF token."""
    return Client(enforce_csrf_checks=True)


def sent(world: World, integration: Integration) -> Attempt:
    pace.prepare(integration.pk)
    world.message(integration=integration)
    [claimed] = claim(integration, limit=1).attempts
    settle(integration, [Result(claimed.attempt_id, "sent")])
    return Attempt.objects.get(pk=claimed.attempt_id)


def whatsapp_post(*statuses: dict[str, Any]) -> bytes:
    value = {"messaging_product": "whatsapp", "statuses": list(statuses)}
    entry = [{"id": "1", "changes": [{"field": "messages", "value": value}]}]
    return json.dumps({"object": "whatsapp_business_account", "entry": entry}).encode()


def delivered(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": "wamid.1",
        "status": "delivered",
        "timestamp": "1700000000",
        "recipient_id": "233241234567",
        "biz_opaque_callback_data": f"{attempt.pk}:0",
    }


def post_whatsapp(
    client: Client, integration: Integration, body: bytes, secret: str = "app-secret"
) -> Any:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return client.post(
        f"/hooks/{integration.uid}",
        body,
        content_type="application/json",
        headers={"X-Hub-Signature-256": f"sha256={signature}"},
    )


def test_a_signed_receipt_is_kept_and_applied(ours: World, provider: Client) -> None:
    integration = ours.integration()
    attempt = sent(ours, integration)

    answer = post_whatsapp(provider, integration, whatsapp_post(delivered(attempt)))

    assert answer.status_code == 200
    kept = Receipt.objects.get()
    assert kept.organization == ours.organization
    assert kept.raw["biz_opaque_callback_data"] == f"{attempt.pk}:0"
    assert Message.objects.get().state == "sent"
    receipts.apply()
    assert Message.objects.get().state == "delivered"


def test_a_doubled_post_is_kept_once(ours: World, provider: Client) -> None:
    integration = ours.integration()
    body = whatsapp_post(delivered(sent(ours, integration)))

    for _ in range(3):
        assert post_whatsapp(provider, integration, body).status_code == 200

    assert Receipt.objects.count() == 1


@pytest.mark.parametrize("headers", [{}, {"X-Hub-Signature-256": "sha256=00"}])
def test_what_is_not_signed_is_not_believed(
    ours: World, provider: Client, headers: dict[str, str]
) -> None:
    integration = ours.integration()

    answer = provider.post(
        f"/hooks/{integration.uid}",
        whatsapp_post(),
        content_type="application/json",
        headers=headers,
    )

    assert answer.status_code == 403
    assert "signature" in answer.content.decode()
    assert not Receipt.objects.exists()


def test_the_secret_of_another_organization_does_not_fit(
    ours: World, theirs: World, provider: Client
) -> None:
    integration = ours.integration()
    theirs.integration(credentials={"app_secret": "their-secret"})

    answer = post_whatsapp(provider, integration, whatsapp_post(), "their-secret")

    assert answer.status_code == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"entry": 7}', b"\xff\xfe"])
def test_a_signed_post_that_makes_no_sense_is_kept_and_thanked_for(
    ours: World, provider: Client, body: bytes
) -> None:
    integration = ours.integration()

    assert post_whatsapp(provider, integration, body).status_code == 200
    receipts.apply()

    assert set(Receipt.objects.values_list("result", flat=True)) <= {"not_understood"}


def test_meta_may_verify_the_address(ours: World, provider: Client) -> None:
    integration = ours.integration()
    query = {"hub.mode": "subscribe", "hub.challenge": "4711"}

    right = provider.get(
        f"/hooks/{integration.uid}", {**query, "hub.verify_token": "verify-me"}
    )
    wrong = provider.get(
        f"/hooks/{integration.uid}", {**query, "hub.verify_token": "guess"}
    )

    assert (right.status_code, right.content) == (200, b"4711")
    assert wrong.status_code == 403


def test_twilio_signs_its_own_way(
    ours: World, provider: Client, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://resend.example.org"
    integration = ours.integration("twilio")
    attempt = sent(ours, integration)
    query = f"reference={attempt.pk}%3A0"
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    signed = f"{integration.hook_url}?{query}" + "".join(
        name + fields[name] for name in sorted(fields)
    )
    secret = CREDENTIALS["twilio"]["auth_token"].encode()
    signature = b64encode(hmac.new(secret, signed.encode(), hashlib.sha1).digest())

    answer = provider.post(
        f"/hooks/{integration.uid}?{query}",
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature.decode()},
    )

    assert answer.status_code == 200
    receipts.apply()
    assert Message.objects.get().state == "delivered"


def test_telegram_shows_its_secret_token(ours: World, provider: Client) -> None:
    integration = ours.integration("telegram_bot")
    contact = ours.contact(telegram_chat_id="4711")
    member = {"status": "kicked", "user": {"id": 7, "is_bot": True}}
    update = {
        "update_id": 1,
        "my_chat_member": {
            "chat": {"id": 4711, "type": "private"},
            "date": 1_700_000_000,
            "new_chat_member": member,
        },
    }

    for token, status in (("guess", 403), ("secret-token", 200)):
        answer = provider.post(
            f"/hooks/{integration.uid}",
            update,
            content_type="application/json",
            headers={"X-Telegram-Bot-Api-Secret-Token": token},
        )
        assert answer.status_code == status

    receipts.apply()
    contact.refresh_from_db()
    assert contact.opted_out_channels == ["telegram"]


def test_an_unknown_address_is_not_found(db: None, provider: Client) -> None:
    assert provider.post(f"/hooks/{uuid.uuid4()}").status_code == 404


def test_only_get_and_post_are_spoken(ours: World, provider: Client) -> None:
    assert provider.put(f"/hooks/{ours.integration().uid}").status_code == 405


def test_too_much_at_once_is_refused(ours: World, provider: Client) -> None:
    answer = post_whatsapp(provider, ours.integration(), b" " * 6_000_000)

    assert answer.status_code == 413
    assert "5 MB" in answer.content.decode()


def test_a_broker_that_is_away_loses_nothing(
    ours: World, provider: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = ours.integration()
    attempt = sent(ours, integration)

    def away(*arguments: object, **options: object) -> None:
        raise ConnectionRefusedError("no broker")

    monkeypatch.setattr("celery.current_app.send_task", away)
    answer = post_whatsapp(provider, integration, whatsapp_post(delivered(attempt)))

    assert answer.status_code == 200
    assert Receipt.objects.count() == 1

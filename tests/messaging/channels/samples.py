"""Accounts and contents that the channel tests share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from messaging.channels.contract import Account, HookRequest, Outbound

HOOK_URL = "https://resend.example.com/hooks/5f0c"

SECRETS = {
    "whatsapp_cloud": {
        "access_token": "EAAG-very-secret-token",
        "app_secret": "app-secret-5d1f",
        "verify_token": "verify/me please",
    },
    "device_gateway": {
        "api_token": "9b1c7e2a-44d3-4a55-8f10-2b3c4d5e6f70",
        "webhook_secret": "webhook-secret-31aa",
    },
    "telegram_bot": {
        "bot_token": "123456:ABC-very-secret",
        "secret_token": "hook-secret-77aa",
    },
    "twilio": {"auth_token": "auth-token-c0ffee"},
    "smtp": {"username": "shop", "password": "mail-password-42"},
}

SETTINGS: dict[str, dict[str, Any]] = {
    "whatsapp_cloud": {"phone_number_id": "106540352242922"},
    "device_gateway": {"device_id": "device-7f3a"},
    "telegram_bot": {},
    "twilio": {"account_sid": "AC0123456789", "from_number": "+15005550006"},
    "smtp": {
        "host": "127.0.0.1",
        "port": 25,
        "security": "none",
        "from_address": "Shop <hello@shop.example.com>",
    },
}

RECIPIENTS = {
    "whatsapp_cloud": "+233241234567",
    "device_gateway": "+233241234567",
    "telegram_bot": "987654321",
    "twilio": "+233241234567",
    "smtp": "ama@example.org",
}

PARAMETERS = {"name": "Ama Mensah", "first_name": "Ama", "external_id": "c-17"}

CONTENTS: dict[str, Mapping[str, Any]] = {
    "text": {"text": "Hello {{first_name}}, 5 < 7 & true"},
    "image": {"url": "https://cdn.example.com/a.jpg", "caption": "For {{name}}"},
    "video": {"url": "https://cdn.example.com/a.mp4"},
    "audio": {"url": "https://cdn.example.com/a.ogg"},
    "document": {
        "url": "https://cdn.example.com/a.pdf?x=1&y=2",
        "filename": "Invoice.pdf",
        "caption": "Your invoice",
    },
    "template": {
        "name": "order_update",
        "language": "en_US",
        "category": "utility",
        "body": "Hi {{1}}, your order {{2}} is ready.",
        "parameters": ["{{first_name}}", "{{external_id}}"],
    },
}

BUTTONS: Mapping[str, Any] = {
    "body": "Shall we, {{first_name}}?",
    "buttons": [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}],
}

MENU: Mapping[str, Any] = {
    "body": "Pick one",
    "list": {
        "button": "Choose",
        "rows": [
            {"id": "a", "title": "Apple", "description": "Red"},
            {"id": "b", "title": "Banana"},
        ],
    },
}


def account(
    kind: str,
    settings: Mapping[str, Any] | None = None,
    credentials: Mapping[str, str] | None = None,
    hook_url: str = HOOK_URL,
) -> Account:
    """Return a complete account; settings and credentials given come on top."""
    return Account(
        uid="5f0c",
        credentials={**SECRETS[kind], **(credentials or {})},
        settings={**SETTINGS[kind], **(settings or {})},
        hook_url=hook_url,
    )


def outbound(
    provider_kind: str,
    kind: str = "text",
    payload: Mapping[str, Any] | None = None,
    attempt_id: int = 4711,
    recipient: str | None = None,
) -> Outbound:
    """Return one message with the given content, or a sample of its kind."""
    return Outbound(
        attempt_id=attempt_id,
        part=0,
        recipient=RECIPIENTS[provider_kind] if recipient is None else recipient,
        kind=kind,
        payload=CONTENTS[kind] if payload is None else payload,
        parameters=PARAMETERS,
    )


def post(
    body: bytes,
    headers: Mapping[str, str] | None = None,
    url: str = HOOK_URL,
    query: Mapping[str, str] | None = None,
) -> HookRequest:
    """Return a request as a provider posts it to us."""
    return HookRequest("POST", url, headers or {}, query or {}, body)

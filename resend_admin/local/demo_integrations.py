"""The demo's integrations, which speak to the sandbox on this machine."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from django.conf import settings

from messaging import receipts
from messaging.channels import jids
from messaging.channels.contract import Event, EventKind
from messaging.models import Contact, Integration, Organization

DEVICE_ID = "harbour-phone"
UNREADABLE = (
    "Is the boathouse open on Saturday?",
    "Can I still bring a guest to the regatta?",
    "I paid the fee yesterday. Did it arrive?",
    "Who has the key of the shed?",
    "Please call me about the election.",
    "Thank you for the newsletter!",
)
"""What the demo's phone could not read; asked for again, most of it comes."""


def add(organization: Organization) -> None:
    """Make one integration of every kind."""
    wanted: dict[str, tuple[str, float, dict[str, Any], dict[str, str]]] = {
        "whatsapp_cloud": (
            "WhatsApp +233 30 000 1000",
            80,
            {"phone_number_id": "106540352242922"},
            {
                "access_token": "sandbox-token",
                "app_secret": "sandbox-app-secret",
                "verify_token": "sandbox-verify-token",
            },
        ),
        "device_gateway": (
            "WhatsApp phone +233 30 000 2000",
            2,
            {"device_id": DEVICE_ID},
            {
                "api_token": "5d0a4c1e-7b52-4f8e-9c36-1f2e3d4c5b6a",
                "webhook_secret": "sandbox-webhook-secret",
            },
        ),
        "telegram_bot": (
            "Telegram @harbour_bot",
            25,
            {},
            {
                "bot_token": "7000001:sandbox-bot-token",
                "secret_token": "sandbox-secret-token",
            },
        ),
        "twilio": (
            "SMS +1 555 000 1111",
            50,
            {
                "account_sid": "AC00000000000000000000000000000001",
                "from_number": "+15550001111",
            },
            {"auth_token": "sandbox-auth-token"},
        ),
        "smtp": (
            "Mail team@example.org",
            20,
            {"from_address": "team@example.org", "security": "none"},
            {"username": "", "password": ""},
        ),
    }
    for kind, (name, rate, fields, credentials) in wanted.items():
        integration = Integration(
            organization=organization,
            name=name,
            kind=kind,
            settings=fields,
            rate_per_second=rate,
            credit_price=0 if kind == "smtp" else 1,
        )
        integration.credentials = credentials
        integration.save()


def point_at_sandbox(integration: Integration) -> None:
    """Save the present addresses of the stand-in, and tell it where we listen."""
    if not settings.SANDBOX_URL:
        return
    url = settings.SANDBOX_URL
    addresses: dict[str, dict[str, Any]] = {
        "whatsapp_cloud": {"base_url": f"{url}/whatsapp/v23.0"},
        "device_gateway": {"base_url": f"{url}/gateway"},
        "telegram_bot": {"base_url": f"{url}/telegram"},
        "twilio": {"base_url": f"{url}/twilio"},
        "smtp": {"host": "127.0.0.1", "port": settings.SANDBOX_SMTP_PORT},
    }
    integration.settings = {**integration.settings, **addresses[integration.kind]}
    integration.save()
    match integration.kind:
        case "whatsapp_cloud":
            account = {"phone_number_id": integration.settings["phone_number_id"]}
            _listen(integration, "whatsapp", account, "app_secret")
        case "device_gateway":
            device = integration.settings.get("device_id") or "device"
            account = {"device_id": str(device)}
            _listen(integration, "gateway", account, "webhook_secret")
        case "telegram_bot":
            account = {"bot_token": integration.credentials["bot_token"]}
            _listen(integration, "telegram", account, "secret_token")


def _listen(
    integration: Integration, kind: str, account: dict[str, str], secret: str
) -> None:
    body = {
        "kind": kind,
        "url": integration.hook_url,
        "secret": integration.credentials[secret],
        **account,
    }
    _tell("hooks", body)


def _tell(what: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(  # noqa: S310 - the sandbox on this machine
        f"{settings.SANDBOX_URL}/control/{what}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    # A machine that is busy with other things may take its time at the first start.
    with urllib.request.urlopen(request, timeout=60):  # noqa: S310 - the same
        pass


def hold_back(device: Integration) -> None:
    """Let a few members write what the phone cannot read.

    The sandbox holds the messages back, and is told so beside the hook: at the first
    start nobody listens there yet.
    """
    members = Contact.objects.filter(organization=device.organization_id)
    writers = members.exclude(phone="").order_by("pk")[: len(UNREADABLE)]
    for number, (member, text) in enumerate(zip(writers, UNREADABLE, strict=False)):
        message_id = f"3EB0DE30{number:012X}"
        held = {"message_id": message_id, "from": member.phone, "text": text}
        if settings.SANDBOX_URL:
            _tell("undecryptable", {**held, "account": DEVICE_ID})
        jid = jids.of_phone(member.phone)
        data = {"message_id": message_id, "chat_jid": jid, "sender_jid": jid}
        event = {"id": message_id, "event": "message.undecryptable", "data": data}
        receipts.store(
            device,
            [
                Event(
                    key=f"unreadable:{message_id}",
                    kind=EventKind.UNREADABLE,
                    raw=event,
                    provider_id=message_id,
                    address=member.phone,
                )
            ],
        )
    receipts.apply()

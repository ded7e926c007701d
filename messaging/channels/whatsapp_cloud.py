"""WhatsApp by Meta's Cloud API, as of Graph API v23.0.

Wire format: Meta's "WhatsApp Business Platform, Cloud API, Messages" and
"Error codes" pages. Receipts are in :mod:`messaging.channels.whatsapp_hooks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from messaging.channels import whatsapp_hooks
from messaging.channels.configuration import base_url, setting
from messaging.channels.contract import (
    Accepted,
    Account,
    Answer,
    Channel,
    ContentKind,
    Event,
    Field,
    HookRequest,
    InDoubt,
    Outbound,
    RateLimited,
    Rejected,
)
from messaging.channels.http import (
    HttpProvider,
    HttpRequest,
    json_object,
    json_request,
    pause,
    without_own_words,
)
from messaging.channels.limits import MEDIA, Limits
from messaging.channels.placeholders import render, template_values
from messaging.channels.posts import mapping, sequence, word

PAUSES: Final[Mapping[str, float]] = {
    # Throughput of the number, per second.
    "130429": 5.0,
    # One recipient too often: Meta allows one message every 6 seconds.
    "131056": 6.0,
    # Calls per hour, of the business account and of the app.
    "80007": 60.0,
    "4": 60.0,
}
"""Seconds to pause after a rate error, when Meta names no time itself."""

PER_RECIPIENT: Final = "131056"


class WhatsAppCloud(HttpProvider):
    """One phone number of a WhatsApp business account."""

    kind = "whatsapp_cloud"
    name = "WhatsApp Cloud API"
    channel = Channel.WHATSAPP
    content_kinds = frozenset(ContentKind)
    default_rate = 80.0
    # One message in six seconds to the same person, by the documentation of the
    # Cloud API ("pair rate limit"); more of them are answered with 131056.
    pair_seconds = 6.0
    confirms_delivery = True
    limits = Limits(text=4096, caption=1024)
    fields: Sequence[Field] = (
        Field(
            "phone_number_id",
            "Phone number ID",
            "From the WhatsApp page of your app at developers.facebook.com. "
            "It is not the phone number itself.",
        ),
        Field(
            "access_token",
            "Access token",
            "A permanent token of a system user with whatsapp_business_messaging.",
            credential=True,
            secret=True,
        ),
        Field(
            "app_secret",
            "App secret",
            "Proves that receipts come from Meta (App settings, Basic).",
            credential=True,
            secret=True,
        ),
        Field(
            "verify_token",
            "Verify token",
            "Any phrase; enter the same one when you subscribe the webhook.",
            credential=True,
            secret=True,
        ),
        Field(
            "base_url",
            "Address of the API",
            "Change it only for a proxy or a sandbox.",
            required=False,
            default="https://graph.facebook.com/v23.0",
        ),
    )

    def problems(self, account: Account) -> list[str]:
        found = super().problems(account)
        number = setting(self.fields, account, "phone_number_id")
        if number and not (number.isascii() and number.isdigit()):
            found.append("The phone number ID consists of digits only.")
        return found

    def build(self, account: Account, outbound: Outbound) -> HttpRequest:
        number = quote(setting(self.fields, account, "phone_number_id"), safe="")
        return json_request(
            f"{base_url(self.fields, account)}/{number}/messages",
            {
                "messaging_product": "whatsapp",
                "recipient_type": "individual",
                "to": "".join(filter(str.isdigit, outbound.recipient)),
                "biz_opaque_callback_data": outbound.reference,
                "type": outbound.kind,
                outbound.kind: _content(outbound),
            },
            {"Authorization": f"Bearer {account.credentials['access_token']}"},
        )

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = json_object(body)
        if answer is None:
            return without_own_words(status, headers, body)
        if isinstance(answer.get("error"), dict):
            return _refusal(status, headers, answer["error"])
        if status >= 300:
            return without_own_words(status, headers, body)
        first = next(iter(sequence(answer.get("messages"))), None)
        message_id = word(mapping(first).get("id"))
        if not message_id:
            return InDoubt("unreadable_answer", "The answer names no message.")
        return Accepted(message_id)

    def is_authentic(self, account: Account, request: HookRequest) -> bool:
        return whatsapp_hooks.is_authentic(account, request)

    def handshake(self, account: Account, request: HookRequest) -> str | None:
        return whatsapp_hooks.handshake(account, request)

    def events(self, account: Account, request: HookRequest) -> list[Event]:
        return whatsapp_hooks.events(request.body)


def _refusal(
    status: int, headers: Mapping[str, str], error: Mapping[str, Any]
) -> Answer:
    code = word(error.get("code"), 40) or f"http_{status}"
    message = word(error.get("message"), 1000)
    details = word(mapping(error.get("error_data")).get("details"), 1000)
    detail = details or message
    if code in PAUSES or status == 429:
        return RateLimited(
            code,
            pause(headers, default=PAUSES.get(code, 10.0)),
            detail,
            whole_account=code != PER_RECIPIENT,
        )
    denied = code == "10" and error.get("type") == "OAuthException"
    if code == "190" or denied or status == 401:
        return Rejected("auth_failed", detail)
    return Rejected(code, detail)


def _content(outbound: Outbound) -> dict[str, Any]:
    """Return the object that stands under the name of the kind."""
    payload, parameters = outbound.payload, outbound.parameters
    match outbound.kind:
        case ContentKind.TEXT:
            return {"preview_url": False, "body": render(payload["text"], parameters)}
        case ContentKind.TEMPLATE:
            return _template(payload, parameters)
        case ContentKind.INTERACTIVE:
            return _interactive(payload, parameters)
        case kind if kind in MEDIA:
            content = {"link": payload["url"]}
            if payload.get("caption") and kind != ContentKind.AUDIO:
                content["caption"] = render(payload["caption"], parameters)
            if payload.get("filename") and kind == ContentKind.DOCUMENT:
                content["filename"] = payload["filename"]
            return content
    message = f"WhatsApp has no messages of kind {outbound.kind}."
    raise ValueError(message)


def _template(
    payload: Mapping[str, Any], parameters: Mapping[str, str]
) -> dict[str, Any]:
    template: dict[str, Any] = {
        "name": payload["name"],
        "language": {"code": payload["language"]},
    }
    # Meta refuses line breaks, tabs and runs of spaces inside a parameter.
    values = [
        {"type": "text", "text": " ".join(value.split())}
        for value in template_values(payload, parameters)
    ]
    if values:
        template["components"] = [{"type": "body", "parameters": values}]
    return template


def _interactive(
    payload: Mapping[str, Any], parameters: Mapping[str, str]
) -> dict[str, Any]:
    content: dict[str, Any] = {"body": {"text": render(payload["body"], parameters)}}
    if menu := payload.get("list"):
        rows = [
            {
                name: row[name]
                for name in ("id", "title", "description")
                if row.get(name)
            }
            for row in menu["rows"]
        ]
        action = {"button": menu["button"], "sections": [{"rows": rows}]}
        return {"type": "list", **content, "action": action}
    buttons = [
        {"type": "reply", "reply": {"id": button["id"], "title": button["title"]}}
        for button in payload["buttons"]
    ]
    return {"type": "button", **content, "action": {"buttons": buttons}}

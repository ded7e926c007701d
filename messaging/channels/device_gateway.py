"""WhatsApp by a device gateway: a server that is linked to an ordinary phone.

Wire format: the WUTS gateway's pages "Conventions", "Send text", "Send quick-reply
buttons", "Working with Media" and "Errors". What the device asks other devices for
is in :mod:`messaging.channels.gateway_requests`, what the gateway posts to us in
:mod:`messaging.channels.gateway_hooks`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from messaging.channels import gateway_hooks
from messaging.channels.configuration import base_url, setting
from messaging.channels.contract import (
    AUTH_FAILED,
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
    GATEWAY_GAVE_UP,
    HttpProvider,
    HttpRequest,
    json_object,
    json_request,
    pause,
    without_own_words,
)
from messaging.channels.limits import MEDIA, Limits
from messaging.channels.placeholders import render, template_as_text
from messaging.channels.posts import mapping, sequence, word

NOT_READY: Final = "DEVICE_NOT_READY"
"""The gateway's word for a phone that is not linked or has no connection."""

OPTIONS: Final = ("ptt", "view_once", "mentions", "quoted", "delay")
"""What may stand beside a media address in a content, and travels as it is."""

_TOKEN: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    re.IGNORECASE,
)
_SAYS_NOT_READY: Final = re.compile(r"not connected|not logged in", re.IGNORECASE)


class DeviceGateway(HttpProvider):
    """One phone behind a gateway. Whatever it sends, it sends as a person would."""

    kind = "device_gateway"
    name = "WhatsApp device gateway"
    channel = Channel.WHATSAPP
    content_kinds = frozenset(ContentKind)
    # The gateway names no limit and asks to send like a human ("Rate limits").
    default_rate = 1.0
    # It downloads the media before it answers.
    timeout = 35.0
    confirms_delivery = True
    limits = Limits(text=4096, caption=1024)
    fields: Sequence[Field] = (
        Field(
            "api_token",
            "API token",
            "The token of your user at the gateway, a UUID.",
            credential=True,
            secret=True,
        ),
        Field(
            "webhook_secret",
            "Webhook secret",
            "Any long phrase; give the gateway the same one as “secret” of its"
            " webhook. It proves that events come from the gateway.",
            credential=True,
            secret=True,
        ),
        Field(
            "device_id",
            "Device ID",
            "Which phone, if your token has several. From GET /devices.",
            required=False,
        ),
        Field(
            "base_url",
            "Address of the API",
            "Where the gateway runs.",
            required=False,
            default="https://api.wuts.com.br",
        ),
    )

    def problems(self, account: Account) -> list[str]:
        found = super().problems(account)
        token = account.credentials.get("api_token", "").strip()
        if token and not _TOKEN.fullmatch(token):
            found.append("The API token is a UUID, as 6f1c2a54-9b1e-4c0e-8d53-….")
        return found

    def refusals(self, kind: str, payload: Mapping[str, Any]) -> list[str]:
        if kind == ContentKind.INTERACTIVE and payload.get("list"):
            return [f"{self.name} cannot carry lists; use up to three buttons."]
        return super().refusals(kind, payload)

    def request(
        self, account: Account, path: str, value: Mapping[str, Any] | None
    ) -> HttpRequest:
        """Return the request that takes ``value`` to the device; none is a GET."""
        url = f"{base_url(self.fields, account)}{path}"
        device = setting(self.fields, account, "device_id")
        if device:
            url = f"{url}?{urlencode({'device_id': device})}"
        token = account.credentials["api_token"].strip()
        headers = {"Authorization": f"Bearer {token}"}
        if value is None:
            return HttpRequest(url, b"", headers, "GET")
        return json_request(url, value, headers)

    def build(self, account: Account, outbound: Outbound) -> HttpRequest:
        number = "".join(mark for mark in outbound.recipient if mark in "0123456789")
        if not number:
            message = f"“{outbound.recipient}” is no phone number."
            raise ValueError(message)
        path, value = _content(number, outbound)
        return self.request(account, path, value)

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = json_object(body)
        if answer is None:
            return without_own_words(status, headers, body)
        if status >= 300 or answer.get("success") is False:
            return refusal(status, headers, answer)
        message_id = word(answer.get("message_id"))
        if not message_id:
            return InDoubt("unreadable_answer", "The answer names no message.")
        return Accepted(message_id)

    def is_authentic(self, account: Account, request: HookRequest) -> bool:
        return gateway_hooks.is_authentic(account, request)

    def events(self, account: Account, request: HookRequest) -> list[Event]:
        return gateway_hooks.events(request.body)


def refusal(
    status: int, headers: Mapping[str, str], answer: Mapping[str, Any]
) -> Answer:
    """Return what an answer means that says no in the gateway's own words.

    Some doors of the gateway leave ``error_code`` out; there the sentence tells.
    """
    detail = _detail(answer)
    code = word(answer.get("error_code"), 40)
    if status == 401:
        return Rejected(AUTH_FAILED, detail)
    if status == 429:
        return RateLimited(code or "http_429", pause(headers, default=10.0), detail)
    if status in GATEWAY_GAVE_UP:
        return InDoubt(f"http_{status}", detail)
    if not code and _SAYS_NOT_READY.search(detail):
        code = NOT_READY
    return Rejected(code or f"http_{status}", detail)


def _detail(answer: Mapping[str, Any]) -> str:
    """Return the sentence of a refusal, with what it says about single fields."""
    fields = (mapping(one) for one in sequence(answer.get("validation")))
    about = [word(one.get("message"), 300) for one in fields]
    sentences = [word(answer.get("error"), 1000), *about]
    return "; ".join(one for one in sentences if one)[:1000]


def _content(number: str, outbound: Outbound) -> tuple[str, dict[str, Any]]:
    """Return the path and the body for one part."""
    payload, parameters = outbound.payload, outbound.parameters
    match outbound.kind:
        case ContentKind.TEXT:
            text = render(payload["text"], parameters)
            return "/send/text", {"number": number, "text": text}
        case ContentKind.TEMPLATE:
            # A device knows no templates: the words travel as an ordinary text.
            text = template_as_text(payload, parameters)
            return "/send/text", {"number": number, "text": text}
        case ContentKind.INTERACTIVE:
            return "/send/buttons", _buttons(number, payload, parameters)
        case kind if kind in MEDIA:
            return f"/send/{kind}", _media(number, outbound)
    message = f"A device has no messages of kind {outbound.kind}."
    raise ValueError(message)


def _buttons(
    number: str, payload: Mapping[str, Any], parameters: Mapping[str, str]
) -> dict[str, Any]:
    buttons = [
        {"id": button["id"], "display_text": button["title"]}
        for button in payload["buttons"]
    ]
    text = render(payload["body"], parameters)
    return {"to": number, "message": text, "buttons": buttons}


def _media(number: str, outbound: Outbound) -> dict[str, Any]:
    kind, payload = outbound.kind, outbound.payload
    value: dict[str, Any] = {"number": number, f"{kind}_url": payload["url"]}
    if payload.get("caption"):
        value["caption"] = render(payload["caption"], outbound.parameters)
    if kind == ContentKind.DOCUMENT:
        # The gateway wants a name with every document that it has to fetch.
        path = payload["url"].partition("?")[0].rstrip("/")
        value["file_name"] = payload.get("filename") or path.rpartition("/")[2]
    value.update((name, payload[name]) for name in OPTIONS if name in payload)
    return value

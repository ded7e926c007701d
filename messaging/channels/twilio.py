"""SMS by Twilio's Messages API (version 2010-04-01).

Wire format: twilio.com/docs/messaging/api/message-resource, "Outbound Message
Status in Status Callbacks", "Twilio's Request to your Webhook URL", and
"Security: validating signatures from Twilio".
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from messaging.channels import twilio_hooks
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
    pause,
    without_own_words,
)
from messaging.channels.limits import MEDIA, Limits
from messaging.channels.placeholders import render, template_as_text
from messaging.channels.posts import word

FAILED: Final = frozenset({"failed", "undelivered", "canceled"})

RATE_ERRORS: Final = frozenset({"429", "20429"})


class Twilio(HttpProvider):
    """One sender (a number or a messaging service) of a Twilio account."""

    kind = "twilio"
    name = "Twilio SMS"
    channel = Channel.SMS
    content_kinds = frozenset(ContentKind) - {ContentKind.INTERACTIVE}
    default_rate = 10.0
    confirms_delivery = True
    limits = Limits(text=1600, caption=1600)
    fields: Sequence[Field] = (
        Field(
            "account_sid",
            "Account SID",
            "From the first page of the Twilio console; begins with AC.",
        ),
        Field(
            "auth_token",
            "Auth token",
            "Sends messages, and proves that receipts come from Twilio.",
            credential=True,
            secret=True,
        ),
        Field(
            "from_number",
            "From",
            "A number of yours with its plus, a short code, or a sender name.",
            required=False,
        ),
        Field(
            "messaging_service_sid",
            "Messaging service SID",
            "Instead of a number; begins with MG.",
            required=False,
        ),
        Field(
            "base_url",
            "Address of the API",
            "Change it only for a region, a proxy or a sandbox.",
            required=False,
            default="https://api.twilio.com",
        ),
    )

    def problems(self, account: Account) -> list[str]:
        found = super().problems(account)
        senders = ("from_number", "messaging_service_sid")
        if not any(setting(self.fields, account, name) for name in senders):
            found.append("Enter a number to send from, or a messaging service.")
        return found

    def secrets(self, account: Account) -> list[str]:
        return [*super().secrets(account), _basic(self, account)]

    def build(self, account: Account, outbound: Outbound) -> HttpRequest:
        sid = quote(setting(self.fields, account, "account_sid"), safe="")
        form = [("To", outbound.recipient)]
        service = setting(self.fields, account, "messaging_service_sid")
        if service:
            form.append(("MessagingServiceSid", service))
        else:
            form.append(("From", setting(self.fields, account, "from_number")))
        form += _content(outbound)
        if account.hook_url:
            form.append(
                ("StatusCallback", _callback(account.hook_url, outbound.reference))
            )
        return HttpRequest(
            url=f"{base_url(self.fields, account)}/2010-04-01/Accounts/{sid}"
            "/Messages.json",
            body=urlencode(form).encode(),
            headers={
                "Authorization": f"Basic {_basic(self, account)}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = json_object(body)
        if answer is None:
            return without_own_words(status, headers, body)
        if status >= 300:
            code = word(answer.get("code"), 40) or f"http_{status}"
            detail = word(answer.get("message"), 1000)
            if code in RATE_ERRORS or status == 429:
                return RateLimited(code, pause(headers, default=5.0), detail)
            if code == "20003" or status == 401:
                return Rejected("auth_failed", detail)
            if code.startswith("http_"):
                return without_own_words(status, headers, body)
            return Rejected(code, detail)
        sid = word(answer.get("sid"))
        if not sid:
            return InDoubt("unreadable_answer", "The answer names no message.")
        if answer.get("status") in FAILED:
            code = word(answer.get("error_code"), 40) or word(answer["status"], 40)
            return Rejected(code, word(answer.get("error_message"), 1000))
        return Accepted(sid)

    def is_authentic(self, account: Account, request: HookRequest) -> bool:
        return twilio_hooks.is_authentic(account, request)

    def events(self, account: Account, request: HookRequest) -> list[Event]:
        return twilio_hooks.events(request)


def _basic(provider: Twilio, account: Account) -> str:
    sid = setting(provider.fields, account, "account_sid")
    token = account.credentials.get("auth_token", "")
    return b64encode(f"{sid}:{token}".encode()).decode()


def _content(outbound: Outbound) -> list[tuple[str, str]]:
    payload, parameters = outbound.payload, outbound.parameters
    match outbound.kind:
        case ContentKind.TEXT:
            return [("Body", render(payload["text"], parameters))]
        case ContentKind.TEMPLATE:
            return [("Body", template_as_text(payload, parameters))]
        case kind if kind in MEDIA:
            caption = render(payload.get("caption") or "", parameters)
            body = [("Body", caption)] if caption else []
            return [*body, ("MediaUrl", payload["url"])]
    message = f"SMS cannot carry content of kind {outbound.kind}."
    raise ValueError(message)


def _callback(hook_url: str, reference: str) -> str:
    mark = "&" if "?" in hook_url else "?"
    return f"{hook_url}{mark}{urlencode({'reference': reference})}"

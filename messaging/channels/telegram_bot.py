"""Telegram by the Bot API.

Wire format: core.telegram.org/bots/api ("Making requests", "sendMessage" and
its siblings, "Update", "setWebhook"). The descriptions of errors are those the
Bot API server sends; they are not listed in its documentation.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from messaging.channels.configuration import base_url
from messaging.channels.contract import (
    Accepted,
    Account,
    Answer,
    Channel,
    ContentKind,
    Event,
    EventKind,
    Field,
    HookRequest,
    InDoubt,
    Outbound,
    RateLimited,
    Rejected,
)
from messaging.channels.http import (
    GATEWAY_GAVE_UP,
    LONGEST_PAUSE,
    HttpProvider,
    HttpRequest,
    json_object,
    json_request,
    pause,
    without_own_words,
)
from messaging.channels.limits import Limits
from messaging.channels.placeholders import render, template_as_text
from messaging.channels.posts import (
    consent,
    document,
    key,
    mapping,
    moment,
    unknown,
    word,
)
from messaging.channels.preview import choices

METHODS: Final[Mapping[str, tuple[str, str]]] = {
    ContentKind.IMAGE: ("sendPhoto", "photo"),
    ContentKind.VIDEO: ("sendVideo", "video"),
    ContentKind.AUDIO: ("sendAudio", "audio"),
    ContentKind.DOCUMENT: ("sendDocument", "document"),
}

SLUGS: Final[tuple[tuple[str, str], ...]] = (
    ("blocked by the user", "blocked_by_user"),
    ("user is deactivated", "user_deactivated"),
    ("can't initiate conversation", "cannot_initiate"),
    ("messages to bots", "bot_to_bot"),
    ("bot was kicked", "kicked"),
    ("not a member", "kicked"),
    ("not enough rights", "no_rights"),
    ("have no rights", "no_rights"),
    ("chat not found", "chat_not_found"),
    ("upgraded to a supergroup", "group_upgraded"),
    ("message is too long", "message_too_long"),
    ("caption is too long", "caption_too_long"),
    ("text is empty", "message_empty"),
    ("can't parse entities", "cannot_parse"),
    ("failed to get http url content", "url_failed"),
    ("webpage_curl_failed", "url_failed"),
    ("webpage_media_empty", "url_failed"),
    ("wrong type of the web page content", "wrong_file_type"),
    ("wrong file identifier", "wrong_file"),
    ("file is too big", "file_too_big"),
    ("button_data_invalid", "bad_button"),
    ("voice_messages_forbidden", "voice_forbidden"),
)
"""Part of a description, in lower case, and the word it adds to the code."""

CONSENT: Final = {"kicked": EventKind.OPT_OUT, "member": EventKind.OPT_IN}

TOKEN_HEADER: Final = "x-telegram-bot-api-secret-token"  # noqa: S105 - a name


class TelegramBot(HttpProvider):
    """One bot. What Telegram accepts, the person has."""

    kind = "telegram_bot"
    name = "Telegram"
    channel = Channel.TELEGRAM
    content_kinds = frozenset(ContentKind)
    default_rate = 30.0
    confirms_delivery = False
    limits = Limits(
        text=4096,
        caption=1024,
        interactive_body=4096,
        buttons=100,
        button_title=64,
        rows=100,
        row_title=64,
        choice_id_bytes=64,
    )
    fields: Sequence[Field] = (
        Field(
            "bot_token",
            "Bot token",
            "From @BotFather, like 123456:ABC-DEF.",
            credential=True,
            secret=True,
        ),
        Field(
            "secret_token",
            "Secret token",
            "Give the same one to setWebhook; it proves that posts are Telegram's.",
            credential=True,
            secret=True,
        ),
        Field(
            "base_url",
            "Address of the API",
            "Change it only for a Bot API server of your own or a sandbox.",
            required=False,
            default="https://api.telegram.org",
        ),
    )

    def build(self, account: Account, outbound: Outbound) -> HttpRequest:
        token = quote(account.credentials["bot_token"], safe=":")
        method, arguments = _call(outbound)
        return json_request(
            f"{base_url(self.fields, account)}/bot{token}/{method}",
            {"chat_id": _chat(outbound.recipient), **arguments},
        )

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = json_object(body)
        if answer is None or "ok" not in answer:
            # A wrong token gives 404, whoever writes the page.
            if status == 404:
                return Rejected("auth_failed", "There is no bot with this token.")
            return without_own_words(status, headers, body)
        if answer["ok"] is not True:
            return _refusal(status, headers, answer)
        message_id = word(mapping(answer.get("result")).get("message_id"))
        if status >= 300 or not message_id:
            return InDoubt("unreadable_answer", "The answer names no message.")
        return Accepted(message_id, delivered=True)

    def is_authentic(self, account: Account, request: HookRequest) -> bool:
        secret = account.credentials.get("secret_token", "")
        given = request.headers.get(TOKEN_HEADER, "")
        return bool(secret) and hmac.compare_digest(
            secret.encode("utf-8", "replace"), given.encode("utf-8", "replace")
        )

    def events(self, account: Account, request: HookRequest) -> list[Event]:
        update = mapping(document(request.body))
        number = word(update.get("update_id"))
        return (number and _of_update(number, update)) or [unknown(request.body)]


def _refusal(
    status: int, headers: Mapping[str, str], answer: Mapping[str, Any]
) -> Answer:
    code = word(answer.get("error_code"), 20) or f"http_{status}"
    detail = word(answer.get("description"), 1000)
    if code == "429" or status == 429:
        asked = mapping(answer.get("parameters")).get("retry_after")
        return RateLimited(code, _seconds(asked, pause(headers, default=5.0)), detail)
    if status in GATEWAY_GAVE_UP:
        return InDoubt(f"http_{status}", detail)
    if code in {"401", "404"} or status in {401, 404}:
        return Rejected("auth_failed", detail)
    said = detail.casefold()
    slug = next((slug for part, slug in SLUGS if part in said), "")
    return Rejected(f"{code}:{slug}" if slug else code, detail)


def _seconds(value: Any, default: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    # Comparing first keeps an integer too large for a float out of it.
    if not 0 <= value <= LONGEST_PAUSE or math.isnan(value):
        return default
    return float(value)


def _chat(recipient: str) -> int | str:
    """Return the chat id as the number it is; a channel's @name stays a text."""
    digits = recipient.removeprefix("-")
    return int(recipient) if digits.isascii() and digits.isdigit() else recipient


def _call(outbound: Outbound) -> tuple[str, dict[str, Any]]:
    """Return the method and its arguments, without the chat."""
    payload, parameters = outbound.payload, outbound.parameters
    match outbound.kind:
        case ContentKind.TEXT:
            return "sendMessage", {"text": render(payload["text"], parameters)}
        case ContentKind.TEMPLATE:
            return "sendMessage", {"text": template_as_text(payload, parameters)}
        case ContentKind.INTERACTIVE:
            keyboard = [
                [{"text": choice["title"], "callback_data": choice["id"]}]
                for choice in choices(payload)
            ]
            return "sendMessage", {
                "text": render(payload["body"], parameters),
                "reply_markup": {"inline_keyboard": keyboard},
            }
        case kind if kind in METHODS:
            method, name = METHODS[kind]
            arguments = {name: payload["url"]}
            if payload.get("caption"):
                arguments["caption"] = render(payload["caption"], parameters)
            return method, arguments
    message = f"Telegram has no messages of kind {outbound.kind}."
    raise ValueError(message)


def _of_update(number: str, update: Mapping[str, Any]) -> list[Event]:
    if "message" in update:
        message = mapping(update["message"])
        wish = consent(word(message.get("text")))
    elif "callback_query" in update:
        pressed = mapping(update["callback_query"])
        message, wish = mapping(pressed.get("message")), None
    elif "my_chat_member" in update:
        return _membership(number, update)
    else:
        return []
    chat = word(mapping(message.get("chat")).get("id"))
    if not chat:
        return []
    inbound = Event(
        key=key(number),
        kind=EventKind.INBOUND,
        raw=dict(update),
        provider_id=word(message.get("message_id")),
        address=chat,
        # A pressed button comes with the message it hangs on, dated long ago.
        occurred_at=moment(message.get("date")) if "message" in update else None,
    )
    if wish is None:
        return [inbound]
    decision = Event(
        key=key(number, wish),
        kind=wish,
        raw=inbound.raw,
        address=chat,
        occurred_at=inbound.occurred_at,
    )
    return [inbound, decision]


def _membership(number: str, update: Mapping[str, Any]) -> list[Event]:
    """Read that a person stopped the bot, or started it again."""
    change = mapping(update["my_chat_member"])
    now = word(mapping(change.get("new_chat_member")).get("status"))
    chat = word(mapping(change.get("chat")).get("id"))
    wish = CONSENT.get(now)
    if wish is None or not chat:
        return []
    return [
        Event(
            key=key(number),
            kind=wish,
            raw=dict(update),
            address=chat,
            occurred_at=moment(change.get("date")),
        )
    ]

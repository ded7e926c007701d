"""What Meta posts about a WhatsApp number: receipts, messages, wishes.

Wire format: Meta's "Cloud API, Webhooks" pages (``statuses``, ``messages``,
``user_preferences``) and "Graph API, Webhooks, Validating payloads".
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from typing import Any, Final

from messaging.channels.contract import Account, Event, EventKind, HookRequest
from messaging.channels.posts import (
    consent,
    document,
    key,
    mapping,
    moment,
    phone,
    sequence,
    unknown,
    word,
)

STATES: Final = frozenset({"sent", "delivered", "read", "failed"})
"""Meta also says "deleted", "warning", "played": kept, but no state of ours."""

PREFERENCES: Final = {"stop": EventKind.OPT_OUT, "resume": EventKind.OPT_IN}


def is_authentic(account: Account, request: HookRequest) -> bool:
    """Check the HMAC-SHA256 of the raw body, made with the app secret."""
    secret = account.credentials.get("app_secret", "")
    given = request.headers.get("x-hub-signature-256", "")
    if not secret:
        return False
    right = hmac.new(secret.encode(), request.body, "sha256").hexdigest()
    return hmac.compare_digest(f"sha256={right}".encode(), _bytes(given))


def handshake(account: Account, request: HookRequest) -> str | None:
    """Answer Meta's GET that subscribes a webhook, if it knows the token."""
    token = account.credentials.get("verify_token", "")
    given = request.query.get("hub.verify_token", "")
    if request.method != "GET" or request.query.get("hub.mode") != "subscribe":
        return None
    if not token or not hmac.compare_digest(_bytes(token), _bytes(given)):
        return None
    return request.query.get("hub.challenge", "")


def events(body: bytes) -> list[Event]:
    """Unpack one post; Meta puts up to a thousand updates into it."""
    found = [
        event
        for entry in sequence(mapping(document(body)).get("entry"))
        for change in sequence(mapping(entry).get("changes"))
        for event in _of_value(mapping(mapping(change).get("value")))
    ]
    return found or [unknown(body)]


def _of_value(value: Mapping[str, Any]) -> Iterator[Event]:
    for status in sequence(value.get("statuses")):
        yield _status(mapping(status), status)
    for message in sequence(value.get("messages")):
        yield from _message(mapping(message), message)
    for preference in sequence(value.get("user_preferences")):
        yield _preference(mapping(preference), preference)


def _status(status: Mapping[str, Any], raw: Any) -> Event:
    provider_id, name = word(status.get("id")), word(status.get("status"), 40)
    if not provider_id or not name:
        return _odd(raw)
    error = mapping(next(iter(sequence(status.get("errors"))), None))
    details = word(mapping(error.get("error_data")).get("details"), 1000)
    detail = details or word(error.get("message"), 1000)
    return Event(
        key=key("status", provider_id, name),
        kind=EventKind.STATUS,
        raw=raw,
        reference=word(status.get("biz_opaque_callback_data")),
        provider_id=provider_id,
        state=name if name in STATES else "",
        error_code=word(error.get("code"), 40),
        error_detail=detail or word(error.get("title"), 1000),
        address=phone(status.get("recipient_id")),
        occurred_at=moment(status.get("timestamp")),
    )


def _message(message: Mapping[str, Any], raw: Any) -> Iterator[Event]:
    provider_id, sender = word(message.get("id")), phone(message.get("from"))
    if not provider_id or not sender:
        yield _odd(raw)
        return
    occurred_at = moment(message.get("timestamp"))
    yield Event(
        key=key("message", provider_id),
        kind=EventKind.INBOUND,
        raw=raw,
        provider_id=provider_id,
        address=sender,
        occurred_at=occurred_at,
    )
    wish = consent(_said(message))
    if wish:
        yield Event(
            key=key(wish, provider_id),
            kind=wish,
            raw=raw,
            provider_id=provider_id,
            address=sender,
            occurred_at=occurred_at,
        )


def _said(message: Mapping[str, Any]) -> str:
    """Return the words of a message, typed or on the button that was pressed."""
    answered = mapping(message.get("interactive"))
    return (
        word(mapping(message.get("text")).get("body"))
        or word(mapping(message.get("button")).get("text"))
        or word(mapping(answered.get("button_reply")).get("title"))
        or word(mapping(answered.get("list_reply")).get("title"))
    )


def _preference(preference: Mapping[str, Any], raw: Any) -> Event:
    """Read the "stop" or "resume" of WhatsApp's own marketing switch."""
    wish = PREFERENCES.get(word(preference.get("value")))
    person = phone(preference.get("wa_id"))
    if wish is None or not person:
        return _odd(raw)
    return Event(
        key=key("preference", person, wish, word(preference.get("timestamp"))),
        kind=wish,
        raw=raw,
        address=person,
        occurred_at=moment(preference.get("timestamp")),
    )


def _odd(raw: Any) -> Event:
    return unknown(repr(raw).encode("utf-8", "replace"), raw)


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "replace")

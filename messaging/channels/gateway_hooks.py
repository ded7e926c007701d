"""What a device gateway posts: messages, those it cannot read, receipts, history.

Wire format: the WUTS gateway's pages "Receiving Messages" (the envelope ``id``,
``event``, ``timestamp``, ``device_id``, ``user_id``, ``data``, ``signature``) and
"Webhooks". The fields of events that no page shows are read under the names that
the other events have; whatever is not found there keeps the event as *unknown*.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from messaging.channels.contract import Account, Event, EventKind, HookRequest
from messaging.channels.jids import phone_of
from messaging.channels.posts import (
    consent,
    document,
    key,
    mapping,
    meant,
    moment,
    sequence,
    unknown,
    word,
)

TOKEN_HEADER: Final = "x-webhook-token"  # noqa: S105 - a name
"""A header of one's own that the gateway can be told to send with each event."""

RECEIPTS: Final[Mapping[str, str]] = {
    "message.sent": "sent",
    "message.delivered": "delivered",
    "message.read": "read",
}
DEVICE_EVENTS: Final[Mapping[str, str]] = {
    "device.connected": "connected",
    "device.disconnected": "disconnected",
    "device.logged_out": "logged_out",
}
"""What the gateway tells of a phone, and what that makes of it."""
# At the end of the envelope, where the gateway's own encoder puts it.
_SIGNATURE: Final = re.compile(
    rb'\s*,\s*"signature"\s*:\s*"sha256=([0-9a-fA-F]{64})"\s*\}\s*\Z'
)


def is_authentic(account: Account, request: HookRequest) -> bool:
    """Check the signature in the body, or the token in a header of our own.

    The signature is the HMAC-SHA256, with the webhook secret, of the envelope
    without its signature, byte for byte as it stands in the post.
    """
    secret = account.credentials.get("webhook_secret", "").encode("utf-8", "replace")
    if not secret:
        return False
    given = request.headers.get(TOKEN_HEADER, "").encode("utf-8", "replace")
    if given and hmac.compare_digest(secret, given):
        return True
    signature = _SIGNATURE.search(request.body)
    if signature is None:
        return False
    signed = request.body[: signature.start()] + b"}"
    right = hmac.new(secret, signed, "sha256").hexdigest().encode()
    return hmac.compare_digest(right, signature[1].lower())


def events(body: bytes) -> list[Event]:
    """Unpack one post, which has one event; never raises."""
    envelope = mapping(document(body))
    name, data = word(envelope.get("event"), 80), mapping(envelope.get("data"))
    found: list[Event] = []
    if name == "message.received":
        found = _message(envelope, data)
    elif name == "message.undecryptable":
        found = _about_message(envelope, data, EventKind.UNREADABLE)
    elif name == "media.retry":
        found = _about_message(envelope, data, EventKind.MEDIA)
    elif name == "history.sync":
        found = _history(envelope, data)
    elif name in DEVICE_EVENTS:
        found = _device(envelope, data)
    elif name in RECEIPTS:
        found = _receipt(envelope, data, RECEIPTS[name])
    return found or [unknown(body)]


def message_id_of(data: Mapping[str, Any]) -> str:
    return word(data.get("message_id") or data.get("id"), 128)


def is_from_us(data: Mapping[str, Any]) -> bool:
    return data.get("is_from_me") is True or data.get("from_me") is True


def chat_of(data: Mapping[str, Any]) -> str:
    """Return the chat: named as such, or the other end of a conversation of two."""
    named = word(data.get("chat_jid") or data.get("chat"), 80)
    other_end = data.get("to") if is_from_us(data) else data.get("from")
    return named or word(other_end, 80)


def sender_of(data: Mapping[str, Any]) -> str:
    named = data.get("sender_jid") or data.get("sender") or data.get("participant")
    return word(named or data.get("from"), 80)


def moment_of(data: Mapping[str, Any]) -> datetime | None:
    """Return when it was sent: the gateway writes ISO 8601 or Unix seconds."""
    value = data.get("timestamp")
    try:
        found = datetime.fromisoformat(word(value, 40))
    except ValueError:
        return moment(value)
    return meant(found if found.tzinfo else found.replace(tzinfo=UTC))


def _message(envelope: Mapping[str, Any], data: Mapping[str, Any]) -> list[Event]:
    found = _about_message(envelope, data, EventKind.INBOUND)
    if not found or is_from_us(data):
        # Written on the phone itself: on record, but no word of a member.
        return []
    [message] = found
    wish = consent(word(data.get("content")))
    if wish is None:
        return [message]
    decision = Event(
        key=key(wish, message.provider_id),
        kind=wish,
        raw=message.raw,
        provider_id=message.provider_id,
        address=message.address,
        occurred_at=message.occurred_at,
    )
    return [message, decision]


def _about_message(
    envelope: Mapping[str, Any], data: Mapping[str, Any], kind: EventKind
) -> list[Event]:
    """Return the event that speaks of one message, unless it does not name it.

    Each event has an id of its own, so that one that is told again is one, and two
    about the same message are two.
    """
    message_id = message_id_of(data)
    if not message_id or not chat_of(data):
        return []
    mark = word(envelope.get("id"), 80) or message_id
    return [
        Event(
            key=key(kind, mark),
            kind=kind,
            raw=dict(envelope),
            provider_id=message_id,
            address=phone_of(sender_of(data)),
            occurred_at=moment_of(data) or moment(envelope.get("timestamp")),
        )
    ]


def _receipt(
    envelope: Mapping[str, Any], data: Mapping[str, Any], state: str
) -> list[Event]:
    """Return one event for each message that a receipt names."""
    ids = [word(one, 128) for one in sequence(data.get("message_ids"))]
    named = [one for one in (ids or [message_id_of(data)]) if one]
    return [
        Event(
            key=key("status", one, state),
            kind=EventKind.STATUS,
            raw=dict(envelope),
            provider_id=one,
            state=state,
            address=phone_of(chat_of(data)),
            occurred_at=moment_of(data) or moment(envelope.get("timestamp")),
        )
        for one in dict.fromkeys(named)
    ]


def _history(envelope: Mapping[str, Any], data: Mapping[str, Any]) -> list[Event]:
    if not isinstance(data.get("messages"), list):
        return []
    mark = word(envelope.get("id"), 80)
    if not mark:
        return []
    return [
        Event(
            key=key(EventKind.HISTORY, mark),
            kind=EventKind.HISTORY,
            raw=dict(envelope),
            occurred_at=moment(envelope.get("timestamp")),
        )
    ]


def _device(envelope: Mapping[str, Any], data: Mapping[str, Any]) -> list[Event]:
    at = moment_of(data) or moment(envelope.get("timestamp"))
    mark = word(envelope.get("id"), 80)
    if at is None or not mark:
        return []
    return [
        Event(
            key=key(EventKind.DEVICE, mark),
            kind=EventKind.DEVICE,
            raw=dict(envelope),
            occurred_at=at,
        )
    ]

"""A WhatsApp device gateway: what it posts to a webhook.

One event per post, in the envelope of WUTS; the signature stands in the body and
covers the envelope without it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from resend_admin.sandbox.hooks import Hook
from resend_admin.sandbox.log import now
from resend_admin.sandbox.receipts import Post, Receipt

DEFAULT_DEVICE = "device"
"""The account of a token with one phone."""


class GatewayHook:
    """How receipts and inbound messages are posted."""

    batch_size = 1
    lanes = 4

    def receipts_post(self, hook: Hook, receipts: Sequence[Receipt]) -> Post:
        [receipt] = receipts
        data = {
            "message_id": receipt.provider_id,
            "chat_jid": person(receipt.recipient),
            "timestamp": wire_moment(receipt.at),
        }
        return event_post(hook, f"message.{receipt.status}", data)

    def inbound_post(self, hook: Hook, sender: str, text: str) -> Post:
        message_id = f"3EB0{secrets.token_hex(8).upper()}"
        jid = person(sender)
        data = message_data(message_id, jid, jid, text, now())
        return event_post(hook, "message.received", data)


def event_post(hook: Hook, event: str, data: Mapping[str, Any]) -> Post:
    """Return one event, signed with the webhook secret."""
    envelope = {
        "id": str(uuid.uuid4()),
        "event": event,
        "timestamp": int(now().timestamp()),
        "device_id": hook.account,
        "user_id": "sandbox",
        "data": dict(data),
    }
    body = json.dumps(envelope, separators=(",", ":")).encode()
    digest = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
    signed = body[:-1] + f',"signature":"sha256={digest}"}}'.encode()
    return Post(hook.url, {"Content-Type": "application/json"}, signed)


def message_data(
    message_id: str, chat: str, sender: str, text: str, at: datetime
) -> dict[str, Any]:
    """Return a message as ``message.received`` has it."""
    return {
        "message_id": message_id,
        "chat_jid": chat,
        "from": sender,
        "to": chat,
        "content": text,
        "message_type": "text",
        "timestamp": wire_moment(at),
        "is_from_me": False,
        "push_name": f"Member {sender.partition('@')[0]}",
    }


def person(number: str) -> str:
    """Return the JID of a number."""
    digits = "".join(mark for mark in number if mark in "0123456789")
    return f"{digits}@s.whatsapp.net"


def wire_moment(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="seconds")
    return text.replace("+00:00", "Z")

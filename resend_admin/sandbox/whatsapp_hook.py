"""WhatsApp Cloud API: what Meta posts to a webhook.

Statuses travel as ``entry[].changes[].value.statuses[]``, many in one post, signed
with the app secret over the raw body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from resend_admin.sandbox.hooks import Hook
from resend_admin.sandbox.log import now
from resend_admin.sandbox.receipts import Post, Receipt

REFERENCE_URL = (
    "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
)


class WhatsAppHook:
    """How receipts and inbound messages are posted."""

    batch_size = 100
    lanes = 1

    def receipts_post(self, hook: Hook, receipts: Sequence[Receipt]) -> Post:
        return _signed(hook, {"statuses": [_status(receipt) for receipt in receipts]})

    def inbound_post(self, hook: Hook, sender: str, text: str) -> Post:
        wa_id = plain_number(sender)
        return _signed(
            hook,
            {
                "contacts": [{"profile": {"name": f"Member {wa_id}"}, "wa_id": wa_id}],
                "messages": [
                    {
                        "from": wa_id,
                        "id": new_message_id(),
                        "timestamp": str(int(now().timestamp())),
                        "type": "text",
                        "text": {"body": text},
                    }
                ],
            },
        )


def plain_number(number: object) -> str:
    """Return the digits of a number, which is how Meta names a person."""
    return "".join(letter for letter in str(number or "") if letter in "0123456789")


def new_message_id() -> str:
    return "wamid." + base64.b64encode(secrets.token_bytes(30)).decode()


def _status(receipt: Receipt) -> dict[str, Any]:
    status: dict[str, Any] = {
        "id": receipt.provider_id,
        "status": receipt.status,
        "timestamp": str(int(receipt.at.timestamp())),
        "recipient_id": receipt.recipient,
    }
    if receipt.reference:
        status["biz_opaque_callback_data"] = receipt.reference
    if receipt.words is not None:
        words = receipt.words
        status["errors"] = [
            {
                "code": int(words.code),
                "title": words.message,
                "message": words.message,
                "error_data": {"details": words.details},
                "href": REFERENCE_URL,
            }
        ]
    elif receipt.status in ("sent", "delivered"):
        status["pricing"] = {
            "billable": True,
            "pricing_model": "PMP",
            "category": "utility",
        }
    return status


def _signed(hook: Hook, value: Mapping[str, Any]) -> Post:
    metadata = {
        "display_phone_number": hook.sender or "15550100737",
        "phone_number_id": hook.account,
    }
    change = {
        "field": "messages",
        "value": {"messaging_product": "whatsapp", "metadata": metadata, **value},
    }
    entry = {"id": f"1{hook.account}", "changes": [change]}
    body = json.dumps(
        {"object": "whatsapp_business_account", "entry": [entry]}
    ).encode()
    signature = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
    return Post(
        hook.url,
        {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": f"sha256={signature}",
            "User-Agent": "facebookexternalua",
        },
        body,
    )

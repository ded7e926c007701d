"""What every contender but ours puts on the wire: the request that ours makes."""

from __future__ import annotations

from typing import Any

TOKEN = "benchmark-token"  # noqa: S105
NUMBER = "15550100737"
TEXT = "Hello {{first_name}}, your policy is due for renewal on {{date}}."
FIRST_NAME = "Ama"
DATE = "1 December"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def url(base: str) -> str:
    return f"{base}/{NUMBER}/messages"


def text() -> str:
    """Return the text as a person reads it."""
    return TEXT.replace("{{first_name}}", FIRST_NAME).replace("{{date}}", DATE)


def recipient(number: int) -> str:
    """Return the phone number of one of the members."""
    return f"+23324{number:07d}"


def body(to: str, words: str, reference: str) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to.lstrip("+"),
        "biz_opaque_callback_data": reference,
        "type": "text",
        "text": {"preview_url": False, "body": words},
    }

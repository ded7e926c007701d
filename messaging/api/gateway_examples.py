"""Examples of the device gateway's doors, as they stand in the description."""

from __future__ import annotations

from typing import Any, Final

_MOMENT: Final = "2026-06-15T18:30:00Z"


def described(request: Any, answers: dict[int, Any]) -> dict[str, Any]:
    """Return the examples of one door, by the status of the answer."""
    found: dict[str, Any] = {
        "responses": {
            status: {"content": {"application/json": {"example": answer}}}
            for status, answer in answers.items()
        }
    }
    if request is not None:
        body = {"content": {"application/json": {"example": request}}}
        found["requestBody"] = body
    return found


RETRY = described(
    {
        "chat_jid": "120363039000000000@g.us",
        "sender_jid": "5511999999999@s.whatsapp.net",
        "message_ids": ["3EB0A1B2C3D4E5F60718"],
    },
    {
        200: {
            "success": True,
            "chat_jid": "120363039000000000@g.us",
            "sender_jid": "5511999999999@s.whatsapp.net",
            "message_ids": ["3EB0A1B2C3D4E5F60718"],
            "receipt_type": "retry",
            "timestamp": _MOMENT,
        }
    },
)
HISTORY = described(
    {
        "chat_jid": "5511999999999@s.whatsapp.net",
        "last_message_id": "3EB0XXXX1234ABCD",
        "last_message_from_me": False,
        "last_message_timestamp": 1750000000,
        "count": 50,
    },
    {
        200: {
            "success": True,
            "message": "History sync requested. Messages will be delivered via"
            " webhook (event: history.sync).",
            "chat_jid": "5511999999999@s.whatsapp.net",
            "requested_count": 50,
        }
    },
)

"""Examples of the device gateway's doors, as they stand in the description."""

from __future__ import annotations

from typing import Any, Final

from messaging.api.once import DESCRIBED

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
        found["parameters"] = [DESCRIBED]
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
_METADATA: Final = {
    "device_id": "device-7f3a",
    "processing_time_ms": 1750,
    "audio_size_bytes": 96000,
    "audio_format": "audio/ogg; codecs=opus",
    "audio_duration_seconds": 12,
    "conversion_time_ms": 320,
    "download_time_ms": 180,
    "mentions_processed": 0,
    "ptt_enabled": True,
    "conversion_applied": True,
    "original_format": "audio/mpeg",
    "async_processing": False,
    "sent_at": "2026-06-15T14:25:40Z",
}
AUDIO = described(
    {
        "number": "5511999999999",
        "audio_url": "https://cdn.example.com/voice/greeting.mp3",
        "ptt": True,
        "delay": 0,
    },
    {
        200: {
            "success": True,
            "message_id": "3EB0A1B2C3D4E5F6A7B8",
            "timestamp": "2026-06-15T14:25:40Z",
            "status": "sent",
            "chat_jid": "5511999999999@s.whatsapp.net",
            "metadata": _METADATA,
        },
        202: {
            "success": True,
            "timestamp": "2026-06-15T14:25:40Z",
            "status": "processing",
            "chat_jid": "5511999999999@s.whatsapp.net",
            "job_id": "0d2f6a8e-3c51-4b7a-9f60-8f1d2e3c4b5a",
        },
    },
)
JOB = described(
    None,
    {
        200: {
            "success": True,
            "job_id": "0d2f6a8e-3c51-4b7a-9f60-8f1d2e3c4b5a",
            "status": "sent",
            "message_id": "3EB0A1B2C3D4E5F6A7B8",
            "chat_jid": "5511999999999@s.whatsapp.net",
            "timestamp": "2026-06-15T14:25:40Z",
            "error": None,
            "error_code": None,
            "metadata": {**_METADATA, "async_processing": True},
        }
    },
)

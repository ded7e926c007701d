"""Examples for the description of ``/v1/whatsapp``."""

from __future__ import annotations

from typing import Any

from messaging.api.once import DESCRIBED

MESSAGE_ID = "ra_whatsapp_1746061653596_4f1c09a2b"
ATTEMPT_ID = "ra_whatsapp_resend_1748743190124_c1d2e3f40"


def _request(required: bool = True, **named: Any) -> dict[str, Any]:
    examples = {name: {"value": value} for name, value in named.items()}
    return {
        "required": required,
        "content": {"application/json": {"examples": examples}},
    }


def _answers(**by_status: Any) -> dict[int, Any]:
    return {
        int(status.removeprefix("s")): {
            "content": {"application/json": {"example": value}}
        }
        for status, value in by_status.items()
    }


def _refusal(code: str, message: str) -> dict[str, Any]:
    return {
        "success": False,
        "message": message,
        "code": code,
        "errors": [],
        "requestId": "req_0a1b2c3d4e5f60718293a4b5",
    }


RESENT = {
    "success": True,
    "message": "WhatsApp message resent successfully",
    "data": {
        "messageId": ATTEMPT_ID,
        "originalMessageId": MESSAGE_ID,
        "status": "delivered",
        "to": "233244000000",
        "resendAttempt": 2,
        "cost": 1,
        "deliveredAt": "2024-01-15T10:35:00Z",
    },
}
LATER = {
    "success": True,
    "message": "WhatsApp message resend scheduled",
    "data": {
        "messageId": MESSAGE_ID,
        "originalMessageId": MESSAGE_ID,
        "status": "pending",
        "to": "233244000000",
        "resendAttempt": 2,
        "cost": 1,
        "scheduledFor": "2024-01-15T12:00:00Z",
    },
}
_RESEND_ANSWERS = _answers(
    s200=RESENT,
    s202=LATER,
    s400=_refusal("limit_reached", "A message can be sent again 5 times at most."),
    s404=_refusal("message_not_found", "There is no WhatsApp message with this id."),
    s409=_refusal("in_progress", "This message is being sent right now."),
)
RESEND = {
    "parameters": [DESCRIBED],
    "requestBody": _request(
        now={"messageId": MESSAGE_ID},
        later={
            "messageId": MESSAGE_ID,
            "scheduleAt": "2024-01-15T12:00:00Z",
            "reason": "The member called",
        },
        working_link={
            "messageId": MESSAGE_ID,
            "mediaUrl": "https://example.org/flyer.png",
        },
    ),
    "responses": _RESEND_ANSWERS,
}
RESEND_BY_PATH = {
    "parameters": [DESCRIBED],
    "requestBody": _request(
        required=False, later={"scheduleAt": "2024-01-15T12:00:00Z"}
    ),
    "responses": _RESEND_ANSWERS,
}
SEND = {
    "parameters": [DESCRIBED],
    "requestBody": _request(
        text={"to": "233244000000", "type": "text", "text": {"body": "Hello Ama"}},
        image={
            "to": "233244000000",
            "type": "image",
            "image": {"link": "https://example.org/flyer.png", "caption": "Sunday"},
        },
        video={
            "to": "233244000000",
            "type": "video",
            "video": {"link": "https://example.org/regatta.mp4"},
        },
        audio={
            "to": "233244000000",
            "type": "audio",
            "audio": {"link": "https://example.org/greeting.ogg"},
        },
        document={
            "to": "233244000000",
            "type": "document",
            "document": {
                "link": "https://example.org/invoice.pdf",
                "filename": "invoice.pdf",
            },
        },
        buttons={
            "to": "233244000000",
            "type": "interactive",
            "interactive": {
                "type": "button",
                "body": {"text": "Will you come?"},
                "action": {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
                        {"type": "reply", "reply": {"id": "no", "title": "No"}},
                    ]
                },
            },
        },
        template={
            "to": "233244000000",
            "type": "template",
            "template": {
                "name": "membership_renewal",
                "language": {"code": "en"},
                "components": [
                    {"type": "body", "parameters": [{"type": "text", "text": "Ama"}]}
                ],
            },
        },
    ),
    "responses": _answers(
        s200={
            "success": True,
            "message": "WhatsApp message sent successfully",
            "data": {
                "id": "wamid.HBgMMjMzMjQ0MDAwMDAw",
                "messageId": MESSAGE_ID,
                "status": "sent",
                "to": "233244000000",
                "type": "text",
                "cost": 1,
                "timestamp": "2024-01-15T10:30:00Z",
            },
        },
        s400={
            **_refusal("invalid_request", "The message cannot be sent as it is."),
            "errors": [
                {"field": "text", "message": "This field is required for type “text”."}
            ],
        },
    ),
}
STATUS = {
    "responses": _answers(
        s200={
            "success": True,
            "message": "Message status retrieved",
            "data": {
                "messageId": MESSAGE_ID,
                "wamid": "wamid.HBgMMjMzMjQ0MDAwMDAw",
                "status": "delivered",
                "to": "233244000000",
                "type": "text",
                "sentAt": "2024-01-15T10:30:01Z",
                "deliveredAt": "2024-01-15T10:30:04Z",
                "readAt": None,
                "cost": 1,
            },
        },
    )
}

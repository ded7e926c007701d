"""Our messages and attempts in the vendor's words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from messaging.api.problems import Problem
from messaging.channels.catalogue import lookup
from messaging.models import Attempt, AttemptState, Message, MessageState

STATUS = {
    MessageState.SENT: "sent",
    MessageState.DELIVERED: "delivered",
    MessageState.READ: "read",
    MessageState.FAILED: "failed",
    # The vendor knows no message that was left out: none of these will arrive.
    MessageState.SKIPPED: "failed",
    MessageState.CANCELLED: "failed",
}
"""Whatever is not listed has no outcome yet: it is pending."""
ATTEMPT_STATUS = {
    AttemptState.SENT: "sent",
    AttemptState.DELIVERED: "delivered",
    AttemptState.READ: "read",
    AttemptState.FAILED: "failed",
}


def envelope(problem: Problem, request_id: str) -> dict[str, Any]:
    """Return the vendor's body of a refusal."""
    return {
        "success": False,
        "message": problem.message,
        "code": problem.code,
        "errors": [
            {"field": one.field, "message": one.message} for one in problem.fields
        ],
        "requestId": request_id,
    }


def success(message: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"success": True, "message": message, "data": data}


def moment(value: datetime | None) -> str | None:
    """Return a time as ``2024-01-15T10:35:00Z``."""
    if value is None:
        return None
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def digits(recipient: str) -> str:
    return recipient.removeprefix("+")


def resent(message: Message, attempt: Attempt) -> dict[str, Any]:
    return {
        "messageId": attempt.public_id,
        "originalMessageId": message.public_id,
        "status": attempt_status(attempt),
        "to": digits(message.recipient),
        "resendAttempt": attempt.resend_number,
        "cost": attempt_cost(attempt),
        "deliveredAt": moment(attempt.delivered_at),
    }


def scheduled(message: Message, due_at: datetime) -> dict[str, Any]:
    """Describe a resend that waits. Its attempt has no id before it is opened."""
    return {
        "messageId": message.public_id,
        "originalMessageId": message.public_id,
        "status": "pending",
        "to": digits(message.recipient),
        "resendAttempt": message.attempt_count,
        "cost": price(message),
        "scheduledFor": moment(due_at),
    }


def sent(message: Message, attempt: Attempt | None) -> dict[str, Any]:
    return {
        "id": attempt.provider_id or None if attempt else None,
        "messageId": message.public_id,
        "status": attempt_status(attempt) if attempt else "pending",
        "to": digits(message.recipient),
        "type": message.content.kind if message.content else "text",
        "cost": attempt_cost(attempt) if attempt else price(message),
        "timestamp": moment(message.created_at),
    }


def status(message: Message, attempt: Attempt | None) -> dict[str, Any]:
    """Describe how a message stands, by its latest attempt."""
    content = (attempt and attempt.content) or message.content
    word = STATUS.get(MessageState(message.state), "pending")
    told: dict[str, Any] = {
        "messageId": message.public_id,
        "wamid": attempt.provider_id or None if attempt else None,
        "status": word,
        "to": digits(message.recipient),
        "type": content.kind if content else "text",
        "sentAt": moment(message.sent_at),
        "deliveredAt": moment(message.delivered_at),
        "readAt": moment(message.read_at),
        "cost": _cost(message, attempt, word),
    }
    if word == "failed":
        told["error"] = _failure(message.error_code, message)
    return told


def attempt_standing(message: Message, attempt: Attempt) -> dict[str, Any]:
    """Describe how one attempt stands."""
    word = attempt_status(attempt)
    left = word in {"sent", "delivered", "read"}
    told: dict[str, Any] = {
        "messageId": attempt.public_id,
        "wamid": attempt.provider_id or None,
        "status": word,
        "to": digits(message.recipient),
        "type": attempt.content.kind,
        "sentAt": moment(attempt.closed_at) if left else None,
        "deliveredAt": moment(attempt.delivered_at),
        "readAt": moment(message.read_at) if word == "read" else None,
        "cost": attempt_cost(attempt),
    }
    if word == "failed":
        told["error"] = _failure(attempt.error_code, message)
    return told


def attempt_status(attempt: Attempt) -> str:
    return ATTEMPT_STATUS.get(AttemptState(attempt.state), "pending")


def attempt_cost(attempt: Attempt) -> int:
    """Return the credits that were charged or will be: what fails costs nothing."""
    return 0 if attempt.state == AttemptState.FAILED else attempt.price


def price(message: Message) -> int:
    return message.integration.credit_price if message.integration else 0


def _cost(message: Message, attempt: Attempt | None, word: str) -> int:
    if word == "failed":
        return 0
    if attempt is None or message.state in {MessageState.PLANNED, MessageState.QUEUED}:
        return price(message)
    return attempt_cost(attempt)


def _failure(error_code: str, message: Message) -> dict[str, str]:
    if not error_code:
        return {
            "code": message.reason,
            "reason": f"{message.get_reason_display()}.",
            "resolution": "It was left out on purpose. Settle the reason first.",
        }
    entry = lookup(error_code)
    return {
        "code": error_code,
        "reason": entry.diagnosis,
        "resolution": entry.advice,
    }

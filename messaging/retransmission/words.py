"""Why something was not asked for: a stable code, and what to do in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from messaging.channels.contract import AUTH_FAILED, Answer, InDoubt, Rejected
from messaging.channels.gateway_requests import is_not_ready


class Refusal(StrEnum):
    """Stable: on the wire and in tests."""

    INVALID = "VALIDATION_ERROR"
    NOT_READY = "DEVICE_NOT_READY"
    TOO_OFTEN = "MAX_RETRIES_EXCEEDED"
    NOT_FOUND = "NOT_FOUND"
    GATEWAY = "GATEWAY_ERROR"
    UNCLEAR = "GATEWAY_TIMEOUT"


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not asked for, or nobody can tell (:attr:`Refusal.UNCLEAR`)."""

    code: Refusal
    sentence: str


def of_answer(answer: Answer, integration_name: str) -> Refused:
    """Say what it means that the gateway did not say yes."""
    name = f"“{integration_name}”"
    if is_not_ready(answer):
        return Refused(
            Refusal.NOT_READY,
            f"The phone of {name} is not connected. “Phones” under Unreadable"
            " says what it needs; ask once more when it is back.",
        )
    if isinstance(answer, InDoubt):
        return Refused(
            Refusal.UNCLEAR,
            f"{name} did not answer in time. The request may have left: if nothing"
            " comes, ask once more in a few minutes.",
        )
    detail = getattr(answer, "detail", "")
    if isinstance(answer, Rejected):
        if answer.code == AUTH_FAILED:
            return Refused(
                Refusal.GATEWAY,
                f"{name} does not accept our token. Ask an admin to renew it.",
            )
        if answer.code in {"NOT_FOUND", "http_404"} or answer.http_status == 404:
            return Refused(
                Refusal.NOT_FOUND, f"{name} does not know this chat or message."
            )
        if answer.code == "VALIDATION_ERROR":
            why = detail.rstrip(".") or "it does not say why"
            return Refused(Refusal.INVALID, f"{name} refused it: {why}.")
        if answer.code == "connection_failed":
            return Refused(
                Refusal.GATEWAY,
                f"{name} could not be reached. Ask once more in a few minutes.",
            )
    said = f": {detail.rstrip('.')}" if detail else ""
    return Refused(
        Refusal.GATEWAY,
        f"{name} refused it{said}. Ask once more in a few minutes.",
    )

"""Ask a device for older messages of a chat; they come later, as events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from messaging.channels.contract import Accepted
from messaging.channels.gateway_requests import request_history
from messaging.models import Integration
from messaging.retransmission.words import Refused, of_answer

MOST_MESSAGES: Final = 100
USUAL: Final = 50


@dataclass(frozen=True, slots=True)
class Anchor:
    """The oldest message that is known; the device sends what came before it."""

    message_id: str = ""
    is_from_us: bool = False
    seconds: int = 0
    """Unix time in seconds, as the gateway wants it."""


def request(
    integration: Integration, chat_jid: str, anchor: Anchor, count: int = USUAL
) -> Refused | None:
    """Ask for up to ``count`` messages; return why not, if the gateway refused."""
    value: dict[str, Any] = {
        "chat_jid": chat_jid,
        "last_message_id": anchor.message_id,
        "last_message_from_me": anchor.is_from_us,
        "last_message_timestamp": anchor.seconds,
        "count": count,
    }
    answer = request_history(integration.account, value)
    if isinstance(answer, Accepted):
        return None
    return of_answer(answer, integration.name)

"""Why a message did not arrive, in one line for lists."""

from __future__ import annotations

from messaging.channels.catalogue import lookup
from messaging.models import Message, MessageState
from messaging.models.message import LOST_STATES
from messaging.reasons import reason_in_words


def why(message: Message) -> str:
    """Return the cause's title, the reason of a skip, or nothing when all is well."""
    if message.state in {MessageState.SKIPPED, MessageState.CANCELLED}:
        return reason_in_words(message.reason)
    tries_again = message.is_waiting_to_retry
    if message.error_code and (message.state in LOST_STATES or tries_again):
        return lookup(message.error_code).title
    if message.state == MessageState.UNKNOWN:
        return "Nobody can tell whether it arrived"
    return ""

"""Why a message did not leave, in words."""

from __future__ import annotations

from typing import Final

from messaging.channels.catalogue import lookup
from messaging.models import Message, SkipReason

NEXT_STEPS: Final[dict[str, str]] = {
    SkipReason.INSUFFICIENT_CREDITS: lookup("resend_admin:insufficient_credits").advice,
    SkipReason.MISSED_TIME: lookup("resend_admin:missed_time").advice,
    SkipReason.INTEGRATION_OFF: lookup("resend_admin:integration_off").advice,
    SkipReason.CREDENTIALS: "Ask an admin to complete them, then send it again.",
}
"""What to do next, where that is not said by the reason itself."""


def reason_in_words(reason: str) -> str:
    """Return why a message was skipped or cancelled; unknown words as they are."""
    known = {choice.value: str(choice.label) for choice in SkipReason}
    return known.get(reason, reason)


def reason_and_next_step(reason: str) -> str:
    """Say why a message did not leave, and what to do about it where that helps."""
    return f"{reason_in_words(reason)}. {NEXT_STEPS.get(reason, '')}".rstrip()


def held_back_in_words(message: Message) -> str:
    """Say why the last try of a message did not leave, which stands as before.

    Nothing unless that was so.
    """
    if not message.reason:
        return ""
    if message.reason == SkipReason.ALREADY_REACHED:
        return (
            "The provider has every part of it, by several tries, so nothing was sent."
            " It stands as before."
        )
    next_step = NEXT_STEPS.get(message.reason, "")
    return (
        f"{reason_in_words(message.reason)}, so nothing was sent. It stands as before:"
        f" an earlier attempt may have arrived. {next_step}"
    ).rstrip()

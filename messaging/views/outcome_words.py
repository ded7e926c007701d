"""What came of sending a message again, in words for a toast."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from messaging.channels.catalogue import lookup
from messaging.channels.contract import Channel
from messaging.models import Attempt, AttemptState, Message, MessageState
from messaging.sending import Outcome, Refused, Scheduled
from messaging.views.pause_words import LEAVES, LEAVES_IN_TIME, pause_in_words
from resend_admin.ui.time_zones import moment_in_words

SOON: Final = timedelta(seconds=20)
FOLLOWS: Final = (
    "The template was sent. The message follows as soon as the member answers."
)
ACCEPTING: Final = {
    Channel.WHATSAPP: "WhatsApp",
    Channel.TELEGRAM: "Telegram",
    Channel.SMS: "The SMS provider",
    Channel.EMAIL: "The mail server",
}


def outcome_in_words(outcome: Outcome, *, copy: bool = False) -> str:
    """Say what happened; ``copy`` when a message that had arrived was sent anew."""
    if isinstance(outcome, Refused):
        return outcome.sentence
    if isinstance(outcome, Scheduled):
        return _waits(outcome, copy=copy)
    return attempt_in_words(outcome.attempt, copy=copy)


def opener_in_words(outcome: Outcome) -> str:
    """Say what came of the template that a message waits behind."""
    if not isinstance(outcome, Scheduled):
        return FOLLOWS
    pause = pause_in_words(outcome.message.integration)
    return f"The template waits: {pause} {LEAVES}" if pause else FOLLOWS


def attempt_in_words(attempt: Attempt, *, copy: bool = False) -> str:
    who = ACCEPTING.get(Channel(attempt.channel), "The provider")
    again = "A copy was sent." if copy else "Sent again."
    match attempt.state:
        case AttemptState.SENT:
            return f"{again} {who} accepted it."
        case AttemptState.DELIVERED | AttemptState.READ:
            return f"{again} It was delivered."
        case AttemptState.FAILED:
            title = lookup(attempt.error_code, attempt.error_detail).title
            it = "The copy failed" if copy else "It failed again"
            return f"{it}: {title}."
        case AttemptState.UNKNOWN:
            return (
                f"{who} gave no clear answer, so nobody can tell whether it arrived."
                " A receipt may still settle it."
            )
    return "It is on its way."


def standing_in_words(message: Message) -> str:
    """Say where a message stands that was just sent again, from its row alone."""
    if message.due_at is not None and message.state == MessageState.QUEUED:
        return _waits(Scheduled(message, message.due_at))
    attempt = message.attempts.last()
    return attempt_in_words(attempt) if attempt else ""


def _waits(outcome: Scheduled, *, copy: bool = False) -> str:
    it = "The copy" if copy else "It"
    pause = pause_in_words(outcome.message.integration)
    if outcome.due_at <= timezone.now() + SOON:
        if pause:
            return f"{it} waits: {pause} {LEAVES}"
        return f"{it} waits its turn and leaves in a moment."
    when = moment_in_words(to_the_minute(outcome.due_at))
    if pause:
        return f"{it} is planned for {when}. Until now {pause} {LEAVES_IN_TIME}"
    return f"{it} will be sent again on {when}."


def to_the_minute(moment: datetime) -> datetime:
    """Return the nearest full minute: the one that was typed.

    The clock of PostgreSQL may be a blink behind, and 18:30 must not read 18:29.
    """
    return (moment + timedelta(seconds=30)).replace(second=0, microsecond=0)

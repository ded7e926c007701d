"""How a message that could not be read stands, in words for a support person."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.utils import timezone

from messaging.channels.contract import Rejected
from messaging.models import (
    MOST_REQUESTS,
    ExpiryReason,
    InboundMessage,
    InboundState,
    RequestOutcome,
    RetransmissionRequest,
)
from messaging.retransmission.asking_many import Result
from messaging.retransmission.words import of_answer
from resend_admin.ui.pills import Pill
from resend_admin.ui.time_zones import moment_in_words

STATE_PILLS: Final = {
    InboundState.WAITING.value: Pill("Not readable", "warn", "warning"),
    InboundState.REQUESTED.value: Pill("Asked for", "info", "clock"),
    InboundState.RECOVERED.value: Pill("Recovered", "ok", "check"),
    InboundState.EXPIRED.value: Pill("Given up", "idle", "ban"),
    InboundState.RECEIVED.value: Pill("Received", "ok", "check"),
}
SHOWN_TEXT: Final = 200


def sentence_of(message: InboundMessage) -> str:
    """Return what happened to a message, and who asked for it."""
    match message.state:
        case InboundState.RECOVERED:
            return shown_text(message)
        case InboundState.EXPIRED:
            return _given_up(message)
        case InboundState.REQUESTED:
            return _asked_for(message)
    return _waiting(message)


def shown_text(message: InboundMessage) -> str:
    """Return the words of a message, or of what kind it is if it has none."""
    text = " ".join(message.text.split())
    if text:
        return text if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}…"
    return f"A message without text ({message.kind or 'of no known kind'})."


def why_not(message: InboundMessage) -> str:
    """Return why a message cannot be asked for right now; empty when it can."""
    if message.state == InboundState.RECOVERED:
        return "It came in."
    if message.requests >= MOST_REQUESTS:
        return f"Asked for {MOST_REQUESTS} times, which is as often as devices answer."
    if message.quiet_until is not None and message.quiet_until > timezone.now():
        return "It was asked for a moment ago."
    return ""


def result_in_words(result: Result) -> str:
    """Say what came of one press of a button."""
    said = []
    if result.asked:
        said.append(f"Asked for {_messages(result.asked)}. What comes back shows here.")
    if result.recent:
        said.append(f"{_messages(result.recent)} had been asked for a moment ago.")
    if result.closed:
        said.append(f"{_messages(result.closed)} had come in meanwhile.")
    if result.too_often:
        said.append(
            f"{_messages(result.too_often)} had been asked for {MOST_REQUESTS} times:"
            " ask the person to send it again."
        )
    for sentence, number in result.problems.items():
        said.append(f"Not asked for {_messages(number)}: {sentence}")
    return " ".join(said) or "There was nothing to ask for."


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{number:,} messages"


def _given_up(message: InboundMessage) -> str:
    if message.reason == ExpiryReason.IN_VAIN:
        return (
            f"Asked for {MOST_REQUESTS} times without an answer. Ask the person to send"
            " it again."
        )
    days = settings.UNREADABLE_EXPIRES_DAYS
    return f"It did not come again within {days} days. Ask the person to send it again."


def _asked_for(message: InboundMessage) -> str:
    times = f"{message.requests} of {MOST_REQUESTS} times"
    request = message.request
    if request is None:
        return f"Asked for {times}."
    if request.outcome == RequestOutcome.REFUSED:
        return f"Asked for {times}. {_in_vain(message, request)}"
    when = moment_in_words(request.created_at)
    said = f"Asked for {times}, last by {request.asked_by_name} on {when}."
    if request.outcome == RequestOutcome.UNCLEAR:
        return f"{said} The gateway gave no clear answer."
    return f"{said} It comes once the sender's phone is on."


def _waiting(message: InboundMessage) -> str:
    request = message.request
    if request is not None and request.outcome == RequestOutcome.REFUSED:
        return _in_vain(message, request)
    return "The phone could not decrypt it. Ask the sender's phone to send it again."


def _in_vain(message: InboundMessage, request: RetransmissionRequest) -> str:
    answer = Rejected(request.error_code, request.error_detail)
    why = of_answer(answer, message.integration.name).sentence
    return f"{request.asked_by_name} asked for it in vain. {why}"

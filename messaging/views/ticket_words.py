"""One plain sentence per message, to be copied into a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Sum
from django.utils import timezone

from messaging.models import Attempt, CreditEntry, CreditStep, Message, MessageState
from messaging.models.attempt import AttemptState
from messaging.views.causes import why

ORDINALS: Final = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the row of a message does not say: which try arrived, and what it cost."""

    arrived: int = 0
    credits: int = 0


def facts_of(messages: Sequence[Message]) -> dict[int, Facts]:
    """Return the facts of a page of messages, in two queries."""
    numbers = [one.pk for one in messages]
    arrived = dict(
        Attempt.objects.filter(
            message_id__in=numbers,
            state__in=[AttemptState.DELIVERED, AttemptState.READ],
        )
        .order_by("number")
        .values_list("message_id", "number")
    )
    charged = dict(
        CreditEntry.objects.filter(message_id__in=numbers, step=CreditStep.CHARGE)
        .values_list("message_id")
        .annotate(Sum("amount"))
    )
    return {pk: Facts(arrived.get(pk, 0), charged.get(pk, 0)) for pk in numbers}


def ticket_sentence(message: Message, facts: Facts) -> str:
    """Say what became of a message, in the words of a support ticket."""
    number = facts.arrived or message.attempt_count
    match message.state:
        case MessageState.DELIVERED | MessageState.READ:
            words = [f"Reached on the {ordinal(number)} try"]
            return _joined([*words, _at(message.delivered_at), _credits(facts)])
        case MessageState.SENT:
            words = [f"Sent on the {ordinal(number)} try"]
            sentence = _joined([*words, _at(message.sent_at), _credits(facts)])
            return f"{sentence} {_receipts(message)}"
        case MessageState.FAILED:
            return f"Not reached: {_because(message)} ({_tries(message)})."
        case MessageState.UNKNOWN:
            return f"Nobody can tell whether it arrived ({_tries(message)})."
        case MessageState.SENDING:
            return f"The {ordinal(number)} try is under way."
        case MessageState.QUEUED:
            return _waiting(message)
        case MessageState.SKIPPED:
            return f"Left out on purpose: {_because(message)}."
        case MessageState.CANCELLED:
            return f"Cancelled: {_because(message)}."
    return "Not sent yet: it leaves with its broadcast."


def ordinal(number: int) -> str:
    """``third``; from eleven on ``11th``."""
    if 1 <= number <= len(ORDINALS):
        return ORDINALS[number - 1]
    last = 0 if number % 100 in {11, 12, 13} else number % 10
    return f"{number}{({1: 'st', 2: 'nd', 3: 'rd'}).get(last, 'th')}"


def _waiting(message: Message) -> str:
    due = _at(message.due_at)
    if not message.attempt_count:
        return _joined(["Waiting to be sent", due])
    first = f"Waiting for the {ordinal(message.attempt_count + 1)} try"
    return f"{_joined([first, due])} Not reached so far: {_because(message)}."


def _because(message: Message) -> str:
    """Return the cause as the middle of a sentence: small, unless it is a name."""
    cause = why(message).rstrip(".")
    first, _, rest = cause.partition(" ")
    is_name = first in NAMES or (not first[1:].islower() and len(first) > 1)
    return cause if is_name else f"{first[:1].lower()}{first[1:]} {rest}".strip()


NAMES: Final = {"Telegram", "Twilio", "Meta"}


def _receipts(message: Message) -> str:
    integration = message.integration
    if integration is not None and not integration.provider.confirms_delivery:
        return "This channel does not tell whether it arrived."
    return "No receipt came yet."


def _credits(facts: Facts) -> str:
    if not facts.credits:
        return ""
    return "1 credit" if facts.credits == 1 else f"{facts.credits:,} credits"


def _tries(message: Message) -> str:
    number = message.attempt_count
    return "1 try" if number == 1 else f"{number} tries"


def _at(moment: datetime | None) -> str:
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    year = "" if local.year == timezone.localtime().year else f" {local.year}"
    return f"{local.day} {local:%b}{year} {local:%H:%M}"


def _joined(words: Sequence[str]) -> str:
    return f"{', '.join(filter(None, words))}."

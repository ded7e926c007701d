"""Count as delivered: a person's word where no provider says what happened.

It settles an *unknown* message as a receipt would: charged, counted, waiting tries
taken back. Nothing ever downgrades *delivered*, so a receipt that says *failed* later
changes nothing; the contradiction is shown on the message's timeline.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.db import transaction

from messaging.dispatch import chain, later, ledger, statements
from messaging.dispatch.word import Word
from messaging.models import CountedDelivery, Message, MessageState
from messaging.sending import Asker, Refused, fresh, record_resend


class Settled(StrEnum):
    """Why it is not for a person to say any more."""

    DELIVERED = "already_delivered"
    FAILED = "failed_meanwhile"
    SENT_AGAIN = "sent_again_meanwhile"
    OTHERWISE = "not_unknown"


_SENTENCES: Final[dict[str, tuple[Settled, str]]] = {
    MessageState.DELIVERED: (
        Settled.DELIVERED,
        "A receipt came meanwhile: the message was delivered. Nothing is left to do.",
    ),
    MessageState.READ: (
        Settled.DELIVERED,
        "A receipt came meanwhile: the message was read. Nothing is left to do.",
    ),
    MessageState.FAILED: (
        Settled.FAILED,
        "A receipt came meanwhile: the provider says that the message failed. Look at"
        " the cause, and send it again if that helps.",
    ),
    MessageState.SENT: (
        Settled.OTHERWISE,
        "A receipt came meanwhile: the provider has the message and says later whether"
        " it was delivered. Wait for that.",
    ),
}
_SENT_AGAIN: Final = (
    Settled.SENT_AGAIN,
    "Somebody sent this message again meanwhile. Look at its latest attempt.",
)


def count_as_delivered(
    message: Message, asker: Asker, *, attempt_number: int
) -> Message | Refused:
    """Settle an unknown message as delivered, on a person's word.

    ``attempt_number`` is the latest attempt they saw. Of two people, or a person and
    a receipt, one wins; the other is told what happened. Belongs outside of any
    transaction.
    """
    if not _count(message, asker, attempt_number):
        return refusal(fresh(message.pk))
    return fresh(message.pk)


@statements.again_after_deadlock
def _count(message: Message, asker: Asker, attempt_number: int) -> bool:
    with transaction.atomic():
        # First, as everywhere: accounts, then chains, then attempts, then messages.
        ledger.lock(message.organization_id)
        chain.hold_chains([message.pk])
        said = statements.rows(
            "count_as_delivered",
            {
                "message_id": message.pk,
                "attempt_number": attempt_number,
                "person_name": asker.name,
                "reason": asker.reason,
            },
        )
        words = [
            Word(one["attempt_id"], MessageState.DELIVERED, one["created_at"])
            for one in said
        ]
        later.apply(words, [message.organization_id])
        if said:
            told = f"Counted message {message.pk} as delivered"
            record_resend(message, asker, told)
    return bool(said)


def refusal(message: Message) -> Refused:
    """Say why a person's word about the message is not wanted any more."""
    counted = (
        CountedDelivery.objects.filter(message_id=message.pk).order_by("-pk").first()
    )
    if counted is not None and message.state == MessageState.DELIVERED:
        sentence = f"{counted.person_name} counted it as delivered meanwhile."
        return Refused(Settled.DELIVERED, sentence)
    if message.state == MessageState.UNKNOWN:
        return Refused(*_SENT_AGAIN)
    return Refused(*_SENTENCES.get(message.state, _SENT_AGAIN))

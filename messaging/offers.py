"""What a page offers for a message: to send it again, and what it has to ask first.

One answer for the button, its dialog, the member's list and the embedded tab.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from messaging import policy
from messaging.channels.catalogue import Fix
from messaging.channels.contract import Channel, ContentKind
from messaging.circumstances import circumstances_of
from messaging.follow_up import IS_WAITING
from messaging.media import LARGEST
from messaging.models import (
    Content,
    FollowUp,
    FollowUpState,
    Message,
    Organization,
)
from messaging.models.message import ARRIVED_STATES
from messaging.standing import (
    WINDOW_CLOSED,
    Circumstances,
    Standing,
    policy_of,
    standing_of,
)

MOST_TEMPLATES: Final = 200


class Question(StrEnum):
    """What a person has to settle before the message may go again."""

    NONE = ""
    DUPLICATE = "duplicate"
    """It may have arrived: is a second copy all right?"""
    OPENER = "opener"
    """The window is closed: which template goes first?"""
    REPLACEMENT = "replacement"
    """Its template is at fault: which one goes instead?"""
    LINK = "link"
    """The media could not be loaded: where is the file now?"""
    FIXED = "fixed"
    """Something outside of here had to be mended: is it?"""


@dataclass(frozen=True, slots=True)
class Offer:
    """May somebody send this message again? ``reason`` says why not.

    ``standing`` is the judgement with the question answered. ``copy`` tells that
    the message arrived, so that only a copy can be sent. ``is_needed`` is false where
    the person belongs to another run by now, or several tries brought it together.
    """

    standing: Standing
    question: Question
    reason: str
    copy: bool = False
    is_needed: bool = True

    @property
    def is_open(self) -> bool:
        return not self.reason


def offer_of(message: Message) -> Offer:
    """Return the offer for one message, which comes with what judging it needs."""
    return offers_of(message.organization, [message])[message.pk]


def offers_of(
    organization: Organization, messages: Sequence[Message]
) -> dict[int, Offer]:
    """Return the offer for each message of a list, for a fixed number of queries.

    The messages are the organization's and come with contact, integration and content.
    """
    limits = policy_of(organization)
    waiting = _waiting_for_an_answer(messages)
    known = circumstances_of(organization.pk, messages)
    return {
        one.pk: replace(
            _offer(one, known[one.pk], limits, follows=one.pk in waiting),
            is_needed=not (
                known[one.pk].is_taken_over or known[one.pk].is_every_part_sent
            ),
        )
        for one in messages
    }


def templates_for(message: Message) -> list[Content]:
    """Return the organization's templates that the message's provider accepts."""
    if message.integration is None:
        return []
    provider = message.integration.provider
    listed = Content.objects.filter(
        organization=message.organization_id,
        kind=ContentKind.TEMPLATE,
        archived_at=None,
    ).order_by("-pk")[:MOST_TEMPLATES]
    return [one for one in listed if not provider.refusals(one.kind, one.payload)]


def _offer(
    message: Message,
    found: Circumstances,
    limits: policy.RetryPolicy,
    *,
    follows: bool,
) -> Offer:
    plain = standing_of(found, limits)
    if message.state in ARRIVED_STATES:
        return Offer(plain, Question.NONE, "", copy=True)
    if plain.allowed:
        return Offer(plain, Question.NONE, "")
    question = _question(message, plain)
    if question is Question.NONE:
        return Offer(plain, question, plain.sentence)
    answered = standing_of(
        found,
        limits,
        accepts_duplicate=question is Question.DUPLICATE,
        fixed=question is not Question.DUPLICATE,
    )
    reason = "" if answered.allowed else answered.sentence
    if follows and question is Question.OPENER:
        reason = IS_WAITING.sentence
    return Offer(answered, question, reason)


def _question(message: Message, plain: Standing) -> Question:
    """Return what to ask when the message, as it is, may not be sent again."""
    if plain.code == policy.Reason.MAY_HAVE_ARRIVED:
        return Question.DUPLICATE
    if plain.code != policy.Reason.FIX_FIRST:
        return Question.NONE
    sent = message.amended_content or message.content
    kind = sent.kind if sent else ""
    if plain.error and plain.error.code == WINDOW_CLOSED:
        return Question.OPENER
    if plain.fix is Fix.TEMPLATE and kind == ContentKind.TEMPLATE:
        return Question.REPLACEMENT
    if plain.fix is Fix.MEDIA and kind in LARGEST:
        return Question.LINK
    return Question.FIXED


def _waiting_for_an_answer(messages: Sequence[Message]) -> set[int]:
    closed = [
        one.pk for one in messages if one.error_code and one.channel == Channel.WHATSAPP
    ]
    if not closed:
        return set()
    waiting = FollowUp.objects.filter(
        message_id__in=closed, state=FollowUpState.WAITING
    )
    return set(waiting.values_list("message_id", flat=True))

"""What a page offers for a message: to send it again, and what it has to ask first.

One answer for the button, its dialog, the member's list and the embedded tab.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.utils import timezone

from messaging import policy
from messaging.channels.catalogue import Fix
from messaging.channels.contract import Channel, ContentKind
from messaging.follow_up import IS_WAITING
from messaging.media import LARGEST
from messaging.models import (
    Content,
    FollowUp,
    FollowUpState,
    IntegrationPace,
    Message,
    Organization,
)
from messaging.models.message import ARRIVED_STATES
from messaging.resend import is_window_open
from messaging.sending import available_credits
from messaging.standing import (
    Circumstances,
    Standing,
    every_part_sent,
    policy_of,
    standing_of,
    taken_over,
)

WINDOW_CLOSED: Final = "whatsapp:131047"
"""The one error that a template sent before the message cures."""
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
    the message arrived, so that only a copy can be sent.
    """

    standing: Standing
    question: Question
    reason: str
    copy: bool = False

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
    return {
        message.pk: _offer(message, found, limits, follows=message.pk in waiting)
        for message, found in _gathered(organization, messages)
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


def _gathered(
    organization: Organization, messages: Sequence[Message]
) -> list[tuple[Message, Circumstances]]:
    now = timezone.now()
    paces = IntegrationPace.objects.in_bulk(
        {one.integration_id for one in messages if one.integration_id}
    )
    prices = {
        one.pk: one.integration.credit_price if one.integration else 0
        for one in messages
    }
    credits = available_credits(organization.pk) if any(prices.values()) else 0
    theirs = taken_over(messages)
    complete = every_part_sent(messages)
    return [
        (
            one,
            Circumstances(
                state=one.state,
                resends=one.resends,
                error_code=one.error_code,
                age=(now - one.created_at).total_seconds(),
                since_failure=(now - one.state_at).total_seconds(),
                provider_pause=_pause(paces.get(one.integration_id or 0), now),
                opted_out=one.channel in one.contact.opted_out_channels,
                window_open=is_window_open(one, now),
                integration_state=one.integration.state if one.integration else "",
                price=prices[one.pk],
                credits=credits,
                is_taken_over=one.pk in theirs,
                is_every_part_sent=one.pk in complete,
            ),
        )
        for one in messages
    ]


def _pause(pace: IntegrationPace | None, now: datetime) -> float:
    if pace is None or pace.paused_until is None:
        return 0.0
    return max(0.0, (pace.paused_until - now).total_seconds())


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

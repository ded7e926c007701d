"""May a message be sent again? The one rule, over facts that are there already.

One message brings its facts by a few queries, a bulk resend brings those of a chunk
by one; both are judged here. ``policy`` decides about the message itself; what
stands around it (the integration, the credits, other runs of its broadcast) is
added here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from messaging import policy
from messaging.channels.catalogue import CatalogueEntry, Fix, lookup
from messaging.dispatch import statements
from messaging.models import Message, MessageState, Organization
from messaging.models.message import LOST_STATES
from messaging.sending import EVERY_PART_SENT, Refusal, Refused, account_refusal

TAKEN_OVER: Final = Refused(
    Refusal.TAKEN_OVER,
    "Another run of the broadcast took this person over. Look at the message of that"
    " run instead.",
)

WINDOW_CLOSED: Final = "whatsapp:131047"
"""The only error that goes away by itself when the member writes, and the one that a
template sent before the message cures."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known about a message at the moment of asking; times in seconds.

    ``window_open`` tells that the person has written since the last attempt, so that
    WhatsApp takes free-form messages to them.
    ``integration_state`` is empty without an integration, ``price`` what one
    message costs and ``credits`` what the organization has left.
    ``is_taken_over`` tells that another run of the broadcast reached the same
    person, or tried later; ``is_every_part_sent`` that providers have all of it by
    several tries, although none of them went well.
    """

    state: str
    resends: int
    error_code: str
    age: float
    since_failure: float
    provider_pause: float
    opted_out: bool
    window_open: bool
    integration_state: str
    price: int
    credits: int
    is_taken_over: bool = False
    is_every_part_sent: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """May it be sent again, and when; or why not, and what to do.

    ``wait`` is in seconds from now; ``code`` is stable. ``error`` is what the
    message failed with, and ``fix`` what would have to change first, if anything.
    """

    allowed: bool
    code: str
    sentence: str
    wait: float = 0.0
    error: CatalogueEntry | None = None
    fix: Fix | None = None
    resends: int = 0
    limit: int = 0


def policy_of(organization: Organization) -> policy.RetryPolicy:
    """Return the limits that the organization has set."""
    return policy.RetryPolicy(
        max_resends=organization.resend_limit,
        max_age_seconds=organization.resend_max_age_hours * 3600,
        ladder=tuple(minutes * 60 for minutes in organization.resend_ladder_minutes),
    )


def standing_of(
    found: Circumstances,
    limits: policy.RetryPolicy,
    *,
    accepts_duplicate: bool = False,
    fixed: bool = False,
    other_content: bool = False,
) -> Standing:
    """Judge one message.

    ``accepts_duplicate`` is the answer to the warning that an unknown message may
    have arrived; ``fixed`` says that what the error asked for has been changed, and
    ``other_content`` that something else is sent than what arrived in part.
    """
    error = lookup(found.error_code) if found.error_code else None
    refused = account_refusal(found.integration_state, found.price, found.credits)
    fixed = fixed or _is_fixed(found, error, refused)
    decision = policy.decide(
        policy.Facts(
            state=found.state,
            resends=found.resends,
            age=found.age,
            error=error,
            since_failure=found.since_failure,
            provider_pause=found.provider_pause,
            attempt_open=found.state == MessageState.SENDING,
            opted_out=found.opted_out,
            fixed=fixed,
            risk_accepted=accepts_duplicate,
        ),
        limits,
    )
    judged = Standing(
        decision.allowed,
        decision.reason.value,
        decision.sentence,
        wait=decision.wait,
        error=error,
        fix=error.fix if error and not fixed else None,
        resends=found.resends,
        limit=limits.max_resends,
    )
    if found.is_taken_over:
        refused = TAKEN_OVER
    elif found.is_every_part_sent and not other_content:
        refused = EVERY_PART_SENT
    if judged.allowed and refused:
        return replace(
            judged, allowed=False, code=refused.code, sentence=refused.sentence
        )
    return judged


def taken_over(messages: Iterable[Message]) -> set[int]:
    """Return those whose person another run reached, or tried later."""
    asked = [
        one.pk for one in messages if one.broadcast_id and one.state in LOST_STATES
    ]
    return _those_where("taken_over_by", asked)


def every_part_sent(messages: Iterable[Message]) -> set[int]:
    """Return those of which providers have all parts, by several tries.

    They failed nevertheless, or are in doubt.
    """
    asked = [
        one.pk for one in messages if one.state in LOST_STATES and one.parts_sent > 1
    ]
    return _those_where("every_part_sent", asked)


def _those_where(condition: str, message_ids: list[int]) -> set[int]:
    """Return the messages for which this part of the engine's statements is true."""
    if not message_ids:
        return set()
    rows = statements.rows(
        "those_where",
        {"message_ids": message_ids},
        condition=statements.part(condition),
    )
    return {row["id"] for row in rows}


def _is_fixed(
    found: Circumstances, error: CatalogueEntry | None, refused: Refused | None
) -> bool:
    """Tell whether what the error asked for is there by now, as far as we can see."""
    if error is None:
        return False
    if error.fix is Fix.CREDITS:
        return refused is None
    return error.code == WINDOW_CLOSED and found.window_open

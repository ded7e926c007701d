"""Resend one message: the one service behind every button and endpoint.

It gathers the facts, lets ``policy`` decide, opens the attempt through the
engine, and answers with a value that each door puts into its own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from messaging import policy, trail
from messaging.circumstances import circumstances_of
from messaging.dispatch import again, statements
from messaging.models import (
    Content,
    Message,
    MessageState,
)
from messaging.sending import (
    INTEGRATION_OFF,
    Asker,
    Outcome,
    Refusal,
    Refused,
    Scheduled,
    Sent,
    fresh,
    record_resend,
    send_new,
    send_or_wait,
)
from messaging.standing import Standing, policy_of, standing_of
from resend_admin.ui.time_zones import moment_in_words

__all__ = [
    "IN_PROGRESS",
    "NOW",
    "Asker",
    "Outcome",
    "Refusal",
    "Refused",
    "Scheduled",
    "Sent",
    "Standing",
    "Wish",
    "cancel",
    "fresh",
    "move",
    "policy_of",
    "resend",
    "send_copy",
    "standing",
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants beyond "again, now".

    ``at`` sends later. ``accepts_duplicate`` is the answer to the warning that an
    unknown message may have arrived. ``fixed`` says that what the error asked for
    has been changed; ``content`` is sent instead of the original, which stays.
    """

    at: datetime | None = None
    accepts_duplicate: bool = False
    fixed: bool = False
    content: Content | None = None


NOW = Wish()


IN_PROGRESS = Refused(
    policy.Reason.IN_PROGRESS,
    "A resend of this message is already in progress. Wait for its outcome.",
)


def standing(message: Message, wish: Wish = NOW) -> Standing:
    """Tell whether the message may be sent again: for the button and the service.

    The message comes with its organization, contact and integration.
    """
    return standing_of(
        circumstances_of(message.organization_id, [message])[message.pk],
        policy_of(message.organization),
        accepts_duplicate=wish.accepts_duplicate,
        fixed=wish.fixed or wish.content is not None,
        other_content=wish.content is not None,
    )


def resend(message: Message, asker: Asker, wish: Wish = NOW) -> Outcome:
    """Send a message again, now or later.

    Now waits for the provider's answer, at most its time-out. Of several askers
    at the same instant one gets its attempt; the others are told that it is in
    progress. Belongs outside of any transaction.
    """
    found = standing(message, wish)
    if not found.allowed:
        return Refused(found.code, found.sentence)
    due_in = found.wait
    if wish.at is not None:
        refused = _refused_by_time(message, wish.at, found.wait)
        if refused is not None:
            return refused
        due_in = (wish.at - timezone.now()).total_seconds()
    wanted = again.Again(
        message_id=message.pk,
        attempt_count=message.attempt_count,
        due_in=max(0.0, due_in),
        content_id=wish.content.pk if wish.content else None,
        asked_by=asker.actor,
        asked_by_name=asker.name,
        asked_reason=asker.reason,
    )
    risky = wish.accepts_duplicate
    states = again.RESENDABLE_AT_RISK if risky else again.RESENDABLE
    with transaction.atomic():
        if not again.queue_again([wanted], states=states):
            return _refused_meanwhile(message, wish)
        words = f"Resent message {message.pk}"
        if due_in > 0:
            words = f"Had message {message.pk} wait to be sent again"
        if risky and message.state == MessageState.UNKNOWN:
            words += ", which may have arrived before,"
        record_resend(message, asker, words)
    return send_or_wait(
        message.pk, now=due_in <= 0, attempts_before=message.attempt_count
    )


def _refused_meanwhile(message: Message, wish: Wish) -> Refused:
    """Return why it was not queued, although a moment before it might have gone.

    Mostly somebody else came first. If nobody has touched it, something around it has
    changed: another run has reached the person, or the last part has arrived.
    """
    asked = {"pk": message.pk, "state": message.state}
    same = Message.objects.filter(**asked, attempt_count=message.attempt_count)
    if same.exists():
        found = standing(fresh(message.pk), wish)
        if not found.allowed:
            return Refused(found.code, found.sentence)
    return IN_PROGRESS


def send_copy(message: Message, asker: Asker) -> Outcome:
    """Send a message again that had been sent: as a new message, linked to it.

    The original is never downgraded. The limit of resends holds for copies too.
    """
    root_id = message.root_id or message.pk
    limit = message.organization.resend_limit
    # Reads one index entry more than the limit allows, whatever there is.
    copies = Message.objects.filter(root_id=root_id, broadcast_id=None)
    if len(copies.values_list("pk")[:limit]) >= limit:
        return Refused(
            policy.Reason.LIMIT_REACHED,
            f"A message can be sent again {limit} times at most.",
        )
    content = message.amended_content or message.content
    if message.integration is None or content is None:
        return INTEGRATION_OFF
    return send_new(
        contact=message.contact,
        integration=message.integration,
        content=content,
        asker=asker,
        recipient=message.recipient,
        parameters=message.parameters,
        root_id=root_id,
        told_as=f"Sent message {message.pk} once more",
    )


@statements.again_after_deadlock
def cancel(message: Message, asker: Asker) -> Refused | Message:
    """Take back a resend that waits; the message stands where its tries left it."""
    with transaction.atomic():
        if not again.take_back(message.pk):
            return _nothing_waits()
        record_resend(message, asker, f"Took back the resend of message {message.pk}")
    return fresh(message.pk)


def move(message: Message, at: datetime, asker: Asker) -> Refused | Message:
    """Give a resend that waits another time."""
    refused = _refused_by_time(message, at, 0.0)
    if refused is not None:
        return refused
    with transaction.atomic():
        if not again.move(message.pk, (at - timezone.now()).total_seconds()):
            return _nothing_waits()
        zone = message.organization.zone
        before = trail.moment(message.due_at, zone) if message.due_at else ""
        record_resend(
            message,
            asker,
            f"Moved the resend of message {message.pk}",
            changes=[("due", before, trail.moment(at, zone))],
        )
    return fresh(message.pk)


def _refused_by_time(message: Message, at: datetime, wait: float) -> Refused | None:
    now = timezone.now()
    soonest = now + timedelta(seconds=wait)
    hours = message.organization.resend_max_age_hours
    latest = message.created_at + timedelta(hours=hours)
    if latest < soonest:
        return Refused(
            policy.Reason.TOO_OLD_BY_THEN,
            f"The message is older than {hours} hours, so no other time is left. Keep"
            " the one it has, or cancel it.",
        )
    earliest = moment_in_words(_next_minute(soonest))
    if at <= now:
        return Refused(Refusal.TIME_PAST, still_to_come(soonest))
    if (at - now).total_seconds() + 1 < wait:
        minutes = -(-int(wait) // 60)
        return Refused(
            Refusal.TIME_TOO_SOON,
            f"Choose {earliest} or later: the provider wants at least {minutes}"
            " minutes.",
        )
    if at > latest:
        until = moment_in_words(_full_minute(latest))
        return Refused(
            policy.Reason.TOO_OLD_BY_THEN,
            f"Choose an earlier time, {until} at the latest: the message is older than"
            f" {hours} hours by then.",
        )
    return None


def still_to_come(soonest: datetime) -> str:
    """Ask for another time than one that has passed, and name the first."""
    earliest = moment_in_words(_next_minute(soonest))
    return f"Choose a time that is still to come: {earliest} or later."


def _next_minute(moment: datetime) -> datetime:
    return _full_minute(moment) + timedelta(minutes=1)


def _full_minute(moment: datetime) -> datetime:
    """Return the minute that a moment is in, because that is what can be typed."""
    return moment.replace(second=0, microsecond=0)


def _nothing_waits() -> Refused:
    return Refused(
        Refusal.NOTHING_WAITS,
        "No resend of this message is waiting any more. Look at its latest attempt.",
    )

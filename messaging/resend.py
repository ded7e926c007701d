"""Resend one message: the one service behind every button and endpoint.

It gathers the facts, lets ``policy`` decide, opens the attempt through the
engine, and answers with a value that each door puts into its own words.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.contrib.postgres.functions import TransactionNow
from django.utils import timezone

from messaging import policy
from messaging.channels.catalogue import CatalogueEntry, Fix, lookup
from messaging.channels.contract import Channel
from messaging.dispatch import again, doorbell, single
from messaging.models import (
    Actor,
    Attempt,
    Content,
    CreditAccount,
    IntegrationPace,
    IntegrationState,
    Message,
    MessageState,
    Organization,
    Priority,
)

WINDOW = timedelta(hours=24)
"""How long WhatsApp takes free-form messages after the member wrote."""


class Refusal(StrEnum):
    """Why not, beyond what ``policy.Reason`` knows. Stable: it is on the wire."""

    INSUFFICIENT_CREDITS = "insufficient_credits"
    INTEGRATION_OFF = "integration_off"
    TIME_PAST = "time_past"
    TIME_TOO_SOON = "time_too_soon"
    NOTHING_WAITS = "nothing_waits"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants the message sent again, and why."""

    actor: Actor
    name: str
    reason: str = ""


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


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not sent again. ``code`` is stable, ``sentence`` says what to do."""

    code: str
    sentence: str

    @property
    def is_in_progress(self) -> bool:
        """Whether somebody else's resend of the same message is under way."""
        return self.code in {
            policy.Reason.IN_PROGRESS.value,
            policy.Reason.ALREADY_WAITING.value,
        }


@dataclass(frozen=True, slots=True)
class Scheduled:
    """It waits in the queue until ``due_at``."""

    message: Message
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """The attempt was made; its state says what came of it."""

    message: Message
    attempt: Attempt = field(repr=False)


Outcome = Refused | Scheduled | Sent

IN_PROGRESS = Refused(
    policy.Reason.IN_PROGRESS,
    "A resend of this message is already in progress. Wait for its outcome.",
)


def policy_of(organization: Organization) -> policy.RetryPolicy:
    """Return the limits that the organization has set."""
    return policy.RetryPolicy(
        max_resends=organization.resend_limit,
        max_age_seconds=organization.resend_max_age_hours * 3600,
        ladder=tuple(minutes * 60 for minutes in organization.resend_ladder_minutes),
    )


def standing(message: Message, wish: Wish = NOW) -> Standing:
    """Tell whether the message may be sent again: for the button and the service.

    The message comes with its organization, contact and integration.
    """
    error = _error(message)
    fixed = wish.fixed or wish.content is not None or _is_fixed(message, error)
    decision = policy.decide(
        _facts(message, wish, error, fixed=fixed), policy_of(message.organization)
    )
    found = Standing(
        decision.allowed,
        decision.reason.value,
        decision.sentence,
        wait=decision.wait,
        error=error,
        fix=error.fix if error and not fixed else None,
        resends=max(0, message.attempt_count - 1),
        limit=message.organization.resend_limit,
    )
    if found.allowed and (refused := _refused_by_account(message)):
        return replace(
            found, allowed=False, code=refused.code, sentence=refused.sentence
        )
    return found


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
    if not again.queue_again([wanted], states=states):
        return IN_PROGRESS
    return _send_or_wait(message.pk, now=due_in <= 0)


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
    if message.channel in message.contact.opted_out_channels:
        return Refused(
            policy.Reason.OPTED_OUT, "The person has opted out of our messages."
        )
    if refused := _refused_by_account(message):
        return refused
    copy = Message.objects.create(
        organization_id=message.organization_id,
        contact_id=message.contact_id,
        root_id=root_id,
        integration_id=message.integration_id,
        content_id=message.amended_content_id or message.content_id,
        channel=message.channel,
        recipient=message.recipient,
        parameters=message.parameters,
        state=MessageState.QUEUED,
        due_at=TransactionNow(),
        day=timezone.localdate(timezone=message.organization.zone),
        priority=Priority.SINGLE,
        asked_by=asker.actor,
        asked_by_name=asker.name,
        asked_reason=asker.reason,
    )
    return _send_or_wait(copy.pk, now=True)


def cancel(message: Message) -> Refused | Message:
    """Take back a resend that waits; the message stands where it stood."""
    if not again.take_back(message.pk):
        return _nothing_waits()
    return fresh(message.pk)


def move(message: Message, at: datetime) -> Refused | Message:
    """Give a resend that waits another time."""
    refused = _refused_by_time(message, at, 0.0)
    if refused is not None:
        return refused
    if not again.move(message.pk, (at - timezone.now()).total_seconds()):
        return _nothing_waits()
    return fresh(message.pk)


def fresh(message_id: int) -> Message:
    """Return the message as it is now, with all that :func:`standing` needs."""
    return Message.objects.select_related(
        "organization", "contact", "integration", "content", "amended_content"
    ).get(pk=message_id)


def _send_or_wait(message_id: int, *, now: bool) -> Outcome:
    message = fresh(message_id)
    if now and message.integration is not None:
        single.send_now(message.integration, message_id)
        message = fresh(message_id)
    if message.state == MessageState.QUEUED and message.due_at is not None:
        doorbell.ring()
        return Scheduled(message, message.due_at)
    attempt = message.attempts.order_by("-number").first()
    if attempt is None or message.state in {
        MessageState.SKIPPED,
        MessageState.CANCELLED,
    }:
        return _refused_when_it_left(message)
    return Sent(message, attempt)


def _refused_when_it_left(message: Message) -> Refused:
    """Say in words what a claim refused: consent, credentials, credits."""
    if message.state == MessageState.FAILED:
        entry = lookup(message.error_code)
        return Refused(message.error_code.partition(":")[2], entry.advice)
    return Refused(message.reason, f"{message.get_reason_display()}.")


def _facts(
    message: Message, wish: Wish, error: CatalogueEntry | None, *, fixed: bool
) -> policy.Facts:
    now = timezone.now()
    return policy.Facts(
        state=message.state,
        resends=max(0, message.attempt_count - 1),
        age=(now - message.created_at).total_seconds(),
        error=error,
        since_failure=(now - message.state_at).total_seconds(),
        provider_pause=_provider_pause(message, now),
        attempt_open=message.state == MessageState.SENDING,
        opted_out=message.channel in message.contact.opted_out_channels,
        fixed=fixed,
        risk_accepted=wish.accepts_duplicate,
    )


def _error(message: Message) -> CatalogueEntry | None:
    return lookup(message.error_code) if message.error_code else None


def _is_fixed(message: Message, error: CatalogueEntry | None) -> bool:
    """Tell whether what the error asked for is there by now, as far as we can see."""
    if error is None:
        return False
    if error.fix is Fix.CREDITS:
        return _refused_by_account(message) is None
    if error.fix is Fix.TEMPLATE and message.channel == Channel.WHATSAPP:
        wrote_at = message.contact.whatsapp_inbound_at
        return wrote_at is not None and wrote_at > timezone.now() - WINDOW
    return False


def _provider_pause(message: Message, now: datetime) -> float:
    pace = IntegrationPace.objects.filter(pk=message.integration_id).first()
    if pace is None or pace.paused_until is None:
        return 0.0
    return max(0.0, (pace.paused_until - now).total_seconds())


def _refused_by_account(message: Message) -> Refused | None:
    """Refuse what could not leave: no integration that sends, or no credits."""
    integration = message.integration
    if integration is None or integration.state == IntegrationState.OFF:
        return Refused(
            Refusal.INTEGRATION_OFF,
            "The integration is switched off. Ask an admin to switch it on first.",
        )
    if integration.credit_price:
        account = CreditAccount.objects.filter(pk=message.organization_id).first()
        if account is None or account.available < integration.credit_price:
            return Refused(
                Refusal.INSUFFICIENT_CREDITS,
                f"There are not enough credits: this message costs"
                f" {integration.credit_price}. Ask an admin to top up, then try again.",
            )
    return None


def _refused_by_time(message: Message, at: datetime, wait: float) -> Refused | None:
    now = timezone.now()
    if at <= now:
        return Refused(Refusal.TIME_PAST, "Choose a time that is still to come.")
    if (at - now).total_seconds() + 1 < wait:
        minutes = -(-int(wait) // 60)
        return Refused(
            Refusal.TIME_TOO_SOON,
            f"Choose a later time: the provider wants at least {minutes} minutes.",
        )
    hours = message.organization.resend_max_age_hours
    if at > message.created_at + timedelta(hours=hours):
        return Refused(
            policy.Reason.TOO_OLD_BY_THEN,
            f"Choose an earlier time: the message is older than {hours} hours by then.",
        )
    return None


def _nothing_waits() -> Refused:
    return Refused(
        Refusal.NOTHING_WAITS,
        "No resend of this message is waiting any more. Look at its latest attempt.",
    )

"""One message on its own leaves now: what it takes, and what came of it.

Below :mod:`messaging.resend` and the doors: the message is in the queue already,
or is put there; the engine's own claim, send and settle take it from there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from time import monotonic, sleep

from django.contrib.postgres.functions import TransactionNow
from django.db import transaction
from django.utils import timezone

from messaging import policy, trail
from messaging.channels.catalogue import lookup
from messaging.dispatch import doorbell, single
from messaging.models import (
    Actor,
    Attempt,
    AuditKind,
    Contact,
    Content,
    CreditAccount,
    Integration,
    IntegrationState,
    Message,
    MessageState,
    Organization,
    Priority,
    SkipReason,
)
from messaging.models.message import LOST_STATES
from messaging.reasons import reason_and_next_step
from messaging.trail import Doer

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.1


class Refusal(StrEnum):
    """Why not, beyond what ``policy.Reason`` knows. Stable: it is on the wire."""

    INSUFFICIENT_CREDITS = "insufficient_credits"
    INTEGRATION_OFF = "integration_off"
    TIME_PAST = "time_past"
    TIME_TOO_SOON = "time_too_soon"
    NOTHING_WAITS = "nothing_waits"
    TAKEN_OVER = "taken_over"
    EVERY_PART_SENT = "every_part_sent"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants the message sent, and why."""

    actor: Actor
    name: str
    reason: str = ""
    person_id: int | None = None
    client_id: int | None = None

    @property
    def doer(self) -> Doer:
        """The same for the audit trail."""
        return Doer(self.actor, self.name, self.person_id, self.client_id)


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not sent. ``code`` is stable, ``sentence`` says what to do."""

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

INTEGRATION_OFF = Refused(
    Refusal.INTEGRATION_OFF,
    "The integration is switched off. Ask an admin to switch it on first.",
)

EVERY_PART_SENT = Refused(
    Refusal.EVERY_PART_SENT,
    "The provider has every part of this message, by several tries, so nothing is left"
    " to send. Should a receipt say that one was lost after all, it can be sent again.",
)


def send_new(
    *,
    contact: Contact,
    integration: Integration,
    content: Content,
    asker: Asker,
    recipient: str = "",
    parameters: Mapping[str, str] | None = None,
    root_id: int | None = None,
    told_as: str = "",
) -> Outcome:
    """Send a content to one person as a message of its own, and wait for the answer.

    ``recipient`` is where to, if it is not the person's present address. What
    the placeholders stand for is in ``parameters``. ``told_as`` says what it is in
    the audit trail, where nothing stands of what is sent for the first time. Belongs
    outside of any transaction.
    """
    queued = queue_new(
        contact=contact,
        integration=integration,
        content=content,
        asker=asker,
        recipient=recipient,
        parameters=parameters,
        root_id=root_id,
        told_as=told_as,
    )
    if isinstance(queued, Refused):
        return queued
    return send_or_wait(queued.pk, now=True)


def queue_new(
    *,
    contact: Contact,
    integration: Integration,
    content: Content,
    asker: Asker,
    recipient: str = "",
    parameters: Mapping[str, str] | None = None,
    root_id: int | None = None,
    told_as: str = "",
) -> Message | Refused:
    """Put a message of its own into the queue, due at once; nothing is sent yet."""
    channel = integration.channel
    if channel in contact.opted_out_channels:
        return Refused(
            policy.Reason.OPTED_OUT, "The person has opted out of our messages."
        )
    if refused := refused_by_account(integration):
        return refused
    organization = integration.organization
    with transaction.atomic():
        message = Message.objects.create(
            organization=organization,
            contact=contact,
            root_id=root_id,
            integration=integration,
            content=content,
            channel=channel,
            recipient=recipient or contact.address(channel),
            parameters=dict(parameters or {}),
            state=MessageState.QUEUED,
            due_at=TransactionNow(),
            day=timezone.localdate(timezone=organization.zone),
            priority=Priority.SINGLE,
            asked_by=asker.actor,
            asked_by_name=asker.name,
            asked_reason=asker.reason,
        )
        if told_as:
            record_resend(message, asker, told_as)
    return message


def record_resend(
    message: Message,
    asker: Asker,
    words: str,
    *,
    changes: Sequence[trail.Change] = (),
) -> None:
    """Put on record who sends a message again, and why; what nobody asked for, not.

    ``words`` do not name members: the trail outlives what is kept of them. The log
    has the line without the person.
    """
    names = {
        "organization_id": message.organization_id,
        "integration_id": message.integration_id,
        "message_id": message.pk,
    }
    transaction.on_commit(lambda: logger.info(words, extra=names))
    if asker.actor not in {Actor.PERSON, Actor.API}:
        return
    trail.record(
        AuditKind.RESEND,
        f"{words} on {message.get_channel_display()}.",
        organization_id=message.organization_id,
        doer=asker.doer,
        reason=asker.reason,
        changes=changes,
        link=f"/messages/{message.pk}/",
    )


def send_or_wait(message_id: int, *, now: bool, attempts_before: int = 0) -> Outcome:
    """Send a message that is in the queue; tell what came of it, or when it is due.

    It stays in the queue, too, when a rate or a pause keeps it from leaving.
    ``attempts_before`` is how many attempts there were when it was queued.
    """
    message = fresh(message_id)
    if now and message.integration is not None:
        if not single.send_now(message.integration, message_id):
            _await_pump(message.integration, message_id)
        message = fresh(message_id)
    if message.state == MessageState.QUEUED and message.due_at is not None:
        doorbell.ring()
        return Scheduled(message, message.due_at)
    attempt = message.attempts.filter(number__gt=attempts_before).last()
    if attempt is None:
        return _refused_when_it_left(message)
    return Sent(message, attempt)


def _await_pump(integration: Integration, message_id: int) -> None:
    """Wait while a pump that was quicker sends the message, as long as it may take."""
    sending = Message.objects.filter(pk=message_id, state=MessageState.SENDING)
    patience = monotonic() + integration.provider.timeout
    while sending.exists() and monotonic() < patience:
        sleep(LOOK_EVERY_SECONDS)


def fresh(message_id: int) -> Message:
    """Return the message as it is now, with all that judging it needs."""
    return Message.objects.select_related(
        "organization", "contact", "integration", "content", "amended_content"
    ).get(pk=message_id)


def refused_by_account(integration: Integration | None) -> Refused | None:
    """Refuse what could not leave: no integration that sends, or no credits."""
    if integration is None:
        return INTEGRATION_OFF
    price = integration.credit_price
    available = available_credits(integration.organization_id) if price else 0
    return account_refusal(integration.state, price, available)


def available_credits(organization_id: int) -> int:
    """Return what the organization may still spend."""
    account = CreditAccount.objects.filter(pk=organization_id).first()
    return account.available if account else 0


def account_refusal(state: str, price: int, available: int) -> Refused | None:
    """Refuse what could not leave, by facts that are known already.

    ``state`` is the integration's, empty where there is none; ``price`` and
    ``available`` are credits.
    """
    if state in {"", IntegrationState.OFF}:
        return INTEGRATION_OFF
    if available < price:
        return Refused(
            Refusal.INSUFFICIENT_CREDITS,
            f"There are not enough credits: this message costs {price}. Ask whoever"
            " runs this server to top up, then try again.",
        )
    return None


def _refused_when_it_left(message: Message) -> Refused:
    """Say in words what a claim refused: consent, credentials, credits."""
    is_left = message.state in LOST_STATES
    if is_left and message.reason == SkipReason.ALREADY_REACHED:
        return EVERY_PART_SENT
    if message.state == MessageState.FAILED:
        entry = lookup(message.error_code)
        return Refused(message.error_code.partition(":")[2], entry.advice)
    return Refused(message.reason, reason_and_next_step(message.reason))


def sender_for(organization: Organization, channel: str) -> Integration | None:
    """Return the integration that sends what names none: the oldest active one."""
    return (
        Integration.objects.select_related("organization")
        .filter(
            organization=organization, channel=channel, state=IntegrationState.ACTIVE
        )
        .order_by("pk")
        .first()
    )


def member_with_phone(organization: Organization, phone: str) -> Contact:
    """Return the member with this number (E.164 with a plus), a new one if need be.

    Of several with the same number the one who has opted out counts: the number
    is written to, not the name.
    """
    known = Contact.objects.filter(organization=organization, phone=phone)
    found = (
        known.exclude(opted_out_channels=[]).order_by("pk").first()
        or known.order_by("pk").first()
    )
    if found is not None:
        return found
    made, _ = Contact.objects.get_or_create(
        organization=organization, external_id=phone, defaults={"phone": phone}
    )
    return made

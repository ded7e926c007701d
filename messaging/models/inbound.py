"""What members wrote to a device, readable or not, and who asked for it again."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from messaging.models.integration import Integration
from messaging.models.message import Actor
from messaging.models.organization import Organization

MOST_REQUESTS = 5
"""Retry receipts for one message; devices stop counting there, and so do we."""


class RequestOutcome(models.TextChoices):
    """What became of a request; only the gateway's part of it."""

    OPEN = "open", "Being asked for"
    ACCEPTED = "accepted", "Asked for"
    REFUSED = "refused", "Not asked for"
    UNCLEAR = "unclear", "May have been asked for"


class RetransmissionRequest(models.Model):
    """One retry receipt for one or more messages of one chat, and who wanted it."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False
    )
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, db_index=False
    )
    chat_jid = models.CharField(max_length=80)
    sender_jid = models.CharField(max_length=80)
    message_ids: ArrayField[list[str], list[str]] = ArrayField(
        models.CharField(max_length=128)
    )
    asked_by = models.CharField(max_length=10, choices=Actor.choices)
    asked_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(db_default=Now())
    outcome = models.CharField(
        max_length=10, choices=RequestOutcome.choices, default=RequestOutcome.OPEN
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=80, blank=True, default="")
    error_detail = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="open", settled_at__isnull=True)
                | ~Q(outcome="open") & Q(settled_at__isnull=False),
                name="retransmission_request_settled",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=RequestOutcome.values),
                name="retransmission_request_outcome_known",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="retransmission_newest"),
            models.Index(
                fields=["created_at"],
                condition=Q(outcome="open"),
                name="retransmission_open",
            ),
            models.Index(
                fields=["organization", "created_at"], name="retransmission_by_age"
            ),
            GinIndex(fields=["message_ids"], name="retransmission_of_message"),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {', '.join(self.message_ids)}"


class InboundState(models.TextChoices):
    RECEIVED = "received", "Received"
    WAITING = "waiting", "Not readable"
    REQUESTED = "requested", "Asked for again"
    RECOVERED = "recovered", "Recovered"
    EXPIRED = "expired", "Given up"


OPEN_INBOUND_STATES = (InboundState.WAITING, InboundState.REQUESTED)
QUEUE_STATES = (*OPEN_INBOUND_STATES, InboundState.RECOVERED, InboundState.EXPIRED)
"""States of messages that could not be read at some time."""


class ExpiryReason(models.TextChoices):
    TOO_OLD = "too_old", "Nobody sent it again in time"
    IN_VAIN = "in_vain", "It was asked for as often as it may be"


class InboundMessage(models.Model):
    """One message that came to a device, by its own id.

    ``phone`` is the member's number, whichever of the two wrote it; empty where a
    chat does not tell. ``heard_at`` is empty for an id that nobody but a request has
    ever named. Before ``quiet_until`` the same message is not asked for once more.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False
    )
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, db_index=False
    )
    message_id = models.CharField(max_length=128)
    chat_jid = models.CharField(max_length=80)
    sender_jid = models.CharField(max_length=80, blank=True, default="")
    phone = models.CharField(max_length=16, blank=True, default="")
    push_name = models.CharField(max_length=100, blank=True, default="")
    is_from_us = models.BooleanField(default=False)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())
    heard_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(
        max_length=10, choices=InboundState.choices, default=InboundState.WAITING
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(
        max_length=10, choices=ExpiryReason.choices, blank=True, default=""
    )
    requests = models.PositiveSmallIntegerField(default=0)
    requested_at = models.DateTimeField(null=True, blank=True)
    quiet_until = models.DateTimeField(null=True, blank=True)
    request = models.ForeignKey(
        RetransmissionRequest,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The latest one.",
    )
    kind = models.CharField(max_length=20, blank=True, default="")
    text = models.TextField(blank=True, default="")
    media_url = models.CharField(max_length=2000, blank=True, default="")
    media_name = models.CharField(max_length=200, blank=True, default="")
    media_again_at = models.DateTimeField(
        null=True, blank=True, help_text="When its file was sent once more."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "message_id"], name="inbound_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=InboundState.values), name="inbound_state_known"
            ),
            models.CheckConstraint(
                condition=Q(requests__lte=MOST_REQUESTS), name="inbound_requests_few"
            ),
            models.CheckConstraint(
                condition=~Q(state="requested")
                | Q(requests__gt=0, requested_at__isnull=False),
                name="inbound_requested_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["recovered", "expired"], closed_at__isnull=False)
                | ~Q(state__in=["recovered", "expired"]) & Q(closed_at__isnull=True),
                name="inbound_closed_when_final",
            ),
            models.CheckConstraint(
                condition=Q(state="expired") & ~Q(reason="")
                | ~Q(state="expired") & Q(reason=""),
                name="inbound_expired_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-id"],
                condition=~Q(state="received"),
                name="inbound_queue",
            ),
            models.Index(
                fields=["organization", "state", "-id"],
                condition=~Q(state="received"),
                name="inbound_queue_by_state",
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=["waiting", "requested"]),
                name="inbound_open_by_age",
            ),
            models.Index(
                fields=["organization", "phone", "-occurred_at", "-id"],
                condition=~Q(phone=""),
                name="inbound_of_member",
            ),
            models.Index(fields=["organization", "created_at"], name="inbound_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.message_id}"

"""One communication to one person, and where it stands now."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now
from django.db.models.lookups import Exact

from messaging.models.contact import Contact, channel_choices
from messaging.models.content import Content
from messaging.models.integration import Integration
from messaging.models.organization import Organization
from messaging.models.suffix import LENGTH, random_suffix

IS_MILESTONE = Q(Exact(F("id") % 61, 0))
"""One message in some sixty tells how old those around it are. Attempts share the
numbers of messages, in patterns that repeat: of a prime, each has its turn."""


class MessageState(models.TextChoices):
    PLANNED = "planned", "Scheduled"
    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    DELIVERED = "delivered", "Delivered"
    READ = "read", "Read"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Unknown"
    SKIPPED = "skipped", "Skipped"
    CANCELLED = "cancelled", "Cancelled"


WAITING_STATES = (MessageState.PLANNED, MessageState.QUEUED)
REACHED_STATES = (MessageState.SENT, MessageState.DELIVERED, MessageState.READ)
ARRIVED_STATES = (MessageState.DELIVERED, MessageState.READ)
COVERING_STATES = (*WAITING_STATES, MessageState.SENDING, *REACHED_STATES)
"""Whoever stands so in a run of a chain needs no retry from another one."""
LOST_STATES = (MessageState.FAILED, MessageState.UNKNOWN)
"""The last try is over, and nobody knows that it reached anyone."""


class SkipReason(models.TextChoices):
    """Why a message was not sent on purpose, or was taken back.

    Also why the last try that somebody asked for did not leave, where an earlier one
    is still in doubt: the message stands as that one left it.
    """

    NO_CHANNEL = "no_channel", "The member has no address on any channel"
    NO_ROUTE = "no_route", "No route of this broadcast reaches the member"
    OPTED_OUT = "opted_out", "The member opted out"
    WINDOW_CLOSED = (
        "window_closed",
        "The member's last WhatsApp message is older than 24 hours"
        " and there is no fallback",
    )
    FLOW_UNPUBLISHED = "flow_unpublished", "The flow is not published"
    EXPIRED = "expired", "It was not worth sending any more"
    INTEGRATION_OFF = "integration_off", "The integration is switched off"
    CREDENTIALS = "credentials", "The integration's credentials are incomplete"
    CONTENT = "content", "The channel cannot carry this content"
    CANCELLED = "cancelled", "A person cancelled it"
    ALREADY_REACHED = "already_reached", "An earlier try reached the member after all"
    ON_ITS_WAY = "on_its_way", "Another try was on its way to the member already"
    IN_DOUBT = "in_doubt", "An earlier try may have reached the member"
    INSUFFICIENT_CREDITS = "insufficient_credits", "There were not enough credits"
    MISSED_TIME = "missed_time", "It was due while the system was down for too long"


class Actor(models.TextChoices):
    """Who wanted an attempt."""

    BROADCAST = "broadcast", "Broadcast"
    PERSON = "person", "Person"
    API = "api", "API client"
    AUTOMATIC = "automatic", "Automatic retry"


class Priority(models.IntegerChoices):
    """What is claimed first when both are due."""

    SINGLE = 0
    BULK = 5


class Message(models.Model):
    """The current standing of one communication; its tries are the attempts.

    Only ``messaging.dispatch`` and ``messaging.receipts`` change ``state``, as
    one guarded ``UPDATE``. ``broadcast_id`` is a plain number here: messaging
    does not know broadcasts. ``root`` is the message that the first run of a
    chain of broadcasts sent to this person; the first one itself has none.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False, related_name="messages"
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.PROTECT, db_index=False, related_name="messages"
    )
    broadcast_id = models.BigIntegerField(null=True, blank=True)
    root = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="retries",
    )
    integration = models.ForeignKey(
        Integration,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="messages",
    )
    content = models.ForeignKey(
        Content,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="messages",
    )
    amended_content = models.ForeignKey(
        Content,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text="What later attempts send instead, such as a working media link.",
    )
    created_at = models.DateTimeField(db_default=Now())
    state_at = models.DateTimeField(
        db_default=Now(), help_text="When the state last changed."
    )
    due_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    day = models.DateField(help_text="The day its tallies count under.")
    attempt_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    given_back = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Attempts that ended before anything left; no resends.",
    )
    parts_sent = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Parts of a flow that a provider accepted; a retry goes on there.",
    )
    """A bit for each part, so that a part that fails later leaves a hole: the next
    attempt sends just what is missing. Fifteen parts fit."""
    priority = models.PositiveSmallIntegerField(
        choices=Priority.choices, default=Priority.BULK, db_default=Priority.BULK
    )
    earlier_tries = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Attempts of earlier runs of the chain, when this row was made.",
    )
    first_failed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When this person was first not reached; a retry inherits it.",
    )
    """Written by a trigger, once, with the first *failed* or *unknown*."""
    first_day = models.DateField(
        null=True,
        blank=True,
        help_text="On rows of a retry: the day of the first run of the chain.",
    )
    recovered_by = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="The resend along the chain that arrived after a failure.",
    )
    """These three are written together, once, when a try that answers a failure
    arrives; on channels without receipts, when it is accepted."""
    recovered_in = models.FloatField(
        null=True, blank=True, help_text="Seconds from first failure to arrival."
    )
    recovered_for = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Credits for the try that arrived."
    )
    used_fallback = models.BooleanField(default=False, db_default=False)
    reached_before = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Another run of the chain had reached this person already.",
    )
    state = models.CharField(max_length=10, choices=MessageState.choices)
    channel = models.CharField(
        max_length=10, choices=channel_choices, blank=True, default="", db_default=""
    )
    recipient = models.CharField(max_length=254, blank=True, default="", db_default="")
    reason = models.CharField(
        max_length=20,
        choices=SkipReason.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Why it was skipped or cancelled, or its last try did not leave.",
    )
    error_code = models.CharField(max_length=80, blank=True, default="", db_default="")
    error_class = models.CharField(max_length=10, blank=True, default="", db_default="")
    earlier_error = models.CharField(
        max_length=80,
        blank=True,
        default="",
        db_default="",
        help_text="On rows of a retry: why the person was not reached before.",
    )
    asked_by = models.CharField(
        max_length=10,
        choices=Actor.choices,
        default=Actor.BROADCAST,
        db_default=Actor.BROADCAST,
        help_text="Who asked for the next attempt; copied onto it when it opens.",
    )
    asked_by_name = models.CharField(
        max_length=150, blank=True, default="", db_default=""
    )
    asked_reason = models.CharField(
        max_length=300, blank=True, default="", db_default=""
    )
    asked_in_bulk = models.BigIntegerField(
        null=True, blank=True, help_text="The bulk resend that asked for it."
    )
    suffix = models.CharField(
        max_length=LENGTH,
        editable=False,
        db_default=random_suffix(),
    )
    parameters = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        help_text="Values of the placeholders, as they were when it was planned.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["broadcast_id", "contact"],
                condition=Q(broadcast_id__isnull=False),
                name="message_once_per_broadcast",
            ),
            models.CheckConstraint(
                condition=Q(state__in=MessageState.values), name="message_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["queued", "sending"])
                | Q(integration__isnull=False, content__isnull=False)
                & ~Q(recipient="")
                & ~Q(channel=""),
                name="message_sendable_when_queued",
            ),
            models.CheckConstraint(
                condition=Q(state="queued", due_at__isnull=False) | ~Q(state="queued"),
                name="message_queued_is_due",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error_code="") & ~Q(error_class=""),
                name="message_failed_has_error",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["skipped", "cancelled"]) | ~Q(reason=""),
                name="message_skipped_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["delivered", "read"], delivered_at__isnull=False)
                | ~Q(state__in=["delivered", "read"]) & Q(delivered_at__isnull=True),
                name="message_delivered_is_final",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sending", "sent", "unknown"])
                | Q(attempt_count__gt=0),
                name="message_left_by_an_attempt",
            ),
        ]
        indexes = [
            models.Index(
                fields=["integration", "priority", "due_at", "id"],
                condition=Q(state="queued"),
                name="message_due",
            ),
            models.Index(fields=["organization", "-id"], name="message_newest"),
            models.Index(
                fields=["organization", "state", "integration", "-id"],
                name="message_by_way",
            ),
            models.Index(
                fields=["organization", "state", "-id"],
                condition=Q(integration__isnull=True),
                name="message_without_way",
            ),
            models.Index(
                fields=[
                    "organization",
                    "error_class",
                    "error_code",
                    "integration",
                    "-id",
                ],
                condition=Q(state="failed"),
                name="message_failed",
            ),
            models.Index(
                fields=["broadcast_id", "error_code", "id"],
                condition=Q(state="failed", broadcast_id__isnull=False),
                name="message_failed_of_broadcast",
            ),
            models.Index(
                fields=["organization", "error_code", "state_at"],
                condition=Q(state="failed"),
                name="message_failed_by_cause",
            ),
            models.Index(
                fields=["organization", "integration", "-id"],
                condition=Q(state="queued", attempt_count__gt=0),
                name="message_waits_to_retry",
            ),
            # Who narrows a list by an error looks for these as well, and there may be
            # a million in the queues that never had one.
            models.Index(
                fields=["organization", "error_code", "state", "integration", "-id"],
                condition=Q(state__in=["queued", "unknown"]) & ~Q(error_code=""),
                name="message_not_over_by_code",
            ),
            models.Index(
                fields=["organization", "error_class", "state", "integration", "-id"],
                condition=Q(state__in=["queued", "unknown"]) & ~Q(error_code=""),
                name="message_not_over_by_class",
            ),
            models.Index(
                fields=["broadcast_id", "state", "id"],
                condition=Q(broadcast_id__isnull=False),
                name="message_of_broadcast",
            ),
            models.Index(fields=["contact", "-id"], name="message_of_contact"),
            models.Index(
                fields=["root"],
                condition=Q(root__isnull=False),
                name="message_of_chain",
            ),
            models.Index(
                fields=["organization", "created_at"],
                condition=IS_MILESTONE,
                name="message_milestone",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        """The id that other programs see: ``ra_<channel>_<id>_<9 hex>``."""
        return f"ra_{self.channel or 'none'}_{self.pk}_{self.suffix}"

    @property
    def resends(self) -> int:
        """How often it was sent again; what never left does not count."""
        return max(0, self.attempt_count - self.given_back - 1)

    @property
    def is_waiting_to_retry(self) -> bool:
        return self.state == MessageState.QUEUED and self.attempt_count > 0

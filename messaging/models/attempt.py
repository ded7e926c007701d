"""One try to hand one message to a provider."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from messaging.models.contact import channel_choices
from messaging.models.content import Content
from messaging.models.integration import Integration
from messaging.models.message import Actor, Message
from messaging.models.organization import Organization
from messaging.models.suffix import LENGTH, random_suffix


class AttemptState(models.TextChoices):
    """In the order in which later words beat earlier ones; see ``receipts``."""

    OPEN = "open", "Sending"
    UNKNOWN = "unknown", "Unknown"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    DELIVERED = "delivered", "Delivered"
    READ = "read", "Read"


class Attempt(models.Model):
    """Numbered 1, 2, 3… per message; committed *before* the provider is called.

    Ids come from the sequence of the messages, so a number that a client holds
    names either a message or an attempt, never both.

    ``broadcast_id``, ``channel``, ``day``, ``chain_offset`` and ``first_failed_at``
    repeat the message's, so that its tally needs no join. So do ``organization``,
    ``integration`` and ``content``: their foreign keys are the message's, which
    PostgreSQL need not look up again for every attempt, nor the message itself, which
    the same statement changes. Triggers keep a message, an integration and a content as
    long as an attempt names them. ``answer`` is what the provider said, cut to 4 kB.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False, db_constraint=False
    )
    message = models.ForeignKey(
        Message,
        on_delete=models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="attempts",
    )
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    broadcast_id = models.BigIntegerField(null=True, blank=True)
    bulk_id = models.BigIntegerField(
        null=True, blank=True, help_text="The bulk resend that asked for it."
    )
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    day = models.DateField()
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    first_failed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the person was first not reached, if that was before it.",
    )
    chain_offset = models.SmallIntegerField(
        default=0,
        db_default=0,
        help_text="Tries of earlier runs of the chain, less those given back; with its"
        " number, its place.",
    )
    number = models.PositiveSmallIntegerField()
    price = models.PositiveSmallIntegerField(help_text="Credits held for it.")
    parts = models.PositiveSmallIntegerField(default=1, db_default=1)
    parts_sent = models.PositiveSmallIntegerField(default=0, db_default=0)
    parts_inherited = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Parts that were accepted before; all: it sends all again.",
    )
    pauses = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="How often the provider asked to wait within this attempt.",
    )
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=AttemptState.choices)
    channel = models.CharField(max_length=10, choices=channel_choices)
    actor = models.CharField(max_length=10, choices=Actor.choices)
    actor_name = models.CharField(max_length=150, blank=True, default="")
    reason = models.CharField(max_length=300, blank=True, default="")
    provider_id = models.CharField(
        max_length=128, blank=True, default="", db_default=""
    )
    error_code = models.CharField(max_length=80, blank=True, default="", db_default="")
    error_class = models.CharField(max_length=10, blank=True, default="", db_default="")
    error_detail = models.CharField(
        max_length=500, blank=True, default="", db_default=""
    )
    cause_code = models.CharField(
        max_length=80,
        blank=True,
        default="",
        db_default="",
        help_text="The error of the attempt before, which this one answers.",
    )
    suffix = models.CharField(
        max_length=LENGTH,
        editable=False,
        db_default=random_suffix(),
    )
    answer = models.TextField(blank=True, default="", db_default="")

    class Meta:
        ordering = ["message", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["message", "number"], name="attempt_number_once"
            ),
            models.UniqueConstraint(
                fields=["message"],
                condition=Q(state="open"),
                name="attempt_one_open_per_message",
            ),
            models.CheckConstraint(
                condition=Q(state__in=AttemptState.values), name="attempt_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | ~Q(state="open") & Q(closed_at__isnull=False),
                name="attempt_closed_when_final",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error_code="") & ~Q(error_class=""),
                name="attempt_failed_has_error",
            ),
        ]
        indexes = [
            models.Index(
                fields=["integration", "provider_id"],
                condition=~Q(provider_id=""),
                name="attempt_by_provider_id",
            ),
            models.Index(
                fields=["organization", "cause_code", "-id"],
                condition=Q(actor="automatic"),
                name="attempt_automatic",
            ),
        ]

    def __str__(self) -> str:
        return f"Attempt {self.number} of message {self.message_id}"

    @property
    def public_id(self) -> str:
        """The id that other programs see: ``ra_<channel>_resend_<id>_<9 hex>``."""
        return f"ra_{self.channel}_resend_{self.pk}_{self.suffix}"

    @property
    def resend_number(self) -> int:
        """1 for the first resend; 0 for the first send."""
        return self.number - 1

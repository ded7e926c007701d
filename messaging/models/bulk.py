"""Many messages that a person chose to send again, frozen when that was confirmed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now

from messaging.models.content import Content
from messaging.models.message import Message
from messaging.models.organization import Organization


class BulkResendState(models.TextChoices):
    FROZEN = "frozen", "Waiting to start"
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Finished"
    CANCELLED = "cancelled", "Cancelled"


class BulkItemState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    QUEUED = "queued", "Queued"
    REFUSED = "refused", "Not queued"
    CANCELLED = "cancelled", "Cancelled"


SETTLED = F("queued_count") + F("refused_count") + F("cancelled_count")


class BulkResend(models.Model):
    """One decision to send many messages again; its rows are the items.

    ``total`` never changes. The three counters are kept by the statements that
    settle the items, so no page counts rows. ``finished_at`` is set once every
    item has its outcome, also after a cancellation. With a ``cause`` it is on record
    that somebody saw to it: what fails of that cause afterwards failed again.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    created_by_name = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    scheduled_for = models.DateTimeField(
        null=True, blank=True, help_text="Starts then; empty means at once."
    )
    moved_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When it started, or an item of it last had its outcome.",
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    total = models.PositiveIntegerField(default=0)
    queued_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    cancelled_count = models.PositiveIntegerField(default=0)
    accepts_duplicate = models.BooleanField(
        default=False,
        help_text="Also messages of which nobody can tell whether they arrived.",
    )
    state = models.CharField(
        max_length=10,
        choices=BulkResendState.choices,
        default=BulkResendState.FROZEN,
    )
    chosen = models.CharField(
        max_length=500, help_text="What was selected, in the words of the list."
    )
    reason = models.CharField(max_length=300, blank=True, default="")
    forecast = models.JSONField(
        default=dict,
        blank=True,
        db_default=Value({}, models.JSONField()),
        help_text="What it was likely to bring, as told when it was confirmed.",
    )
    cause = models.CharField(
        max_length=80,
        blank=True,
        default="",
        db_default="",
        help_text="The catalogue's code of the failures that it was about, if one.",
    )
    content = models.ForeignKey(
        Content,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text="What goes out instead where the cause asks for another content.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=BulkResendState.values),
                name="bulk_resend_state_known",
            ),
            models.CheckConstraint(
                condition=Q(total__gte=SETTLED), name="bulk_resend_counts_fit"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(total=SETTLED),
                name="bulk_resend_finished_when_settled",
            ),
            models.CheckConstraint(
                condition=Q(state="completed", finished_at__isnull=False)
                | Q(state="cancelled")
                | Q(state__in=["frozen", "running"], finished_at__isnull=True),
                name="bulk_resend_finished_is_final",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="bulk_resend_newest"),
            models.Index(
                fields=["organization", "cause", "-id"],
                condition=~Q(cause=""),
                name="bulk_resend_of_cause",
            ),
            models.Index(
                fields=["id"],
                condition=Q(finished_at__isnull=True),
                name="bulk_resend_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"Bulk resend {self.pk}"

    @property
    def settled(self) -> int:
        """Items that have their outcome."""
        return self.queued_count + self.refused_count + self.cancelled_count

    @property
    def waiting_count(self) -> int:
        return self.total - self.settled

    @property
    def not_queued_count(self) -> int:
        return self.refused_count + self.cancelled_count

    @property
    def is_cancellable(self) -> bool:
        return self.state in {BulkResendState.FROZEN, BulkResendState.RUNNING}


class BulkResendItem(models.Model):
    """One message of a bulk resend, and what became of the wish.

    A message waits in one bulk resend at most, so two of them never take the same
    one. ``code`` and ``sentence`` say why it was not queued; ``cause`` is the
    catalogue's code where the error of the message is the reason. Messages are
    pruned without asking here, hence no constraint on the number.
    """

    bulk = models.ForeignKey(
        BulkResend, on_delete=models.CASCADE, db_index=False, related_name="items"
    )
    message = models.ForeignKey(
        Message,
        on_delete=models.DO_NOTHING,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    state = models.CharField(
        max_length=10, choices=BulkItemState.choices, default=BulkItemState.WAITING
    )
    code = models.CharField(max_length=40, blank=True, default="", db_default="")
    cause = models.CharField(max_length=80, blank=True, default="", db_default="")
    sentence = models.CharField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bulk", "message"], name="bulk_item_once_per_message"
            ),
            models.UniqueConstraint(
                fields=["message"],
                condition=Q(state="waiting"),
                name="bulk_item_one_waiting_per_message",
            ),
            models.CheckConstraint(
                condition=Q(state__in=BulkItemState.values),
                name="bulk_item_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "queued"], code="", sentence="")
                | Q(state__in=["refused", "cancelled"]) & ~Q(code="") & ~Q(sentence=""),
                name="bulk_item_says_why_not",
            ),
        ]
        indexes = [
            models.Index(fields=["bulk", "state", "id"], name="bulk_item_by_state"),
            models.Index(
                fields=["bulk", "id"],
                condition=Q(state__in=["refused", "cancelled"]),
                name="bulk_item_not_queued",
            ),
            models.Index(
                fields=["bulk", "code", "cause", "id"],
                condition=Q(state__in=["refused", "cancelled"]),
                name="bulk_item_by_cause",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: message {self.message_id}"


class BulkResendRefusal(models.Model):
    """How many items were not queued for one cause; kept beside the items."""

    bulk = models.ForeignKey(
        BulkResend, on_delete=models.CASCADE, db_index=False, related_name="refusals"
    )
    code = models.CharField(max_length=40)
    cause = models.CharField(max_length=80, blank=True, default="", db_default="")
    sentence = models.CharField(max_length=500)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bulk", "code", "cause"], name="bulk_refusal_once_per_cause"
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.cause}: {self.count}"


class BulkResendOutcome(models.Model):
    """What became of the tries that it asked for, by the error they answer.

    Written by a trigger on attempts, in the same transaction; automatic retries that
    follow are not its own. ``pruned`` of them have no row any more.
    """

    bulk = models.ForeignKey(
        BulkResend, on_delete=models.CASCADE, db_index=False, related_name="outcomes"
    )
    integration_id = models.BigIntegerField()
    count = models.BigIntegerField(default=0, db_default=0)
    pruned = models.BigIntegerField(default=0, db_default=0)
    state = models.CharField(max_length=10)
    cause_code = models.CharField(max_length=80, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bulk", "integration_id", "cause_code", "state"],
                name="bulk_outcome_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.cause_code} {self.state}: {self.count}"

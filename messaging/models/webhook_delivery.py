"""The outbox: what happened, whom it is told, and how each try went."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Now

from messaging.models.organization import Organization
from messaging.models.suffix import LENGTH, random_suffix
from messaging.models.webhook import FREQUENT_TYPES, WebhookEndpoint, type_choices


class WebhookEvent(models.Model):
    """One change that at least one endpoint wanted to hear of.

    Written by triggers in the transaction of the change itself, so there is one
    for each change that was committed and none for any other. The constraint on
    the organization is left out: a chunk of messages writes hundreds of events,
    and each would lock its organization's row.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    type = models.CharField(max_length=40, choices=type_choices)
    data = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    suffix = models.CharField(
        max_length=LENGTH,
        editable=False,
        db_default=random_suffix(),
    )

    class Meta:
        verbose_name = "webhook event"

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        """The ``webhook-id`` of every try, to whomever: ``evt_<id>_<9 hex>``."""
        return f"evt_{self.pk}_{self.suffix}"


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SENDING = "sending", "Sending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"


class DeliveryPriority(models.IntegerChoices):
    """Which of the due ones goes first; the triggers know the middle ones."""

    ASKED_FOR = 0, "Asked for by a person"
    RARE = 1, "Broadcasts and integrations"
    TROUBLE = 2, "Messages in trouble"
    FREQUENT = 3, "Messages on their way"
    RECOVERY = 5, "Sent again with many others"


class WebhookDelivery(models.Model):
    """One event for one endpoint: due, under way, delivered, or given up.

    ``claim`` and ``claimed_until`` say which courier holds it; what nobody has
    settled by then is due again. ``tries`` is the log, a small object each; see
    ``messaging.webhooks.settling``. Written in the transaction of the change like
    its event, and for the same reason without constraints on the numbers.
    """

    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="deliveries",
    )
    event = models.ForeignKey(
        WebhookEvent,
        on_delete=models.DO_NOTHING,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    claimed_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True, editable=False)
    priority = models.PositiveSmallIntegerField(
        choices=DeliveryPriority.choices, default=DeliveryPriority.FREQUENT
    )
    try_count = models.PositiveIntegerField(default=0, db_default=0)
    run_tries = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Tries since it was last sent again."
    )
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    type = models.CharField(max_length=40, choices=type_choices)
    state = models.CharField(
        max_length=10,
        choices=DeliveryState.choices,
        default=DeliveryState.WAITING,
        db_default=DeliveryState.WAITING,
    )
    error = models.CharField(max_length=20, blank=True, default="", db_default="")
    asked_by_name = models.CharField(
        max_length=150,
        blank=True,
        default="",
        db_default="",
        help_text="Who last had it sent again.",
    )
    tries = models.JSONField(
        default=list, db_default=Value([], models.JSONField()), blank=True
    )

    class Meta:
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values),
                name="webhook_delivery_state_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="sending", claim__isnull=False, claimed_until__isnull=False
                )
                | ~Q(state="sending")
                & Q(claim__isnull=True, claimed_until__isnull=True),
                name="webhook_delivery_held_while_sending",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["delivered", "failed"], finished_at__isnull=False
                )
                | Q(state__in=["waiting", "sending"], finished_at__isnull=True),
                name="webhook_delivery_finished_is_final",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_newest"),
            models.Index(
                fields=["endpoint", "priority", "due_at", "id"],
                condition=Q(state="waiting"),
                name="webhook_delivery_due",
            ),
            models.Index(
                fields=["endpoint", "claimed_until"],
                condition=Q(state="sending"),
                name="webhook_delivery_held",
            ),
            models.Index(
                fields=["endpoint", "created_at", "id"],
                condition=Q(state="failed"),
                name="webhook_delivery_failed",
            ),
            models.Index(
                fields=["endpoint", "type", "-id"],
                condition=~Q(type__in=FREQUENT_TYPES),
                name="webhook_delivery_rare",
            ),
        ]

    def __str__(self) -> str:
        return f"Delivery {self.pk}"

    @property
    def is_waiting_to_retry(self) -> bool:
        return self.state == DeliveryState.WAITING and self.run_tries > 0


class WebhookRecovery(models.Model):
    """Everything that failed for one endpoint since a moment, sent again.

    The set is frozen by ``frozen_at``: what had failed by then, and nothing that
    fails later. Worked off in batches; ``done_to`` is the last one that was put
    back, as a moment and an id.
    """

    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="recoveries"
    )
    since = models.DateTimeField()
    frozen_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    done_to = models.DateTimeField(null=True, blank=True)
    done_to_id = models.BigIntegerField(default=0)
    count = models.PositiveIntegerField(default=0)
    asked_by_name = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        verbose_name = "webhook recovery"
        verbose_name_plural = "webhook recoveries"
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(finished_at__isnull=True),
                name="webhook_recovery_unfinished",
            )
        ]

    def __str__(self) -> str:
        return f"Recovery {self.pk}"


class WebhookCourier(models.Model):
    """A seat for one task that carries deliveries; it lapses with its task."""

    seat = models.PositiveSmallIntegerField(primary_key=True)
    holder = models.UUIDField()
    lease_until = models.DateTimeField()

    class Meta:
        verbose_name = "webhook courier"

    def __str__(self) -> str:
        return f"Courier {self.seat}"

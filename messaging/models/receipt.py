"""What a provider told us later, kept raw before it is understood."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from messaging.models.integration import Integration
from messaging.models.organization import Organization


class ReceiptResult(models.TextChoices):
    APPLIED = "applied", "Changed an attempt or a member"
    IGNORED = "ignored", "Said nothing new"
    UNMATCHED = "unmatched", "Belongs to no attempt of this integration"
    NOT_UNDERSTOOD = "not_understood", "In words that are not known here"


class Receipt(models.Model):
    """One event of one provider; ``key`` makes a doubled post one row."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False
    )
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, db_index=False
    )
    attempt_id = models.BigIntegerField(null=True, blank=True)
    received_at = models.DateTimeField(db_default=Now())
    occurred_at = models.DateTimeField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=10)
    state = models.CharField(max_length=10, blank=True, default="")
    reference = models.CharField(max_length=40, blank=True, default="")
    provider_id = models.CharField(max_length=128, blank=True, default="")
    address = models.CharField(max_length=254, blank=True, default="")
    error_code = models.CharField(max_length=80, blank=True, default="")
    error_detail = models.CharField(max_length=500, blank=True, default="")
    result = models.CharField(
        max_length=15, choices=ReceiptResult.choices, blank=True, default=""
    )
    raw = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "key"], name="receipt_once_per_integration"
            ),
            models.CheckConstraint(
                condition=Q(applied_at__isnull=True, result="")
                | Q(applied_at__isnull=False) & ~Q(result=""),
                name="receipt_applied_has_result",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(applied_at__isnull=True),
                name="receipt_waiting",
            ),
            models.Index(
                fields=["attempt_id"],
                condition=Q(attempt_id__isnull=False),
                name="receipt_of_attempt",
            ),
            models.Index(fields=["organization", "-id"], name="receipt_newest"),
            models.Index(
                fields=["integration", "address"],
                condition=Q(result="unmatched"),
                name="receipt_unmatched",
            ),
            models.Index(fields=["received_at"], name="receipt_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state} {self.key}"

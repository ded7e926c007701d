"""What a person decided about an attempt that nobody else could settle."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from messaging.models.organization import Organization


class CountedDelivery(models.Model):
    """A person counted an *unknown* attempt as delivered: who, when, and why.

    The numbers are plain, as those of the ledger: what was decided, and charged,
    stays on record when the rows of the message are gone.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False
    )
    message_id = models.BigIntegerField()
    attempt_id = models.BigIntegerField(unique=True)
    created_at = models.DateTimeField(db_default=Now())
    person_name = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        verbose_name_plural = "counted deliveries"
        indexes = [
            models.Index(fields=["message_id"], name="counted_of_message"),
            models.Index(fields=["organization", "-id"], name="counted_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.person_name} on attempt {self.attempt_id}"

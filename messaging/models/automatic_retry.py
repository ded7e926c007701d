"""Whether failed messages of a channel are tried again without a person."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from messaging.models.contact import channel_choices
from messaging.models.organization import Organization


class AutomaticRetry(models.Model):
    """Off unless a row says otherwise, per organization and channel."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="automatic_retries"
    )
    channel = models.CharField(max_length=10, choices=channel_choices)
    is_on = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "automatic retries"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "channel"], name="automatic_retry_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {'on' if self.is_on else 'off'}"


class StoppedRetry(models.Model):
    """An error code whose automatic retries stopped: they brought too little.

    ``delivered`` of the last ``tried`` automatic retries had arrived. They go on
    when a person sets ``resumed_at``; what is tried after that is judged anew.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="stopped_retries"
    )
    error_code = models.CharField(max_length=80)
    tried = models.PositiveIntegerField()
    delivered = models.PositiveIntegerField()
    stopped_at = models.DateTimeField(auto_now_add=True)
    resumed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "stopped retries"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "error_code"],
                condition=Q(resumed_at__isnull=True),
                name="stopped_retry_once",
            )
        ]

    def __str__(self) -> str:
        return self.error_code

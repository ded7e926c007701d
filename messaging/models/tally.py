"""Counters that never expire and never lie: triggers write them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from messaging.models.organization import Organization


class TallyUnit(models.TextChoices):
    """What a tally counts.

    A *message* counts once, under the state in which it stands now and the
    number of its latest attempt. An *attempt* counts once it is closed, under
    its own state and number, for ever.
    """

    MESSAGE = "message", "Messages"
    ATTEMPT = "attempt", "Attempts"


class Tally(models.Model):
    """A count by (broadcast, day, channel, attempt number, outcome, error code).

    Written by triggers on messages and attempts, in the transaction that
    changes them. ``count`` is for ever; ``pruned`` says how many of them have no
    row any more, so that the check can compare the rest with the rows.
    ``error_code`` carries the reason for skipped and cancelled messages.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False
    )
    broadcast_id = models.BigIntegerField(null=True, blank=True)
    day = models.DateField()
    count = models.BigIntegerField(default=0, db_default=0)
    pruned = models.BigIntegerField(default=0, db_default=0)
    attempt_number = models.PositiveSmallIntegerField()
    reached_before = models.BooleanField(default=False)
    unit = models.CharField(max_length=8, choices=TallyUnit.choices)
    channel = models.CharField(max_length=10, blank=True)
    outcome = models.CharField(max_length=10)
    error_class = models.CharField(max_length=10, blank=True)
    error_code = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "organization",
                    "broadcast_id",
                    "unit",
                    "day",
                    "channel",
                    "attempt_number",
                    "outcome",
                    "error_class",
                    "error_code",
                    "reached_before",
                ],
                nulls_distinct=False,
                name="tally_key",
            ),
            models.CheckConstraint(
                condition=Q(unit__in=TallyUnit.values), name="tally_unit_known"
            ),
        ]
        indexes = [
            models.Index(fields=["broadcast_id", "unit"], name="tally_of_broadcast"),
            models.Index(fields=["organization", "unit", "day"], name="tally_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.outcome}: {self.count}"

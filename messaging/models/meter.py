"""What metrics are read from: counters that only grow, whoever writes them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from messaging.models.organization import Organization


class MeterSeries(models.TextChoices):
    """What a meter counts.

    A *message* counts each time it comes to an outcome, so that a rate means
    something; an *attempt* counts once, when its duration is known.
    """

    MESSAGE = "message", "Messages by outcome"
    SECONDS = "seconds", "Attempts by duration"


class Meter(models.Model):
    """How many came to a label, and how many left it again, since ever.

    Written by triggers, in the transaction that changes the rows: right whichever
    process is asked, and a handful of rows for each organization. For messages the
    label is the outcome, and ``came - gone`` is how many stand there now; for
    attempts it is the upper bound of a bucket, in milliseconds, or ``inf``.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False
    )
    came = models.BigIntegerField(default=0, db_default=0)
    gone = models.BigIntegerField(default=0, db_default=0)
    milliseconds = models.BigIntegerField(default=0, db_default=0)
    series = models.CharField(max_length=8, choices=MeterSeries.choices)
    channel = models.CharField(max_length=10, blank=True)
    label = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "series", "channel", "label"], name="meter_key"
            ),
            models.CheckConstraint(
                condition=Q(series__in=MeterSeries.values), name="meter_series_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.channel} {self.label}: {self.came}"

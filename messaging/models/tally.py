"""Counters that never expire and never lie: triggers write them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from messaging.models.organization import Organization


class TallyUnit(models.TextChoices):
    """What a tally counts.

    A *message* counts once, under the state in which it stands now and the
    number of its latest attempt. An *attempt* counts once it is closed, under
    its own state, for ever; its number is that along the chain of broadcasts, so
    that the first attempt of a retry counts as a resend.
    """

    MESSAGE = "message", "Messages"
    ATTEMPT = "attempt", "Attempts"


class Tally(models.Model):
    """A count by (broadcast, day, channel, integration, attempt number, outcome,
    error code, cause).

    Written by triggers on messages and attempts, in the transaction that
    changes them. ``count`` is for ever; ``pruned`` says how many of them have no
    row any more, so that the check can compare the rest with the rows.
    ``error_code`` carries the reason for skipped and cancelled messages.

    ``attempt_number`` of messages leaves out what was given back: by what never left,
    or met refused credentials, nobody was tried.

    ``cause_code`` is the error that an attempt answers: what it was sent again for;
    empty for first sends. Messages of a retry carry the one that the retry answers,
    and ``first_day``: the day of the first run of the chain, where their person was
    counted already. ``integration_id`` is a plain number, for a counter outlives
    everything; it is empty for messages that found no way out, and for what was
    pruned before it was counted.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False
    )
    broadcast_id = models.BigIntegerField(null=True, blank=True)
    integration_id = models.BigIntegerField(null=True, blank=True)
    day = models.DateField()
    first_day = models.DateField(null=True, blank=True)
    count = models.BigIntegerField(default=0, db_default=0)
    pruned = models.BigIntegerField(default=0, db_default=0)
    attempt_number = models.PositiveSmallIntegerField()
    reached_before = models.BooleanField(default=False)
    unit = models.CharField(max_length=8, choices=TallyUnit.choices)
    channel = models.CharField(max_length=10, blank=True)
    outcome = models.CharField(max_length=10)
    error_class = models.CharField(max_length=10, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    cause_code = models.CharField(max_length=80, blank=True, default="", db_default="")

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "organization",
                    "broadcast_id",
                    "unit",
                    "day",
                    "first_day",
                    "channel",
                    "integration_id",
                    "attempt_number",
                    "outcome",
                    "error_class",
                    "error_code",
                    "cause_code",
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
            models.Index(
                fields=["organization", "day"],
                condition=Q(
                    unit="message", outcome__in=["planned", "queued", "sending"]
                ),
                name="tally_waiting",
            ),
            models.Index(
                fields=["organization", "outcome", "day"],
                condition=Q(unit="message", outcome__in=["failed", "unknown"]),
                name="tally_lost",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.outcome}: {self.count}"


class Recovery(models.Model):
    """Messages that arrived after a failure, by how long that took.

    Counted once per message, by a trigger, in the transaction in which a try that
    answers a failure arrives: *delivered* or *read*, or *sent* where the provider
    has no receipts. Nothing takes an arrival back, so it only grows.

    ``bucket`` is the place of the seconds from the first failure to the arrival on
    a logarithmic scale, a tenth wide each (SQL function
    ``messaging_recovery_bucket``; ``messaging.figures.scale`` tells the bounds).
    ``resend_number`` is that of the try that arrived, along the chain; 0 when the
    message had failed before it left at all. ``credits`` is what those tries cost.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False
    )
    broadcast_id = models.BigIntegerField(null=True, blank=True)
    integration_id = models.BigIntegerField(null=True, blank=True)
    day = models.DateField()
    count = models.BigIntegerField(default=0, db_default=0)
    pruned = models.BigIntegerField(default=0, db_default=0)
    credits = models.BigIntegerField(default=0, db_default=0)
    pruned_credits = models.BigIntegerField(default=0, db_default=0)
    resend_number = models.PositiveSmallIntegerField()
    bucket = models.PositiveSmallIntegerField()
    channel = models.CharField(max_length=10, blank=True)

    class Meta:
        verbose_name_plural = "recoveries"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "organization",
                    "broadcast_id",
                    "day",
                    "channel",
                    "integration_id",
                    "resend_number",
                    "bucket",
                ],
                nulls_distinct=False,
                name="recovery_key",
            )
        ]
        indexes = [
            models.Index(fields=["organization", "day"], name="recovery_by_day"),
            models.Index(fields=["broadcast_id"], name="recovery_of_broadcast"),
        ]

    def __str__(self) -> str:
        return f"Recovered by resend {self.resend_number}: {self.count}"


class FigureKind(models.TextChoices):
    """What a daily figure counts.

    *try*: closed attempts, by the number along the chain (6 stands for all later
    ones). *failure*: those that failed, by their error. *answer*: those that answered
    an error, by that error. *standing*: messages that have come to rest, by where
    they stand; the number is 0 for a first run, 1 for a retry, 2 for a retry whose
    person had been reached before; the code is the error that the retry answers.
    *recovered*: recoveries, where the number is the bucket.
    """

    TRY = "try", "Tries"
    FAILURE = "failure", "Failures by cause"
    ANSWER = "answer", "Tries that answer a cause"
    STANDING = "standing", "Where messages stand"
    RECOVERED = "recovered", "Recoveries"


class DailyFigure(models.Model):
    """Tallies and recoveries added up over all broadcasts of a day.

    Written by triggers on those two, in the same transaction; waiting messages are
    left out, so that no claim writes here. ``day`` of *standing* is the day of the
    first run of the chain.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False
    )
    integration_id = models.BigIntegerField(null=True, blank=True)
    day = models.DateField()
    count = models.BigIntegerField(default=0, db_default=0)
    credits = models.BigIntegerField(default=0, db_default=0)
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=FigureKind.choices)
    channel = models.CharField(max_length=10, blank=True)
    outcome = models.CharField(max_length=20, blank=True)
    code = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "organization",
                    "kind",
                    "day",
                    "channel",
                    "integration_id",
                    "number",
                    "outcome",
                    "code",
                ],
                nulls_distinct=False,
                name="daily_figure_key",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=FigureKind.values), name="daily_figure_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {self.day}: {self.count}"

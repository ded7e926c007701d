"""Credits follow delivery: held, then charged or released, a line for each."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from messaging.models.organization import Organization


class CreditAccount(models.Model):
    """The balance of one organization, kept by a trigger on the ledger.

    ``owed`` grows only when something is delivered after its hold was released
    and nothing is left to pay it from; the next top-up pays it first. Of the lines up
    to number ``settled_to`` none holds anything any more: whoever looks for old holds
    begins behind it.
    """

    organization = models.OneToOneField(
        Organization,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="credit_account",
    )
    available = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    owed = models.BigIntegerField(default=0)
    settled_to = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(available__gte=0, held__gte=0, owed__gte=0),
                name="credit_never_below_zero",
            )
        ]

    def __str__(self) -> str:
        return f"Credits of {self.organization}"


class CreditStep(models.TextChoices):
    TOP_UP = "top_up", "Top-up"
    HOLD = "hold", "Hold"
    CHARGE = "charge", "Charge"
    RELEASE = "release", "Release"


class CreditEntry(models.Model):
    """One line of the ledger. Lines are only ever added.

    The three changes add up, over all lines of an organization, to its account.
    ``attempt_id`` and ``message_id`` are plain numbers: the ledger outlives both.
    ``organization`` is checked once per statement, by the account that its lines move.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False, db_constraint=False
    )
    attempt_id = models.BigIntegerField(null=True, blank=True)
    message_id = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    step = models.CharField(max_length=8, choices=CreditStep.choices)
    amount = models.PositiveIntegerField()
    available_change = models.BigIntegerField()
    held_change = models.BigIntegerField()
    owed_change = models.BigIntegerField(default=0, db_default=0)
    note = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        verbose_name_plural = "credit entries"
        constraints = [
            models.UniqueConstraint(
                fields=["attempt_id", "step"],
                condition=Q(attempt_id__isnull=False),
                name="credit_step_once_per_attempt",
            ),
            models.CheckConstraint(
                condition=Q(step="top_up", attempt_id__isnull=True)
                | ~Q(step="top_up") & Q(attempt_id__isnull=False),
                name="credit_step_of_an_attempt",
            ),
            models.CheckConstraint(
                condition=Q(step__in=CreditStep.values), name="credit_step_known"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="credit_newest"),
            # Not of the holds: one is written with every message that leaves, and
            # another line of its attempt follows each.
            models.Index(
                fields=["message_id"],
                condition=Q(step__in=["charge", "release"]),
                name="credit_settled_of_message",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()} {self.amount}"

"""The tenant: it owns everything, and nothing ever crosses to another one."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from messaging.models.rights import Right


def validate_time_zone(name: str) -> None:
    """Raise ``ValidationError`` unless the name is in the IANA database."""
    if name not in available_timezones():
        message = f"“{name}” is not a time zone. Enter a name such as Africa/Accra."
        raise ValidationError(message)


def resend_ladder() -> list[int]:
    """Return the delays in minutes that a new organization starts with."""
    return [1, 5, 15, 30, 60]


class Organization(models.Model):
    name = models.CharField(max_length=200)
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="IANA name, for example Africa/Accra. Days of reports follow it.",
    )
    broadcast_quota = models.PositiveIntegerField(
        default=25,
        validators=[MinValueValidator(1)],
        help_text="Drafts and scheduled broadcasts that may exist at the same time.",
    )
    retention_days = models.PositiveIntegerField(
        default=30,
        validators=[MinValueValidator(1)],
        help_text="Days that messages and attempts are kept. Counters never expire.",
    )
    resend_limit = models.PositiveSmallIntegerField(
        default=5, help_text="How often one message may be sent again."
    )
    resend_max_age_hours = models.PositiveIntegerField(
        default=48,
        validators=[MinValueValidator(1)],
        help_text="Hours after which a message is not sent again any more.",
    )
    resend_ladder_minutes: ArrayField[list[int], list[int]] = ArrayField(
        models.PositiveIntegerField(validators=[MinValueValidator(1)]),
        default=resend_ladder,
        size=10,
        help_text="Minutes before automatic retry 1, 2, …; the last one repeats.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        permissions = [(one.value, one.label) for one in Right]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose days the reports follow."""
        return ZoneInfo(self.time_zone)

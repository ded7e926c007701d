"""The heartbeat of the engine, to tell a late message from a lost evening."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Pulse(models.Model):
    """One row: when the engine was last alive.

    A gap longer than ``LATE_AFTER_SECONDS`` means the system was down, and
    what should have left during the gap is failed instead of sent half a day
    late; see ``messaging.dispatch.pulse``.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    beaten_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="pulse_one_row")]

    def __str__(self) -> str:
        return f"Last beat {self.beaten_at}"

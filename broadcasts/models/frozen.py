"""Whom a large retry covers, written down when it is confirmed."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from broadcasts.models.broadcast import Broadcast


class FrozenMembers(models.Model):
    """Some thousand messages whose members a retry takes over, not made into rows yet.

    All of them are written in the moment of confirming, which takes a fraction of a
    second for a million; rows follow in the background. A line goes when its rows
    are there.
    """

    broadcast = models.ForeignKey(
        Broadcast, on_delete=models.CASCADE, related_name="frozen_members"
    )
    size = models.PositiveIntegerField()
    message_ids: ArrayField[list[int], list[int]] = ArrayField(models.BigIntegerField())

    class Meta:
        verbose_name_plural = "frozen members"

    def __str__(self) -> str:
        return f"{self.size:,} members of broadcast {self.broadcast_id}"

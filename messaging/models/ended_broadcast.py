"""Broadcasts of which nothing begins again by itself."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from messaging.models.organization import Organization


class EndedBroadcast(models.Model):
    """A person ended this broadcast: what fails of it is not retried automatically.

    Its number is a plain one, as in ``Message``. Retries of it are broadcasts of
    their own.
    """

    broadcast_id = models.BigIntegerField(primary_key=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+"
    )
    ended_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"Broadcast {self.broadcast_id}"

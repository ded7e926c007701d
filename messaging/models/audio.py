"""Audio on its way to becoming a message: taken in, transcoded, sent, kept."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from messaging.models.integration import Integration
from messaging.models.message import Message
from messaging.models.organization import Organization


class AudioState(models.TextChoices):
    WAITING = "waiting", "Waiting to be transcoded"
    RUNNING = "running", "Being transcoded"
    DONE = "done", "Became a message"
    FAILED = "failed", "Could not be used"


class AudioJob(models.Model):
    """One clip that a program sent. ``ogg`` is what the provider fetches by ``uid``,
    for as long as the message may be sent again."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False
    )
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, db_index=False
    )
    message = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    phone = models.CharField(max_length=16)
    options = models.JSONField(default=dict)
    source = models.BinaryField(null=True, editable=False)
    source_url = models.CharField(max_length=2000, blank=True, default="")
    ogg = models.BinaryField(null=True, editable=False)
    facts = models.JSONField(default=dict)
    state = models.CharField(
        max_length=10, choices=AudioState.choices, default=AudioState.WAITING
    )
    error_code = models.CharField(max_length=40, blank=True, default="")
    error = models.CharField(max_length=500, blank=True, default="")
    asked_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["done", "failed"], finished_at__isnull=False)
                | Q(state__in=["waiting", "running"], finished_at__isnull=True),
                name="audio_finished_when_final",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(ogg__isnull=False),
                name="audio_done_has_a_file",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(state__in=["waiting", "running"]),
                name="audio_to_do",
            ),
            models.Index(fields=["organization", "created_at"], name="audio_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.uid}"

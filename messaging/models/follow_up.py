"""A resend that waits until the member has answered a template."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from messaging.models.contact import Contact
from messaging.models.message import Message
from messaging.models.organization import Organization


class FollowUpState(models.TextChoices):
    WAITING = "waiting", "Waiting for an answer"
    DONE = "done", "Sent again"
    REFUSED = "refused", "Could not be sent again"
    CANCELLED = "cancelled", "Cancelled"


class FollowUp(models.Model):
    """A template went out to open WhatsApp's window; then ``message`` goes again."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, db_index=False)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, db_index=False, related_name="follow_ups"
    )
    opener = models.ForeignKey(
        Message, on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(
        max_length=10, choices=FollowUpState.choices, default=FollowUpState.WAITING
    )
    asked_by_name = models.CharField(max_length=150, blank=True, default="")
    sentence = models.CharField(
        max_length=300, blank=True, default="", help_text="Why it was refused."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message"],
                condition=Q(state="waiting"),
                name="follow_up_one_waiting",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", closed_at__isnull=True)
                | ~Q(state="waiting") & Q(closed_at__isnull=False),
                name="follow_up_closed_when_final",
            ),
        ]
        indexes = [
            models.Index(fields=["message"], name="follow_up_of_message"),
            models.Index(fields=["opener"], name="follow_up_of_opener"),
            models.Index(
                fields=["contact"],
                condition=Q(state="waiting"),
                name="follow_up_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: message {self.message_id}"

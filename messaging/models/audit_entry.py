"""Who changed what, and who resent what and why: written once, never changed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from messaging.models.message import Actor
from messaging.models.organization import Organization


class AuditKind(models.TextChoices):
    RESEND = "resend", "Resends"
    BULK_RESEND = "bulk_resend", "Bulk resends"
    BROADCAST = "broadcast", "Broadcasts"
    SETTINGS = "settings", "Settings"
    INTEGRATION = "integration", "Integrations"
    CLIENT = "client", "API clients"
    PERSON = "person", "People and roles"
    SECURITY = "security", "Passwords, sessions and second factors"
    WEBHOOK = "webhook", "Webhooks"
    CREDITS = "credits", "Credits"
    OTHER = "other", "Other changes"


class AuditEntry(models.Model):
    """One thing that somebody did, committed together with what they did.

    A trigger refuses to change or delete a row as long as its organization lives.
    Names and sentences are kept as they were; numbers of people and clients are
    plain, so that nothing has to be changed when one of them goes. ``changes`` is a
    list of ``[what, before, after]`` in words; secrets are never among them.
    """

    organization = models.ForeignKey(
        Organization,
        # PostgreSQL deletes them itself, which the trigger tells from people.
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
    )
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=20, choices=AuditKind.choices)
    actor = models.CharField(max_length=20, choices=Actor.choices)
    person_id = models.BigIntegerField(null=True, blank=True)
    client_id = models.BigIntegerField(null=True, blank=True)
    actor_name = models.CharField(max_length=150, blank=True, default="")
    sentence = models.CharField(max_length=500)
    reason = models.CharField(max_length=500, blank=True, default="")
    changes = models.JSONField(default=list, blank=True)
    link = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(
                fields=["organization", "-at", "-id"], name="audit_entry_newest"
            ),
            models.Index(
                fields=["organization", "kind", "-at", "-id"],
                name="audit_entry_by_kind",
            ),
            models.Index(
                fields=["organization", "person_id", "-at", "-id"],
                name="audit_entry_by_person",
                condition=Q(person_id__isnull=False),
            ),
            models.Index(
                fields=["organization", "client_id", "-at", "-id"],
                name="audit_entry_by_client",
                condition=Q(client_id__isnull=False),
            ),
            models.Index(
                fields=["organization", "link", "-at", "-id"],
                name="audit_entry_by_link",
                condition=~Q(link=""),
            ),
        ]

    def __str__(self) -> str:
        return self.sentence

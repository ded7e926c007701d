"""A person who signs in."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from messaging.models.organization import Organization, validate_time_zone


class Role(models.TextChoices):
    AGENT = "agent", "Agent: reads"
    EDITOR = "editor", "Editor: creates, cancels and retries"
    ADMIN = "admin", "Admin: also manages"


class User(AbstractUser):
    """Somebody of one organization; operators of the server belong to none.

    An operator (superuser without organization) works in Django admin, where
    every organization is visible; the dashboard needs an organization.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="people",
    )
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.AGENT)
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        default="",
        validators=[validate_time_zone],
        help_text="Empty: the zone of the browser.",
    )

    @property
    def may_write(self) -> bool:
        """Whether this person may create, cancel and retry."""
        return self.role in {Role.EDITOR, Role.ADMIN}

    @property
    def may_manage(self) -> bool:
        """Whether this person may change settings and integrations."""
        return self.role == Role.ADMIN

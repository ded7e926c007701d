"""A person who signs in."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from messaging.models.organization import Organization, validate_time_zone
from messaging.models.rights import MANAGERS, READERS, WRITERS, HoldsRights


class Role(models.TextChoices):
    NONE = "none", "None: signs in and sees nothing"
    AGENT = "agent", "Agent: reads"
    EDITOR = "editor", "Editor: creates, cancels and retries"
    ADMIN = "admin", "Admin: also manages"


GROUPS_OF_ROLE: dict[str, tuple[str, ...]] = {
    Role.NONE: (),
    Role.AGENT: (READERS,),
    Role.EDITOR: (WRITERS,),
    Role.ADMIN: (WRITERS, MANAGERS),
}


class User(HoldsRights, AbstractUser):
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
    def groups_of_access(self) -> tuple[str, ...]:
        return GROUPS_OF_ROLE.get(self.role, ())

    @property
    def is_let_in(self) -> bool:
        return self.is_active

"""What people and programs may do: one model of access for both.

A role of a person and the access of an API client are words for groups of Django.
A group holds permissions; who is in it may do what they say within the own
organization, and nothing anywhere else.
"""

from __future__ import annotations

from typing import Any, Final

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.models import Permission
from django.db import models


class Right(models.TextChoices):
    """Permissions; each is about the communications of one organization."""

    READ = "communication_read", "May see communications"
    WRITE = "communication_write", "May send, retry and cancel communications"
    MANAGE = "organization_manage", "May change settings, people and integrations"


READERS: Final = "Communication: read"
WRITERS: Final = "Communication: write"
MANAGERS: Final = "Organization: manage"
GROUPS: Final[dict[str, tuple[Right, ...]]] = {
    READERS: (Right.READ,),
    WRITERS: (Right.READ, Right.WRITE),
    MANAGERS: (Right.MANAGE,),
}


class HoldsRights:
    """Somebody or something that acts for one organization.

    The rights are read once per instance and group: one statement, because what a
    group may do is asked of PostgreSQL and not of this code.
    """

    _known_rights: tuple[tuple[str, ...], frozenset[str]] | None = None

    @property
    def groups_of_access(self) -> tuple[str, ...]:
        """The names of the groups that the role or the access stands for."""
        raise NotImplementedError

    @property
    def is_let_in(self) -> bool:
        """Whether this one may do anything at all at present."""
        raise NotImplementedError

    @property
    def rights(self) -> frozenset[str]:
        groups = self.groups_of_access
        if self._known_rights is None or self._known_rights[0] != groups:
            self._known_rights = (groups, _rights_of(groups))
        return self._known_rights[1]

    def holds(self, right: Right) -> bool:
        return self.is_let_in and right.value in self.rights

    @property
    def may_read(self) -> bool:
        """Whether this one may see communications."""
        return self.holds(Right.READ)

    @property
    def may_write(self) -> bool:
        """Whether this one may create, cancel, send and retry."""
        return self.holds(Right.WRITE)

    @property
    def may_manage(self) -> bool:
        """Whether this one may change settings and integrations."""
        return self.holds(Right.MANAGE)


def _rights_of(groups: tuple[str, ...]) -> frozenset[str]:
    if not groups:
        return frozenset()
    found = Permission.objects.filter(
        group__name__in=groups, content_type__app_label="messaging"
    )
    return frozenset(found.values_list("codename", flat=True))


def prepare_groups(using: str, apps: Apps = installed, **kwargs: Any) -> None:
    """Make the permissions and groups that are missing, after every migration.

    That is also after a test has emptied every table. Groups that are there stay
    as they are: what an operator took from one does not come back.
    """
    try:
        group_model = apps.get_model("auth", "Group")
        permission_model = apps.get_model("auth", "Permission")
        type_model = apps.get_model("contenttypes", "ContentType")
    except LookupError:
        return
    groups = group_model._default_manager.using(using)
    permissions = permission_model._default_manager.using(using)
    kind, _ = type_model._default_manager.using(using).get_or_create(
        app_label="messaging", model="organization"
    )
    made = {
        right: permissions.get_or_create(
            content_type=kind, codename=right.value, defaults={"name": right.label}
        )[0]
        for right in Right
    }
    for name, rights in GROUPS.items():
        group, is_new = groups.get_or_create(name=name)
        if is_new:
            group.permissions.set([made[right] for right in rights])

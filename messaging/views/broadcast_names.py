"""The names of broadcasts, for pages of messages.

Messaging knows a broadcast by its number only. Pages want to name it and link to
it, so they ask the registry of models, as a foreign key by name would.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.urls import reverse

from messaging.models import Organization


@dataclass(frozen=True, slots=True)
class BroadcastName:
    pk: int
    name: str

    @property
    def url(self) -> str:
        return reverse("broadcasts:broadcast-detail", kwargs={"pk": self.pk})


def broadcast_names(
    organization: Organization, ids: Iterable[int | None]
) -> dict[int, BroadcastName]:
    """Return those of the broadcasts that are the organization's, in one query."""
    wanted = {pk for pk in ids if pk is not None}
    if not wanted:
        return {}
    rows = (
        apps.get_model("broadcasts", "Broadcast")
        ._default_manager.filter(organization=organization, pk__in=wanted)
        .values_list("pk", "name")
    )
    return {pk: BroadcastName(pk, name) for pk, name in rows}

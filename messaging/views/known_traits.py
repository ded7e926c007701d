"""Tags, countries and languages to choose from, without a scan of all members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from messaging.models import Contact, Organization

NEWEST: Final = 500
"""Members that are looked at; their traits are those in use now."""


@dataclass(frozen=True, slots=True)
class Traits:
    tags: list[str]
    countries: list[str]
    languages: list[str]


def known_traits(organization: Organization) -> Traits:
    """Return what the newest members carry, sorted, in one query."""
    rows = list(
        Contact.objects.filter(organization=organization)
        .order_by("-pk")
        .values_list("tags", "country", "language")[:NEWEST]
    )
    return Traits(
        tags=sorted({tag for tags, _, _ in rows for tag in tags}),
        countries=sorted({country for _, country, _ in rows if country}),
        languages=sorted({language for _, _, language in rows if language}),
    )

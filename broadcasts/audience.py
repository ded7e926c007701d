"""Who gets a broadcast: a filter over the members of one organization."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from messaging.models import Contact, Organization

SAMPLE = 5
COUNTED = 1_000
"""Members that a preview counts at most; beyond that it says "1,000+"."""
NEWEST = 1_000
"""Members that are looked at for what a form offers; anything else can be typed."""
CHOICES = 200
"""Tags, countries or languages that a form offers at most."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Members with any of the tags, in any of the countries, of any language.

    An empty list asks nothing; three empty ones are everyone.
    """

    tags: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Audience:
        return cls(
            tags=_clean(stored.get("tags") or ()),
            countries=_clean(one.upper() for one in stored.get("countries") or ()),
            languages=_clean(stored.get("languages") or ()),
        )

    def to_json(self) -> dict[str, list[str]]:
        lists = {
            "tags": list(self.tags),
            "countries": list(self.countries),
            "languages": list(self.languages),
        }
        return {name: values for name, values in lists.items() if values}

    @property
    def is_everyone(self) -> bool:
        return not (self.tags or self.countries or self.languages)

    @property
    def sentence(self) -> str:
        """``tagged vip or gold, in GH, speaking en``; ``everyone``."""
        if self.is_everyone:
            return "everyone"
        parts = [
            (self.tags, "tagged"),
            (self.countries, "in"),
            (self.languages, "speaking"),
        ]
        return ", ".join(
            f"{word} {' or '.join(values)}" for values, word in parts if values
        )


def _clean(values: Iterable[str]) -> tuple[str, ...]:
    """Drop doubles, blanks, and the NUL that PostgreSQL stores in no text."""
    stripped = (one.replace("\x00", "").strip() for one in values)
    return tuple(dict.fromkeys(one for one in stripped if one))


def matching(organization: Organization, audience: Audience) -> QuerySet[Contact]:
    """Return the members that the filter finds at this moment."""
    members = Contact.objects.filter(organization=organization)
    if audience.tags:
        members = members.filter(tags__overlap=list(audience.tags))
    if audience.countries:
        members = members.filter(country__in=audience.countries)
    if audience.languages:
        members = members.filter(language__in=audience.languages)
    return members


@dataclass(frozen=True, slots=True)
class Preview:
    """A look at an audience. ``count`` is exact unless ``is_capped``."""

    sample: list[Contact]
    count: int
    is_capped: bool

    @property
    def text(self) -> str:
        return f"{self.count:,}{'+' if self.is_capped else ''}"


def preview(organization: Organization, audience: Audience) -> Preview:
    """Look at no more than :data:`COUNTED` + 1 members, however many there are."""
    members = matching(organization, audience)
    sample = list(members.order_by("-pk")[:SAMPLE])
    count = members.order_by("-pk")[: COUNTED + 1].count()
    return Preview(sample, min(count, COUNTED), is_capped=count > COUNTED)


@dataclass(frozen=True, slots=True)
class AudienceChoices:
    """What an organization's members carry, for the form."""

    tags: list[str]
    countries: list[str]
    languages: list[str]


def choices(organization: Organization) -> AudienceChoices:
    """Return what there is to choose from, seen in the newest members."""
    newest = Contact.objects.filter(organization=organization).order_by("-pk")
    found = list(newest.values_list("tags", "country", "language")[:NEWEST])
    tags = sorted({tag for tags, _, _ in found for tag in tags})
    countries = sorted({country for _, country, _ in found} - {""})
    languages = sorted({language for _, _, language in found} - {""})
    return AudienceChoices(tags[:CHOICES], countries[:CHOICES], languages[:CHOICES])

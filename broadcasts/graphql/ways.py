"""What a broadcast is made of: flows, templates, integrations, an audience."""

from __future__ import annotations

import strawberry

from broadcasts import audience, listing, models
from messaging.channels.contract import Channel
from messaging.models import Content, IntegrationState
from messaging.models import Integration as IntegrationRow


@strawberry.type
class Flow:
    id: strawberry.ID
    name: str
    is_published: bool = strawberry.field(
        description="What is not published is not sent."
    )

    @classmethod
    def of(cls, row: models.Flow) -> Flow:
        return cls(
            id=strawberry.ID(str(row.pk)), name=row.name, is_published=row.is_published
        )


@strawberry.type
class Template:
    id: strawberry.ID
    name: str
    language: str

    @classmethod
    def of(cls, row: Content) -> Template:
        language = row.payload.get("language")
        return cls(
            id=strawberry.ID(str(row.pk)),
            name=str(row),
            language=language if isinstance(language, str) else "",
        )


@strawberry.type(description="One account at one provider.")
class Integration:
    id: strawberry.ID
    name: str
    channel: Channel
    status: IntegrationState

    @classmethod
    def of(cls, row: IntegrationRow) -> Integration:
        return cls(
            id=strawberry.ID(str(row.pk)),
            name=row.name,
            channel=Channel(row.channel),
            status=IntegrationState(row.state),
        )


@strawberry.type(description="A way out: an integration, and the template it takes.")
class Route:
    position: int
    integration: Integration
    template: Template | None

    @classmethod
    def of(cls, row: models.Route) -> Route:
        return cls(
            position=row.position,
            integration=Integration.of(row.integration),
            template=Template.of(row.content) if row.content else None,
        )


@strawberry.type(
    description=(
        "Members with any of the tags, in any of the countries, of any language."
        " An empty list asks nothing; three empty ones are everyone."
    )
)
class Audience:
    tags: list[str]
    countries: list[str]
    languages: list[str]
    sentence: str

    @classmethod
    def of(cls, broadcast: models.Broadcast) -> Audience:
        if broadcast.is_retry:
            sentence = listing.members_in_words(broadcast)
            return cls(tags=[], countries=[], languages=[], sentence=sentence)
        found = audience.Audience.from_json(broadcast.audience)
        return cls(
            tags=list(found.tags),
            countries=list(found.countries),
            languages=list(found.languages),
            sentence=found.sentence,
        )

"""What is typed about a broadcast, on its way to the services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import strawberry

from broadcasts import audience
from broadcasts.fields import BroadcastFields, RouteSpec
from broadcasts.forms.routes import MOST_ROWS
from broadcasts.graphql.context import number
from broadcasts.models import BroadcastKind, RouteRole
from broadcasts.problems import bad_input

MOST_VALUES = 200
"""Tags, countries or languages that an audience names at most."""
LONGEST = 100


@strawberry.input
class RouteInput:
    integration_id: strawberry.ID
    template_id: strawberry.ID | None = strawberry.field(
        default=None, description="A flow travels on its own content: leave it out."
    )


@strawberry.input
class AudienceInput:
    tags: list[str] = strawberry.field(default_factory=list)
    countries: list[str] = strawberry.field(default_factory=list)
    languages: list[str] = strawberry.field(default_factory=list)

    @property
    def chosen(self) -> audience.Audience:
        lists = {
            "tags": self.tags,
            "countries": self.countries,
            "languages": self.languages,
        }
        for name, values in lists.items():
            if len(values) > MOST_VALUES:
                raise bad_input(f"Name at most {MOST_VALUES} {name}.", "audience")
            if any(len(one) > LONGEST for one in values):
                raise bad_input(
                    f"None of the {name} is longer than {LONGEST} characters.",
                    "audience",
                )
        return audience.Audience.from_json(lists)


@strawberry.input
class BroadcastInput:
    name: str
    kind: BroadcastKind
    flow_id: strawberry.ID | None = None
    routes: list[RouteInput] = strawberry.field(default_factory=list)
    fallbacks: list[RouteInput] = strawberry.field(default_factory=list)
    audience: AudienceInput | None = strawberry.field(
        default=None, description="Left out, it is everyone."
    )
    run_at: datetime | None = None
    time_zone: str = "UTC"
    expires_at: datetime | None = None

    @property
    def fields(self) -> BroadcastFields:
        return BroadcastFields(
            name=self.name,
            kind=self.kind,
            flow_id=number(self.flow_id, "flow") if self.flow_id else None,
            routes=specs(self.routes, RouteRole.ROUTE),
            fallbacks=specs(self.fallbacks, RouteRole.FALLBACK),
            audience=self.audience.chosen if self.audience else audience.Audience(),
            run_at=self.run_at,
            time_zone=self.time_zone,
            expires_at=self.expires_at,
        )


@strawberry.input(description="What is left out stays as it is.")
class BroadcastChanges:
    name: str | None = strawberry.UNSET
    kind: BroadcastKind | None = strawberry.UNSET
    flow_id: strawberry.ID | None = strawberry.UNSET
    routes: list[RouteInput] | None = strawberry.UNSET
    fallbacks: list[RouteInput] | None = strawberry.UNSET
    audience: AudienceInput | None = strawberry.UNSET
    run_at: datetime | None = strawberry.UNSET
    time_zone: str | None = strawberry.UNSET
    expires_at: datetime | None = strawberry.UNSET

    def applied_to(self, present: BroadcastFields) -> BroadcastFields:
        """Return the present values with what was given put over them."""
        given: dict[str, Any] = {
            name: value
            for name in self.__dataclass_fields__
            if (value := getattr(self, name)) is not strawberry.UNSET
        }
        for name in ("name", "kind", "time_zone"):
            if name in given and given[name] is None:
                raise bad_input("This cannot be empty. Leave it out to keep it.", name)
        if given.get("flow_id"):
            given["flow_id"] = number(given["flow_id"], "flow")
        for name, role in (
            ("routes", RouteRole.ROUTE),
            ("fallbacks", RouteRole.FALLBACK),
        ):
            if name in given:
                given[name] = specs(given[name] or (), role)
        if "audience" in given:
            chosen = given["audience"]
            given["audience"] = chosen.chosen if chosen else audience.Audience()
        return replace(present, **given)


def specs(typed: Sequence[RouteInput], role: RouteRole) -> tuple[RouteSpec, ...]:
    """Return ways as the services want them, no more than the page offers."""
    if len(typed) > MOST_ROWS[role]:
        raise bad_input(f"Name at most {MOST_ROWS[role]} {role}s.", f"{role}s")
    return tuple(
        RouteSpec(
            number(one.integration_id, "integration"),
            number(one.template_id, "template") if one.template_id else None,
        )
        for one in typed
    )

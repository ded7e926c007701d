"""What a person decides about a broadcast, before any of it is believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from broadcasts.audience import Audience
from broadcasts.models import Broadcast, BroadcastKind, Flow, Route, RouteRole
from broadcasts.problems import bad_input, not_found
from messaging.channels.contract import ContentKind
from messaging.models import Content, Integration, Organization

NAME_LENGTH = 200
EVERYONE = Audience()


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """One way out. A flow travels on its own content, so its routes name none."""

    integration_id: int
    content_id: int | None = None


@dataclass(frozen=True, slots=True)
class BroadcastFields:
    """Everything that can be edited. Naive moments are wall clock in the zone."""

    name: str
    kind: str
    flow_id: int | None = None
    routes: Sequence[RouteSpec] = ()
    fallbacks: Sequence[RouteSpec] = ()
    audience: Audience = EVERYONE
    run_at: datetime | None = None
    time_zone: str = "UTC"
    expires_at: datetime | None = None


def fields_of(broadcast: Broadcast) -> BroadcastFields:
    """Return the present values, to change some of them and hand all back."""
    return BroadcastFields(
        name=broadcast.name,
        kind=broadcast.kind,
        flow_id=broadcast.flow_id,
        routes=specs_of(broadcast, RouteRole.ROUTE),
        fallbacks=specs_of(broadcast, RouteRole.FALLBACK),
        audience=Audience.from_json(broadcast.audience),
        run_at=broadcast.run_at,
        time_zone=broadcast.time_zone,
        expires_at=broadcast.expires_at,
    )


def specs_of(broadcast: Broadcast, role: RouteRole) -> tuple[RouteSpec, ...]:
    routes = Route.objects.filter(broadcast=broadcast, role=role).order_by("position")
    return tuple(RouteSpec(one.integration_id, one.content_id) for one in routes)


def checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise bad_input("Give the broadcast a name.", "name")
    if len(name) > NAME_LENGTH:
        raise bad_input(
            f"Shorten the name to {NAME_LENGTH} characters; it has {len(name)}.",
            "name",
        )
    return name


def checked_kind(kind: str) -> BroadcastKind:
    try:
        return BroadcastKind(kind)
    except ValueError:
        raise bad_input("Choose a flow or a template.", "kind") from None


def found_flow(
    organization: Organization, kind: BroadcastKind, flow_id: int | None
) -> Flow | None:
    """Return the flow to send; ``None`` for templates. Refuse what is not there."""
    if kind is BroadcastKind.TEMPLATE:
        return None
    if flow_id is None:
        raise bad_input("Choose the flow to send.", "flow")
    flow = Flow.objects.filter(organization=organization, pk=flow_id).first()
    if flow is None:
        raise not_found("flow")
    return flow


def check_any_route(routes: Sequence[object]) -> None:
    """Refuse a broadcast that has no way out."""
    if not routes:
        raise bad_input("Choose at least one route to send by.", "routes")


def replace_routes(
    broadcast: Broadcast,
    routes: Sequence[RouteSpec],
    fallbacks: Sequence[RouteSpec],
) -> None:
    """Write routes and fallbacks anew, in the order given.

    Call it inside a transaction that holds the broadcast's row.
    """
    ways = _found_ways(broadcast, [*routes, *fallbacks])
    rows = [
        Route(
            broadcast=broadcast,
            role=role,
            position=position,
            integration=ways.integrations[spec.integration_id],
            content=ways.contents[spec.content_id] if spec.content_id else None,
        )
        for role, specs in (
            (RouteRole.ROUTE, routes),
            (RouteRole.FALLBACK, fallbacks),
        )
        for position, spec in enumerate(specs, start=1)
    ]
    for row in rows:
        _check_route(broadcast, row)
    broadcast.routes.all().delete()
    Route.objects.bulk_create(rows)


@dataclass(frozen=True, slots=True)
class _Ways:
    integrations: dict[int, Integration]
    contents: dict[int, Content]


def _found_ways(broadcast: Broadcast, specs: Iterable[RouteSpec]) -> _Ways:
    """Fetch what the routes name, of this organization only."""
    specs = list(specs)
    integration_ids = {one.integration_id for one in specs}
    content_ids = {one.content_id for one in specs if one.content_id}
    mine = {"organization_id": broadcast.organization_id}
    integrations = Integration.objects.filter(**mine).in_bulk(integration_ids)
    contents = Content.objects.filter(**mine).in_bulk(content_ids)
    if len(integrations) != len(integration_ids):
        raise not_found("integration")
    if len(contents) != len(content_ids):
        raise not_found("template")
    return _Ways(integrations, contents)


def _check_route(broadcast: Broadcast, route: Route) -> None:
    is_route = route.role == RouteRole.ROUTE
    field = "routes" if is_route else "fallbacks"
    if is_route and broadcast.kind == BroadcastKind.FLOW:
        if route.content is not None:
            raise bad_input(
                "A flow travels the same on every route: name no template there.",
                field,
            )
        return
    if route.content is None or route.content.kind != ContentKind.TEMPLATE:
        word = "route" if is_route else "fallback"
        raise bad_input(f"Choose a template for each {word}.", field)
    refusals = route.integration.provider.refusals(
        route.content.kind, route.content.payload
    )
    if refusals:
        raise bad_input(f"{route.integration.name}: {refusals[0]}", field)

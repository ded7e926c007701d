"""What may be asked."""

from __future__ import annotations

from datetime import datetime

import strawberry
from django.db.models import Exists, OuterRef, QuerySet

from broadcasts import models, quota, retry
from broadcasts.clock import database_now
from broadcasts.forms.routes import CHOICES, Ways
from broadcasts.graphql.broadcast import Broadcast, nodes_of
from broadcasts.graphql.causes import OrganizationCause, causes_of
from broadcasts.graphql.context import Caller, Info
from broadcasts.graphql.paging import DEFAULT, Connection, Window, connection
from broadcasts.graphql.siblings import selected
from broadcasts.graphql.ways import Flow, Integration, Template
from broadcasts.models import BroadcastState
from messaging.channels.contract import Channel


@strawberry.input(description="All of it has to hold.")
class BroadcastFilter:
    name: str | None = strawberry.field(
        default=None, description="Part of the name, in any case of letters."
    )
    statuses: list[BroadcastState] | None = None
    channel: Channel | None = strawberry.field(
        default=None, description="With a route or a fallback on it."
    )
    created_from: datetime | None = None
    created_before: datetime | None = None
    run_from: datetime | None = None
    run_before: datetime | None = None
    is_retry: bool | None = None


@strawberry.type(description="Whether failed contacts can be retried, and why not.")
class RetryState:
    enabled: bool
    reason: str | None
    contact_count: int
    is_exact: bool = strawberry.field(
        description="Of very many failed rows, `contactCount` is a lower bound."
    )
    run_at: datetime = strawberry.field(description="When it would run by default.")
    live_retry: Broadcast | None = strawberry.field(
        description="The retry in the way: scheduled, or sending."
    )


@strawberry.type(description="Slots for drafts and scheduled broadcasts, retries too.")
class Quota:
    used: int
    limit: int
    refusal: str | None = strawberry.field(
        description="What to free first, when no slot is free."
    )


@strawberry.type(description="Who is asking.")
class Viewer:
    name: str
    organization_id: strawberry.ID
    organization_name: str
    may_write: bool


@strawberry.type
class Query:
    @strawberry.field(description="Newest first.")
    def broadcasts(
        self,
        info: Info,
        first: int = DEFAULT,
        after: str | None = None,
        filter: BroadcastFilter | None = None,
    ) -> Connection[Broadcast]:
        window = Window.of(models.Broadcast, first, after)
        found = selected().filter(organization=info.context.organization)
        if filter is not None:
            found = _filtered(found, filter)
        if window.below is not None:
            found = found.filter(pk__lt=window.below)
        rows = list(found.order_by("-pk")[: window.first + 1])
        return connection(rows, nodes_of(rows[: window.first]), window)

    @strawberry.field(description="Another organization's is not found.")
    def broadcast(self, info: Info, id: strawberry.ID) -> Broadcast | None:
        found = selected().filter(pk=info.context.broadcast(id).pk)
        return nodes_of(list(found))[0]

    @strawberry.field(description="What the button says about its failed contacts.")
    def retry_state(self, info: Info, broadcast_id: strawberry.ID) -> RetryState:
        found = retry.state(info.context.broadcast(broadcast_id))
        live = nodes_of([found.live_retry])[0] if found.live_retry else None
        return RetryState(
            enabled=found.enabled,
            reason=found.reason or None,
            contact_count=found.count,
            is_exact=found.is_exact,
            run_at=retry.proposed_time(database_now()),
            live_retry=live,
        )

    @strawberry.field(
        description=(
            "Failures by cause across the whole organization, as far as their rows are"
            " kept; the most urgent first."
        )
    )
    def causes(self, info: Info) -> list[OrganizationCause]:
        return causes_of(info.context.organization)

    @strawberry.field(description="What a broadcast may send: published flows.")
    def flows(self, info: Info) -> list[Flow]:
        found = models.Flow.objects.filter(
            organization=info.context.organization, is_published=True
        )
        return [Flow.of(one) for one in found[:CHOICES]]

    @strawberry.field(description="The newest templates, for routes and fallbacks.")
    def templates(self, info: Info) -> list[Template]:
        return [Template.of(one) for one in _ways(info.context).templates.values()]

    @strawberry.field(description="The accounts that a route may name.")
    def integrations(self, info: Info) -> list[Integration]:
        ways = _ways(info.context)
        return [Integration.of(one) for one in ways.integrations.values()]

    @strawberry.field
    def quota(self, info: Info) -> Quota:
        organization = info.context.organization
        return Quota(
            used=quota.slots_used(organization.pk),
            limit=organization.broadcast_quota,
            refusal=quota.refusal(organization) or None,
        )

    @strawberry.field
    def viewer(self, info: Info) -> Viewer:
        caller = info.context
        return Viewer(
            name=caller.name,
            organization_id=strawberry.ID(str(caller.organization.pk)),
            organization_name=caller.organization.name,
            may_write=caller.may_write,
        )


def _ways(caller: Caller) -> Ways:
    return Ways.of(caller.organization)


def _filtered(
    found: QuerySet[models.Broadcast], wanted: BroadcastFilter
) -> QuerySet[models.Broadcast]:
    if wanted.name:
        found = found.filter(name__icontains=wanted.name)
    if wanted.statuses is not None:
        found = found.filter(state__in=wanted.statuses)
    if wanted.channel is not None:
        ways = models.Route.objects.filter(
            broadcast=OuterRef("pk"), integration__channel=wanted.channel
        )
        found = found.filter(Exists(ways))
    if wanted.is_retry is not None:
        found = found.filter(retry_of__isnull=not wanted.is_retry)
    for name, moment in (
        ("created_at__gte", wanted.created_from),
        ("created_at__lt", wanted.created_before),
        ("run_at__gte", wanted.run_from),
        ("run_at__lt", wanted.run_before),
    ):
        if moment is not None:
            found = found.filter(**{name: moment})
    return found

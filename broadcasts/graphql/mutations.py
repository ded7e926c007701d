"""What may be done. Each is one call of the service that the page's button calls."""

from __future__ import annotations

from datetime import datetime

import strawberry

from broadcasts import drafts, listing, models, retry, retrying, schedule
from broadcasts.clock import database_now
from broadcasts.fields import fields_of
from broadcasts.graphql.broadcast import Broadcast, nodes_of
from broadcasts.graphql.context import Info, number
from broadcasts.graphql.inputs import (
    BroadcastChanges,
    BroadcastInput,
    RouteInput,
    specs,
)
from broadcasts.graphql.siblings import selected
from broadcasts.models import RouteRole
from broadcasts.problems import bad_input
from broadcasts.summary import counters_of

GONE = "There are no failed contacts to look up. "
"""What a program is told first when their rows have aged out."""


@strawberry.type
class Mutation:
    @strawberry.mutation(
        description=(
            "Make a new, scheduled broadcast to the contacts that failed in this one."
            " Without `runAt` it runs in two minutes. `contactIds` names others:"
            " neither the filter nor the failed contacts are looked up then. Nobody"
            " who got it from a run of the chain is sent it twice, and whoever may have"
            " got it only with `includeUnknown`."
        )
    )
    def retry_failed_contacts(
        self,
        info: Info,
        broadcast_id: strawberry.ID,
        run_at: datetime | None = None,
        contact_ids: list[strawberry.ID] | None = None,
        time_zone: str | None = None,
        include_unknown: bool = False,
    ) -> Broadcast:
        info.context.require_writer()
        source = info.context.broadcast(broadcast_id)
        now = database_now()
        moment = run_at or retry.proposed_time(now)
        person = info.context.person
        place = time_zone or source.time_zone
        if contact_ids is not None:
            made = listing.create(
                broadcast=source,
                person=person,
                client=info.context.client,
                run_at=moment,
                time_zone=place,
                contact_ids=[number(one, "contact") for one in contact_ids],
                include_unknown=include_unknown,
            )
        else:
            _require_kept_rows(source)
            made = retrying.create(
                broadcast=source,
                person=person,
                client=info.context.client,
                run_at=moment,
                time_zone=place,
                shown_count=None,
                shown_at=now,
                include_unknown=include_unknown,
            )
        return _fresh(made)

    @strawberry.mutation(
        description=(
            "Make a broadcast and schedule it; as a draft it may still be incomplete."
        )
    )
    def create_broadcast(
        self,
        info: Info,
        input: BroadcastInput,
        as_draft: bool = False,
    ) -> Broadcast:
        info.context.require_writer()
        make = drafts.create_draft if as_draft else schedule.create
        return _fresh(
            make(
                organization=info.context.organization,
                person=info.context.person,
                client=info.context.client,
                fields=input.fields,
            )
        )

    @strawberry.mutation(
        description=(
            "Change a draft or a scheduled broadcast. Of a retry only the name, the"
            " time, the routes and the fallbacks change."
        )
    )
    def update_broadcast(
        self,
        info: Info,
        id: strawberry.ID,
        changes: BroadcastChanges,
    ) -> Broadcast:
        info.context.require_writer()
        broadcast = info.context.broadcast(id)
        return _fresh(
            schedule.edit(
                broadcast=broadcast,
                person=info.context.person,
                client=info.context.client,
                fields=changes.applied_to(fields_of(broadcast)),
            )
        )

    @strawberry.mutation(
        description=(
            "Replace routes and fallbacks, also of a broadcast that is over, until a"
            " retry of it has started. A scheduled retry takes the change over."
        )
    )
    def update_broadcast_routes(
        self,
        info: Info,
        id: strawberry.ID,
        routes: list[RouteInput],
        fallbacks: list[RouteInput],
    ) -> Broadcast:
        info.context.require_writer()
        return _fresh(
            schedule.edit_routes(
                broadcast=info.context.broadcast(id),
                person=info.context.person,
                client=info.context.client,
                routes=specs(routes, RouteRole.ROUTE),
                fallbacks=specs(fallbacks, RouteRole.FALLBACK),
            )
        )

    @strawberry.mutation(
        description="Give a draft its time, or a scheduled broadcast another one."
    )
    def schedule_broadcast(
        self,
        info: Info,
        id: strawberry.ID,
        run_at: datetime,
        time_zone: str | None = None,
    ) -> Broadcast:
        info.context.require_writer()
        broadcast = info.context.broadcast(id)
        return _fresh(
            schedule.schedule(
                broadcast=broadcast,
                person=info.context.person,
                client=info.context.client,
                run_at=run_at,
                time_zone=time_zone or broadcast.time_zone,
            )
        )

    @strawberry.mutation(
        description="Stop what is scheduled or sending; what has left stays."
    )
    def cancel_broadcast(self, info: Info, id: strawberry.ID) -> Broadcast:
        info.context.require_writer()
        broadcast = info.context.broadcast(id)
        return _fresh(
            schedule.cancel(
                broadcast=broadcast,
                person=info.context.person,
                client=info.context.client,
            )
        )

    @strawberry.mutation(
        description="Copy it into a draft, with the filter that began its chain."
    )
    def clone_broadcast(self, info: Info, id: strawberry.ID) -> Broadcast:
        info.context.require_writer()
        broadcast = info.context.broadcast(id)
        return _fresh(
            drafts.clone(
                broadcast=broadcast,
                person=info.context.person,
                client=info.context.client,
            )
        )

    @strawberry.mutation(description="Throw a draft away; return its id.")
    def delete_draft(self, info: Info, id: strawberry.ID) -> strawberry.ID:
        info.context.require_writer()
        broadcast = info.context.broadcast(id)
        drafts.delete_draft(
            broadcast=broadcast,
            person=info.context.person,
            client=info.context.client,
        )
        return id


def _require_kept_rows(source: models.Broadcast) -> None:
    """Say it in a program's words when the failed rows have aged out."""
    numbers = counters_of(source)
    found = retry.state(source, numbers)
    if not found.enabled and numbers.failed and not numbers.kept_failed:
        raise bad_input(f"{GONE}{found.reason}")


def _fresh(made: models.Broadcast) -> Broadcast:
    """Return it as it stands in the database now."""
    return nodes_of(list(selected().filter(pk=made.pk)))[0]

"""One broadcast, and whatever it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry
from django.conf import settings

from broadcasts import models
from broadcasts.chain import ChainSummary
from broadcasts.graphql.counters import Counters, FailureCause, LeftOut
from broadcasts.graphql.paging import DEFAULT, Connection, Window, connection
from broadcasts.graphql.rows import ALL, DispatchRow
from broadcasts.graphql.siblings import Siblings
from broadcasts.graphql.ways import Audience, Flow, Route
from broadcasts.models import BroadcastKind, BroadcastState, RouteRole
from broadcasts.problems import bad_input
from broadcasts.views.links import page_of
from messaging.models import Message, MessageState


@strawberry.type(description="One decision to send to many. Its rows are messages.")
class Broadcast:
    row: strawberry.Private[models.Broadcast]
    siblings: strawberry.Private[Siblings]
    id: strawberry.ID
    name: str
    kind: BroadcastKind
    status: BroadcastState
    status_reason: str | None = strawberry.field(
        description="Why it could not run, where it could not."
    )
    run_at: datetime | None
    time_zone: str = strawberry.field(description="In which `runAt` was chosen.")
    expires_at: datetime | None = strawberry.field(
        description="Not worth sending after this moment."
    )
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    created_by: str | None = strawberry.field(
        description="The person who made it; empty for a program."
    )
    retry_of_broadcast_id: strawberry.ID | None = strawberry.field(
        description="The broadcast whose failed contacts this one retries."
    )

    @classmethod
    def of(cls, row: models.Broadcast, siblings: Siblings) -> Broadcast:
        person = row.created_by
        return cls(
            row=row,
            siblings=siblings,
            id=strawberry.ID(str(row.pk)),
            name=row.name,
            kind=BroadcastKind(row.kind),
            status=BroadcastState(row.state),
            status_reason=row.state_reason or None,
            run_at=row.run_at,
            time_zone=row.time_zone,
            expires_at=row.expires_at,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            created_by=person.get_full_name() or person.username if person else None,
            retry_of_broadcast_id=(
                strawberry.ID(str(row.retry_of_id)) if row.retry_of_id else None
            ),
        )

    @strawberry.field(description="Its page, for people.")
    def url(self) -> str:
        return f"{settings.PUBLIC_URL}{page_of(self.row)}"

    @strawberry.field
    def flow(self) -> Flow | None:
        return Flow.of(self.row.flow) if self.row.flow else None

    @strawberry.field
    def audience(self) -> Audience:
        return Audience.of(self.row)

    @strawberry.field(description="Tried in this order.")
    def routes(self) -> list[Route]:
        return self._ways(RouteRole.ROUTE)

    @strawberry.field(description="Templates for members whose window is closed.")
    def fallbacks(self) -> list[Route]:
        return self._ways(RouteRole.FALLBACK)

    def _ways(self, role: RouteRole) -> list[Route]:
        ways = self.siblings.routes.get(self.row.pk, [])
        return [Route.of(one) for one in ways if one.role == role]

    @strawberry.field
    def counters(self) -> Counters:
        return Counters.of(self.siblings.counters[self.row.pk])

    @strawberry.field(description="The commonest first, from counters: never expires.")
    def failures_by_cause(self) -> list[FailureCause]:
        causes = self.siblings.counters[self.row.pk].causes
        return [FailureCause.of(one) for one in causes]

    @strawberry.field(description="Whom it left out on purpose, and why.")
    def skips(self) -> list[LeftOut]:
        return [LeftOut.of(one) for one in self.siblings.counters[self.row.pk].skips]

    @strawberry.field(
        description=(
            "Its rows, newest first. Of some outcomes only, or the failed ones of one"
            " cause (`code` of `failuresByCause`)."
        )
    )
    def rows(
        self,
        first: int = DEFAULT,
        after: str | None = None,
        outcomes: list[MessageState] | None = None,
        cause: str | None = None,
    ) -> Connection[DispatchRow]:
        window = Window.of(Message, first, after)
        if cause is not None and outcomes not in (None, [MessageState.FAILED]):
            raise bad_input("Only what failed has a cause: ask for FAILED.", "outcomes")
        wanted = ALL if outcomes is None else tuple(dict.fromkeys(outcomes))
        page, answers = self.siblings.page(self.row.pk, (window, wanted, cause))
        nodes = [DispatchRow.of(one, answers) for one in page[: window.first]]
        return connection(page, nodes, window)

    @strawberry.field
    def retry_of(self) -> Broadcast | None:
        if self.row.retry_of_id is None:
            return None
        return Broadcast.of(*self.siblings.sources[self.row.retry_of_id])

    @strawberry.field(description="The broadcasts that retry this one, oldest first.")
    def retries(self) -> list[Broadcast]:
        return [Broadcast.of(*one) for one in self.siblings.retries[self.row.pk]]

    @strawberry.field(description="It, its retries and theirs, all together.")
    def chain(self) -> Chain:
        return Chain.of(self.siblings.chains[self.row.pk], self.siblings)


@strawberry.type(description="One broadcast of a chain.")
class ChainRun:
    broadcast_id: strawberry.ID
    counters: Counters
    reached_first: int = strawberry.field(
        description="Members whom this run was the first to reach."
    )
    siblings: strawberry.Private[Siblings]

    @strawberry.field
    def broadcast(self) -> Broadcast:
        return Broadcast.of(*self.siblings.runs[int(self.broadcast_id)])


@strawberry.type(
    description="All runs in numbers of people, each counted once: they add up."
)
class Chain:
    aimed: int
    reached: int
    waiting: int
    failed: int
    unknown: int
    skipped: int
    cancelled: int
    sentence: str
    failures_by_cause: list[FailureCause] = strawberry.field(
        description="Why those who count as failed failed last."
    )
    runs: list[ChainRun] = strawberry.field(description="Oldest first.")

    @classmethod
    def of(cls, found: ChainSummary, siblings: Siblings) -> Chain:
        return cls(
            aimed=found.aimed,
            reached=found.reached,
            waiting=found.waiting,
            failed=found.failed,
            unknown=found.unknown,
            skipped=found.skipped,
            cancelled=found.cancelled,
            sentence=found.sentence,
            failures_by_cause=[FailureCause.of(one) for one in found.causes],
            runs=[
                ChainRun(
                    broadcast_id=strawberry.ID(str(run.broadcast.pk)),
                    counters=Counters.of(run.counters),
                    reached_first=run.reached_first,
                    siblings=siblings,
                )
                for run in found.runs
            ],
        )


def nodes_of(found: Sequence[models.Broadcast]) -> list[Broadcast]:
    """Return broadcasts that are shown side by side."""
    together = Siblings(found)
    return [Broadcast.of(one, together) for one in found]

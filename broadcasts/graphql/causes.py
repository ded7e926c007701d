"""Why messages failed, across everything: what the page of causes shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry

from broadcasts import causes
from broadcasts.causes import DetailedGroup, Group, Help
from broadcasts.graphql.broadcast import Broadcast
from broadcasts.graphql.counters import FailureCause
from broadcasts.graphql.paging import DEFAULT, check_first
from broadcasts.graphql.siblings import Siblings, selected
from broadcasts.summary import Cause
from messaging.channels.contract import Channel
from messaging.models import Organization


@strawberry.type(description="How many of them came through one channel.")
class ChannelCount:
    channel: Channel
    count: int


@strawberry.type(description="One broadcast that still holds some of them.")
class CausePlace:
    broadcast: Broadcast
    count: int
    is_exact: bool = strawberry.field(
        description="Where a retry took some over, a late receipt may move one."
    )
    is_retryable: bool = strawberry.field(description="Whether it is over.")


@strawberry.type(
    description=(
        "Why messages failed, across all broadcasts and single messages. Whoever was"
        " taken over by a retry counts in that retry alone."
    )
)
class OrganizationCause(FailureCause):
    group: strawberry.Private[Group]
    places: strawberry.Private[Places]
    help: Help
    resendable: int = strawberry.field(
        description="How many may still be sent again one by one."
    )
    single_messages: int = strawberry.field(description="How many are in no broadcast.")
    channels: list[ChannelCount]
    first_at: datetime | None
    last_at: datetime | None
    ready_at: datetime | None = strawberry.field(
        description="When the last of them has waited for as long as it has to."
    )
    seen_to_at: datetime | None = strawberry.field(
        description="When somebody last sent them again, or marked it as fixed."
    )
    failed_since: int = strawberry.field(
        description="How many have failed since then; beyond 1,000 not counted."
    )
    needs_a_person: bool = strawberry.field(
        description="Whether there is a step to take now."
    )

    @strawberry.field(description="Where they are, the most first.")
    def broadcasts(self, first: int = DEFAULT) -> list[CausePlace]:
        return self.places.of(self.group, first)

    @classmethod
    def of_group(cls, group: DetailedGroup, places: Places) -> OrganizationCause:
        known = FailureCause.of(
            Cause(group.entry.code, group.number, group.entry, group.codes)
        )
        return cls(
            **vars(known),
            group=group,
            places=places,
            help=group.help,
            resendable=group.resendable,
            single_messages=group.singles,
            channels=[
                ChannelCount(channel=Channel(one), count=number)
                for one, number in group.channels.items()
                if one
            ],
            first_at=group.first,
            last_at=group.last,
            ready_at=group.ready_at,
            seen_to_at=group.seen.created_at if group.seen else None,
            failed_since=group.again if group.seen else 0,
            needs_a_person=group.needs_a_person,
        )


class Places:
    """The broadcasts that causes name, looked up together however many there are."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = groups
        self._found: dict[int, dict[int, Broadcast]] = {}

    def of(self, group: Group, first: int) -> list[CausePlace]:
        check_first(first)
        known = self._broadcasts(first)
        return [
            CausePlace(
                broadcast=known[pk],
                count=group.held[pk],
                is_exact=pk not in group.about,
                is_retryable=pk in group.retryable,
            )
            for pk in group.largest(first)
            if pk in known
        ]

    def _broadcasts(self, first: int) -> dict[int, Broadcast]:
        if first not in self._found:
            ids = {pk for one in self._groups for pk in one.largest(first)}
            rows = list(selected().filter(pk__in=ids))
            together = Siblings(rows)
            self._found[first] = {one.pk: Broadcast.of(one, together) for one in rows}
        return self._found[first]


def causes_of(organization: Organization) -> list[OrganizationCause]:
    groups = causes.detailed(organization, causes.groups(organization), named=0)
    places = Places(groups)
    return [OrganizationCause.of_group(one, places) for one in groups]

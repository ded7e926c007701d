"""What people and programs do to broadcasts, as it stands in the audit trail.

Services call :func:`note` within the transaction of the change, so page, API and
GraphQL are told alike. What the tick does by itself is nobody's doing and not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from broadcasts.audience import Audience
from broadcasts.clock import zone
from broadcasts.models import Broadcast, BroadcastKind, Flow, Route, RouteRole
from messaging import trail
from messaging.models import Actor, ApiClient, AuditKind, User
from messaging.trail import Change, Doer

Described = dict[str, str]
"""What can be decided about a broadcast, each in words."""


def note(
    broadcast: Broadcast,
    sentence: str,
    *,
    person: User | None,
    client: ApiClient | None,
    changes: Sequence[Change] = (),
    is_gone: bool = False,
) -> None:
    """Write what somebody did to a broadcast; ``is_gone`` when no page shows it."""
    trail.record(
        AuditKind.BROADCAST,
        sentence,
        organization_id=broadcast.organization_id,
        doer=doer_of(person, client),
        changes=changes,
        link="" if is_gone else f"/broadcasts/{broadcast.pk}/",
    )


def note_flow(flow: Flow, sentence: str, person: User | None) -> None:
    trail.record(
        AuditKind.BROADCAST,
        sentence,
        organization_id=flow.organization_id,
        doer=doer_of(person, None),
        link=f"/admin/broadcasts/flow/{flow.pk}/change/",
    )


def doer_of(person: User | None, client: ApiClient | None) -> Doer:
    if person is not None:
        return trail.by_person(person)
    if client is not None:
        return trail.by_client(client)
    return Doer(Actor.API, "")


def described(broadcast: Broadcast) -> Described:
    """Say what is decided now, to be compared with what is decided afterwards.

    Members are told by the filter that chooses them, never one by one.
    """
    ways = list(
        Route.objects.filter(broadcast=broadcast)
        .select_related("integration", "content")
        .order_by("position")
    )
    return {
        "name": broadcast.name,
        "sends": _content_of(broadcast),
        "members": _members(broadcast),
        "runs": when(broadcast),
        "ends": _moment(broadcast, broadcast.expires_at),
        "routes": _ways(one for one in ways if one.role == RouteRole.ROUTE),
        "fallbacks": _ways(one for one in ways if one.role == RouteRole.FALLBACK),
    }


def differences(before: Described, after: Described) -> list[Change]:
    return [
        (what, before[what], after[what])
        for what in before
        if before[what] != after[what]
    ]


def when(broadcast: Broadcast) -> str:
    """Return the run time in the broadcast's own zone; empty while there is none."""
    return _moment(broadcast, broadcast.run_at)


def _moment(broadcast: Broadcast, moment: datetime | None) -> str:
    return trail.moment(moment, zone(broadcast.time_zone)) if moment else ""


def _content_of(broadcast: Broadcast) -> str:
    if broadcast.kind == BroadcastKind.TEMPLATE or broadcast.flow is None:
        return "templates"
    return f"the flow “{broadcast.flow.name}”"


def _members(broadcast: Broadcast) -> str:
    if broadcast.is_retry:
        return ""
    return Audience.from_json(broadcast.audience).sentence


def _ways(routes: Iterable[Route]) -> str:
    return ", then ".join(
        f"{one.integration.name} with “{one.content}”"
        if one.content is not None
        else one.integration.name
        for one in routes
    )

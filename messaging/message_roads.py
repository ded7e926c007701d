"""Which way leads to the messages that a list asks for; see ``messaging.newest``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import connection
from django.db.models import F, Q

from messaging.channels.catalogue import ErrorClass
from messaging.models import (
    Integration,
    Message,
    MessageState,
    Organization,
    Tally,
    TallyUnit,
)
from messaging.models.message import ARRIVED_STATES
from messaging.newest import Road, Roads
from messaging.search import Found
from resend_admin.ui.keyset import Take, first_rows

State = MessageState
STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "scheduled": (State.PLANNED,),
    "delivered": ARRIVED_STATES,
    "waiting": (State.QUEUED,),
    "unsent": (State.QUEUED,),
}
"""States of the words that people see, where they are not the same."""
WITH_AN_ERROR: Final = (State.FAILED, State.UNKNOWN, State.QUEUED)
"""No other state keeps the error of the try before it."""
NOT_OVER: Final = (State.UNKNOWN, State.QUEUED)
"""Those of them that may still arrive; they have indexes of their own."""
HAD_AN_ERROR: Final = Q(state__in=NOT_OVER) & ~Q(error_code="")
WITHOUT_WAY: Final = Q(integration__isnull=True)


def taking(
    organization: Organization, wanted: Mapping[str, Any], found: Found | None = None
) -> Take[Message]:
    """Return how ``keyset_page`` gets at the first of what a filter wants.

    ``wanted`` holds the cleaned values of ``MessageFilter``, ``found`` what its text
    names.
    """
    roads = _roads_to(organization, wanted, found)
    return first_rows if roads is None else Roads(roads).take


def _roads_to(
    organization: Organization, wanted: Mapping[str, Any], found: Found | None
) -> list[Road] | None:
    """Return the roads; nothing where the order of all messages will do."""
    if found is not None:
        members = Road.over(contact_id=found.members)
        numbers = [Road((), ((),), Q(pk__in=found.numbers))] if found.numbers else []
        return [members, *numbers]
    if wanted.get("broadcast"):
        return _of_broadcast(int(wanted["broadcast"]), wanted)
    named = ("state", "channel", "integration", "error", "error_class")
    if any(wanted.get(one) for one in named):
        return _of_ways(organization, wanted)
    return None


def _states(wanted: Mapping[str, Any]) -> tuple[str, ...]:
    key = wanted.get("state")
    states = STATES.get(key, (key,)) if key else tuple(State.values)
    if wanted.get("error") or wanted.get("error_class"):
        return tuple(one for one in states if one in WITH_AN_ERROR)
    return states


def _of_broadcast(broadcast_id: int, wanted: Mapping[str, Any]) -> list[Road]:
    """Go by what the tallies know of a broadcast: what it has none of is not tried."""
    tallies = Tally.objects.filter(
        broadcast_id=broadcast_id,
        unit=TallyUnit.MESSAGE,
        outcome__in=_states(wanted),
        count__gt=F("pruned"),
    )
    if channel := wanted.get("channel"):
        tallies = tallies.filter(channel=channel)
    if integration := wanted.get("integration"):
        tallies = tallies.filter(integration_id=integration.pk)
    if code := wanted.get("error"):
        tallies = tallies.filter(error_code=code)
    if error_class := wanted.get("error_class"):
        tallies = tallies.filter(error_class=error_class)
    there = set(tallies.values_list("outcome", "error_code"))
    if not (wanted.get("error") or wanted.get("error_class")):
        return [Road.over(state=sorted({state for state, _ in there}))]
    codes = sorted(code for state, code in there if state == State.FAILED)
    others = sorted({state for state, _ in there} - {State.FAILED})
    return [failed_for(codes), Road.over(state=others)]


def failed_for(codes: Iterable[str]) -> Road:
    """Return the road to what failed in one broadcast for one of these causes."""
    return Road.over(Q(state=State.FAILED), error_code=list(codes))


def _of_ways(organization: Organization, wanted: Mapping[str, Any]) -> list[Road]:
    ways = _integration_ids(organization, wanted)
    states = _states(wanted)
    has_error = wanted.get("error") or wanted.get("error_class")
    roads = []
    if has_error:
        if State.FAILED in states:
            roads.append(_failed(organization, wanted, ways))
        states = tuple(one for one in states if one in NOT_OVER)
        roads.append(_not_over(wanted, states, ways))
    elif wanted.get("state") == "waiting":
        # A partial index has them by themselves.
        return [Road.over(integration_id=ways)]
    else:
        roads.append(Road.over(state=states, integration_id=ways))
    if not (wanted.get("channel") or wanted.get("integration")):
        roads.append(Road.over(WITHOUT_WAY, state=states))
    return roads


def _integration_ids(
    organization: Organization, wanted: Mapping[str, Any]
) -> tuple[int, ...]:
    own = Integration.objects.filter(organization=organization)
    if channel := wanted.get("channel"):
        own = own.filter(channel=channel)
    if integration := wanted.get("integration"):
        own = own.filter(pk=integration.pk)
    return tuple(own.order_by().values_list("pk", flat=True))


def _failed(
    organization: Organization, wanted: Mapping[str, Any], ways: tuple[int, ...]
) -> Road:
    classes = [wanted["error_class"]] if wanted.get("error_class") else list(ErrorClass)
    codes = (
        [wanted["error"]]
        if wanted.get("error")
        else _codes_in_use(organization, wanted["error_class"])
    )
    return Road.over(
        Q(state=State.FAILED),
        error_class=[str(one) for one in classes],
        error_code=codes,
        integration_id=ways,
    )


def _not_over(
    wanted: Mapping[str, Any], states: tuple[str, ...], ways: tuple[int, ...]
) -> Road:
    """Return the road to what has had this error and may still arrive."""
    column = "error_code" if wanted.get("error") else "error_class"
    asked = wanted.get("error") or wanted["error_class"]
    return Road.over(
        HAD_AN_ERROR, **{column: [str(asked)], "state": states, "integration_id": ways}
    )


CODES_IN_USE: Final = """
    WITH RECURSIVE code AS (
        (
            SELECT error_code
            FROM messaging_message
            WHERE organization_id = %(organization)s
              AND state = 'failed'
              AND error_class = %(error_class)s
            ORDER BY error_code
            LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT message.error_code
            FROM messaging_message AS message
            WHERE message.organization_id = %(organization)s
              AND message.state = 'failed'
              AND message.error_class = %(error_class)s
              AND message.error_code > code.error_code
            ORDER BY message.error_code
            LIMIT 1
        )
        FROM code
        WHERE code.error_code IS NOT NULL
    )
    SELECT error_code FROM code WHERE error_code IS NOT NULL LIMIT 500
"""
"""The codes of one class, by jumping from one to the next in the index."""


def _codes_in_use(organization: Organization, error_class: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            CODES_IN_USE,
            {"organization": organization.pk, "error_class": error_class},
        )
        return [row[0] for row in cursor.fetchall()]

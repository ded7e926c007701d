"""Making a retry: a new broadcast to exactly the members that were shown."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from broadcasts import access, freezing, record
from broadcasts.clock import (
    DIALOG_TOLERANCE,
    check_lead,
    local_moment,
)
from broadcasts.fields import NAME_LENGTH, replace_routes, specs_of
from broadcasts.in_the_way import held_source, live_in_words, live_retry
from broadcasts.models import Broadcast, BroadcastState, RouteRole
from broadcasts.patience import wait_longer
from broadcasts.problems import Problem, bad_input, conflict
from broadcasts.quota import take_slot
from broadcasts.retry import candidates, state, tallied
from messaging.models import ApiClient, User


def create(
    *,
    broadcast: Broadcast,
    person: User | None,
    run_at: datetime,
    time_zone: str,
    shown_count: int | None,
    shown_at: datetime,
    include_unknown: bool = False,
    client: ApiClient | None = None,
) -> Broadcast:
    """Schedule a retry of the failed members, as they were shown.

    Everything is checked again. ``shown_count`` and ``shown_at`` come from
    ``retry.offer``: when the members who failed until then are not that many any
    more, it is refused with CONFLICT and the person looks again. A program that showed
    nobody a number names none: then it is whoever had failed by then. Unknown ones are
    included only on request, for they may get the message twice. The source, its
    messages and their attempts are not touched. Whom it covers is fixed when this
    returns; the rows of more than a page of members follow in the background.
    """
    access.require_writer(person, broadcast.organization_id)
    moment = local_moment(run_at, time_zone)
    check_lead(moment, time_zone, DIALOG_TOLERANCE)
    try:
        with transaction.atomic():
            take_slot(broadcast.organization_id)
            source = held_source(broadcast)
            _require_retryable(source)
            chosen = candidates(source, include_unknown=include_unknown)
            counted = tallied(source, include_unknown=include_unknown)
            retry = new_retry(
                source, person, moment, time_zone, includes_unknown=include_unknown
            )
            copy_routes(source, retry)
            wait_longer()
            number = freezing.freeze(retry, chosen, shown_at)
            if not number or shown_count not in {None, number}:
                raise _list_changed(number)
            if not retry.forecast and number == counted.count + counted.unknown:
                freezing.foretell_by_tallies(retry, counted)
            note_scheduled(retry, _failed(number), person, client)
    except IntegrityError:
        live = live_retry(broadcast)
        if live is None:
            raise
        raise conflict(live_in_words(live)) from None
    return retry


def note_scheduled(
    retry: Broadcast, whom: str, person: User | None, client: ApiClient | None
) -> None:
    """Put on record who scheduled a retry, for whom, and what they accepted."""
    changes = [("runs", "", record.when(retry))]
    if retry.includes_unknown:
        changes.append(("members who may have got it already", "", "included"))
    sentence = f"Scheduled “{retry.name}” for {whom}."
    record.note(retry, sentence, person=person, client=client, changes=changes)


def _require_retryable(source: Broadcast) -> None:
    standing = state(source)
    if standing.live_retry is not None:
        raise conflict(standing.reason)
    if not standing.enabled:
        raise bad_input(standing.reason)


def new_retry(
    source: Broadcast,
    person: User | None,
    run_at: datetime,
    time_zone: str,
    *,
    includes_unknown: bool,
) -> Broadcast:
    """Make a scheduled retry of a source that is held; it has no routes or rows yet.

    ``includes_unknown`` says that somebody wants it to go to members who may have got
    the message already; else whoever comes to be in doubt before it starts is held
    back.
    """
    expires_at = source.expires_at
    if expires_at is not None and expires_at <= run_at:
        expires_at = None
    return Broadcast.objects.create(
        organization=source.organization,
        name=_name(source),
        kind=source.kind,
        state=BroadcastState.SCHEDULED,
        flow=source.flow,
        content=source.content,
        retry_of=source,
        root=source.root or source,
        run_at=run_at,
        time_zone=time_zone,
        expires_at=expires_at,
        created_by=person,
        includes_unknown=includes_unknown,
        routes_changed=source.routes_changed,
    )


def _name(source: Broadcast) -> str:
    """``Retry of X`` for the first one of a chain, then ``Retry 2 of X``."""
    first = source.root or source
    number = first.chain.count() + 1
    ordinal = f" {number}" if number > 1 else ""
    return f"Retry{ordinal} of {first.name}"[:NAME_LENGTH]


def copy_routes(source: Broadcast, retry: Broadcast) -> None:
    """Give the retry the routes and fallbacks that its source has now."""
    replace_routes(
        retry,
        specs_of(source, RouteRole.ROUTE),
        specs_of(source, RouteRole.FALLBACK),
    )


def _failed(number: int) -> str:
    return "1 failed member" if number == 1 else f"{number:,} failed members"


def _list_changed(number: int) -> Problem:
    if not number:
        return conflict("The list changed: nobody is left to retry. Look again.")
    members = "member" if number == 1 else "members"
    return conflict(
        f"The list changed while you looked: now it is {number:,} {members}. Look"
        " again and confirm."
    )
